"""Multi-task learning, gradient reversal and adversarial discriminators of every combination of four attributes.

Tables 2 and 3 of attributes.txt are one table here, with attributes down and the corpora that are tested on across: the
baseline, and three approaches with each of fifteen combinations of (C)orpus, (G)ender, (S)peaker and (L)anguage. Five of
these are in the paper's supplement alone, which is not at hand: C+S, C+G, C+L, C+S+G and S+G+L have no published
figures. The paper's UA is the mean of the classes' accuracies: UAR. It is of one run of each model.

A second mode is the last three rows, one for each approach: there the attributes are searched with the rest. They are
no rows of the paper, which gives no one best combination to begin with: language is, the only attribute with which
gradient reversal beats the baseline on both corpora (section 5).

What the paper leaves open, and what was chosen: it searches nothing, and its alpha is each approach's own; here alpha and
its schedule are searched around it, and the learning rate in all rows, so that the baseline is tuned as they are. Where
4.1 disagrees with the abstract on how many corpora are pooled, the six that it lists are.

The paper's preset is the paper's epochs and utterances. A CNN-LSTM takes half a second or so for a step of 32 three-second
utterances on one core, so the others cut utterances short and run some of the cells: the smallest every approach, every
attribute alone, one combination and one search of them; the demo, on TESS, each approach with all attributes and with
those that it finds, beside the baseline and the shallow rows. ``--cells`` asks for others. After so few steps most
models are near chance.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution

from search_spaces import BASELINES, Parameter, Preset, Published, Sweep, Variant
from trainables.config import TaskConfig
from trainables.game import ATTRIBUTES
from trainables.methods._attributes import COMBINATIONS

# As the rows' names and titles have it, the method, and alpha and its schedule (section 4).
_APPROACHES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "mtl": ("MTL", "mtl", {"alpha": 0.1}),
    "gr": ("GR", "gradient_reversal", {"alpha_ramp": "step", "alpha_gamma": 149.0}),
    "ad": ("AD", "adversarial_discriminator", {}),
}

# In the order, and with the letters in the order, that the tables have them in.
_ATTRIBUTES = tuple("C G S L C+S C+G C+L S+G S+L G+L C+S+G C+G+L C+S+L S+G+L C+S+G+L".split())

# attributes.txt, Tables 2 and 3.
_PUBLISHED_ATTRIBUTES = tuple("C G S L S+G S+L G+L C+G+L C+S+L C+S+G+L".split())
_PUBLISHED = {
    ("mtl", "tess"): (48.90, 35.13, 52.25, 54.73, 34.77, 47.42, 51.85, 52.90, 48.69, 49.17),
    ("gr", "tess"): (54.71, 45.04, 55.17, 50.10, 51.58, 55.46, 52.79, 49.40, 54.75, 51.71),
    ("ad", "tess"): (40.73, 39.35, 36.98, 33.29, 49.19, 50.40, 52.40, 51.92, 50.08, 52.48),
    ("mtl", "crema_d"): (49.64, 50.13, 49.50, 50.39, 52.85, 50.26, 52.26, 51.53, 48.95, 51.54),
    ("gr", "crema_d"): (51.82, 53.99, 47.60, 53.92, 50.36, 53.19, 52.92, 50.57, 53.71, 50.12),
    ("ad", "crema_d"): (51.92, 53.33, 53.23, 50.89, 50.11, 46.47, 49.80, 45.07, 46.32, 47.15),
}
_BASELINE = {"tess": 49.48, "crema_d": 52.21}

_TASKS = {
    target: TaskConfig(
        sources=("emovo", "emodb", "iemocap", "epst", "ravdess", "savee"),
        targets=(target,),
        scheme="valence3",
        protocol="pooled_80_10_10",
        feature="mfb40_normalised",
    )
    for target in ("tess", "crema_d")
}


def _named(letters: str) -> str:
    """``S+G`` as the methods have it: ``gender+speaker``."""
    return "+".join(name for name in ATTRIBUTES if name[0].upper() in letters)


def _row(approach: str, letters: str) -> Variant:
    title, method, paper = _APPROACHES[approach]
    return Variant(
        f"{approach}_{letters}",
        method,
        title=f"{title} {letters}",
        settings={"attributes": _named(letters)},
        paper=paper,
    )


def _searched(approach: str) -> Variant:
    title, method, paper = _APPROACHES[approach]
    return Variant(
        f"{approach}_searched", method, title=f"{title}, attributes searched (no row of the paper)", paper=paper
    )


def _looking(baseline: Variant) -> Variant:
    """A shallow row that looks at the target's features, which the paper's protocol does not grant."""
    return dataclasses.replace(
        baseline,
        title=f"{baseline.title} (sees the target)",
        task=lambda task: dataclasses.replace(baseline.task(task), protocol="pooled_80_10_10_unlabelled"),
    )


SWEEP = Sweep(
    title="Attributes, in multi-task and adversarial learning",
    source="attributes.txt, Tables 2 and 3",
    variants=(
        Variant("baseline", "cnn_lstm"),
        *(_row(approach, letters) for approach in _APPROACHES for letters in _ATTRIBUTES),
        *(_searched(approach) for approach in _APPROACHES),
        BASELINES[0],
        *map(_looking, BASELINES[1:]),
    ),
    tasks=tuple(_TASKS.values()),
    space={
        "learning_rate": Parameter(FloatDistribution(2e-4, 5e-2, log=True), paper=2e-3),
        "attributes": Parameter(CategoricalDistribution(COMBINATIONS), paper="language"),
        "alpha": Parameter(FloatDistribution(0.01, 0.9, log=True), paper=0.5),
        "alpha_ramp": Parameter(CategoricalDistribution(["constant", "linear", "sigmoid", "step"]), paper="constant"),
        "alpha_gamma": Parameter(
            FloatDistribution(1.0, 150.0, log=True), paper=10.0, when={"alpha_ramp": ("sigmoid", "step")}
        ),
    },
    published={
        **{("baseline", _TASKS[target].name): Published(figure) for target, figure in _BASELINE.items()},
        **{
            (f"{approach}_{letters}", _TASKS[target].name): Published(figure)
            for (approach, target), figures in _PUBLISHED.items()
            for letters, figure in zip(_PUBLISHED_ATTRIBUTES, figures, strict=True)
        },
    },
    reference="baseline",
    presets={
        "smoke": Preset(
            epochs=2,
            trials=2,
            replicates=2,
            max_frames=30,
            demo="tiny",
            cells=(
                *(f"{row}/*-tess-*" for row in ("baseline", "mtl_C", "gr_G", "ad_S", "ad_C+S+G+L", "gr_searched")),
                "gr_L/*-crema_d-*",
                "is09_source/*-tess-*",
            ),
        ),
        "demo": Preset(
            epochs=4,
            trials=2,
            replicates=2,
            max_frames=60,
            cells=(
                "baseline/*-tess-*",
                *(f"{approach}_{what}/*-tess-*" for approach in _APPROACHES for what in ("C+S+G+L", "searched")),
                *(f"{row.name}/*-tess-*" for row in BASELINES),
            ),
        ),
        "paper": Preset(epochs=150, trials=20, replicates=5, demo="full"),
    },
)

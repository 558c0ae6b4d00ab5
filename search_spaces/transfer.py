"""Table 3 of multilingual.txt: is an LSTM trained on IEMOCAP of use to a small corpus, and does fine-tuning help?

Both rows begin with the same model, trained on IEMOCAP's IS09 features without the two speakers that its seed leaves
out. Row 1 tests it on the left-out speaker of the small corpus; row 2 first trains its penultimate layer on the other
speakers. The third row is not in the paper's table: it trains the whole of the same network on the small corpus alone,
what the paper compares with in words (its own LSTM, in Table 2, lacks the dense layer). The figures are accuracies on one
speaker (46.51 % is 20 of 43 utterances of EMO-DB; see :mod:`.single_corpus`); seeds take turns at the speakers here. The
paper does not say how features are standardised: each corpus is by its own training part, in row 1, too.
"""

from __future__ import annotations

from dataclasses import replace

from optuna.distributions import CategoricalDistribution, FloatDistribution

from search_spaces import Parameter, Preset, Start, Sweep, Variant, row_by_row
from search_spaces.single_corpus import PUBLISHED_NOTE
from trainables.config import TaskConfig


def _large(task: TaskConfig) -> TaskConfig:
    return replace(task, sources=("iemocap",), targets=("iemocap",))


_BASE = Start("lstm_transfer", _large)
_TASKS = tuple(
    TaskConfig(sources=(corpus,), targets=(corpus,), scheme="emotion5", protocol="leave_speakers_out", feature="is09")
    for corpus in ("emodb", "emovo", "savee")
)
_VARIANTS = (
    Variant(
        "iemocap",
        "lstm_transfer",
        title="train on IEMOCAP",
        settings={"trains": "nothing", "learning_rate": 1e-3},
        start=_BASE,
    ),
    Variant(
        "fine_tuned", "lstm_transfer", title="fine-tune on the corpus", settings={"trains": "penultimate"}, start=_BASE
    ),
    Variant("alone", "lstm_transfer", title="train on the corpus alone", settings={"trains": "all"}),
)
_PUBLISHED = {"iemocap": (46.51, 35.71, 45.55), "fine_tuned": (83.72, 31.42, 55.55)}

SWEEP = Sweep(
    title="Transfer from a large corpus to small ones",
    source="multilingual.txt, Table 3",
    variants=_VARIANTS,
    tasks=_TASKS,
    space={
        "learning_rate": Parameter(FloatDistribution(1e-4, 1e-2, log=True), paper=1e-3),
        "start.learning_rate": Parameter(CategoricalDistribution([3e-4, 1e-3, 3e-3]), paper=1e-3),
    },
    published=row_by_row(_PUBLISHED, _TASKS),
    published_note=PUBLISHED_NOTE,
    reference="iemocap",
    presets={
        "smoke": Preset(epochs=2, trials=2, replicates=2, demo="tiny", cells=("*/emodb-*",)),
        "demo": Preset(epochs=20, trials=4, replicates=4),
        "paper": Preset(epochs=100, trials=30, replicates=10, demo="full"),
    },
)

"""Table 3 and Figure 2 of addi.txt: does an encoder that was pre-trained on unlabelled speech help across corpora?

Table 3's rows of this project's methods, between IEMOCAP and MSP-IMPROV both ways: the CNN and ADDi, and each started
from an encoder that has learnt to generate emotional speech from LibriSpeech (CNN-SSL, sADDi). Figure 2 (a, b) compares
that pretext task with reconstruction; its figures are drawn, not written, so there are none to show beside ours. The
paper's metric is UAR.

The paper gives the learning rate, 100 hours of LibriSpeech for the pretext, and neither lambda nor a weight, a batch size
or a number of epochs of the pretext: lambda 1, 32 and the epochs of the runs that start from it stand in for them, and
the losses of 3.2 as they are written (:mod:`trainables.methods.emotional_gan`). What is searched of the pretext comes from
short lists: six configurations of it at the most, each trained once for all cells, both directions and all replicates,
however many trials ask for it. So the figures' spread is over the runs that start from one and the same encoder. The
learning rate is searched in every row, so that the baseline has as many configurations to choose from as the others.
"""

from __future__ import annotations

import dataclasses

from optuna.distributions import CategoricalDistribution, FloatDistribution

from search_spaces import BASELINES, Parameter, Preset, Published, Start, Sweep, Variant
from trainables.config import TaskConfig

_SPEECH = ("librispeech",)


def _unlabelled(column: TaskConfig) -> TaskConfig:
    """All of LibriSpeech, the same whatever the column is."""
    return dataclasses.replace(column, sources=_SPEECH, targets=_SPEECH, protocol="unlabelled")


_GENERATION = Start("emotional_gan", _unlabelled)
_RECONSTRUCTION = Start("reconstruction", _unlabelled)

SWEEP = Sweep(
    title="Self-supervised ADDi across corpora",
    source="addi.txt, Table 3 and Figure 2",
    variants=(
        Variant("cnn", "cnn", title="CNN"),
        Variant("addi", "addi", title="ADDi"),
        Variant("cnn_ssl", "cnn", title="CNN-SSL", start=_GENERATION),
        Variant("saddi", "addi", title="sADDi", start=_GENERATION),
        Variant("cnn_reconstruction", "cnn", title="CNN, reconstruction", start=_RECONSTRUCTION),
        Variant("addi_reconstruction", "addi", title="ADDi, reconstruction", start=_RECONSTRUCTION),
        *BASELINES,
    ),
    tasks=(
        TaskConfig(sources=("iemocap",), targets=("msp_improv",)),
        TaskConfig(sources=("msp_improv",), targets=("iemocap",)),
    ),
    space={
        "learning_rate": Parameter(FloatDistribution(1e-5, 1e-2, log=True), paper=1e-4),
        "adversarial_weight": Parameter(FloatDistribution(1e-3, 10.0, log=True), paper=1.0),
        "start.fake_weight": Parameter(CategoricalDistribution([1.0, 4.0]), paper=1.0),
        "start.reconstruction_weight": Parameter(CategoricalDistribution([0.0, 0.1, 1.0]), paper=0.0),
    },
    published={
        ("cnn", "iemocap-msp_improv"): Published(42.5, 1.6),
        ("addi", "iemocap-msp_improv"): Published(45.1, 0.8),
        ("cnn_ssl", "iemocap-msp_improv"): Published(43.8, 1.2),
        ("saddi", "iemocap-msp_improv"): Published(47.1, 0.5),
        ("cnn", "msp_improv-iemocap"): Published(44.3, 1.5),
        ("addi", "msp_improv-iemocap"): Published(48.2, 0.6),
        ("cnn_ssl", "msp_improv-iemocap"): Published(45.3, 1.1),
        ("saddi", "msp_improv-iemocap"): Published(49.8, 0.6),
    },
    reference="cnn",
    presets={
        "smoke": Preset(
            epochs=2,
            trials=2,
            replicates=2,
            max_frames=100,
            demo="tiny",
            cells=tuple(
                f"{row}/iemocap-msp_improv" for row in ("cnn", "cnn_ssl", "saddi", "addi_reconstruction", "is09_coral")
            ),
        ),
        "demo": Preset(epochs=10, trials=4, replicates=3, max_frames=200),
        "paper": Preset(epochs=200, trials=30, replicates=10, demo="full"),
    },
)

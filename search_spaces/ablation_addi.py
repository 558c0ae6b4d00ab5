"""Table 8 of addi.txt: which part of the adversarial dual discriminator network does the work?

Five configurations, from the whole game down to encoder and classifier, each cross-corpus (IEMOCAP to MSP-IMPROV) and
cross-language (IEMOCAP to EMO-DB). The table's marks are lost in the text: section 5.8 says that configurations 2 and
3 keep one discriminator each, "either Ds or Dt", so 2 is read as keeping Ds and 3 as keeping Dt, in the order in which
the section names them. The paper gives the learning rate; it gives neither lambda, nor its schedule, nor the batch
size: 1, constant and 32 stand in for them in the first trial of each cell. The last three rows are not the paper's.
"""

from __future__ import annotations

from optuna.distributions import CategoricalDistribution, FloatDistribution

from search_spaces import BASELINES, Parameter, Preset, Published, Sweep, Variant
from trainables.config import TaskConfig

_ADVERSARIAL = ("generator",)

SWEEP = Sweep(
    title="Ablation of ADDi",
    source="addi.txt, Table 8",
    variants=(
        Variant("full", "addi", title="1 full"),
        Variant("source_discriminator", "addi", ("target_discriminator",), "2 without target discriminator"),
        Variant("target_discriminator", "addi", ("source_discriminator",), "3 without source discriminator"),
        Variant(
            "autoencoder",
            "addi",
            ("generator", "source_discriminator", "target_discriminator"),
            "4 without discriminators",
        ),
        Variant(
            "encoder_classifier",
            "addi",
            ("autoencoder", "generator", "decoder", "source_discriminator", "target_discriminator"),
            "5 encoder and classifier (CNN)",
        ),
        *BASELINES,
    ),
    tasks=(
        TaskConfig(sources=("iemocap",), targets=("msp_improv",)),
        TaskConfig(sources=("iemocap",), targets=("emodb",)),
    ),
    space={
        "learning_rate": Parameter(FloatDistribution(1e-5, 1e-2, log=True), paper=1e-4),
        "batch_size": Parameter(CategoricalDistribution([16, 32, 64]), paper=32),
        "adversarial_weight": Parameter(
            FloatDistribution(1e-3, 10.0, log=True), paper=1.0, unless_without=_ADVERSARIAL
        ),
        "adversarial_ramp": Parameter(
            CategoricalDistribution(["constant", "linear", "sigmoid"]), paper="constant", unless_without=_ADVERSARIAL
        ),
        "adversarial_gamma": Parameter(
            FloatDistribution(1.0, 20.0, log=True),
            paper=10.0,
            when={"adversarial_ramp": ("sigmoid",)},
            unless_without=_ADVERSARIAL,
        ),
    },
    published={
        ("full", "iemocap-msp_improv"): Published(45.1, 0.8),
        ("source_discriminator", "iemocap-msp_improv"): Published(43.2, 1.3),
        ("target_discriminator", "iemocap-msp_improv"): Published(43.1, 1.4),
        ("autoencoder", "iemocap-msp_improv"): Published(42.7, 1.2),
        ("encoder_classifier", "iemocap-msp_improv"): Published(42.5, 1.6),
        ("full", "iemocap-emodb"): Published(46.1, 1.6),
        ("source_discriminator", "iemocap-emodb"): Published(44.0, 1.9),
        ("target_discriminator", "iemocap-emodb"): Published(43.5, 1.8),
        ("autoencoder", "iemocap-emodb"): Published(43.3, 1.8),
        ("encoder_classifier", "iemocap-emodb"): Published(41.2, 1.9),
    },
    reference="full",
    presets={
        "smoke": Preset(epochs=2, trials=2, replicates=2, max_frames=100, demo="tiny"),
        "demo": Preset(epochs=10, trials=4, replicates=4, max_frames=200),
        "paper": Preset(epochs=200, trials=30, replicates=10, demo="full"),
    },
)

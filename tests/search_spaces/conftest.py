"""A sweep that holds together, for tests to spoil."""

from __future__ import annotations

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from search_spaces import Parameter, Preset, Published, Sweep, Variant
from trainables.config import TaskConfig


@pytest.fixture
def sweep() -> Sweep:
    return Sweep(
        title="Two methods",
        source="no paper",
        variants=(
            Variant("full", "addi"),
            Variant("mute", "addi", ("generator", "source_discriminator", "target_discriminator")),
            Variant("baseline", "cnn"),
        ),
        tasks=(TaskConfig(sources=("iemocap",), targets=("emodb",)),),
        space={
            "learning_rate": Parameter(FloatDistribution(1e-5, 1e-2, log=True), paper=1e-4),
            "batch_size": Parameter(IntDistribution(8, 64), paper=32),
            "adversarial_ramp": Parameter(
                CategoricalDistribution(["constant", "sigmoid"]), paper="constant", unless_without=("generator",)
            ),
            "adversarial_gamma": Parameter(
                FloatDistribution(1.0, 20.0), paper=10.0, when={"adversarial_ramp": ("sigmoid",)}
            ),
        },
        published={("full", "iemocap-emodb"): Published(46.1, 1.6)},
        reference="full",
        presets={"demo": Preset(epochs=6, trials=4, replicates=3)},
    )

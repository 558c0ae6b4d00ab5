"""Loading sweeps, a user's own included, and what is said of one that does not hold together."""

from __future__ import annotations

import dataclasses

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

import search_spaces
from data_prep.errors import InputError
from search_spaces import Parameter, Preset, Published, Variant, active, applies, check, paper_values
from trainables.config import TaskConfig


def test_an_unknown_sweep_lists_the_known_ones():
    with pytest.raises(InputError, match="unknown sweep 'ablation_adi'; known, nearest first: ablation_addi"):
        search_spaces.load("ablation_adi")


def test_a_users_own_file_is_a_sweep_too(tmp_path):
    file = tmp_path / "my_sweep.py"
    file.write_text(
        "from __future__ import annotations\n"
        "import dataclasses\n"
        "from search_spaces import ablation_addi\n"
        "@dataclasses.dataclass\n"
        "class Mine:\n"
        "    title: str\n"
        "SWEEP = dataclasses.replace(ablation_addi.SWEEP, title=Mine('Mine').title)\n"
    )
    assert search_spaces.load(str(file)).title == "Mine"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"there is no sweep file .*mine\.py; give the path of a Python file that publishes SWEEP"),
        ("SWEEPS = 1", r"mine\.py publishes no SWEEP; it must hold SWEEP = search_spaces\.Sweep\(\.\.\.\)"),
        ("SWEEP = 1", r"mine\.py publishes no SWEEP"),
        ("import nothing_like_it", r"mine\.py cannot be loaded: ModuleNotFoundError: No module named"),
        ("SWEEP = (", r"mine\.py cannot be loaded: SyntaxError: .*line 1"),
        ("raise ValueError('two\\nlines')", r"mine\.py cannot be loaded: ValueError: two lines"),
        (
            "import dataclasses\nfrom search_spaces import ablation_addi\n"
            "SWEEP = dataclasses.replace(ablation_addi.SWEEP, reference='ful')",
            r"sweep .*mine\.py: unknown reference variant 'ful'; known, nearest first: full",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(content, message, tmp_path):
    file = tmp_path / "mine.py"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match=message) as error:
        search_spaces.load(str(file))
    assert "\n" not in str(error.value)


def test_a_sweep_that_holds_together_passes(sweep):
    check(sweep)


RATE = FloatDistribution(1e-5, 1e-2, log=True)
RAMPS = CategoricalDistribution(["constant", "sigmoid"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"variants": (Variant("full", "adi"),), "published": {}}, "unknown method 'adi'; known, nearest first: addi"),
        (
            {"variants": (Variant("full", "addi", ("discriminator",)),), "published": {}},
            "unknown player or network 'discriminator'; known, nearest first: discriminators",
        ),
        ({"variants": (Variant("full", "addi"), Variant("full", "cnn"))}, "2 variants are called 'full'"),
        ({"variants": (Variant("full", "addi"), Variant("a/b", "cnn"))}, "'a/b' cannot be the name of a variant"),
        ({"tasks": (TaskConfig(sources=("iemocap",), targets=("emodb",)),) * 2}, "2 tasks are called 'iemocap-emodb'"),
        (
            {"tasks": (TaskConfig(sources=("iemocap",), targets=("emodb",), scheme="emotions4"),)},
            "unknown label scheme 'emotions4'; known, nearest first: emotion4",
        ),
        (
            {"tasks": (TaskConfig(sources=("iemocap",), targets=("emodb",), feature="mfb4"),)},
            "unknown feature 'mfb4'; known, nearest first: mfb40",
        ),
        (
            {"tasks": (TaskConfig(sources=("iemocap",), targets=("emodb",), protocol="random"),)},
            "unknown protocol 'random'; known, nearest first: random_80_20",
        ),
        (
            {"tasks": (TaskConfig(sources=("iemocap",), targets=("emodb",), protocol="within_70_25_5"),)},
            "protocol within_70_25_5 tests within the corpora that it trains on: the target must be the source",
        ),
        (
            {"tasks": (TaskConfig(sources=("iemocap", "emodb"), targets=("emodb",)),)},
            "emodb and emodb share a corpus; source and target must differ",
        ),
        ({"reference": "ful"}, "unknown reference variant 'ful'; known, nearest first: full"),
        (
            {"published": {("full", "emodb"): Published(46.1)}},
            "unknown published cell 'full/emodb'; known, nearest first: full/iemocap-emodb",
        ),
        ({"presets": {"demo": Preset(epochs=0, trials=1, replicates=1)}}, "preset 'demo' must have 1 or more"),
        (
            {"space": {"learning_rat": Parameter(RATE, paper=1e-4)}},
            "unknown hyperparameter in the search space 'learning_rat'; known, nearest first: learning_rate",
        ),
        (
            {"space": {"learning_rate": Parameter(RATE, paper=0.1)}},
            "learning_rate: the paper's value, 0.1, is not in FloatDistribution",
        ),
        (
            {"space": {"adversarial_ramp": Parameter(RAMPS, paper="linear")}},
            "adversarial_ramp: the paper's value, 'linear', is not in CategoricalDistribution",
        ),
        (
            {
                "space": {
                    "learning_rate": Parameter(RATE, paper=1e-4, when={"adversarial_ramp": ("sigmoid",)}),
                    "adversarial_ramp": Parameter(RAMPS, paper="constant"),
                }
            },
            "unknown parameter before learning_rate, in its when: 'adversarial_ramp'; known, nearest first: none",
        ),
        (
            {
                "space": {
                    "adversarial_ramp": Parameter(RAMPS, paper="constant"),
                    "learning_rate": Parameter(RATE, paper=1e-4, when={"adversarial_ramp": ("sigmoïd",)}),
                }
            },
            "adversarial_ramp: the value in when of learning_rate, 'sigmoïd', is not in",
        ),
        (
            {"space": {"learning_rate": Parameter(RATE, paper=1e-4, unless_without=("generators",))}},
            "unknown player or network in unless_without of learning_rate 'generators'; known, nearest first: gen",
        ),
        (
            {"space": {"adversarial_weight": Parameter(FloatDistribution(-1.0, 1.0), paper=1.0)}},
            r"adversarial_weight is -1\.0; it must be 0 or more",
        ),
        (
            {"space": {"adversarial_ramp": Parameter(CategoricalDistribution(["constant", "slow"]), paper="constant")}},
            "unknown adversarial_ramp 'slow'; known, nearest first:",
        ),
        (
            {"space": {"learning_rate": Parameter(CategoricalDistribution(["1e-4"]), paper="1e-4")}},
            r"\{'learning_rate': '1e-4'\} is of a wrong type for",
        ),
    ],
)
def test_what_does_not_hold_together_is_said_before_anything_runs(change, message, sweep):
    with pytest.raises(InputError, match=message):
        check(dataclasses.replace(sweep, **change))


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        (Variant("v", "addi", ("decoder",)), "variant 'v': player autoencoder cannot do without network 'decoder'"),
        (
            Variant("v", "cnn", ("classifier",)),
            "variant 'v': classifier cannot be removed: without it nothing predicts",
        ),
        (
            Variant("v", "addi", ("decodr",)),
            "variant 'v': unknown player or network 'decodr'; known, nearest first: dec",
        ),
        (
            Variant("v", "cnn", paper={"adversarial_ramp": "sigmoid"}),
            "variant 'v': unknown searched parameter in its paper: 'adversarial_ramp'; known, nearest first:",
        ),
        (
            Variant("v", "addi", paper={"adversarial_ramp": "linear"}),
            "variant 'v': adversarial_ramp: the paper's value, 'linear', is not in CategoricalDistribution",
        ),
    ],
)
def test_a_variant_that_cannot_be_played_is_said_before_anything_runs(variant, message, sweep):
    with pytest.raises(InputError, match=message):
        check(dataclasses.replace(sweep, variants=(*sweep.variants, variant)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sources": ()}, r"sources of a task is \(\); it must be a tuple of one or more corpora's names"),
        ({"targets": "emodb"}, "targets of a task is 'emodb'; it must be a tuple"),
        ({"max_frames": 0}, "max_frames of a task is 0; it must be 1 or more, or None to cut nothing"),
    ],
)
def test_a_task_that_is_none_is_refused(change, message, sweep):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(sweep.tasks[0], **change)


def test_a_tasks_name_says_what_is_not_as_usual_in_it(sweep):
    (task,) = sweep.tasks
    assert (task.name, task.title) == ("iemocap-emodb", "iemocap → emodb")
    other = dataclasses.replace(task, protocol="speakers_80_20", max_frames=9)
    assert (other.name, other.title) == ("iemocap-emodb-speakers_80_20", "iemocap → emodb (speakers_80_20)")


def test_a_parameter_means_something_where_its_method_has_it_and_what_it_is_for_is_there(sweep):
    found = {variant.name: set(active(sweep.space, variant)) for variant in sweep.variants}
    assert found == {
        "full": {"learning_rate", "batch_size", "adversarial_ramp", "adversarial_gamma"},
        "mute": {"learning_rate", "batch_size", "adversarial_gamma"},
        "baseline": {"learning_rate", "batch_size"},
    }


def test_a_condition_holds_for_the_values_that_it_names_and_not_where_nothing_was_drawn(sweep):
    gamma = sweep.space["adversarial_gamma"]
    assert applies(gamma, {"adversarial_ramp": "sigmoid"})
    assert not applies(gamma, {"adversarial_ramp": "constant"})
    assert not applies(gamma, {})
    assert applies(sweep.space["learning_rate"], {})


def test_the_papers_configuration_leaves_out_what_does_not_apply(sweep):
    assert "adversarial_gamma" not in paper_values(sweep.space)
    ramp = dataclasses.replace(sweep.space["adversarial_ramp"], paper="sigmoid")
    assert paper_values({**sweep.space, "adversarial_ramp": ramp})["adversarial_gamma"] == 10.0


def test_a_row_may_have_a_value_of_the_papers_own(sweep):
    row = Variant("row", "addi", paper={"adversarial_ramp": "sigmoid"})
    values = paper_values(active(sweep.space, row))
    assert (values["adversarial_ramp"], values["adversarial_gamma"]) == ("sigmoid", 10.0)
    assert paper_values(active(sweep.space, sweep.variants[0]))["adversarial_ramp"] == "constant"

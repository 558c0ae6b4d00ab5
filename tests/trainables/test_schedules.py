"""Schedules: values worked by hand, and what every member of the family has in common."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.errors import InputError
from trainables.methods import addi
from trainables.schedules import RAMPS, check_ramp, ramp

KINDS = st.sampled_from(RAMPS)
SHARES = st.floats(0, 1)
GAMMAS = st.floats(1e-3, 1e3)
DELAYS = st.floats(0, 0.9)


@pytest.mark.parametrize(
    ("kind", "gamma", "expected"),
    [
        ("constant", 10, (0.5, 0.5, 0.5, 0.5)),
        ("linear", 10, (0, 0.125, 0.25, 0.5)),
        # With gamma = 4 log 3, exp(-gamma p) is 1/3 at 1/4, 1/9 at 1/2 and 1/81 at 1; so 2 / (1 + that) - 1 is 2 * 3/4 - 1,
        # 2 * 9/10 - 1 and 2 * 81/82 - 1.
        ("sigmoid", 4 * math.log(3), (0, 0.5 * 0.5, 0.5 * 0.8, 0.5 * 80 / 82)),
        # Four steps: five treads of a fifth of training each; 1/4 is on the second, 1/2 on the third.
        ("step", 4, (0, 0.5 * 1 / 4, 0.5 * 2 / 4, 0.5)),
        ("step", 3.2, (0, 0.5 * 1 / 4, 0.5 * 2 / 4, 0.5)),
        ("step", 1, (0, 0, 0.5, 0.5)),
        # With gamma = 4 log 2, exp(gamma p) is 2, 4 and 16; so it is (2 - 1) / (16 - 1), 3 / 15 and 15 / 15 of 0.5.
        ("exponential", 4 * math.log(2), (0, 0.5 / 15, 0.5 * 3 / 15, 0.5)),
    ],
)
def test_values_at_the_start_at_a_quarter_at_a_half_and_at_the_end(kind, gamma, expected):
    schedule = ramp(kind, 0.5, gamma)
    assert [schedule(progress) for progress in (0.0, 0.25, 0.5, 1.0)] == pytest.approx(expected)


def test_a_delay_leaves_the_rest_of_training_to_the_whole_ramp():
    # The rest is from 1/5 to 1: it is 1/4 done at 2/5, and 1/2 done at 3/5.
    schedule = ramp("linear", 0.5, delay=0.2)
    assert [schedule(progress) for progress in (0.0, 0.19, 0.2, 0.4, 0.6, 1.0)] == pytest.approx(
        [0, 0, 0, 0.125, 0.25, 0.5]
    )
    late = ramp("constant", 0.5, delay=0.2)
    assert [late(progress) for progress in (0.0, 0.19, 0.2, 1.0)] == [0, 0, 0.5, 0.5]


@given(epochs=st.integers(2, 300), steps=st.integers(1, 50))
def test_alpha_of_gradient_reversal_goes_linearly_with_each_epoch_from_0_to_a_half(epochs, steps):
    schedule = ramp("step", 0.5, gamma=epochs - 1)
    for epoch in range(epochs):
        first, last = epoch * steps, epoch * steps + steps - 1
        values = [schedule(step / (epochs * steps)) for step in (first, last)]
        assert values == pytest.approx([0.5 * epoch / (epochs - 1)] * 2), "one value for the whole epoch"


@given(kind=KINDS, weight=st.floats(0, 100), gamma=GAMMAS, delay=DELAYS, progress=st.tuples(SHARES, SHARES))
def test_every_schedule_rises_from_0_or_more_to_the_weight_or_less(kind, weight, gamma, delay, progress):
    schedule = ramp(kind, weight, gamma, delay)
    earlier, later = (schedule(share) for share in sorted(progress))
    assert -1e-12 <= earlier <= later + 1e-12 * weight
    assert later <= weight * (1 + 1e-12)


@given(kind=KINDS, gamma=GAMMAS, delay=DELAYS)
def test_all_but_the_sigmoid_end_at_the_weight(kind, gamma, delay):
    short = 1 - math.tanh(gamma / 2) if kind == "sigmoid" else 0.0
    assert ramp(kind, 0.7, gamma, delay)(1.0) == pytest.approx(0.7 * (1 - short))


@given(kind=st.sampled_from([kind for kind in RAMPS if kind != "step"]), gamma=GAMMAS, delay=DELAYS, progress=SHARES)
def test_a_delayed_schedule_is_the_same_one_squeezed_into_the_rest_of_training(kind, gamma, delay, progress):
    later = min(delay + (1 - delay) * progress + 1e-15, 1.0)
    assert ramp(kind, 0.7, gamma, delay)(later) == pytest.approx(ramp(kind, 0.7, gamma)(progress), abs=1e-9)


@given(gamma=GAMMAS, progress=SHARES)
def test_without_a_delay_the_shapes_are_the_textbooks_bit_for_bit(gamma, progress):
    assert ramp("constant", 0.3, gamma)(progress) == 0.3
    assert ramp("linear", 0.3, gamma)(progress) == 0.3 * progress
    assert ramp("sigmoid", 0.3, gamma)(progress) == 0.3 * (2.0 / (1.0 + math.exp(-gamma * progress)) - 1.0)


@given(progress=SHARES)
def test_a_slow_exponential_is_nearly_linear(progress):
    assert ramp("exponential", 1.0, gamma=1e-6)(progress) == pytest.approx(progress, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": -0.1}, "alpha is -0.1; it must be between 0 and 1"),
        ({"alpha": 1.5}, "alpha is 1.5; it must be between 0 and 1"),
        ({"alpha": math.nan}, "alpha is nan; it must be between 0 and 1"),
        ({"alpha_ramp": "sigmod"}, "unknown alpha_ramp 'sigmod'; known, nearest first: sigmoid"),
        ({"alpha_gamma": 0.0}, "alpha_gamma is 0.0; it must be above 0 and finite"),
        ({"alpha_gamma": math.inf}, "alpha_gamma is inf; it must be above 0 and finite"),
        ({"alpha_delay": 1.0}, "alpha_delay is 1.0; it must be 0 or more, and below 1: it is a share of training"),
        ({"alpha_delay": -0.1}, "alpha_delay is -0.1; it must be 0 or more"),
    ],
)
def test_what_makes_no_schedule_is_refused_by_the_name_of_its_field(change, message):
    right = {"alpha": 0.5, "alpha_ramp": "linear", "alpha_gamma": 10.0, "alpha_delay": 0.0}
    with pytest.raises(InputError) as error:
        check_ramp(SimpleNamespace(**right | change), "alpha", most=1.0)
    assert str(error.value).startswith(message)


def test_an_unbounded_weight_must_be_finite_and_its_other_fields_lack_its_suffix():
    with pytest.raises(InputError, match="adversarial_weight is inf; it must be 0 or more, and finite"):
        addi.Hyperparameters(adversarial_weight=math.inf)
    with pytest.raises(InputError, match=r"adversarial_delay is 1\.0; it must be 0 or more, and below 1"):
        addi.Hyperparameters(adversarial_delay=1.0)


def test_an_unknown_ramp_is_refused():
    with pytest.raises(InputError, match="unknown ramp 'cosine'"):
        ramp("cosine", 1.0)


def test_addis_lambda_waits_for_its_delay():
    given = addi.Hyperparameters(adversarial_weight=2.0, adversarial_ramp="linear", adversarial_delay=0.5)
    schedule = addi.METHOD.schedules(given)["adversarial_weight"]
    assert [schedule(progress) for progress in (0.0, 0.4, 0.75, 1.0)] == pytest.approx([0.0, 0.0, 1.0, 2.0])

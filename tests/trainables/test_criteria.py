"""Label-free criteria against numbers worked by hand and against other ways to say the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from trainables import criteria
from trainables.criteria import (
    CRITERIA,
    controlled_risk,
    deep_embedded_validation,
    density_ratio,
    entropy,
    information_maximisation,
    soft_neighbourhood_density,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_entropy_is_minus_the_mean_over_utterances():
    # The first is in doubt between two classes, log 2; the second among four, log 4 = 2 log 2; the third is certain.
    probabilities = np.array([[0.5, 0.5, 0, 0], [0.25] * 4, [0, 0, 1, 0]])
    assert entropy(probabilities) == pytest.approx(-(1 + 2 + 0) / 3 * math.log(2))


def test_information_is_what_predictions_are_spread_over_less_their_doubt():
    # The mean prediction is (3/4, 1/4); the first is certain, the second in doubt between two classes.
    probabilities = np.array([[1.0, 0.0], [0.5, 0.5]])
    spread = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert information_maximisation(probabilities) == pytest.approx(spread - math.log(2) / 2)


def test_information_of_certain_predictions_is_that_of_utterances_and_classes(rng):
    predicted = rng.choice(4, size=60, p=[0.5, 0.3, 0.1, 0.1])
    assert information_maximisation(np.eye(4)[predicted]) == pytest.approx(mutual_info_score(range(60), predicted))


def test_information_unlike_entropy_sees_a_collapse_into_one_class():
    collapsed, spread = np.eye(4)[[0] * 8], np.eye(4)[[0, 1, 2, 3] * 2]
    assert entropy(collapsed) == entropy(spread) == 0.0
    assert information_maximisation(collapsed) == pytest.approx(0.0)
    assert information_maximisation(spread) == pytest.approx(math.log(4))


def density_by_loops(probabilities, temperature):
    """Soft neighbourhood density, utterance by utterance."""
    entropies = []
    for i, one in enumerate(probabilities):
        others = [other for j, other in enumerate(probabilities) if j != i]
        cosines = [sum(one * other) / math.sqrt(sum(one * one) * sum(other * other)) for other in others]
        weights = [math.exp(cosine / temperature) for cosine in cosines]
        shares = [weight / sum(weights) for weight in weights]
        entropies.append(-sum(share * math.log(share) for share in shares))
    return sum(entropies) / len(entropies)


@pytest.mark.parametrize("temperature", [0.05, 0.5])
@pytest.mark.parametrize("rows", [7, 1000])
def test_density_is_that_of_loops_over_utterances_however_many_rows_are_taken_at_once(
    rng, temperature, rows, monkeypatch
):
    monkeypatch.setattr(criteria, "_ROWS", rows)
    probabilities = rng.dirichlet(np.full(4, 0.5), size=20)
    expected = density_by_loops(probabilities, temperature)
    assert soft_neighbourhood_density(probabilities, temperature) == pytest.approx(expected)


def test_density_by_hand():
    # Three certain predictions, two alike. To the first, the second has cosine 1 and the third 0: with temperature
    # 1 / log 3 their shares are 3/4 and 1/4. Likewise to the second. To the third both have cosine 0: 1/2 and 1/2.
    quarters = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    found = soft_neighbourhood_density(np.eye(2)[[0, 0, 1]], temperature=1 / math.log(3))
    assert found == pytest.approx((2 * quarters + math.log(2)) / 3)


def test_density_is_highest_where_all_are_neighbours():
    assert soft_neighbourhood_density(np.eye(2)[[0] * 9]) == pytest.approx(math.log(8))
    clustered = soft_neighbourhood_density(np.eye(3)[[0, 1, 2] * 3])
    # Each has two neighbours; six others at cosine 0 have a weight of exp(-20) each.
    assert clustered == pytest.approx(math.log(2), abs=1e-6)


def test_the_controlled_risk_by_hand():
    # w l = (0, 1, 0, 4), mean 5/4. Deviations of w from its mean 1.5: (-1, -.5, .5, 1), so its variance is
    # 2.5 / 4 and its covariance with w l is (0 - .5 + 0 + 4) / 4; eta = -3.5 / 2.5 = -1.4.
    weights, losses = np.array([0.5, 1.0, 2.0, 2.5]), np.array([0.0, 1.0, 0.0, 1.6])
    assert controlled_risk(weights, losses) == pytest.approx(1.25 - 1.4 * 1.5 + 1.4)


def test_the_controlled_risk_is_where_the_regression_of_weighted_losses_on_weights_passes_weight_one(rng):
    weights, losses = rng.gamma(2.0, size=50), rng.random(50)
    slope, intercept = np.polyfit(weights, weights * losses, 1)
    assert controlled_risk(weights, losses) == pytest.approx(slope * 1.0 + intercept)


def test_weights_that_do_not_vary_leave_the_mean_weighted_loss():
    assert controlled_risk(np.full(3, 2.0), np.array([0.0, 0.5, 1.0])) == pytest.approx(1.0)
    assert controlled_risk(np.array([2.0]), np.array([0.4])) == pytest.approx(0.8)


def test_the_density_ratio_of_two_normal_distributions_is_found_whatever_their_sizes(rng):
    # N(1, 1) over N(0, 1) at x is exp(x - 1/2).
    source, target = rng.normal(size=(20_000, 1)), rng.normal(1.0, size=(5_000, 1))
    at = np.array([[-1.0], [0.0], [0.5], [1.0], [2.0]])
    assert density_ratio(source, at, target) == pytest.approx(np.exp(at[:, 0] - 0.5), rel=0.1)


def test_the_density_ratio_is_bounded_where_the_domains_do_not_overlap(rng):
    source, target = rng.normal(size=(20, 1)), rng.normal(5.0, size=(40, 1))
    # 20 / 40 times the odds of a probability a millionth from 0, and from 1.
    bounds = [0.5 * 1e-6 / (1 - 1e-6), 0.5 * (1 - 1e-6) / 1e-6]
    assert density_ratio(source, np.array([[-1e6], [1e6]]), target) == pytest.approx(bounds)


def test_deep_embedded_validation_estimates_the_targets_risk_from_the_sources_losses(rng):
    # With the loss x^2, the risk is 1 on the source N(0, 1) and 1 + 1 on the target N(1, 1).
    source, held_out, target = (rng.normal(mean, size=(20_000, 1)) for mean in (0.0, 0.0, 1.0))
    losses = held_out[:, 0] ** 2
    assert losses.mean() == pytest.approx(1.0, abs=0.05)
    assert deep_embedded_validation(source, held_out, target, losses) == pytest.approx(-2.0, abs=0.15)


def test_all_are_a_trials_metrics_and_the_same_every_time(rng):
    given = (
        rng.dirichlet(np.ones(4), size=30),
        *(rng.normal(size=(count, 8)) for count in (40, 20, 30)),
        rng.random(20),
    )
    found = criteria.evaluate(*given)
    assert list(found) == [f"criterion/{name}" for name in CRITERIA]
    assert found["criterion/entropy"] == entropy(given[0])
    assert found["criterion/deep_embedded_validation"] == deep_embedded_validation(*given[1:])
    assert criteria.evaluate(*given) == found


def test_without_a_held_out_part_of_the_source_all_but_the_one_that_rests_on_it_are_there(rng):
    likely, source, target = rng.dirichlet(np.ones(4), size=30), rng.normal(size=(40, 8)), rng.normal(size=(30, 8))
    found = criteria.evaluate(likely, source, source[:0], target, np.empty(0))
    assert list(found) == [f"criterion/{name}" for name in CRITERIA if name != "deep_embedded_validation"]
    assert found["criterion/soft_neighbourhood_density"] == soft_neighbourhood_density(likely)


@pytest.mark.parametrize(
    ("utterances", "far", "scale"), [(1, 0.0, 1.0), (2, 0.0, 1.0), (9, 0.0, 0.0), (9, 1e6, 1.0), (9, 1.0, 1e-30)]
)
@pytest.mark.filterwarnings("error")
def test_degenerate_input_has_finite_criteria(rng, utterances, far, scale):
    certain = np.eye(4)[[0] * utterances]
    source, held_out, target = (scale * rng.normal(size=(utterances, 3)) for _ in range(3))
    found = criteria.evaluate(certain, source, held_out, target + far, np.ones(utterances))
    assert all(math.isfinite(value) for value in found.values())


@pytest.mark.parametrize("given", [[[2.0, -1.0]], [[0.2, 0.2]], [[math.nan, 1.0]], [0.5, 0.5], np.empty((0, 4))])
def test_what_are_no_probabilities_is_refused(given):
    for criterion in (entropy, information_maximisation, soft_neighbourhood_density):
        with pytest.raises(ValueError, match="probabilities must be"):
            criterion(np.array(given))


def test_losses_that_do_not_fit_the_utterances_are_refused():
    with pytest.raises(ValueError, match="there are 3 weights and 2 losses"):
        controlled_risk(np.ones(3), np.ones(2))

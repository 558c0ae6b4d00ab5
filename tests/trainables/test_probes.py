"""A domain classifier on distributions of which it is known how well they can be told apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from data_prep.errors import InputError
from trainables.probes import domain_accuracy, frame_statistics
from trainables.streams import stream


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_two_samples_of_one_distribution_cannot_be_told_apart(rng):
    # A coin is right in 1000 of 2000 tosses, give or take 22 (one standard deviation): five of them are .056.
    assert domain_accuracy(rng.normal(size=(1000, 64)), rng.normal(size=(1000, 64)), most=1000) == pytest.approx(
        0.5, abs=0.056
    )


def test_a_known_shift_is_told_apart_as_well_as_it_can_be(rng):
    # Of normal distributions a distance d apart the best classifier is right with probability Phi(d / 2). Over 16
    # dimensions of .25 each, d is 1.
    source, target = rng.normal(size=(1000, 16)), rng.normal(0.25, size=(1000, 16))
    assert domain_accuracy(source, target, most=1000) == pytest.approx(norm.cdf(0.5), abs=0.04)
    assert domain_accuracy(source, target + 3.0) > 0.99


def test_domains_of_unequal_sizes_count_alike(rng):
    # As far apart as above: always to answer with the larger would be right for ten in eleven, and balanced .5.
    source, target = rng.normal(size=(500, 16)), rng.normal(0.25, size=(50, 16))
    assert domain_accuracy(source, target) == pytest.approx(norm.cdf(0.5), abs=0.07)


def test_the_scale_of_a_dimension_does_not_matter(rng):
    source, target = rng.normal(size=(200, 8)), rng.normal(0.4, size=(200, 8))
    scaled = domain_accuracy(1e6 * source - 9.0, 1e6 * target - 9.0)
    assert scaled == pytest.approx(domain_accuracy(source, target), abs=0.01)


def test_a_recording_in_both_domains_misleads_unless_it_is_a_group(rng):
    same, names = rng.normal(size=(100, 64)), [str(number) for number in range(100)]
    assert domain_accuracy(same, same) < 0.4
    assert domain_accuracy(same, same, groups=(names, names)) == pytest.approx(0.5, abs=0.01)


def test_speakers_are_told_apart_and_so_domains_unless_speakers_are_groups(rng):
    speakers = np.repeat(np.arange(20), 30)
    voices = 2 * rng.normal(size=(20, 64))[speakers] + rng.normal(size=(600, 64))
    halves, names = (voices[:300], voices[300:]), tuple(np.split(speakers.astype(str), 2))
    assert domain_accuracy(*halves) > 0.95
    assert domain_accuracy(*halves, groups=names) < 0.75


def test_the_same_input_gives_the_same_number(rng):
    source, target = rng.normal(size=(300, 64)), rng.normal(0.1, size=(300, 64))
    first = domain_accuracy(source, target, most=200)
    assert domain_accuracy(source, target, most=200) == first
    assert domain_accuracy(source, target, most=200, seed=1) != first, "another seed draws other utterances"


def test_of_a_large_domain_the_stream_called_probe_draws_what_is_looked_at(rng):
    source, target = rng.normal(size=(3000, 8)), rng.normal(0.3, size=(40, 8))
    drawn = np.sort(stream(7, "probe", "source").choice(3000, 60, replace=False))
    found = domain_accuracy(source, target, most=60, seed=7)
    assert found == domain_accuracy(source[drawn], target, seed=7)
    source[np.setdiff1d(np.arange(3000), drawn)] = 1e3
    assert domain_accuracy(source, target, most=60, seed=7) == found


@pytest.mark.filterwarnings("error")
def test_representations_that_say_nothing_are_right_half_the_time():
    assert domain_accuracy(np.zeros((20, 4)), np.zeros((20, 4))) == 0.5


@pytest.mark.parametrize(
    ("target", "groups", "message"),
    [
        (1, None, "the target has 1 utterance to tell domains apart by; a domain needs 2 or more"),
        (4, (["a", "b", "a", "b"], ["c"] * 4), "the target has 1 group of utterances, such as a speaker, to tell"),
    ],
)
def test_too_little_to_cross_validate_is_refused(rng, target, groups, message):
    with pytest.raises(InputError, match=message):
        domain_accuracy(rng.normal(size=(4, 2)), rng.normal(size=(target, 2)), groups=groups)


def test_utterances_are_their_frames_mean_and_standard_deviation(make_domain):
    domain = make_domain(6, 0.0, 1)
    found = frame_statistics(domain, np.array([4, 0]))
    frames = domain.values[domain.starts[4] : domain.starts[5], 2].astype(np.float64)
    assert found.shape == (2, 12)
    assert found[0, 2] == pytest.approx(sum(frames) / len(frames))
    assert found[0, 8] ** 2 == pytest.approx(sum((frames - frames.mean()) ** 2) / len(frames))
    assert found[1, :6] == pytest.approx(domain.values[: domain.starts[1]].astype(np.float64).mean(axis=0))


def test_another_channel_is_heard_in_raw_features(make_domain):
    rows = np.arange(48)
    here, there, elsewhere = (make_domain(48, *given) for given in ((0.0, 1), (0.0, 2), (2.0, 3)))
    of = {name: frame_statistics(domain, rows) for name, domain in (("a", here), ("b", there), ("c", elsewhere))}
    assert domain_accuracy(of["a"], of["b"]) < 0.7
    assert domain_accuracy(of["a"], of["c"]) > 0.95

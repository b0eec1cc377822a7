"""RSA: its own definition by NumPy and SciPy, ceilings, distances across repeats."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from yoked.analysis.brain.rsa import rsa
from yoked.analysis.trials.estimate import CannotTell

UPPER = np.triu_indices(24, 1)


def made(noise=1.0, subjects=4, units=15, seed=1, repeats=None):
    """Return features, responses and whose units: all see the same features."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(24, 12))
    weights = rng.normal(size=(12, subjects * units))
    shape = (
        (24, subjects * units) if repeats is None else (repeats, 24, subjects * units)
    )
    responses = features @ weights + noise * np.sqrt(12) * rng.normal(size=shape)
    return features, responses, [str(k % subjects) for k in range(subjects * units)]


def test_it_is_spearmans_correlation_of_1_less_pearsons():
    features, responses, subjects = made()
    found = rsa(features, responses, subjects)
    ours, each = (1 - np.corrcoef(features))[UPPER], []
    for name in "0123":
        theirs = (1 - np.corrcoef(responses[:, np.array(subjects) == name]))[UPPER]
        each.append(spearmanr(ours, theirs).statistic)
    assert found.per_subject == pytest.approx(each, abs=1e-10)
    assert found.score.value == pytest.approx(np.mean(each), abs=1e-10)
    assert found.score.se == pytest.approx(np.std(each, ddof=1) / 2, abs=1e-10)
    assert found.score.formula == "rsa-spearman-mean-over-subjects/1"


def test_the_ceilings_are_those_of_mean_ranks_with_and_without_oneself():
    features, responses, subjects = made()
    found = rsa(features, responses, subjects)
    ranks = found.subjects_rdm.argsort(axis=1).argsort(axis=1)
    upper = [spearmanr(ranks.mean(0), one).statistic for one in ranks]
    lower = [
        spearmanr(np.delete(ranks, k, 0).mean(0), ranks[k]).statistic for k in range(4)
    ]
    assert found.upper_ceiling.value == pytest.approx(np.mean(upper), abs=1e-3)
    assert found.lower_ceiling.value == pytest.approx(np.mean(lower), abs=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.2, 5), st.integers(2, 5), st.integers(0, 100))
def test_the_lower_ceiling_is_never_above_the_upper_one(noise, subjects, seed):
    features, responses, names = made(noise, subjects, seed=seed)
    found = rsa(features, responses, names)
    assert found.lower_ceiling.value <= found.upper_ceiling.value + 1e-12
    assert found.score.value <= found.upper_ceiling.value + 1e-12


def test_the_true_geometry_is_between_the_ceilings():
    """Many units each, so that weights are as good as a rotation."""
    features, responses, subjects = made(noise=1.0, units=60, subjects=5)
    found = rsa(features, responses, subjects, "euclidean")
    assert found.lower_ceiling.value - 0.05 < found.score.value
    assert found.score.value < found.upper_ceiling.value


def test_crossnobis_is_the_mean_product_of_differences_in_two_repeats():
    features, responses, subjects = made(repeats=3, subjects=1)
    found = rsa(features, responses, subjects, "crossnobis")
    difference = responses[:, UPPER[0]] - responses[:, UPPER[1]]
    products = [
        (difference[a] * difference[b]).mean(axis=1)
        for a in range(3)
        for b in range(3)
        if a != b
    ]
    assert found.subjects_rdm[0] == pytest.approx(np.mean(products, axis=0))


def test_crossnobis_of_noise_is_0_on_average_and_euclid_is_not():
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(4, 24, 200))
    features = rng.normal(size=(24, 10))
    crossed = rsa(features, noise, dissimilarity="crossnobis").subjects_rdm
    plain = rsa(features, noise, dissimilarity="euclidean").subjects_rdm
    assert abs(crossed.mean()) < 0.02
    assert plain.mean() == pytest.approx(0.5, abs=0.03)  # 2 / 4 repeats


def test_one_subject_has_an_interval_over_stimuli_and_no_ceilings():
    features, responses, _ = made()
    found = rsa(features, responses)
    assert found.subjects == ("all",)
    assert found.score.n == 24
    assert found.score.note.startswith("fewer than three subjects")
    assert found.score.low < found.score.value < found.score.high
    assert found.upper_ceiling.note == "ceilings need two subjects or more"


def test_a_rotation_of_features_keeps_euclidean_geometry():
    features, responses, subjects = made()
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(12, 12)))[0]
    one = rsa(features, responses, subjects, "euclidean").score.value
    other = rsa(features @ turn * 3, responses, subjects, "euclidean").score.value
    assert other == pytest.approx(one, abs=1e-6)


def test_what_cannot_be_told_is_said():
    features, responses, subjects = made()
    with pytest.raises(CannotTell, match="stimuli must be 4 or more for RSA, got 3"):
        rsa(features[:3], responses[:3])
    with pytest.raises(CannotTell, match=r"repetitions must be two or more, .*got one"):
        rsa(features, responses, subjects, "crossnobis")
    with pytest.raises(LookupError, match="did you mean 'crossnobis'"):
        rsa(features, responses, subjects, "crosnobis")
    with pytest.raises(LookupError, match="comparison must be one of spearman, corr"):
        rsa(features, responses, subjects, comparison="kendall")
    with pytest.raises(ValueError, match="subjects must be one for each of the 60"):
        rsa(features, responses, subjects[1:])
    with pytest.raises(
        CannotTell, match=r"a pattern must be .*'euclidean', got stimulus 2"
    ):
        rsa(np.where(np.arange(24)[:, None] == 2, 1.0, features), responses)
    with pytest.raises(ValueError, match="poisson takes numbers of 0 or more, got -"):
        rsa(features, responses, subjects, "poisson")


def test_without_rsatoolbox_it_says_what_to_install(monkeypatch):
    features, responses, _ = made()
    monkeypatch.setitem(sys.modules, "rsatoolbox", None)
    with pytest.raises(ModuleNotFoundError, match=r'RSA needs .* "yoked\[brain\]"'):
        rsa(features, responses)

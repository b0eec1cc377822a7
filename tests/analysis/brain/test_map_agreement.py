"""Agreement of saliency with importance maps."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from yoked.analysis.brain.map_agreement import map_agreement
from yoked.analysis.trials.estimate import CannotTell


def maps(n=60, size=12, share=0.5, seed=1):
    """Give two kinds of maps with a known share of each other."""
    rng = np.random.default_rng(seed)
    one = rng.normal(size=(n, size, size))
    other = share * one + np.sqrt(1 - share**2) * rng.normal(size=one.shape)
    return one, other


def test_it_is_the_mean_of_spearmans_correlations():
    one, other = maps()
    one[0] = np.round(one[0])  # ties
    found = map_agreement(one, other)
    pairs = zip(one, other, strict=True)
    r = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in pairs]
    assert found.value == pytest.approx(np.mean(r))
    assert found.se == pytest.approx(np.std(r, ddof=1) / np.sqrt(len(r)))


def test_it_is_the_share_that_normal_maps_have_in_common():
    # Spearman's rho of a bivariate normal is 6 / pi asin(r / 2).
    found = map_agreement(*maps(n=400))
    expected = 6 / np.pi * np.arcsin(0.25)
    assert abs(found.value - expected) < 3 * found.se


def test_any_rising_change_of_a_map_changes_nothing():
    one, other = maps()
    same = map_agreement(np.exp(one), other)
    assert same.value == pytest.approx(map_agreement(one, other).value)
    turned = map_agreement(-one, other)
    assert turned.value == pytest.approx(-same.value)


def test_pictures_without_a_map_are_left_out_and_two_are_the_least():
    one, other = maps(n=5)
    other[:2] = 0
    assert map_agreement(one, other).n == 3
    other[:4] = 0
    with pytest.raises(CannotTell, match="must be 2 or more, got 1"):
        map_agreement(one, other)
    with pytest.raises(ValueError, match="of the same pictures and sizes"):
        map_agreement(one, other[:, 1:])
    with pytest.raises(ValueError, match="maps must be finite"):
        map_agreement(one * np.nan, other)

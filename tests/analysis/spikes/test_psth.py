"""The PSTH: smoothing, reliability and the ceiling of correlations."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import SHARED_DATA
from yoked.analysis.spikes.psth import binned, psth, psth_reliability, smoothed
from yoked.analysis.trials.estimate import CannotTell
from yoked.experiments.recordings.mahuas2020 import load_mahuas2020

from .cells import averaged, poisson, slow, softplus

FOLDER = SHARED_DATA / "mahuas2020"
widths = st.integers(min_value=1, max_value=30)


@given(widths, st.integers(min_value=0, max_value=99))
def test_a_boxcar_is_centred_whatever_its_width(width, seed):
    values = np.random.default_rng(seed).normal(size=(30, 2))
    turned = smoothed(values[::-1], width)[::-1]
    np.testing.assert_allclose(smoothed(values, width), turned, atol=1e-12)


@given(widths)
def test_what_is_constant_stays_so_up_to_the_ends(width):
    np.testing.assert_allclose(smoothed(np.full((30, 1), 3.0), width), 3)


@pytest.mark.parametrize("width", [1, 3, 9])
def test_an_odd_boxcar_is_the_mean_of_the_steps_about_each(width):
    values = np.random.default_rng(1).normal(size=(40, 2))
    np.testing.assert_allclose(smoothed(values, width), averaged(values, width))


def test_an_even_boxcar_is_the_mean_of_those_to_either_side():
    values = np.random.default_rng(1).normal(size=(40, 1))[:, 0]
    earlier, later = (values[k : k + 34] for k in (0, 1))
    early = np.mean([earlier[k : k + 31] for k in range(4)], axis=0)
    late = np.mean([later[k : k + 31] for k in range(4)], axis=0)
    found = smoothed(values[:, None], 4)[2:33, 0]
    np.testing.assert_allclose(found, (early + late) / 2)


def test_spikes_of_unsigned_bytes_do_not_overflow():
    counts = np.full((300, 600, 1), 2, np.uint8)
    assert psth(counts)[0, 0] == 2
    assert binned(counts, 600).max() == 1200


def test_the_reliability_is_the_mean_over_all_splits():
    rng = np.random.default_rng(1)
    counts = poisson(softplus(slow(300, 1, rng), 0.2), 4, rng)
    y = np.stack([averaged(each[:, 0], 5) for each in counts])
    found = []
    for one in combinations(range(4), 2):
        other = sorted(set(range(4)) - set(one))
        a, b = y[list(one)].sum(0), y[other].sum(0)
        found.append(4 * np.cov(a, b)[0, 1] / np.var(a + b, ddof=1))
    reliability = psth_reliability(counts, 5).reliability.cells[0].value
    assert reliability == pytest.approx(np.mean(found), rel=1e-10)


def test_the_true_rate_correlates_as_well_as_the_ceiling_says():
    rng = np.random.default_rng(2)
    rate = softplus(slow(1500, 4, rng))
    true, ceilings = [], []
    for _ in range(20):
        counts = poisson(rate, 30, rng)
        both = averaged(counts.mean(0), 15).T, averaged(rate, 15).T
        true.append([np.corrcoef(a, b)[0, 1] for a, b in zip(*both, strict=True)])
        found = psth_reliability(counts, 15).ceiling.cells
        ceilings.append([one.value for one in found])
    assert np.mean(true) < 0.97
    np.testing.assert_allclose(np.mean(ceilings, 0), np.mean(true, 0), atol=0.004)


def test_all_pairs_of_repeats_are_less_noisy_than_odd_and_even_ones():
    rng = np.random.default_rng(3)
    rate = softplus(slow(1000, 1, rng))
    made = [psth_reliability(poisson(rate, 10, rng), 15) for _ in range(60)]
    halves, all_ = (
        [getattr(one, name).cells[0].value for one in made]
        for name in ("corrected", "reliability")
    )
    assert np.mean(halves) == pytest.approx(np.mean(all_), abs=0.01)
    assert np.std(all_) < 0.8 * np.std(halves)


def test_the_published_halves_of_the_test_recording_are_met():
    """Published for twice as many steps: .975 to .988 (smooth(x, 20) takes 19)."""
    if not FOLDER.is_dir():
        pytest.skip(f"the recording of mahuas2020 is not in {FOLDER}")
    counts = load_mahuas2020(FOLDER).of("test")[0].counts[:, 200:]
    found = psth_reliability(counts, 19)
    halves = [one.value for one in found.halves.cells]
    assert (min(halves), max(halves)) == pytest.approx((0.975, 0.988), abs=0.0015)
    ceilings = [one.value for one in found.ceiling.cells]
    assert min(ceilings) > 0.99


def test_repeats_without_a_signal_have_no_ceiling():
    rng = np.random.default_rng(7)
    found = psth_reliability(poisson(np.full((400, 12), 0.1), 6, rng), 5)
    missing = [one for one in found.ceiling.cells if one.value is None]
    assert missing
    assert "does not vary beyond what its noise alone would bring" in missing[0].note


@pytest.mark.parametrize(
    ("counts", "width", "n_blocks", "text"),
    [
        ((1, 40, 1), 5, 10, "repeats must be 2 or more to tell signal from noise, got"),
        ((3, 40, 1), 41, 10, "width must be 1 to the 40 steps of the segment, got 41"),
        ((3, 40, 1), 5, 1, "n_blocks must be 2 to 40, the number of steps, got 1"),
    ],
)
def test_what_does_not_fit_is_refused(counts, width, n_blocks, text):
    with pytest.raises(ValueError, match=text):
        psth_reliability(np.ones(counts, np.uint8), width, n_blocks)


def test_one_repeat_is_a_refusal_of_statistics():
    with pytest.raises(CannotTell, match="got 1"):
        psth_reliability(np.ones((1, 40, 1), np.uint8))

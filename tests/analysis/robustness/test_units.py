"""Distributions over units: medians, quartiles, and noise beside them."""

import numpy as np

from yoked.analysis.robustness.units import (
    IN_RANGE,
    median_over_units,
    noise_in_range,
    sensitivity_point,
)


def test_sensitivity_is_told_in_range_sd_and_noise():
    rng = np.random.default_rng(1)
    range_, sd = rng.uniform(1, 2, 21), rng.uniform(0.2, 0.4, 21)
    noise = np.where(np.arange(21) < 20, 0.1, 0.0)
    change = rng.uniform(0.1, 1, (21, 4))
    found = sensitivity_point(0.5, change, range_, sd, noise)
    each = change.mean(1)
    assert found.in_range.value == np.median(each / range_)
    assert found.in_sd.value == np.median(each / sd)
    assert found.in_noise.value == np.median(each[:20] / 0.1)
    assert found.in_noise.n == 20
    assert found.quartiles == tuple(np.quantile(each / range_, [0.25, 0.75]))
    assert noise_in_range(noise, range_, 0).value == np.median(noise / range_)


def test_a_median_over_units_covers_that_of_the_population():
    rng = np.random.default_rng(2)
    hits = 0
    for k in range(200):
        found = median_over_units(rng.exponential(size=40), IN_RANGE, k)
        hits += found.low <= np.log(2) <= found.high
    assert 0.9 < hits / 200 < 0.99

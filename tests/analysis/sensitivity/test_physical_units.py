"""Physical units: by hand, the ideal observer's square, another display, refusals."""

import math
from dataclasses import replace

import numpy as np
import pytest

import yoked
from yoked.analysis.sensitivity.ideal import ideal_dprime
from yoked.analysis.sensitivity.physical_units import physical_units
from yoked.analysis.trials.estimate import Estimate
from yoked.experiments.session.observer import Viewing


def played(name, **options):
    observer = yoked.load_observer("template")
    return yoked.run(yoked.load_protocol(name), observer, seed=1, **options)


def test_noise_density_and_energy_are_those_by_hand():
    # 13 bars of .2 by 2.6 degrees (4 by 52 px), a signal of 29 levels in one of them.
    found = physical_units(played("bar-in-noise", trials=100, contrast=0.227))
    assert found.unit == "deg^2"
    assert found.element_deg == pytest.approx((0.2, 2.6))
    sd, signal = found.noise_rms_contrast, 29 / 127
    assert sd == pytest.approx(0.1, abs=1e-3)
    assert found.noise_density == pytest.approx(sd**2 * 0.2 * 2.6)
    (one,) = found.by_contrast
    assert one.energy == pytest.approx(signal**2 * 0.2 * 2.6)
    assert one.rms_contrast == pytest.approx(signal / math.sqrt(13))
    assert math.sqrt(one.over_noise) == pytest.approx(
        ideal_dprime(yoked.load_protocol("bar-in-noise"), 0.227)
    )


def test_another_display_changes_degrees_and_not_the_ratio():
    session = played("bar-in-noise", trials=100, contrast=0.227)
    asked = Viewing.of(session.protocol)
    twice = replace(asked, deg_per_element=2 * asked.deg_per_element)
    one, other = physical_units(session), physical_units(session, viewing=twice)
    assert other.noise_density == pytest.approx(4 * one.noise_density)
    assert other.by_contrast[0].over_noise == one.by_contrast[0].over_noise
    assert (one.geometry, other.geometry) == (
        "as bar-in-noise asks for",
        "as it was shown",
    )


def test_a_threshold_carries_its_interval_over():
    threshold = Estimate(0.1, 0.01, 0.08, 0.13, 300, "given/1")
    found = physical_units(
        played("bar-in-noise", trials=100, contrast=0.227), threshold
    ).threshold_over_noise
    sd = 0.1
    assert found.value == pytest.approx(0.1**2 / sd**2, rel=0.01)
    assert found.high / found.low == pytest.approx((0.13 / 0.08) ** 2)
    assert found.se / found.value == pytest.approx(2 * 0.01 / 0.1)


def test_binary_noise_has_no_ideal_and_no_units():
    protocol = yoked.load_protocol("bar-in-noise").with_options(100, contrast=0.2)
    noise = replace(protocol.noise, kind="binary")
    made = yoked.run(
        replace(protocol, noise=noise), yoked.load_observer("guesser"), seed=1
    )
    with pytest.raises(ValueError, match="physical units need white noise"):
        physical_units(made)
    assert np.isfinite(len(made.trials))

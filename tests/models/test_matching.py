"""The law of matched noise: figures, limits, and integrals done another way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import multivariate_normal

from yoked.experiments.protocols.parts import Task
from yoked.models.decision import Calibration
from yoked.models.matching import (
    CannotMatch,
    DoublePass,
    agreement_of,
    both_noises_for,
    internal_noise_for,
)


def normal_pairs(proportion_correct, n=20_001):
    """Return 2AFC pairs of a linear network, its variables normal quantiles."""
    z = ndtri((np.arange(n) + 0.5) / n)
    variables = np.zeros((2, n, 2))
    variables[:, :, 1] = np.sqrt(2) * (z + ndtri(proportion_correct))
    calibration = Calibration(Task("2afc", ("f", "j")), variables[0], 1.0)
    return DoublePass(calibration, None, variables, np.ones(n, np.int64))


def test_a_better_network_stays_better_at_the_agreement_of_a_person():
    """Normal variables at one contrast have the .747 of a real network."""
    pairs = normal_pairs(0.811)
    noise = internal_noise_for(pairs, 0.7588)
    assert pairs.correct(0.0) == pytest.approx(0.811, abs=1e-4)
    assert pairs.agreement(noise.internal) == pytest.approx(0.7588, abs=1e-8)
    assert pairs.correct(noise.internal) == pytest.approx(0.7472, abs=0.0002)


def test_both_noises_give_both_figures_as_a_simulation_has_them():
    pairs = normal_pairs(0.811, 4001)
    noise = both_noises_for(pairs, 0.7588, 0.7055)
    rng = np.random.default_rng(2)
    lead = np.repeat(pairs.variables[0, :, 1], 50)
    again = noise.repeatable * np.sqrt(2) * rng.normal(size=len(lead))
    own = noise.internal * np.sqrt(2) * rng.normal(size=(2, len(lead)))
    first, second = lead + again + own > 0
    assert (first == second).mean() == pytest.approx(0.7588, abs=0.004)
    assert first.mean() == pytest.approx(0.7055, abs=0.004)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0, 0.95))
def test_agreement_is_that_of_two_correlated_normals(h, k, r):
    law = multivariate_normal([0, 0], [[1, r], [r, 1]])
    due = law.cdf([h, k]) + law.cdf([-h, -k])
    found = agreement_of(np.array([h]), np.array([k]), r)
    assert found == pytest.approx(due, abs=1e-5)


def test_all_of_it_repeatable_is_agreement_always():
    h = np.linspace(-3, 3, 7)
    assert agreement_of(h, h, 1.0) == pytest.approx(1, abs=1e-4)


@given(st.floats(0.52, 0.9999))
def test_the_more_agreement_is_asked_for_the_less_noise_is_there(agreement):
    pairs = normal_pairs(0.75, 401)
    noise = internal_noise_for(pairs, agreement)
    more = internal_noise_for(pairs, agreement + 1e-5)
    assert more.internal < noise.internal
    assert pairs.agreement(noise.internal) == pytest.approx(agreement, abs=1e-6)


def test_full_agreement_is_no_noise_and_half_is_refused():
    pairs = normal_pairs(0.75, 401)
    assert internal_noise_for(pairs, 1.0).internal == 0
    with pytest.raises(CannotMatch, match=r"agreement must be above 0\.500"):
        internal_noise_for(pairs, 0.5)


def test_a_network_that_is_worse_than_the_person_is_refused_repeatable_noise():
    with pytest.raises(CannotMatch, match="repeatable noise only lowers accuracy"):
        both_noises_for(normal_pairs(0.7, 401), 0.8, 0.69)

"""Assurance: as many sessions reach an aim as the laws say, and why."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri

from tests.analysis.coverage.study import key, results, simulate
from tests.app.planning.assurance import ASSURANCE, PILOT, planned, reaches
from yoked.analysis.double_pass.internal_noise import internal_noise_likelihood
from yoked.app.planning.kernel_laws import chance_limit, kernel_terms, trials_at_edge
from yoked.app.planning.laws import averaged, fewest, law, value_reached
from yoked.app.planning.power import Wanted, aims, value_at
from yoked.app.planning.situation import disagreement, middle_for, situation
from yoked.app.planning.width_laws import pair_information
from yoked.experiments.protocols.files import load_protocol

BARS = load_protocol("bar-in-noise")
NAMES = ("kernel", "dprime", "gamma", "eigenvalue")


@pytest.mark.parametrize("aim", NAMES)
def test_four_of_five_sessions_reach_the_aim(aim):
    cell = next(
        cell
        for cell in ASSURANCE.cells
        if (cell["aim"], cell["assurance"]) == (aim, 0.8)
    )
    assumed, plan = planned(cell)
    rng, n = np.random.default_rng(4), 80
    found = [reaches(aim, plan.wanted, assumed, plan.n_trials, rng) for _ in range(n)]
    assert np.mean(found) == pytest.approx(0.82, abs=3 * math.sqrt(0.16 / n))


@pytest.mark.parametrize("table", [ASSURANCE, PILOT])
def test_the_study_has_every_cell(table):
    assert set(results(table)) == {key(cell) for cell in table.cells}


def test_a_session_of_the_pilot_study_plans_both_ways():
    (cell, *_) = PILOT.cells
    found = simulate("pilot", PILOT.session, cell, 0)
    assert 0 < found["as truth"] <= found["with error"] < 1
    assert found["trials"] >= 1


def test_half_of_the_sessions_reach_what_is_expected():
    for aim in aims(situation(BARS), Wanted(assurance=0.5)):
        assert aim.n_trials == pytest.approx(aim.n_on_average, rel=0.15)


def test_more_assurance_takes_more_trials():
    plans = [aims(situation(BARS), Wanted(assurance=p)) for p in (0.5, 0.8, 0.95)]
    for each in zip(*plans, strict=True):
        needs = [aim.n_trials for aim in each]
        assert needs == sorted(set(needs))


@pytest.mark.parametrize("name", NAMES)
def test_lapses_take_more_trials(name):
    # At the same contrast; a proportion correct would be held by showing more.
    alert = situation(BARS, contrast=0.227)
    lapsing = situation(BARS, contrast=0.227, lapses=0.1)
    wanted = {"kernel": 0.9, "dprime": 0.3, "gamma": 1.0, "eigenvalue": 0.66}[name]
    few, many = (fewest(law(name, one), wanted, 0.8) for one in (alert, lapsing))
    if name in ("kernel", "gamma"):
        assert many > 1.15 * few
    else:  # the rates alone count, and they come nearer to one half
        assert many < few


def test_an_average_over_observers_lies_between_theirs():
    laws = [law("gamma", situation(BARS, gamma)) for gamma in (0.8, 1.2)]
    both = averaged(laws, [1, 3])
    low, high = sorted(one(1.0, 300) for one in laws)
    assert both(1.0, 300) == pytest.approx((high + 3 * low) / 4)


def test_what_no_number_reaches_has_no_number():
    never = law("gamma", replace(situation(BARS), gamma=1e6))
    assert fewest(never, 1.0, 0.8) is None
    assert value_reached("gamma", never, 100, 0.8) == math.inf


def test_the_noise_along_a_template_is_as_narrow_as_simulated():
    """One number a field: the kernel along the template, over 4,000 sessions."""
    assumed = situation(BARS, gamma=0.5)
    rng, n, n_pairs, r = np.random.default_rng(2), 300, 100, 0.8
    size = (4000, n - n_pairs)
    u, z = rng.normal(size=size), float(ndtri(0.75))
    along, across = [], []
    other = rng.normal(size=size)
    field = np.concatenate([np.arange(n - n_pairs), np.arange(n_pairs)])
    noise = math.sqrt(1 - r) * rng.normal(size=(4000, n))
    correct = z + math.sqrt(r) * u[:, field] + noise > 0
    right = correct / correct.sum(1, keepdims=True)
    weight = right - ~correct / (~correct).sum(1, keepdims=True)
    along = (weight * u[:, field]).sum(1)
    across = (weight * other[:, field]).sum(1)
    terms = kernel_terms(assumed, n_pairs / n)
    expected = terms.across[0] / (n * 0.75 * 0.25)
    assert across.var() == pytest.approx(expected, rel=0.08)
    ratio = terms.narrowing[0] * terms.along[0] / terms.across[0]
    assert along.var() == pytest.approx(ratio * expected, rel=0.08)
    snr = along.mean() ** 2 / expected
    assert snr == pytest.approx(n * terms.information[0] / terms.across[0], rel=0.03)


@pytest.mark.parametrize("kept", [1.0, 0.9])
def test_the_information_of_a_pair_is_that_of_its_outcomes(kept):
    z, r, step = 0.6, 0.45, 1e-5

    def outcomes(z, r):
        differ = float(disagreement(z, r, kept))
        rate = kept * 0.5 * math.erfc(-z / math.sqrt(2)) + (1 - kept) / 2
        return np.array([rate - differ / 2, differ, 1 - rate - differ / 2])

    by_r = (outcomes(z, r + step) - outcomes(z, r - step)) / (2 * step)
    by_z = (outcomes(z + step, r) - outcomes(z - step, r)) / (2 * step)
    slopes = np.stack([by_r, by_z])
    matrix = slopes / outcomes(z, r) @ slopes.T
    expected = matrix[0, 0] - matrix[0, 1] ** 2 / matrix[1, 1]
    assert pair_information(z, np.array([r]), kept)[0] == pytest.approx(expected)


def test_r_has_the_error_that_its_information_says():
    rng, z, r = np.random.default_rng(5), float(ndtri(0.75)), 1 / (1 + 1.35**2)
    differ = float(disagreement(z, r, 1.0))
    shares = [0.75 - differ / 2, differ, 0.25 - differ / 2]
    counts = rng.multinomial(585, shares, size=100)
    found = [internal_noise_likelihood(one[None, :]).r.value for one in counts]
    se = 1 / math.sqrt(585 * pair_information(z, np.array([r]))[0])
    assert se == pytest.approx(0.068, abs=5e-4)
    assert np.std(found) == pytest.approx(se, rel=0.2)


@pytest.mark.parametrize("p", [13, 60])
def test_an_eigenvalue_in_noise_is_found_as_often_as_planned(p):
    assumed = situation(replace(BARS, noise=replace(BARS.noise, grid=(1, 1, p))))
    (aim,) = aims(assumed, Wanted(None, None, None, 0.66))
    assert value_at(aim, assumed, aim.needed, 0.8) == pytest.approx(0.66, rel=1e-3)
    rng, n = np.random.default_rng(1), 500
    edge = trials_at_edge(assumed, assumed.pair_share) / aim.needed
    x = 2 * 0.66 / math.sqrt(edge)
    noise = rng.normal(size=(n, p, p))
    noise = (noise + noise.transpose(0, 2, 1)) / math.sqrt(2 * p)
    noise[:, 0, 0] += x
    largest = np.abs(np.linalg.eigvalsh(noise)).max(1)
    found = (largest > chance_limit(2.0, p)).mean()
    assert found == pytest.approx(0.8, abs=0.05)


def test_a_bias_or_lapses_ask_for_a_larger_dprime():
    assert middle_for(0.75, criterion=0.5) > middle_for(0.75)
    assert middle_for(0.75, lapses=0.1) > middle_for(0.75)
    with pytest.raises(ValueError, match=r"must be less than 0\.95 with 10% lapses"):
        middle_for(0.95, lapses=0.1)

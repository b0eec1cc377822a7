"""Decisions: criterion, internal noise and ties, for every task and every model."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad
from scipy.special import ndtr, ndtri

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Contrast, Task
from yoked.experiments.session.observer import ObserverNoise, Practice, Viewing
from yoked.models.decision import Decision, calibrate, reference_contrast
from yoked.models.observers.guesser import Guesser
from yoked.models.observers.template import Template

TWO = Task("2afc", ("f", "j"))
YES_NO = Task("yes_no", ("f", "j"))
RATING = Task("rating", ("1", "2", "3", "4"))


def ready(protocol):
    template = Template()
    template.prepare(Viewing.of(protocol))
    template.learn(Practice(protocol))
    return template


def respond(observer, decision, practice, n, contrast, first=2_000_000, seed=5):
    """Return (targets, responses) of n trials other than the reserved ones."""
    targets, responses = [], []
    for start in range(first, first + n, 1024):
        table, frames = practice.draw(1024, start, contrast)
        noise = ObserverNoise(seed, table["trial"])
        variables = observer.decide(frames, noise)
        responses.append(decision.respond(variables, noise)[0])
        targets.append(table["target"])
    return np.concatenate(targets), np.concatenate(responses)


class Noisy:
    """Has noise of its own; the stimulus does not matter to it."""

    name = "noisy"

    def prepare(self, viewing):
        pass

    def decide(self, frames, noise):
        return 3 * noise.normal(frames.shape[1]).astype(float)


class Constant(Noisy):
    name = "constant"

    def decide(self, frames, noise):
        return np.ones(frames.shape[:2])


class Broken(Noisy):
    name = "broken"

    def decide(self, frames, noise):
        return np.full(frames.shape[:2], np.nan)


class Flat(Noisy):
    name = "flat"

    def decide(self, frames, noise):
        return np.zeros(len(frames))


# --- responses -----------------------------------------------------------------------

variables = arrays(float, (20, 3), elements=st.floats(-1e6, 1e6))


@given(variables)
def test_the_largest_decision_variable_wins_and_a_tie_goes_to_the_lowest(values):
    task = Task("mafc", ("a", "b", "c"))
    chosen, noisy = Decision(task).respond(values, ObserverNoise(1, np.arange(20)))
    best = [row.index(max(row)) for row in values.tolist()]
    assert chosen.tolist() == best
    assert (noisy == values).all()


@given(variables, st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3))
def test_a_rating_counts_the_criteria_below_the_decision_variable(values, criteria):
    decision = Decision(RATING, criteria=tuple(sorted(criteria)))
    noise = ObserverNoise(1, np.arange(20))
    chosen = decision.respond(values[:, :1], noise)[0]
    assert chosen.tolist() == [sum(c < v for c in criteria) for v in values[:, 0]]


def test_without_internal_noise_nothing_random_is_drawn():
    noise, fresh = (ObserverNoise(3, np.arange(4)) for _ in range(2))
    Decision(TWO).respond(np.zeros((4, 2)), noise)
    assert (noise.normal(2) == fresh.normal(2)).all()


def test_internal_noise_goes_on_where_the_observers_own_noise_stopped():
    noise, fresh = (ObserverNoise(3, np.arange(4)) for _ in range(2))
    own = Noisy().decide(np.zeros((4, 2, 1, 1, 1), np.uint8), noise)
    _, noisy = Decision(TWO, internal_sd=2.0).respond(own, noise)
    fresh.normal(2)
    assert noisy - own == pytest.approx(2.0 * fresh.normal(2))


def test_internal_noise_is_independent_over_intervals_trials_and_seeds():
    drawn = [
        Decision(TWO, internal_sd=1.0).respond(
            np.zeros((5000, 2)), ObserverNoise(seed, np.arange(5000) + first)
        )[1]
        for seed, first in ((3, 0), (3, 5000), (4, 0))
    ]
    correlation = np.corrcoef(np.concatenate(drawn, axis=1).T)
    assert np.abs(correlation - np.eye(6)).max() < 4.5 / math.sqrt(5000)


# --- internal noise ------------------------------------------------------------------


def test_the_external_sd_is_the_one_the_noise_field_gives(protocol):
    decision = calibrate(ready(protocol), Practice(protocol), 1, internal_noise=0.5)
    field = Practice(protocol).source.field(
        {"stimulus_id": np.arange(100_000), "block_kind": np.full(100_000, "main")}, 0
    )
    exact = 29 * 52 * 4 * field[:, 0, 0, 6].astype(float).std()
    assert decision.external_sd == pytest.approx(exact, rel=0.03)
    assert decision.internal_sd == pytest.approx(0.5 * decision.external_sd)


def test_the_signal_is_no_part_of_the_external_sd(protocol):
    observer, practice = ready(protocol), Practice(protocol)
    strong = Practice(protocol.with_options(contrast=0.5))
    sds = [calibrate(observer, p, 1, 1.0).external_sd for p in (practice, strong)]
    assert sds[0] == pytest.approx(sds[1], rel=1e-9)


def test_an_observers_own_noise_counts_as_external(protocol):
    decision = calibrate(Noisy(), Practice(protocol), 1, internal_noise=2.0)
    assert decision.internal_sd == pytest.approx(6.0, rel=0.03)


def test_a_forced_choice_without_internal_noise_needs_no_reserved_trials(protocol):
    assert calibrate(Constant(), Practice(protocol), 1) == Decision(protocol.task)


# --- the unbiased criterion ----------------------------------------------------------


def measured_criterion(targets, responses):
    hits, alarms = responses[targets == 1].mean(), responses[targets == 0].mean()
    return -(ndtri(hits) + ndtri(alarms)) / 2


@pytest.mark.parametrize("gains", [(-1.0, 1.0), (0.0, 1.0)])
@pytest.mark.parametrize("gamma", [0.0, 1.0])
@pytest.mark.parametrize("bias", [None, 0.5, -0.3])
def test_the_measured_criterion_is_the_one_that_was_set(gains, gamma, bias):
    protocol = load_protocol("bar-polarity")
    protocol = replace(protocol, signal=replace(protocol.signal, gains=gains))
    practice, observer = Practice(protocol), ready(protocol)
    decision = calibrate(observer, practice, 1, gamma, bias)
    targets, responses = respond(observer, decision, practice, 16_384, 0.16)
    # SE of the reserved and of these trials; the levels are 1/13 SD apart.
    slack = 0.04 if gamma == 0 else 0.0
    found = measured_criterion(targets, responses)
    assert found == pytest.approx(bias or 0, abs=0.05 + slack)


def test_an_observer_that_guesses_is_unbiased_too():
    protocol = load_protocol("bar-polarity")
    practice = Practice(protocol)
    decision = calibrate(Guesser(), practice, 1)
    _, responses = respond(Guesser(), decision, practice, 8192, 0.16)
    assert responses.mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("gamma", [0.0, 1.35])
def test_ratings_are_used_equally_often(gamma):
    protocol = replace(load_protocol("bar-polarity"), task=RATING)
    practice, observer = Practice(protocol), ready(protocol)
    decision = calibrate(observer, practice, 1, gamma)
    targets, responses = respond(observer, decision, practice, 16_384, 0.16)
    shares = np.bincount(responses, minlength=4) / len(responses)
    assert shares == pytest.approx(np.full(4, 0.25), abs=0.025)
    assert responses[targets == 1].mean() > responses[targets == 0].mean()


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_several_alternatives_follow_the_mafc_integral(protocol, gamma):
    """Pc = integral of phi(x - d') Phi(x)^(m - 1), methods.md 2.2."""
    four = replace(
        protocol.with_options(contrast=0.227), task=Task("mafc", ("a", "b", "c", "d"))
    )
    practice, observer = Practice(four), ready(four)
    decision = calibrate(observer, practice, 1, gamma)
    targets, responses = respond(observer, decision, practice, 8192, 0.16)
    d = 20 / 12.7 / math.hypot(1, gamma)

    def at(x):
        return math.exp(-((x - d) ** 2) / 2) / math.sqrt(2 * math.pi) * ndtr(x) ** 3

    expected = quad(at, -8, 8 + d)[0]
    assert (targets == responses).mean() == pytest.approx(expected, abs=0.025)


# --- reference and refusals ----------------------------------------------------------


def test_the_reference_contrast_is_the_median_of_the_main_blocks(protocol):
    several = replace(
        protocol.with_options(contrast=0.1), contrast=Contrast((0.3, 0.1, 0.2, 0.15))
    )
    assert reference_contrast(several) == 0.15


def test_a_criterion_in_a_forced_choice_is_refused(protocol):
    with pytest.raises(
        ValueError, match="criterion must be given for yes/no and rating"
    ):
        calibrate(Noisy(), Practice(protocol), 1, criterion=0.0)


@pytest.mark.parametrize("gamma", [-0.1, math.nan, math.inf])
def test_internal_noise_out_of_range_is_refused(protocol, gamma):
    with pytest.raises(ValueError, match="internal_noise must be 0 or more, got"):
        calibrate(Noisy(), Practice(protocol), 1, internal_noise=gamma)


def test_decisions_that_never_vary_are_refused(protocol):
    with pytest.raises(
        ValueError, match="the SD of constant's decisions must be more than 0"
    ):
        calibrate(Constant(), Practice(protocol), 1, internal_noise=1.0)


def test_decisions_that_are_no_numbers_are_refused(protocol):
    with pytest.raises(ValueError, match="decisions of broken must be finite"):
        calibrate(Broken(), Practice(protocol), 1, internal_noise=1.0)


def test_decisions_of_the_wrong_shape_are_refused(protocol):
    with pytest.raises(
        ValueError, match=r"must be \(trial, alternative\) = \(256, 2\), got \(256,\)"
    ):
        calibrate(Flat(), Practice(protocol), 1, internal_noise=1.0)


@pytest.mark.parametrize(
    ("task", "criteria", "rule"),
    [(TWO, (0.0,), "criteria must be 0"), (RATING, (1.0, 0.0, 2.0), "must rise")],
)
def test_criteria_must_fit_the_task(task, criteria, rule):
    with pytest.raises(ValueError, match=rule):
        Decision(task, criteria=criteria)


# --- repeatable noise ----------------------------------------------------------------


def test_repeatable_noise_is_the_same_at_each_showing_and_no_other_noise_is():
    ids, n = np.arange(4000) % 2000, 4000
    decision = Decision(TWO, internal_sd=0.0, repeatable_sd=2.0)
    zero = np.zeros((n, 2))
    noise = ObserverNoise(7, np.arange(n))
    _, noisy = decision.respond(zero, noise, ids)
    assert np.array_equal(noisy[:2000], noisy[2000:])
    assert noisy.std() == pytest.approx(2, rel=0.05)
    other = ObserverNoise(8, np.arange(n))
    assert (
        abs(np.corrcoef(noisy[:, 0], decision.respond(zero, other, ids)[1][:, 0])[0, 1])
        < 0.06
    )
    own = ObserverNoise(7, ids).normal(2)
    assert abs(np.corrcoef(noisy[:2000, 0], own[:2000, 0])[0, 1]) < 0.08


def test_repeatable_noise_leaves_internal_noise_as_it_was():
    zero, ids = np.zeros((50, 2)), np.arange(50)
    alone = Decision(TWO, internal_sd=1.0)
    both = Decision(TWO, internal_sd=1.0, repeatable_sd=1e-9)
    one, other = ObserverNoise(7, ids), ObserverNoise(7, ids)
    assert np.allclose(
        alone.respond(zero, one)[1], both.respond(zero, other, ids)[1], atol=1e-7
    )


def test_repeatable_noise_needs_stimulus_ids():
    decision = Decision(TWO, repeatable_sd=1.0)
    with pytest.raises(ValueError, match="stimulus_ids must be given for repeatable"):
        decision.respond(np.zeros((3, 2)), ObserverNoise(7, np.arange(3)))


def test_a_criterion_is_unbiased_at_all_the_noise_there_is():
    protocol = load_protocol("bar-polarity")
    practice = Practice(protocol)
    observer = ready(protocol)
    with_both = calibrate(observer, practice, 5, 0.6, 0.5, repeatable_noise=0.8)
    with_one = calibrate(observer, practice, 5, 1.0, 0.5)
    assert with_both.criteria == pytest.approx(with_one.criteria)


def test_noise_must_not_be_negative():
    practice = Practice(load_protocol("bar-in-noise"))
    with pytest.raises(ValueError, match="repeatable_noise must be 0 or more, got -1"):
        calibrate(Guesser(), practice, 5, repeatable_noise=-1)

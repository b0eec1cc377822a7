"""Drift, the trial before, lapses and learning: known courses found again."""

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.coverage.drift import DRIFT
from tests.analysis.coverage.lapses import LAPSES, design
from tests.analysis.coverage.learning import LEARNING
from tests.analysis.coverage.showings import shown
from tests.analysis.coverage.study import key, results
from yoked.analysis.double_pass.change import second_half, sensitivity_change
from yoked.analysis.double_pass.course import block_columns, state_space
from yoked.analysis.double_pass.drift import criterion_course
from yoked.analysis.double_pass.lapses import fit_lapses
from yoked.analysis.double_pass.previous import previous_columns
from yoked.analysis.double_pass.showings import Showings
from yoked.analysis.kernels.halves import kernel_halves
from yoked.analysis.kernels.lapse_share import share_without_lapses
from yoked.analysis.trials.estimate import CannotTell

LINE = {"task": "2afc", "course": "line", "size": 1.0, "halves": True}


def made(seed, **cell):
    """Simulate a session."""
    return shown(cell, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def drifting():
    return criterion_course(made(2, **LINE).responses)


def test_a_drifting_criterion_is_found_and_its_values_come_first(drifting):
    assert drifting.spline.p_holm < 1e-4
    assert drifting.blocks.p_holm < 1e-4
    assert drifting.first == "conditional"
    assert drifting.previous.p > 0.01


def test_a_drifting_criterion_passes_for_noise_but_not_given_its_course(drifting):
    constant, held = drifting.constant, drifting.conditional
    assert constant.internal_noise.gamma.value > 1.8
    assert held.internal_noise.gamma.low < 1 < held.internal_noise.gamma.high
    assert constant.dprime.high < held.dprime.value
    assert held.dprime.low < 1.35 < held.dprime.high
    assert constant.estimand != held.estimand
    assert constant.dprime.formula != held.dprime.formula


def test_the_fitted_course_is_the_line_that_was_simulated(drifting):
    course = drifting.course
    line = 2 * course.trial / course.trial.max() - 1
    assert np.corrcoef(course.value, line)[0, 1] > 0.95  # 2AFC: more "second" later
    held = (course.low <= line) & (line <= course.high)
    assert held.mean() > 0.8


def test_a_constant_criterion_keeps_its_interval():
    found = criterion_course(made(4, task="yes_no").responses)
    ends = [
        each.internal_noise.r.high - each.internal_noise.r.low
        for each in (found.constant, found.conditional)
    ]
    assert ends[1] == pytest.approx(ends[0], rel=0.03)


def test_dependence_on_the_trial_before_is_told_from_drift():
    found = criterion_course(
        made(3, task="yes_no", course="line", size=0.7, serial=0.3).responses
    )
    assert found.previous.p < 0.01
    assert found.previous.response.low < 0.3 < found.previous.response.high
    stimulus = found.previous.stimulus
    assert stimulus.low < 0 < stimulus.high


def test_the_first_trial_of_a_block_and_one_after_a_gap_have_none_before():
    responses = made(1, task="yes_no").responses
    found = previous_columns(responses)
    assert not found[::100].any()
    kept = responses.where(np.arange(600) != 41)
    assert not previous_columns(kept)[41].any()
    assert (np.abs(previous_columns(kept)[42]) == 1).all()


def test_short_blocks_have_no_level_of_their_own():
    responses = made(1, task="yes_no").responses
    short = replace(responses, table=responses.table.assign(block=np.arange(600) // 10))
    assert block_columns(responses).shape == (600, 6)
    assert block_columns(short).shape == (600, 0)
    assert criterion_course(short).blocks is None


def test_a_course_that_is_not_there_has_no_size():
    responses = made(2, task="2afc").responses
    found = state_space(Showings.of(responses), responses)
    assert found.size in (0.0, 0.15)


def test_few_trials_and_one_response_are_refused():
    responses = made(1, task="yes_no").responses
    with pytest.raises(CannotTell, match="trials must be 100 or more"):
        criterion_course(responses.where(np.arange(600) < 60))
    with pytest.raises(CannotTell, match="of the rarer kind 10 times or more"):
        criterion_course(responses.where(responses.response == 1))


def test_without_pairs_there_are_tests_and_dprime_and_no_gamma():
    found = criterion_course(made(1, task="yes_no", pairs=0).responses)
    assert found.conditional.dprime.value == pytest.approx(1.35, abs=0.4)
    note = found.conditional.internal_noise.gamma.note
    assert note == "no trial was shown and answered twice"


def test_catch_trials_take_lapses_off():
    one = made(5, task="2afc", lapses=0.1, catch=100)
    found = fit_lapses(one.responses, one.n_errors, 100)
    face, apart = found.if_none.internal_noise.r, found.without.internal_noise.r
    assert apart.value > face.value
    assert apart.low < 0.5 < apart.high
    assert found.rate.low < 0.1 < found.rate.high
    assert found.without.dprime.value > found.if_none.dprime.value


def test_without_catch_trials_at_one_contrast_lapses_are_a_range():
    found = fit_lapses(made(5, task="2afc").responses, 0, 0)
    assert found.without is None
    assert "neither catch trials nor three contrasts" in found.rate.note
    none, tenth = (each.internal_noise.r for each in (found.if_none, found.if_tenth))
    assert none.value < tenth.value


def test_where_every_pair_agrees_the_lapse_rate_ends_at_none():
    one = made(5, task="2afc", gamma=0.0)
    found = fit_lapses(one.responses, 0, 12)
    assert found.rate.low == 0.0
    assert found.rate.high < 0.02


def test_a_rate_that_is_held_adds_nothing_to_the_error_of_dprime():
    found = fit_lapses(made(5, task="2afc").responses, 0, 0)
    assert found.if_tenth.dprime.se < 1.5 * found.if_none.dprime.se


def test_the_linear_share_of_attentive_decisions_is_found_again():
    shares, at_face = [], []
    for seed in range(20):
        one = made(seed, task="yes_no", lapses=0.1, catch=200)
        trials = design(one, np.random.default_rng(seed))
        shares.append(share_without_lapses(trials, one.n_errors, 200).value)
        at_face.append(share_without_lapses(trials, 0, 10**6).value)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.06)
    assert np.mean(at_face) < 0.42


def test_a_share_without_catch_trials_says_what_it_lacks():
    one = made(1, task="yes_no")
    with pytest.raises(CannotTell, match="no catch trial was answered"):
        share_without_lapses(design(one, np.random.default_rng(1)), 0, 0)


def test_learning_between_passes_is_told():
    one = made(2, task="2afc", halves=True, gain="pass", gain_size=1.0)
    found = sensitivity_change(one.responses)
    assert found.passes.p_holm < 0.01
    assert found.dprime.p < 0.05
    assert "internal noise with it held constant is too large" in found.says
    assert "pairs within a half must be 25 or more" in found.gamma.difference.note


def test_an_observer_who_stays_the_same_is_not_told_of_learning():
    found = sensitivity_change(made(6, task="yes_no").responses)
    assert found.says is None
    assert found.gamma.p > 0.01


def test_a_kernel_that_grows_and_one_that_moves_are_told_apart():
    one = made(7, task="yes_no")
    trials = design(one, np.random.default_rng(7))
    late = second_half(one.responses)
    same = kernel_halves(trials, late)
    assert min(same.p_amplitude, same.p_shape) > 0.01
    moved = trials.halves.copy()
    moved[:, late] = np.roll(moved[:, late], 4, axis=-1)
    found = kernel_halves(replace(trials, halves=moved), late)
    assert found.p_shape < 1e-4
    weak = trials.halves.copy()
    weak[:, late] = np.random.default_rng(1).normal(size=weak[:, late].shape)
    weak[1] = 0
    assert kernel_halves(replace(trials, halves=weak), late).p_amplitude < 1e-3


@pytest.mark.parametrize("table", [DRIFT, LAPSES, LEARNING], ids=lambda t: t.name)
def test_the_study_has_a_figure_for_every_cell(table):
    known = results(table)
    assert all(known[key(cell)]["sessions"] >= 40 for cell in table.cells)
    found = table.session(table.cells[0], np.random.default_rng(1))
    assert set(found) <= {column.quantity for column in table.columns}

"""One row per trial: responses, classes, and the two halves of the noise."""

from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.observers.linear import Linear, linear_responses, unit
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.estimate import CannotTell

OBSERVER = Linear(unit([0, 1, 2, 1, 0]))


def design(task, n=400, **options):
    responses, source = linear_responses(OBSERVER, task, n, 0.1, seed=3, **options)
    return responses, source, TrialDesign.of(responses, source)


def test_in_2afc_the_noise_is_the_second_interval_less_the_first():
    responses, source, trials = design("2afc", n_pairs=50)
    first, second = (source.field(responses.table, k)[:, 0, 0] for k in (0, 1))
    np.testing.assert_allclose(trials.noise, second - first, atol=1e-6)
    of_target = np.where(responses.target[:, None] == 1, second, -first)
    np.testing.assert_array_equal(trials.halves[0], of_target)
    assert np.array_equal(trials.response, responses.response == 1)


def test_in_yes_no_each_half_has_the_noise_of_one_class():
    responses, source, trials = design("yes_no")
    np.testing.assert_array_equal(
        trials.noise, source.field(responses.table, 0)[:, 0, 0]
    )
    assert not trials.halves[0][responses.target == 0].any()
    assert not trials.halves[1][responses.target == 1].any()


def test_the_noise_speaks_for_yes():
    for task in ("2afc", "yes_no"):
        _, _, trials = design(task, n=2000)
        for half in trials.halves:
            apart = half[trials.response].mean(0) - half[~trials.response].mean(0)
            assert apart @ OBSERVER.template > 0.02


def test_cells_are_targets_within_contrasts():
    responses, source = linear_responses(OBSERVER, "2afc", 600, [0.05, 0.1], seed=3)
    trials = TrialDesign.of(responses, source)
    for cell in range(4):
        here = trials.cell == cell
        assert (
            len({*zip(responses.target[here], responses.contrast[here], strict=True)})
            == 1
        )


def test_too_much_noise_is_refused_with_its_size():
    responses, source = linear_responses(OBSERVER, "2afc", 100, 0.1, seed=3)
    with pytest.raises(ValueError, match=r"noise must be at most 0\.0 GiB"):
        TrialDesign.of(responses, source, max_bytes=1000)


def test_more_than_two_alternatives_are_refused():
    responses, source = linear_responses(
        OBSERVER, "mafc", 100, 0.1, seed=3, n_alternatives=4
    )
    with pytest.raises(ValueError, match=r"alternatives must be two .*, got 4"):
        TrialDesign.of(responses, source)


def test_a_stimulus_class_of_a_single_noise_field_is_not_compared():
    _, _, trials = design("2afc")
    at = np.array([np.flatnonzero(trials.target == k)[0] for k in (0, 1)])
    contrast, cell = trials.contrast.copy(), trials.cell.copy()
    contrast[at], cell[at] = 2.0, [2, 3]
    kept = replace(trials, contrast=contrast, cell=cell).comparable()
    np.testing.assert_array_equal(kept.cell, np.delete(trials.cell, at))
    np.testing.assert_array_equal(kept.cluster, np.delete(trials.cluster, at))
    assert trials.comparable() is trials


def test_a_design_of_single_fields_says_so():
    _, _, trials = design("yes_no", n=20)
    alone = replace(trials, cell=np.arange(20), contrast=np.arange(20) + 1.0)
    rule = r"must be 2 or more in some stimulus class .*, got 1 at most"
    with pytest.raises(CannotTell, match=rule):
        alone.comparable()

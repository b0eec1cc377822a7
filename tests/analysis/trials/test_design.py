"""One row per trial: answers, classes, and the two halves of the noise."""

import numpy as np
import pytest

from tests.analysis.observers.linear import Linear, linear_choices, unit
from yoked.analysis.trials.design import TrialDesign

OBSERVER = Linear(unit([0, 1, 2, 1, 0]))


def design(task, n=400, **options):
    choices, source = linear_choices(OBSERVER, task, n, 0.1, seed=3, **options)
    return choices, source, TrialDesign.of(choices, source)


def test_in_2afc_the_noise_is_the_second_interval_less_the_first():
    choices, source, trials = design("2afc", n_pairs=50)
    first, second = (source.field(choices.table, k)[:, 0, 0] for k in (0, 1))
    np.testing.assert_allclose(trials.noise, second - first, atol=1e-6)
    of_target = np.where(choices.target[:, None] == 1, second, -first)
    np.testing.assert_array_equal(trials.halves[0], of_target)
    assert np.array_equal(trials.yes, choices.choice == 1)


def test_in_yes_no_each_half_has_the_noise_of_one_class():
    choices, source, trials = design("yes_no")
    np.testing.assert_array_equal(trials.noise, source.field(choices.table, 0)[:, 0, 0])
    assert not trials.halves[0][choices.target == 0].any()
    assert not trials.halves[1][choices.target == 1].any()


def test_the_noise_speaks_for_yes():
    for task in ("2afc", "yes_no"):
        _, _, trials = design(task, n=2000)
        for half in trials.halves:
            apart = half[trials.yes].mean(0) - half[~trials.yes].mean(0)
            assert apart @ OBSERVER.template > 0.02


def test_cells_are_targets_within_contrasts():
    choices, source = linear_choices(OBSERVER, "2afc", 600, [0.05, 0.1], seed=3)
    trials = TrialDesign.of(choices, source)
    for cell in range(4):
        here = trials.cell == cell
        assert (
            len({*zip(choices.target[here], choices.contrast[here], strict=True)}) == 1
        )


def test_too_much_noise_is_refused_with_its_size():
    choices, source = linear_choices(OBSERVER, "2afc", 100, 0.1, seed=3)
    with pytest.raises(ValueError, match=r"noise must be at most 0\.0 GiB"):
        TrialDesign.of(choices, source, max_bytes=1000)


def test_more_than_two_alternatives_are_refused():
    choices, source = linear_choices(
        OBSERVER, "mafc", 100, 0.1, seed=3, n_alternatives=4
    )
    with pytest.raises(ValueError, match=r"alternatives must be two .*, got 4"):
        TrialDesign.of(choices, source)

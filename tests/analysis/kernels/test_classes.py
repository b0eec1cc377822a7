"""The design of a kernel: classes, coefficients and weights of small tables."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from yoked.analysis.kernels.classes import SUM, Classes, KernelDesign
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.responses import Responses


def design(task, target, response, contrast, n_alternatives=2):
    n = len(target)
    columns = {"target": target, "response": response, "contrast": contrast}
    columns |= {"trial": range(n), "repeats": [None] * n}
    table = pd.DataFrame(columns)
    return KernelDesign.of(Responses.from_table(table, task, n_alternatives))


def test_yes_no_halves_are_the_classes_and_their_sum_the_kernel():
    made = design("yes_no", [0, 0, 1, 1, 1], [0, 1, 0, 1, 1], 0.2)
    assert made.names == ("correct_rejections", "false_alarms", "misses", "hits")
    assert made.size.tolist() == [1, 1, 1, 2]
    assert made.coefficients(0).tolist() == [0, 0, -1, 1]
    assert made.coefficients(1).tolist() == [-1, 1, 0, 0]
    assert made.coefficients(SUM).tolist() == [-1, 1, -1, 1]


def test_forced_choice_halves_have_opposite_signs_on_their_own_noise():
    made = design("2afc", [0, 0, 1, 1], [0, 1, 0, 1], 0.2)
    assert made.names == ("incorrect", "correct")
    assert made.coefficients(0).tolist() == [-1, 1]
    assert made.coefficients(1).tolist() == [1, -1]
    assert [made.channel(half) for half in (0, 1, SUM)] == [0, 1, 2]


def test_a_contrast_with_an_empty_class_is_left_out():
    contrast = [0.1, 0.1, 0.2, 0.2, 0.2]
    made = design("2afc", [0, 1, 0, 1, 1], [0, 1, 0, 0, 1], contrast)
    assert made.contrasts.tolist() == [0.2]
    assert made.label.tolist() == [-1, -1, 1, 0, 1]


@pytest.mark.parametrize(("task", "m"), [("2afc", 2), ("mafc", 2), ("mafc", 4)])
def test_weights_are_shares_and_grow_with_trials_and_difficulty(task, m):
    rng = np.random.default_rng(1)
    n = np.array([400, 800, 400])
    contrast = np.repeat([0.1, 0.2, 0.3], n)
    target = rng.integers(0, m, n.sum())
    lucky = rng.random(n.sum()) < np.repeat([0.6, 0.6, 0.95], n)
    response = np.where(lucky, target, (target + 1) % m)
    weights = design(task, target, response, contrast, m).weights
    assert weights.sum() == pytest.approx(1)
    assert weights[1] / weights[0] == pytest.approx(2, rel=0.1)
    assert weights[2] < weights[0] / 2


def pairs_of(task):
    """Return small responses to shuffle, and trials that have no noise to speak of."""
    rng = np.random.default_rng(2)
    n = 60
    columns = {"target": np.arange(n) % 2, "response": rng.integers(0, 2, n)}
    columns |= {"contrast": np.repeat([0.1, 0.2], n // 2), "trial": range(n)}
    made = Responses.from_table(pd.DataFrame(columns | {"repeats": None}), task, 2)
    trials = TrialDesign(
        response=made.response == 1,
        target=made.target,
        cell=made.target,
        contrast=made.contrast,
        cluster=made.cluster,
        stratum=made.target,
        halves=np.zeros((2, n, 1), np.float32),
        shape=(1, 1, 1),
        is_forced_choice=made.is_forced_choice,
    )
    return made, trials


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
@pytest.mark.parametrize("order", [1, 2])
def test_trials_count_the_same_in_memory_and_streamed(task, order):
    responses, trials = pairs_of(task)
    streamed = KernelDesign.of(responses, order=order)
    parts = [streamed.factors(half)[streamed.label] for half in (0, 1)]
    expected = parts[0] if task == "2afc" else parts[0] + parts[1]
    found = Classes.of(trials).coefficients(order)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_each_set_of_responses_has_its_own_classes(task):
    _, trials = pairs_of(task)
    shuffled = np.stack([trials.response, np.roll(trials.response, 1)])
    both = Classes.of(trials, shuffled).coefficients(2)
    for found, response in zip(both, shuffled, strict=True):
        alone = Classes.of(replace(trials, response=response)).coefficients(2)
        np.testing.assert_array_equal(found, alone[0])


def test_a_trial_drawn_twice_counts_as_two():
    _, trials = pairs_of("2afc")
    count = np.random.default_rng(3).integers(0, 3, (1, 60)).astype(np.uint8)
    rows = np.repeat(np.arange(60), count[0])
    found = Classes.of(trials, count=count)
    drawn = Classes.of(trials.where(rows))
    np.testing.assert_array_equal(found.size, drawn.size)
    once = drawn.coefficients(2)[0]
    assert found.coefficients(2).sum() == pytest.approx(once.sum(), abs=1e-12)
    np.testing.assert_allclose(found.factors(2), drawn.factors(2), rtol=1e-14)

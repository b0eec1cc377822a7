"""The design of a kernel: classes, coefficients and weights of small tables."""

import numpy as np
import pandas as pd
import pytest

from yoked.analysis.kernels.classes import SUM, KernelDesign
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

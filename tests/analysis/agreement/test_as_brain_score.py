"""Choices by Brain-Score's formulas: its own example, and by hand."""

import pandas as pd
import pytest

import yoked
from yoked.analysis.agreement.as_brain_score import kappa_of_shares

TRUTH = ["dog", "cat", "chair"] * 3
SAID = {
    "A": ["dog", "cat", "chair", "cat", "dog", "dog", "dog", "dog", "chair"],
    "B": ["cat", "cat", "chair", "cat", "dog", "cat", "chair", "cat", "cat"],
    "C": TRUTH,
}


def found(people, model):
    rows = {"image": [f"{i}.png" for i in range(9)], "category": TRUTH}
    rows |= {"condition": [1, 1, 1, 2, 2, 2, 3, 3, 3]}
    said = {**{name: SAID[name] for name in people}, "net": SAID[model]}
    tables = [
        pd.DataFrame({**rows, "observer": n, "choice": s}) for n, s in said.items()
    ]
    return yoked.choices(yoked.read_choices(*tables, models=["net"]))


def kappa(people, model="A"):
    return found(people, model).observers[-1].brain_score.kappa.value


def test_the_example_of_brain_score_is_a_fifth():
    # With itself: 0/0, 0/0, 1. With B: 0, 0/0, -.8. With C: 0/0, 0, 0.
    assert kappa("ABC") == pytest.approx((1 - 0.4 + 0) / 3, abs=1e-9)
    assert kappa("ABC") == pytest.approx(0.2, abs=1e-9)


def test_with_oneself_it_is_1_and_of_a_negative_mean_the_absolute_value():
    assert kappa("A") == pytest.approx(1)
    assert kappa("B") == pytest.approx(0.4)  # of -.4
    assert kappa("C") == pytest.approx(0)


def test_kappa_of_shares_that_all_agree_is_1():
    assert kappa_of_shares(1.0, 0.9) == pytest.approx(1)
    assert kappa_of_shares(1.0, 1.0) is None


def test_the_ceiling_is_of_all_pairs_of_people():
    # A with B -.4, A with C 0, B with C 0: of the mean the absolute value.
    ceiling = found("ABC", "A").brain_score_ceiling.kappa
    assert ceiling.value == pytest.approx(0.4 / 3)
    assert ceiling.formula == "error-consistency-brain-score-ceiling/1"


def test_accuracy_distance_is_by_condition_then_person():
    # A is right in 1, 0, 2/3; B in 2/3, 0, 1/3; C in all.
    distance = found("BC", "A").observers[-1].brain_score.accuracy_distance
    with_b = (1 - (1 / 3) / (2 / 3) + 1 + 1 - (1 / 3) / (2 / 3)) / 3
    with_c = (1 + 0 + 2 / 3) / 3
    assert distance.value == pytest.approx((with_b + with_c) / 2)


def test_ours_says_why_it_has_no_kappa_there():
    ours = found("ABC", "A").observers[-1].kappa
    assert ours.value is None
    assert "10 stimuli" in ours.note

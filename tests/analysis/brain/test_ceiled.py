"""Ceiled scores: Brain-Score's own example by both formulas, and the true model."""

import numpy as np
import pytest

from yoked.analysis.brain.ceiled import ceiled
from yoked.analysis.brain.internal_consistency import internal_consistency
from yoked.analysis.brain.predictivity import neural_predictivity

from .made import population, reliability


def test_the_example_of_brain_score_by_both_formulas():
    """Its README has .0764; its code since December 2025 gives .0623."""
    before = ceiled(0.2255, 0.8158, "square-of-ratio")
    now = ceiled(0.2255, 0.8158)
    assert round(before.value, 4) == 0.0764
    assert round(now.value, 4) == 0.0623
    assert before.formula == "ceiled-square-of-ratio/1"
    assert now.formula == "ceiled-square-over-ceiling/1"


def test_the_true_model_is_1_now_and_was_beyond_it_before():
    features, responses = population(2000)
    raw = neural_predictivity(features, responses, "ridge")
    ceiling = internal_consistency(responses)
    now = ceiled(raw, ceiling)
    assert now.value == pytest.approx(1, abs=0.02)
    assert now.low - 0.02 < 1 < now.high + 0.02
    assert now.n == 40
    before = ceiled(raw, ceiling, "square-of-ratio").value
    assert before == pytest.approx(1 / reliability(), abs=0.05)  # 1.67


def test_what_a_square_hides_is_said():
    found = ceiled(-0.3, 0.5)
    assert found.value == pytest.approx(0.18)
    assert found.note == "the raw score is negative, which its square does not show"


def test_without_a_ceiling_there_is_no_value():
    found = ceiled(0.3, 0.0)
    assert found.value is None
    assert found.note == "the ceiling must be more than 0 to divide by it, got 0"
    assert ceiled(float("nan"), 0.5).note == "the raw score or its ceiling has no value"


def test_other_formulas_and_units_are_refused():
    with pytest.raises(LookupError, match="did you mean 'square-of-ratio'"):
        ceiled(0.3, 0.5, "square-ratio")
    features, responses = population(60, units=5)
    raw = neural_predictivity(features, responses, "ridge")
    with pytest.raises(ValueError, match=r"ceiling must be of the 5 units .*, got 4"):
        ceiled(raw, internal_consistency(responses[:, :, :4]))


def test_stimuli_that_were_shown_unequally_often_have_no_ceiled_score():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(200, 10))
    signal = features @ rng.normal(size=(10, 15))
    responses = signal + rng.normal(size=(10, 200, 15)) * 3
    even = internal_consistency(responses)
    assert even.is_even
    raw = neural_predictivity(features, responses, "ridge-cv")
    assert ceiled(raw, even).value > 0.9
    responses[1:, :100] = np.nan  # half of them were shown once
    uneven = internal_consistency(responses)
    assert not uneven.is_even
    assert "not shown equally often" in ceiled(raw, uneven).note

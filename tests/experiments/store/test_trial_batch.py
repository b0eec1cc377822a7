"""Trials as columns: the same as an object each, to the log and back."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.experiments.store.test_trial_columns import EMPTY, FULL, SPEC
from yoked.experiments.store.trial_batch import TrialColumns
from yoked.experiments.store.trial_columns import NUMBERS


def again(trials):
    return TrialColumns.of_cells(trials.n, trials.cells)


@pytest.mark.parametrize("records", [[FULL], [EMPTY], [EMPTY, FULL, EMPTY], []])
def test_trials_come_back_from_their_columns_and_from_their_cells(records):
    trials = TrialColumns.of(records)
    assert trials.records() == records
    assert again(trials).records() == records
    assert [spec for spec in trials.specs()] == [record.spec for record in records]


def test_what_is_missing_in_all_trials_has_no_column():
    trials = TrialColumns.of([EMPTY, EMPTY])
    assert "rt_ms" not in trials.values
    assert trials["rt_ms"] == [None, None]


def test_parts_of_trials_and_their_join_are_the_trials():
    trials = TrialColumns.of([EMPTY, FULL, EMPTY, FULL])
    parts = [trials.part(0, 1), trials.part(1, 3), trials.part(3)]
    assert TrialColumns.joined(parts).records() == trials.records()
    of_each = [TrialColumns.of([record]) for record in trials.records()]
    assert TrialColumns.joined(of_each).records() == trials.records()


def test_a_column_of_another_length_is_refused():
    with pytest.raises(ValueError, match="response must have a value for each of 1"):
        TrialColumns.of_specs([SPEC]).responded(response=np.array([0, 1]))


def test_responses_do_not_change_which_trials_they_are():
    trials = TrialColumns.of_specs([SPEC])
    given = trials.responded(response=np.array([1]))
    assert given.shows_as(trials)
    assert given.without_responses().specs() == trials.specs()
    assert not given.shows_as(TrialColumns.of_specs([replace(SPEC, contrast=0.3)]))


def test_numbers_of_many_trials_are_the_json_of_each():
    values = np.array([[0.1, -1e300], [3.0, 1e-7], [-0.0, 2**60 + 0.5]])
    one_by_one = NUMBERS.to_cells([tuple(row) for row in values.tolist()])
    assert NUMBERS.to_cells(values) == one_by_one
    assert one_by_one[1] == "[3.0,1e-07]"


def test_numbers_that_json_has_not_are_refused():
    with pytest.raises(ValueError, match="Out of range float values"):
        NUMBERS.to_cells(np.array([[0.0], [math.nan]]))

"""Responses: which trials are a pair, how ratings count, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from yoked.analysis.trials.responses import Responses, design_effect, responses

from ..observers.linear import Linear, run, session


def table(**columns):
    plain = {
        "trial": [0, 1, 2, 3],
        "target": [0, 1, 0, 1],
        "response": [0, 1, 1, 1],
        "contrast": [0.2, 0.2, 0.2, 0.2],
        "repeats": [None, None, 0, None],
        "stimulus_id": [0, 1, 0, 3],
    }
    return pd.DataFrame(plain | columns)


def test_a_pair_is_what_the_column_repeats_says():
    made = Responses.from_table(table(), "2afc", 2)
    assert made.first.tolist() == [-1, -1, 0, -1]
    assert made.cluster.tolist() == [0, 1, 0, 3]


def test_an_equal_stimulus_id_makes_no_pair():
    unpaired = table(repeats=[None] * 4, stimulus_id=[7, 7, 7, 7])
    assert Responses.from_table(unpaired, "2afc", 2).second_rows.size == 0


def test_a_repeat_of_a_trial_that_does_not_count_is_no_pair():
    made = Responses.from_table(table().iloc[1:], "2afc", 2)
    assert made.second_rows.size == 0


def test_row_order_does_not_matter():
    made = Responses.from_table(table(), "2afc", 2)
    shuffled = Responses.from_table(table().iloc[[3, 1, 0, 2]], "2afc", 2)
    for name in ("trial", "target", "response", "contrast", "first"):
        np.testing.assert_array_equal(getattr(made, name), getattr(shuffled, name))


@pytest.mark.parametrize(
    ("n", "expected"), [(4, [0, 0, 1, 1]), (6, [0, 0, 0, 1]), (5, [0, 0, 0, 1])]
)
def test_the_upper_half_of_a_rating_scale_is_signal(n, expected):
    made = Responses.from_table(table(response=[0, 1, 2, 3]), "rating", n)
    assert made.response.tolist() == expected
    assert made.n_alternatives == 2


def test_the_upper_half_is_the_one_that_the_trial_log_scores():
    from yoked.experiments.store.trial import is_correct

    made = Responses.from_table(table(response=[0, 1, 2, 3]), "rating", 4)
    scored = [is_correct("rating", 4, r % 2, r) for r in range(4)]  # targets 0 1 0 1
    assert made.correct.tolist() == scored


def test_choosing_some_trials_keeps_their_pairs():
    made = Responses.from_table(table(), "2afc", 2)
    assert made.where(made.target == 0).first.tolist() == [-1, 0]
    assert made.where(made.trial > 0).second_rows.size == 0


def test_a_session_counts_its_main_valid_answered_trials():
    trials, noise = run(Linear(np.ones(1)), "2afc", 8, 0.1, seed=1)
    trials["response"] = trials["response"].astype("Int64")
    trials.loc[0, "block_kind"] = "practice"
    trials.loc[1, "valid"] = False
    trials.loc[2, "excluded"] = True
    trials.loc[3, "response"] = pd.NA
    assert responses(session(trials, noise)).trial.tolist() == [4, 5, 6, 7]


def test_a_session_without_a_counted_trial_has_no_responses():
    assert len(Responses.from_table(table().iloc[:0], "yes_no", 2)) == 0


def test_wrong_tables_get_a_clear_sentence():
    with pytest.raises(ValueError, match=r"task must be one of 2afc, .*, got '3afc'"):
        Responses.from_table(table(), "3afc", 2)
    with pytest.raises(ValueError, match="response must be in 0 to 1, got 2"):
        Responses.from_table(table(response=[0, 2, 0, 0]), "yes_no", 2)
    with pytest.raises(ValueError, match="response must be in 0 to 1, got 6"):
        Responses.from_table(table(response=[0, 6, 0, 0]), "rating", 6)
    with pytest.raises(ValueError, match="be a different number each, got 1"):
        Responses.from_table(table(trial=[0, 1, 1, 2]), "2afc", 2)
    with pytest.raises(ValueError, match="target of trial 2 must be what the trial"):
        Responses.from_table(table(target=[1, 1, 0, 1]), "2afc", 2)
    with pytest.raises(ValueError, match="contrast of trial 2 must be what the trial"):
        Responses.from_table(table(contrast=[0.1, 0.2, 0.2, 0.2]), "2afc", 2)
    chain = table(repeats=[None, 0, 1, None], target=[0, 0, 0, 0], contrast=[0.1] * 4)
    with pytest.raises(ValueError, match="in one pair, got trial 1 in two"):
        Responses.from_table(chain, "2afc", 2)


def test_of_three_showings_the_first_and_the_last_are_the_pair():
    """Whoever is yoked to a log in which a second showing was spoiled sees three."""
    thrice = table(repeats=[None, None, 0, 0], target=[0, 1, 0, 0], contrast=[0.1] * 4)
    made = Responses.from_table(thrice, "2afc", 2)
    assert made.trial.tolist() == [0, 1, 3]
    assert made.first.tolist() == [-1, -1, 0]


def test_equal_responses_to_each_pair_double_the_variance():
    rng = np.random.default_rng(1)
    once = rng.integers(0, 2, 500).astype(float)
    values, cluster = np.tile(once, 2), np.tile(np.arange(500), 2)
    assert design_effect(values, np.zeros(1000, int), cluster) == pytest.approx(2)


def test_trials_of_their_own_have_no_design_effect():
    values = np.array([0.0, 1.0, 1.0])
    assert design_effect(values, np.zeros(3, int), np.arange(3)) == 1.0
    assert design_effect(np.ones(4), np.zeros(4, int), np.zeros(4, int)) == 1.0
    assert design_effect(np.zeros(0), np.zeros(0, int), np.zeros(0, int)) == 1.0

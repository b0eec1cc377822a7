"""Shared trials are found in what was shown: in any order, in part, nth with nth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import yoked
from yoked.analysis.agreement.group import SHARED
from yoked.analysis.agreement.pairs import shared_pairs
from yoked.analysis.agreement.responses import response_agreement
from yoked.analysis.agreement.shared import FEWEST_SHARED, SharedTrials

from ..observers.linear import Linear, run, session, unit

TEMPLATE = unit([0, 1, 2, 1, 0])
N, N_PAIRS = 300, 100


@pytest.fixture(scope="module")
def people():
    """Give two people who saw the same stimuli and whom nobody yoked."""
    table, noise = run(Linear(TEMPLATE), "2afc", N, 0.15, 3, n_pairs=N_PAIRS)
    rng = np.random.default_rng(1)
    flipped = table["response"].where(rng.random(N) > 0.2, 1 - table["response"])
    return (
        session(table, noise, id="import-1", observer="ann"),
        session(table.assign(response=flipped), noise, id="import-2", observer="bob"),
    )


def in_order(one, order):
    """Show a session's trials in another order, its pairs kept, ids and all."""
    trials = one.trials.iloc[order].copy()
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    trials["repeats"] = [
        None if repeats != repeats or repeats is None else number[int(repeats)]
        for repeats in trials["repeats"].astype(object).where(trials["repeats"].notna())
    ]
    trials["repeats"] = trials["repeats"].astype("Int64")
    return replace(one, trials=trials.assign(trial=np.arange(len(order))))


def test_two_people_nobody_yoked_are_compared_as_if_they_were(people):
    ann, bob = people
    follower = replace(bob, row=replace(bob.row, yoked_to=ann.id))
    found, declared = (yoked.compare(ann, each).to_dict() for each in (bob, follower))
    assert found == declared
    assert found["n_shared"] == N
    assert 0.75 < found["same_response"]["value"] < 0.85
    assert found["latent"]["correlation"]["value"] > 0.5
    assert found["depth_profile"]["depths"][1]["share"]["value"] is not None


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_first_showings_changes_nothing(people, seed):
    ann, bob = people
    rng = np.random.default_rng(seed)
    firsts, seconds = N - N_PAIRS, N_PAIRS
    order = np.concatenate([rng.permutation(firsts), firsts + rng.permutation(seconds)])
    shuffled = in_order(bob, order)
    shared = SharedTrials.of(ann, shuffled)
    assert (order[shared.other_rows] == shared.rows).all()
    found, plain = (response_agreement(ann, each) for each in (shuffled, bob))
    assert found.same_response == plain.same_response
    assert found.error_consistency.value == pytest.approx(plain.error_consistency.value)


def test_trials_are_shared_in_part(people):
    ann, bob = people
    some = replace(bob, trials=bob.trials.iloc[50:120])
    assert response_agreement(ann, some).n_shared == 70


def test_a_second_showing_whose_first_does_not_count_goes_with_the_second(people):
    ann, bob = people
    lacking = replace(bob, trials=bob.trials.copy())
    lacking.trials.loc[0, "valid"] = False
    shared = SharedTrials.of(ann, lacking)
    second = N - N_PAIRS  # the trial that repeats trial 0
    assert 0 not in shared.rows
    at = shared.rows == second
    assert lacking.counted["trial"].iloc[shared.other_rows[at][0]] == second


def test_another_contrast_target_or_signal_is_another_trial(people):
    ann, bob = people
    changes = {
        "contrast": bob.trials["contrast"] * 1.1,
        "target": 1 - bob.trials["target"],
        "signal": '{"phase": 90}',
    }
    for column, values in changes.items():
        seen = replace(bob, trials=bob.trials.assign(**{column: values}))
        with pytest.raises(ValueError, match="must share a trial"):
            response_agreement(ann, seen)


def test_sessions_of_one_seed_share_their_trials_and_others_none():
    protocol = yoked.load_protocol("bar-in-noise")
    one, same, other = (
        yoked.run(
            protocol, yoked.load_observer(name), seed=seed, trials=100, contrast=0.2
        )
        for name, seed in (("template", 1), ("guesser", 1), ("guesser", 2))
    )
    assert shared_pairs([one, other, same]) == [(one, same)]
    assert response_agreement(one, same).n_shared == 100


def test_few_shared_trials_make_no_pair_that_nobody_asked_for(people):
    ann, bob = people
    for n, n_pairs in ((FEWEST_SHARED - 1, 0), (FEWEST_SHARED, 1)):
        assert len(shared_pairs([ann, replace(bob, trials=bob.trials[:n])])) == n_pairs


def test_followers_of_a_source_are_paired_with_it_alone(people):
    ann, bob = people
    models = [
        replace(bob, row=replace(bob.row, id=name, yoked_to=ann.id))
        for name in ("model-1", "model-2")
    ]
    found = shared_pairs([models[0], ann, models[1]])
    assert found == [(ann, models[0]), (ann, models[1])]
    assert shared_pairs(models) == [(models[0], models[1])]


def test_a_group_says_that_its_kernels_share_noise(people):
    assert SHARED in yoked.group(people).kernel.note


def test_other_tasks_are_refused(people):
    table, noise = run(Linear(TEMPLATE), "yes_no", 60, 0.15, 3)
    with pytest.raises(ValueError, match="must be of one task, got 2afc and yes_no"):
        SharedTrials.of(people[0], session(table, noise, "yes_no"))

"""Sessions: scoring, order, resuming, yoking, and seeds that are nobody else's."""

import pytest

from yoked.analysis.sessions.kernel import kernel as kernel_of
from yoked.experiments.session.results import load_session
from yoked.experiments.session.session import Session
from yoked.experiments.stimulus.seeds import RESERVED_SEEDS, derived_seed, fresh_seed
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response, is_correct

PERSON, MODEL = ObserverInfo("person", "p1"), ObserverInfo("model", "m1")


@pytest.fixture
def store(db_path):
    store = open_store(db_path)
    yield store
    store.close()


@pytest.fixture
def short(protocol):
    return protocol.with_options(trials=60, contrast=0.2)


def finish(session):
    while specs := session.next_batch(16):
        session.record(specs, [Response(spec.target) for spec in specs])
    session.finish()
    return session


def test_responses_are_scored_against_the_target(store, short):
    session = Session.start(store, short, PERSON, "web", seed=1)
    specs = [session.next_batch(1)[0]]
    right = session.record(specs, [Response(specs[0].target)])[0]
    specs = [session.next_batch(1)[0]]
    wrong = session.record(specs, [Response(1 - specs[0].target)])[0]
    specs = [session.next_batch(1)[0]]
    none = session.record(specs, [Response(None)])[0]
    assert [r.correct for r in (right, wrong, none)] == [True, False, None]


def test_a_rating_counts_as_signal_in_its_upper_half():
    scores = [is_correct("rating", 6, target=1, response=r) for r in range(6)]
    assert scores == [False] * 3 + [True] * 3


def test_only_the_next_trial_can_be_recorded(store, short):
    session = Session.start(store, short, PERSON, "web", seed=1)
    first, second = session.next_batch(2)
    with pytest.raises(ValueError, match=r"the next of the session, from 0, got \[1\]"):
        session.record([second], [Response(0)])
    with pytest.raises(ValueError, match="response must be from 0 to 1, got 2"):
        session.record([first], [Response(2)])
    assert store.trials(session.id) == []


def test_the_next_trial_stays_the_same_until_it_is_recorded(store, short):
    session = Session.start(store, short, PERSON, "web", seed=1)
    assert session.next_batch(1) == session.next_batch(1)


def test_a_session_resumes_where_its_log_ends(store, protocol):
    session = Session.start(store, protocol, PERSON, "web", seed=1)
    for _ in range(33):
        spec = session.next_batch(1)[0]
        session.record([spec], [Response(spec.target)])
    again = Session.resume(store, session.id)
    assert again.n_recorded == 33
    assert again.next_batch(1) == session.next_batch(1)


def test_a_session_with_trials_left_is_not_finished(store, short):
    session = Session.start(store, short, PERSON, "web", seed=1)
    with pytest.raises(
        ValueError, match="must be complete to be finished, got trial 0 open"
    ):
        session.finish()
    assert store.session(session.id).status == "unfinished"


def test_finishing_twice_keeps_the_first_time(store, short):
    session = finish(Session.start(store, short, PERSON, "web", seed=1))
    ended = store.session(session.id).ended_at
    session.finish()
    Session.resume(store, session.id).finish()
    assert store.session(session.id).ended_at == ended


def test_a_yoked_session_shows_the_sources_trials(store, short):
    source = finish(Session.start(store, short, PERSON, "web", seed=1))
    yoked = Session.start(
        store, short, MODEL, "model", observer_seed=9, yoked_to=source.id
    )
    finish(yoked)
    assert [r.spec for r in store.trials(yoked.id)] == [
        r.spec for r in store.trials(source.id)
    ]
    assert store.session(yoked.id).seed == 1


def test_an_unfinished_session_cannot_be_yoked_to(store, short):
    source = Session.start(store, short, PERSON, "web", seed=1)
    with pytest.raises(ValueError, match="finished before another is yoked to it"):
        Session.start(store, short, MODEL, "model", yoked_to=source.id)
    assert len(store.sessions()) == 1


def test_a_session_cannot_be_yoked_to_other_stimuli(store, short):
    from yoked.experiments.protocols.files import load_protocol

    source = finish(Session.start(store, short, PERSON, "web", seed=1))
    with pytest.raises(
        ValueError, match=r"stimuli \(bar-in-noise\), got gabor-in-noise"
    ):
        Session.start(
            store, load_protocol("gabor-in-noise"), MODEL, "model", yoked_to=source.id
        )


def test_observer_seeds_are_nobody_elses(store, short):
    Session.start(store, short, MODEL, "model", seed=1, observer_seed=7)
    with pytest.raises(ValueError, match="must be that of no other session, got 7"):
        Session.start(store, short, MODEL, "model", seed=1, observer_seed=7)
    with pytest.raises(
        ValueError, match="observer_seed must differ from the seed, got 2"
    ):
        Session.start(store, short, MODEL, "model", seed=2, observer_seed=2)


def test_practice_seeds_are_nobodys(store, short):
    with pytest.raises(ValueError, match="reserved for practice"):
        Session.start(store, short, PERSON, "web", seed=RESERVED_SEEDS.start)
    assert all(fresh_seed() not in RESERVED_SEEDS for _ in range(100))


def test_a_derived_seed_avoids_the_taken_ones():
    first = derived_seed("observer", 1)
    assert derived_seed("observer", 1, taken={first}) != first
    assert derived_seed("observer", 1) == first


def test_only_main_valid_answered_trials_are_counted(store, protocol, db_path):
    session = Session.start(store, protocol, PERSON, "web", seed=1)
    while specs := session.next_batch(1):
        number = specs[0].trial
        missing, spoiled = number == 100, number == 101
        response = None if missing else specs[0].target
        session.record(specs, [Response(response, valid=not spoiled)])
    store.exclude(session.id, [102], by="maria", reason="phone rang")
    data = load_session(db_path, session.id)
    counted = set(data.counted["trial"])
    assert counted.isdisjoint({100, 101, 102})
    assert set(data.counted["block_kind"]) == {"main"}
    assert len(counted) == (data.trials["block_kind"] == "main").sum() - 3


def test_a_model_can_be_yoked_to_a_log_with_spoiled_trials(store, protocol, db_path):
    """Spoiled trials of every role: it sees three showings where one was repeated."""
    from yoked.analysis.agreement.responses import response_agreement
    from yoked.analysis.sessions.summary import summarise
    from yoked.models.observers.template import Template
    from yoked.models.simulate import run

    fixed = protocol.with_options(contrast=0.15)
    source = Session.start(store, fixed, PERSON, "web", seed=1)
    n_second = 0
    while specs := source.next_batch(1):
        spec = specs[0]
        n_second += spec.pass_ == 2
        spoiled = spec.trial % 41 == 0 or (spec.pass_ == 2 and n_second % 9 == 0)
        response = spec.target if spec.trial % 4 else 1 - spec.target
        source.record(specs, [Response(response, valid=not spoiled)])
    source.finish()
    yoked = run(None, Template(), store=store, yoke_to=source.id, internal_noise=1.0)
    human = load_session(db_path, source.id)
    shown = human.trials["repeats"].dropna()
    assert shown.duplicated().any()
    summary = summarise(yoked)
    assert summary.n_pairs == shown.nunique()
    assert kernel_of(yoked, method="weighted_sum").n_per_class["correct"] > 0
    assert response_agreement(human, yoked).n_shared == len(human.counted)


def test_a_session_yoked_to_a_yoked_one_has_the_same_root(store, short):
    source = finish(Session.start(store, short, PERSON, "web", seed=1))
    first = finish(Session.start(store, short, MODEL, "model", yoked_to=source.id))
    second = Session.start(store, short, MODEL, "model", yoked_to=first.id)
    assert second.row.yoked_to == source.id


def test_noise_of_published_seeds_is_for_import_and_yoking(store):
    from yoked.experiments.protocols.files import load_protocol

    with pytest.raises(ValueError, match=r"must be yoked-1 for a session of its own"):
        Session.start(store, load_protocol("disk-polarity"), MODEL, "model", seed=1)


def test_other_catch_trials_are_other_stimuli(store, protocol):
    from dataclasses import replace

    source = finish(Session.start(store, protocol, PERSON, "web", seed=1))
    other = replace(protocol, catch=replace(protocol.catch, sd=0.05))
    with pytest.raises(ValueError, match="the protocol must be that of session"):
        Session.start(store, other, MODEL, "model", yoked_to=source.id)

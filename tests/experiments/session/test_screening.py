"""Screening: sessions that nobody worked for are told from those of people."""

from dataclasses import replace

import numpy as np
import pytest

from yoked import load_protocol
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.screening import Screening
from yoked.experiments.session.screening import screened_out
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response

PROTOCOL = load_protocol("bar-in-noise").with_options(trials=200)


def broken(respond, protocol: Protocol = PROTOCOL) -> list[str]:
    """Run a session of a person who responds to (target, is catch trial, rng)."""
    store, rng = open_store(":memory:"), np.random.default_rng(7)
    session = Session.start(store, protocol, ObserverInfo("person", "p"), "web", seed=3)
    while specs := session.next_batch(1):
        (spec,) = specs
        session.record(specs, [respond(spec, rng)])
    records = store.trials(session.id)
    store.close()
    return screened_out(protocol, records)


def person(spec, rng) -> Response:
    """See poorly (60 % correct), respond in 97 %, get nearly all catch trials."""
    if rng.random() < 0.03:
        return Response(None)
    share = 0.95 if spec.block_kind == "catch" else 0.6
    is_right = rng.random() < share
    rt_ms = float(rng.gamma(8, 60))
    return Response(spec.target if is_right else 1 - spec.target, rt_ms)


def test_a_person_who_sees_poorly_is_complete():
    assert broken(person) == []


@pytest.mark.parametrize(
    ("respond", "reason"),
    [
        (lambda spec, rng: Response(None), "responses must be given in 80%"),
        (lambda spec, rng: Response(0, 400.0), "one key must be at most 95%"),
        (
            lambda spec, rng: replace(person(spec, rng), valid=False),
            "invalid trials must be at most 50%",
        ),
        (
            lambda spec, rng: (
                replace(person(spec, rng), rt_ms=12.0)
                if rng.random() < 0.9
                else person(spec, rng)
            ),
            "the median response time must be 150 ms or more, got 12",
        ),
    ],
    ids=["no responses", "always the same", "all invalid", "too fast"],
)
def test_whoever_does_not_work_is_screened_out(respond, reason):
    assert any(sentence.startswith(reason) for sentence in broken(respond))


def test_a_protocol_can_turn_every_rule_off():
    off = Screening(0.0, 0.0, 0.0, 1.0, 1.0)
    assert (
        broken(lambda spec, rng: Response(0, 1.0), replace(PROTOCOL, screening=off))
        == []
    )


def test_a_few_trials_decide_nothing():
    assert screened_out(PROTOCOL, []) == []


def test_a_share_is_between_none_and_all():
    with pytest.raises(ProtocolError, match=r"same_key must be in \[0, 1\], got 2"):
        Screening(same_key=2)


def test_the_default_rules_change_no_hash_and_others_do():
    own = replace(PROTOCOL, screening=Screening(same_key=0.9))
    assert replace(PROTOCOL, screening=Screening()).hash == PROTOCOL.hash != own.hash
    assert own.stimulus_hash == PROTOCOL.stimulus_hash

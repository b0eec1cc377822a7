"""Confidence and feedback in a protocol: defaults change nothing, faults are told."""

from dataclasses import replace

import pytest

from yoked.experiments.protocols.answers import Confidence, Feedback
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.keys import require_keys
from yoked.experiments.protocols.protocol import Protocol


def test_they_change_the_protocol_s_hash_but_not_the_stimuli(protocol):
    asked = replace(protocol, confidence=Confidence(keys=("1", "2", "3", "4")))
    told = replace(protocol, feedback=Feedback(by="tone"))
    for variant in (asked, told):
        assert variant.hash != protocol.hash
        assert variant.stimulus_hash == protocol.stimulus_hash
        assert Protocol.from_dict(variant.to_dict()) == variant
    assert {"confidence", "feedback"}.isdisjoint(protocol.to_dict())


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: Confidence(keys=("1",)),
            "keys must be none, or a list of two",
        ),
        (lambda: Confidence(keys=("1", "1")), "keys must be all different"),
        (
            lambda: Feedback(by="smell"),
            "by must be one of text, tone, both",
        ),
        (
            lambda: Feedback(correct_hz=5),
            "correct_hz must be from 20 to 20000 Hz",
        ),
        (lambda: Feedback(wrong_hz=1000), "wrong_hz must be other than correct_hz"),
        (lambda: Feedback(tone_ms=1), "tone_ms must be from 10 to 5000 ms, got 1"),
    ],
)
def test_a_fault_has_its_sentence(make, sentence):
    with pytest.raises(ProtocolError, match=sentence):
        make()


def test_a_key_has_one_meaning_and_a_rating_no_confidence(protocol):
    with pytest.raises(ProtocolError, match=r"confidence.keys must be other keys than"):
        replace(protocol, confidence=Confidence(keys=("f", "1")))
    task = replace(protocol.task, kind="rating", keys=("a", "b", "c", "d"))
    with pytest.raises(ProtocolError, match=r"confidence.keys must be none where a"):
        replace(protocol, task=task, confidence=Confidence(keys=("1", "2")))
    unknown = replace(protocol, confidence=Confidence(keys=("1", "F13")))
    with pytest.raises(ProtocolError, match=r"confidence.keys must be keys that"):
        require_keys(unknown)

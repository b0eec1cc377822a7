"""A protocol that asks for the distance to be measured: its rules and its hashes."""

from dataclasses import replace

import pytest

from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.viewing import ViewingAsked


def test_measuring_changes_the_protocol_and_not_its_stimuli():
    bars = load_protocol("bar-in-noise")
    measured = replace(bars, viewing=ViewingAsked("distance"))
    assert measured.hash != bars.hash
    assert measured.stimulus_hash == bars.stimulus_hash
    assert Protocol.from_dict(measured.to_dict()) == measured
    assert "viewing" not in bars.to_dict()


def test_rules_are_said():
    with pytest.raises(ProtocolError, match="measure must be card, distance or empty"):
        ViewingAsked("ruler")
    with pytest.raises(ProtocolError, match="repeats must be from 3 to 20, got 2"):
        ViewingAsked("distance", 2)

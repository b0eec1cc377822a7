"""Touch: a task declares it, and it is no other stimulus."""

from dataclasses import replace

from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.protocol import Protocol


def test_touch_changes_the_protocol_and_not_its_stimuli():
    bars = load_protocol("bar-in-noise")
    touched = replace(bars, task=replace(bars.task, touch=True))
    assert touched.hash != bars.hash
    assert touched.stimulus_hash == bars.stimulus_hash
    assert Protocol.from_dict(touched.to_dict()) == touched
    assert "touch" not in bars.to_dict()["task"]

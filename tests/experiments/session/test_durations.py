"""Durations that differ from trial to trial: a function of the seed, and in bounds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Timing
from yoked.experiments.session.durations import as_drawn, drawn_timing
from yoked.experiments.session.session import Session
from yoked.experiments.session.shown import timing_fault
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.trial import Response

JITTERED = Timing(fixation_jitter_ms=300.0, gap_jitter_ms=200.0)


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**6))
def test_a_duration_is_longer_by_up_to_its_jitter(seed, trial):
    drawn = drawn_timing(JITTERED, seed, trial)
    assert 500 <= drawn.fixation_ms <= 800
    assert 500 <= drawn.gap_ms <= 700
    assert drawn == drawn_timing(JITTERED, seed, trial)
    assert not drawn.is_jittered
    rest = replace(drawn, fixation_ms=500.0, gap_ms=500.0)
    assert rest == Timing()


def test_durations_are_drawn_evenly_and_apart():
    drawn = [drawn_timing(JITTERED, 7, trial) for trial in range(4000)]
    fixation = np.array([timing.fixation_ms for timing in drawn]) - 500
    gap = np.array([timing.gap_ms for timing in drawn]) - 500
    # Four standard errors: SD of a uniform law is its width / sqrt(12).
    assert abs(fixation.mean() - 150) < 4 * 300 / np.sqrt(12 * 4000)
    assert abs(gap.mean() - 100) < 4 * 200 / np.sqrt(12 * 4000)
    assert abs(np.corrcoef(fixation, gap)[0, 1]) < 4 / np.sqrt(4000)


def test_jitter_changes_no_stimulus_and_its_default_no_hash(protocol):
    jittered = protocol.with_options(timing=JITTERED)
    assert jittered.stimulus_hash == protocol.stimulus_hash
    assert jittered.hash != protocol.hash
    assert "fixation_jitter_ms" not in protocol.to_dict().get("timing", {})
    store = open_store(":memory:")
    session = Session.start(store, protocol, ObserverInfo("person", "p01"), "lab")
    assert as_drawn(session, 3) is session.protocol
    store.close()


def test_a_trial_is_judged_by_its_own_durations(protocol):
    store = open_store(":memory:")
    person = ObserverInfo("person", "p01")
    jittered = protocol.with_options(trials=20, timing=JITTERED)
    session = Session.start(store, jittered, person, "lab", seed=3)
    asked = as_drawn(session, 0).timing
    onsets = (asked.fixation_ms, asked.fixation_ms + 100 + asked.gap_ms)
    offsets = tuple(onset + 100 for onset in onsets)
    shown = Response(0, rt_ms=500.0, onsets_ms=onsets, offsets_ms=offsets)
    assert timing_fault(as_drawn(session, 0), shown) is None
    others = [timing_fault(as_drawn(session, trial), shown) for trial in range(1, 20)]
    assert sum(fault is not None for fault in others) > 10
    store.close()


def test_a_session_that_goes_on_has_the_same_durations(protocol, db_path):
    jittered = protocol.with_options(trials=20, timing=JITTERED)
    store = open_store(db_path)
    person = ObserverInfo("person", "p01")
    session = Session.start(store, jittered, person, "lab", seed=3)
    again = Session.resume(store, session.id)
    for trial in range(20):
        assert as_drawn(session, trial) == as_drawn(again, trial)
    store.close()


def test_a_response_may_have_no_limit():
    timing = Timing(response_ms=0.0)
    assert timing.longest_response_ms == np.inf
    assert Timing().longest_response_ms == 3000
    with pytest.raises(ProtocolError, match="interval_ms must be more than 0"):
        Timing(interval_ms=0.0)


def test_the_shipped_protocols_have_no_jitter_and_ask_no_confidence():
    protocol = load_protocol("bar-in-noise")
    assert not protocol.timing.is_jittered
    assert not protocol.confidence.is_asked
    assert not protocol.feedback.has_tones

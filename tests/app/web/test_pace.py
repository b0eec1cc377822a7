"""Time left: by the protocol first, then by the person's own pace."""

from datetime import UTC, datetime, timedelta

from yoked.app.web.pace import Pace
from yoked.experiments.protocols.files import load_protocol

START = datetime(2026, 1, 10, 10, tzinfo=UTC)


def after(pace: Pace, seconds: list[float], block: int = 0) -> Pace:
    at = START
    for each in seconds:
        at += timedelta(seconds=each)
        pace.responded(block, at.isoformat())
    return pace


def test_before_there_is_a_pace_the_protocol_s_durations_count():
    bars = load_protocol("bar-in-noise")
    ms = 500 + 2 * 100 + 500 + 700
    assert after(Pace(bars), [9.0] * 8).minutes(600) == -(-600 * ms // 60_000)


def test_a_person_s_own_pace_counts_and_rests_do_not():
    bars = load_protocol("bar-in-noise")
    slow = after(Pace(bars), [4.0] * 20)
    assert slow.minutes(150) == 10
    assert after(Pace(bars), [4.0, 4.0, 300.0, 4.0] * 6).minutes(150) == 10
    # The time from one block to the next is a break.
    at = START + timedelta(hours=1)
    slow.responded(1, at.isoformat())
    assert slow.minutes(150) == 10
    assert slow.minutes(0) == 1

"""What was shown against what was asked: tolerances, and what a trial's stamps tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked import load_protocol
from yoked.experiments.session.shown import is_anticipation, timing_fault
from yoked.experiments.store.trial import Response

BAR = load_protocol("bar-in-noise")
MOVIE = load_protocol("movie-bar")
TOLERANCE = BAR.timing.tolerance_ms


def shown(*edges: float, frames_shown: int | None = 12) -> Response:
    return Response(
        1,
        400.0,
        onsets_ms=edges[::2],
        offsets_ms=edges[1::2],
        frames_shown=frames_shown,
    )


ASKED = (500.0, 600.0, 1100.0, 1200.0)


def test_a_trial_that_was_shown_as_asked_has_no_fault():
    assert timing_fault(BAR, shown(*ASKED)) is None


@given(st.lists(st.floats(0, TOLERANCE / 2), min_size=4, max_size=4))
def test_within_the_tolerance_there_is_no_fault(late):
    stamps = [asked + by for asked, by in zip(ASKED, late, strict=True)]
    assert timing_fault(BAR, shown(*stamps)) is None


@pytest.mark.parametrize(
    ("stamps", "fault"),
    [
        ((21_049, 21_149, 21_649, 21_749), "the fixation lasted too long: 21049 ms"),
        ((500, 1000, 1500, 1600), "an interval lasted too long: 500 ms where 100"),
        ((500, 600, 1500, 1600), "a gap lasted too long: 900 ms where 500"),
        ((500, 550, 1050, 1100), "an interval lasted too short: 50 ms where 100"),
        ((500, 500, 500, 500), "an interval lasted too short: 0 ms where 100"),
        ((0, 100, 600, 700), "the fixation lasted too short: 0 ms where 500"),
    ],
)
def test_a_stall_or_a_wrong_refresh_rate_is_a_fault(stamps, fault):
    assert str(timing_fault(BAR, shown(*map(float, stamps)))).startswith(fault)


def test_a_trial_without_a_frame_showed_nothing():
    assert timing_fault(BAR, shown(*ASKED, frames_shown=0)) == "nothing was shown"


def test_a_movie_lasts_as_long_as_its_frames():
    assert MOVIE.timing.shown_ms(9) == 9 * MOVIE.timing.frame_ms
    lasted = 9 * MOVIE.timing.frame_ms
    stamps = (500.0, 500 + lasted, 1000 + lasted, 1000 + 2 * lasted)
    assert timing_fault(MOVIE, shown(*stamps)) is None
    assert timing_fault(MOVIE, shown(*ASKED)) is not None


def test_a_trial_without_stamps_cannot_be_judged():
    assert timing_fault(BAR, Response(1, 400.0)) is None


@pytest.mark.parametrize(
    ("rt_ms", "early"), [(99.9, True), (100.0, False), (None, False)]
)
def test_a_response_before_the_protocols_time_is_an_anticipation(rt_ms, early):
    response = Response(None if rt_ms is None else 1, rt_ms)
    assert is_anticipation(BAR, response) == early

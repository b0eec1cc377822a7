"""The picture of a session along its trials."""

from dataclasses import replace

import numpy as np
import pytest

import yoked
from yoked.analysis.plot.course import draw_course
from yoked.analysis.sessions.timeline import timeline
from yoked.analysis.trials.estimate import CannotTell


@pytest.fixture(scope="module")
def session():
    protocol = yoked.load_protocol("bar-in-noise")
    return yoked.run(protocol, yoked.load_observer("template"), seed=1)


def test_windows_hold_all_counted_trials_in_order(session):
    found = timeline(session)
    assert sum(window.dprime.n for window in found.windows) == 600
    ends = [end for window in found.windows for end in (window.first, window.last)]
    assert ends == sorted(ends)
    assert len(found.catch_trial) == 12
    assert found.catch_correct.all()


def test_misses_are_counted_where_they_were(session):
    trials = session.trials.copy()
    rows = trials.index[trials["block_kind"] == "main"][100:110]
    trials.loc[rows, "response"] = None
    found = timeline(replace(session, trials=trials))
    missed = [window.misses.value > 0 for window in found.windows]
    assert sum(missed) in (1, 2)


def test_the_course_is_drawn_as_it_was_fitted(session):
    found = timeline(session)
    axis = draw_course([found]).axes[0]
    course = found.course.course
    drawn = [line.get_ydata() for line in axis.lines if len(line.get_xdata()) > 50]
    assert np.allclose(drawn[0], course.value + found.criterion.value)


def test_a_picture_without_sessions_is_refused():
    with pytest.raises(CannotTell, match="must have a session to draw"):
        draw_course([])

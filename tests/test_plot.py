"""Plots: what is drawn is what was estimated, on one scale."""

import numpy as np
import pytest

from yoked.analysis import plot
from yoked.analysis.agreement import compare
from yoked.analysis.kernels import session_kernel
from yoked.analysis.summary import summarise
from yoked.experiments.protocol_files import load_protocol
from yoked.experiments.results import session_data
from yoked.experiments.store import open_store
from yoked.models.guesser import Guesser
from yoked.models.simulate import run
from yoked.models.template import Template


@pytest.fixture(scope="module")
def sessions():
    """Give a template, and a guesser and a noisier template that are yoked to it."""
    store = open_store(":memory:")
    protocol = load_protocol("bar-in-noise").with_options(trials=600, contrast=0.227)
    first = run(protocol, Template(), store=store, seed=1, internal_noise=1.0)
    for observer in (Guesser(), Template(efficiency=0.5)):
        run(None, observer, store=store, yoke_to=first.id, internal_noise=0.5, seed=2)
    yield [session_data(store, row.id) for row in store.sessions()]
    store.close()


def test_kernels_are_drawn_as_estimated_on_one_scale(sessions):
    figure = plot.kernels(sessions)
    top = figure.axes[:3]
    for axis, session in zip(top, sessions, strict=True):
        drawn = next(line for line in axis.lines if line.get_label() == "kernel")
        kernel = session_kernel(session).kernel.ravel()
        assert np.allclose(drawn.get_ydata(), kernel)
    assert len({axis.get_ylim() for axis in top}) == 1


def test_a_kernel_of_fields_is_a_picture_around_zero():
    protocol = load_protocol("gabor-in-noise").with_options(trials=200, contrast=0.087)
    session = run(protocol, Template(), seed=3)
    figure = plot.kernels([session])
    image = figure.axes[0].images[0]
    kernel = session_kernel(session).kernel
    assert np.allclose(image.get_array(), kernel[0])
    low, high = image.get_clim()
    assert low == -high


def test_bars_over_time_are_laid_out_as_time_by_space():
    kernel = np.arange(12.0).reshape(4, 1, 3)
    assert plot.as_picture(kernel).tolist() == kernel[:, 0].tolist()


def test_a_movie_of_fields_stands_frame_beside_frame():
    kernel = np.arange(12.0).reshape(2, 2, 3)
    assert plot.as_picture(kernel).tolist() == [
        [0, 1, 2, 6, 7, 8],
        [3, 4, 5, 9, 10, 11],
    ]


def test_measures_are_drawn_where_they_were_estimated(sessions):
    summaries = [summarise(session) for session in sessions]
    figure = plot.measures(summaries)
    drawn = [
        line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() == "o"
    ]
    assert drawn == [summary.pooled.dprime.value for summary in summaries]


def test_agreement_is_drawn_with_its_ceiling(sessions):
    comparisons = [compare(sessions[0], other) for other in sessions[1:]]
    figure = plot.agreements(comparisons)
    labels = {text.get_text() for text in figure.axes[0].get_legend().get_texts()}
    assert "bounds of the best possible model" in labels
    values = {line.get_xdata()[0] for line in figure.axes[0].lines}
    assert {c.same_choice.value for c in comparisons} <= values


def test_sessions_of_other_stimuli_do_not_share_a_plot(sessions):
    other = run(load_protocol("movie-bar"), Guesser(), seed=3, trials=100, contrast=0.2)
    with pytest.raises(ValueError, match="must share their stimuli, got 2 kinds"):
        plot.kernels([sessions[0], other])


def test_an_order_that_is_not_there_is_refused(sessions):
    with pytest.raises(ValueError, match="order must be 1, got 2"):
        plot.kernels(sessions, order=2)

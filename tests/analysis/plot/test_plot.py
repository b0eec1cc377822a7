"""Plots: what is drawn is what was estimated, on one scale."""

import numpy as np
import pytest

import yoked
from yoked.analysis.agreement.profile import depth_profile
from yoked.analysis.agreement.responses import response_agreement
from yoked.analysis.kernels.weighted_sum import session_kernel
from yoked.analysis.plot import figure as plot
from yoked.analysis.psychometric.fit import fit_psychometric
from yoked.analysis.second_order.spectrum import eigen_spectrum
from yoked.analysis.sensitivity.roc import roc
from yoked.analysis.sessions.summary import summarise
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.responses import responses
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.session.results import session_data
from yoked.experiments.store.sqlite import open_store
from yoked.models.observers.guesser import Guesser
from yoked.models.observers.template import Template
from yoked.models.simulate import run


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
    figure = plot.kernels(sessions, method="weighted_sum")
    top = figure.axes[:3]
    for axis, session in zip(top, sessions, strict=True):
        drawn = next(line for line in axis.lines if line.get_label() == "kernel")
        kernel = session_kernel(session).kernel.ravel()
        assert np.allclose(drawn.get_ydata(), kernel)
    assert len({axis.get_ylim() for axis in top}) == 1


def test_a_kernel_of_fields_is_a_picture_around_zero():
    protocol = load_protocol("gabor-in-noise").with_options(trials=200, contrast=0.087)
    session = run(protocol, Template(), seed=3)
    figure = plot.kernels([session], method="weighted_sum")
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
    comparisons = [response_agreement(sessions[0], other) for other in sessions[1:]]
    figure = plot.agreements(comparisons)
    labels = {text.get_text() for text in figure.axes[0].get_legend().get_texts()}
    assert "bounds of the best possible model" in labels
    values = {line.get_xdata()[0] for line in figure.axes[0].lines}
    assert {c.same_response.value for c in comparisons} <= values


def test_sessions_of_other_stimuli_do_not_share_a_plot(sessions):
    other = run(load_protocol("movie-bar"), Guesser(), seed=3, trials=100, contrast=0.2)
    with pytest.raises(ValueError, match="must share their stimuli, got 2 kinds"):
        plot.kernels([sessions[0], other])


def test_an_order_that_is_not_there_is_refused(sessions):
    with pytest.raises(ValueError, match="order must be 1 or 2, got 3"):
        plot.kernels(sessions, order=3)


def test_a_fitted_kernel_is_drawn_in_decision_sds(sessions):
    figure = plot.kernels(sessions[:1])
    drawn = next(line for line in figure.axes[0].lines if line.get_label() == "kernel")
    fitted = yoked.kernel(sessions[0]).kernel.ravel()
    assert np.allclose(drawn.get_ydata(), fitted)
    assert "decision SD per noise SD" in figure.axes[0].get_ylabel()


def test_a_second_order_kernel_is_a_matrix_in_units_of_the_noise(sessions):
    figure = plot.kernels(sessions, order=2)
    kernel = yoked.kernel(sessions[0], order=2)
    drawn = figure.axes[0].images[0].get_array()
    assert np.allclose(drawn, kernel.kernel / kernel.noise_sd**2)


def test_eigenvalues_are_drawn_with_their_band(sessions):
    trials = TrialDesign.of(responses(sessions[0]), sessions[0].noise)
    spectrum = eigen_spectrum(trials, n_permutations=39)
    axis = plot.spectra([("template", spectrum)], noise_sd=0.1).axes[0]
    dots = np.concatenate(
        [line.get_ydata() for line in axis.lines if line.get_marker() in "oD"]
    )
    assert np.allclose(np.sort(dots), np.sort(spectrum.values) / 0.01)
    assert axis.collections  # the band


def test_roc_and_psychometric_curves_pass_by_their_points():
    rng = np.random.default_rng(1)
    target = rng.integers(0, 2, 600)
    ratings = np.clip(np.rint(2 * target + rng.normal(1.5, 1.4, 600)), 0, 5).astype(int)
    found = roc(ratings, target, n_responses=6)
    axis = plot.roc([("ann", found)]).axes[0]
    points = next(line for line in axis.lines if line.get_marker() == "o")
    assert np.allclose(points.get_ydata(), found.hit_rate)
    contrast, n = np.array([0.05, 0.1, 0.2, 0.4]), np.full(4, 100)
    fit = fit_psychometric(contrast, np.array([55, 68, 88, 98]), n)
    axis = plot.psychometric([("ann", fit)]).axes[0]
    offsets = axis.collections[0].get_offsets()
    assert np.allclose(offsets[:, 1], [0.55, 0.68, 0.88, 0.98])
    assert axis.get_xscale() == "log"


def test_a_depth_profile_has_a_bar_or_a_cross_for_each_depth(sessions):
    profile = depth_profile(sessions[0], sessions[2], n_bootstrap=20)
    axis = plot.depth_profiles([profile]).axes[0]
    known = [
        depth.share.value for depth in profile.depths if depth.share.value is not None
    ]
    assert [bar.get_height() for bar in axis.patches] == known
    crosses = [line for line in axis.lines if line.get_marker() == "x"]
    assert len(known) + len(crosses) == 3
    with pytest.raises(ValueError, match="must have a depth profile to draw, got none"):
        plot.depth_profiles([])

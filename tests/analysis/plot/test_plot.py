"""Plots: what is drawn is what was estimated, on one scale."""

import math
from dataclasses import replace

import numpy as np
import pytest

import yoked
from yoked.analysis.agreement.profile import depth_profile
from yoked.analysis.agreement.responses import response_agreement
from yoked.analysis.plot import figure as plot
from yoked.analysis.plot.cards import on_one_scale
from yoked.analysis.plot.curves import draw_efficiency, draw_psychometric, draw_roc
from yoked.analysis.plot.depth import COLORS, draw_depth
from yoked.analysis.plot.kernels import (
    draw_kernels,
    panel,
    signed_template,
    size_of,
)
from yoked.analysis.plot.measures import draw_agreement, draw_measures
from yoked.analysis.plot.second_order import (
    beyond_chance,
    draw_second_order,
    draw_spectra,
)
from yoked.analysis.plot.style import as_picture, dots
from yoked.analysis.psychometric.fit import psychometric_from_counts
from yoked.analysis.second_order.kernel import second_order_kernel
from yoked.analysis.second_order.spectrum import eigen_spectrum
from yoked.analysis.sensitivity.efficiency import absolute_efficiency
from yoked.analysis.sensitivity.roc import roc_from_ratings
from yoked.analysis.sessions.kernel import kernel as kernel_of
from yoked.analysis.sessions.summary import summarise
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.estimate import Estimate
from yoked.analysis.trials.responses import responses
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.noise_and_signal import Noise
from yoked.experiments.protocols.parts import Catch
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
    options = {"store": store, "yoke_to": first.id, "internal_noise": 0.5}
    for seed, observer in enumerate((Guesser(), Template(efficiency=0.5)), start=2):
        run(None, observer, observer_seed=seed, **options)
    yield [session_data(store, row.id) for row in store.sessions()]
    store.close()


def test_kernels_are_drawn_as_estimated_on_one_scale(sessions):
    figure = plot.kernels(sessions, method="weighted_sum")
    top = figure.axes[:3]
    for axis, session in zip(top, sessions, strict=True):
        drawn = next(line for line in axis.lines if line.get_label() == "kernel")
        kernel = kernel_of(session, method="weighted_sum").kernel.ravel()
        assert np.allclose(drawn.get_ydata(), kernel)
    assert len({axis.get_ylim() for axis in top}) == 1


def test_a_kernel_in_coefficients_stands_below_its_classification_image():
    protocol = load_protocol("orientation-noise").with_options(trials=300)
    session = run(protocol, Template(), seed=3, internal_noise=1.0)
    found = kernel_of(session, method="weighted_sum")
    figure = plot.kernels(session, method="weighted_sum")
    image, kernel = figure.axes[:2]
    drawn = found.drawn()["classification_image"]
    assert np.allclose(image.images[0].get_array(), drawn[0])
    assert image.get_ylabel() == "classification\nimage"
    assert kernel.get_ylabel() == "kernel in coefficients\n(noise SD)"
    line = next(line for line in kernel.lines if line.get_label() == "kernel")
    assert np.allclose(line.get_ydata(), found.kernel)
    assert "covariance of the noise" in figure.get_supxlabel().replace("\n", " ")
    fitted = plot.kernels(session)
    title = fitted.legends[0].get_title().get_text().replace("\n", " ")
    assert "covariance of the noise" in title
    second = plot.kernels(session, order=2)
    labels = [axis.get_ylabel() for axis in second.axes]
    assert "coefficient by coefficient" in labels
    assert "first eigenvector,\nclassification image" in labels


def test_a_kernel_of_fields_is_a_picture_around_zero():
    protocol = load_protocol("gabor-in-noise").with_options(trials=200, contrast=0.087)
    session = run(protocol, Template(), seed=3)
    figure = plot.kernels([session], method="weighted_sum")
    by_title = {axis.get_title(): axis for axis in figure.axes}
    assert figure.get_suptitle() == "template"
    image = by_title["kernel"].images[0]
    kernel = kernel_of(session, method="weighted_sum").kernel
    assert np.allclose(image.get_array(), kernel[0])
    low, high = image.get_clim()
    assert low == -high
    # In degrees, with the signal beside it: 16 elements of 0.2.
    deg = protocol.display.deg_per_element
    assert image.get_extent() == pytest.approx([-8 * deg, 8 * deg, -8 * deg, 8 * deg])
    assert by_title["signal"].get_ylabel() == "degrees"
    signal = by_title["signal"].images[0].get_array()
    assert np.allclose(signal, signed_template(session)[0])


def test_figures_side_by_side_are_on_one_scale():
    protocol = load_protocol("gabor-in-noise").with_options(trials=200, contrast=0.087)
    both = [run(protocol, each, seed=3) for each in (Template(), Guesser())]
    panels = [panel(each, "weighted_sum") for each in both]
    one, other = on_one_scale([draw_kernels([each]) for each in panels])
    together = draw_kernels(panels)
    limits = [
        {
            axis.images[0].get_clim()
            for axis in figure.axes
            if axis.get_label() == "field"
        }
        for figure in (one, other, together)
    ]
    assert limits[0] == limits[1] == limits[2]
    assert len(limits[0]) == 1


def test_an_interval_without_an_end_is_an_arrow_even_where_the_value_is_infinite():
    from matplotlib.figure import Figure

    axis = Figure().subplots()
    known = Estimate(1.0, 0.1, 0.8, 1.2, 100, "any/1")
    endless = Estimate(math.inf, None, 2.5, math.inf, 100, "any/1")
    dots(axis, [known, endless])
    drawn = {(line.get_marker(), *line.get_ydata()) for line in axis.lines}
    assert (">", 1) in drawn
    assert ("None", 1, 1) in drawn
    assert ("o", 0) in drawn
    assert ("o", 1) not in drawn
    assert all(np.isfinite(line.get_xdata()).all() for line in axis.lines)


def test_an_import_of_unknown_size_has_no_degrees():
    protocol = load_protocol("gabor-in-noise")
    noise = Noise("gaussian", 0.15, (1, 16, 16), "stored")
    stored = replace(protocol, noise=noise, catch=Catch())
    unknown = replace(stored, display=replace(stored.display, deg_per_element=1.0))
    assert size_of(stored).element_deg == (0.2, 0.2)
    assert size_of(unknown) is None


def test_what_is_beyond_chance_is_outlined():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(13, 13)) * 0.1
    matrix = noise + noise.T
    matrix[2, 5] = matrix[5, 2] = 1.0
    found = replace(
        second_order_kernel(*_any_second_order()), kernel=matrix, null_se=0.15
    )
    chosen = beyond_chance(found)
    assert np.argwhere(chosen).tolist() == [[2, 5], [5, 2]]
    figure = draw_second_order([("ann", found)])
    (lines,) = figure.axes[0].collections
    assert len(lines.get_segments()) == 8  # around two elements that do not touch


def test_hardly_any_element_is_outlined_without_a_second_order():
    # Symmetric matrices of independent normal errors: 5 % of them have one, or fewer.
    rng = np.random.default_rng(2)
    base = second_order_kernel(*_any_second_order())
    n, found = 400, 0
    for _ in range(n):
        half = np.tril(rng.normal(size=(13, 13)), -1)
        matrix = half + half.T + np.diag(rng.normal(size=13) * np.sqrt(2))
        found += beyond_chance(replace(base, kernel=matrix, null_se=1.0)).any()
    assert 0.02 < found / n < 0.08


def _any_second_order():
    protocol = load_protocol("bar-in-noise").with_options(trials=100, contrast=0.2)
    session = run(protocol, Template(), seed=1, internal_noise=1.0)
    return responses(session), session.noise


def test_bars_over_time_are_laid_out_as_time_by_space():
    kernel = np.arange(12.0).reshape(4, 1, 3)
    assert as_picture(kernel).tolist() == kernel[:, 0].tolist()


def test_a_movie_of_fields_stands_frame_beside_frame():
    kernel = np.arange(12.0).reshape(2, 2, 3)
    assert as_picture(kernel).tolist() == [
        [0, 1, 2, 6, 7, 8],
        [3, 4, 5, 9, 10, 11],
    ]


def test_measures_are_drawn_where_they_were_estimated(sessions):
    summaries = [summarise(session) for session in sessions]
    figure = draw_measures(summaries)
    drawn = [
        line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() == "o"
    ]
    assert drawn == [summary.pooled.dprime.value for summary in summaries]


def test_agreement_is_drawn_with_its_ceiling(sessions):
    comparisons = [response_agreement(sessions[0], other) for other in sessions[1:]]
    figure = draw_agreement(comparisons)
    labels = {text.get_text() for text in figure.legends[0].get_texts()}
    assert "bounds of the best possible model" in labels
    values = {line.get_xdata()[0] for line in figure.axes[0].lines}
    assert {c.same_response.value for c in comparisons} <= values


def test_sessions_of_other_stimuli_do_not_share_a_plot(sessions):
    other = run(load_protocol("movie-bar"), Guesser(), seed=3, trials=100, contrast=0.2)
    with pytest.raises(ValueError, match="must share their stimuli, got 2 kinds"):
        plot.kernels([sessions[0], other])
    for draw in (plot.second_order, plot.spectra):
        with pytest.raises(ValueError, match="must share their stimuli, got 2 kinds"):
            draw([sessions[0], other])


def test_an_order_that_is_not_there_is_refused(sessions):
    with pytest.raises(ValueError, match="order must be 1 or 2, got 3"):
        plot.kernels(sessions, order=3)


def test_a_fitted_kernel_is_drawn_in_decision_sds(sessions):
    figure = plot.kernels(sessions[:1])
    drawn = next(line for line in figure.axes[0].lines if line.get_label() == "kernel")
    fitted = yoked.kernel(sessions[0]).kernel.ravel()
    assert np.allclose(drawn.get_ydata(), fitted)
    assert "decision SD per noise SD" in figure.axes[0].get_ylabel()


def test_its_bands_are_the_intervals_that_cover_the_kernel(sessions):
    figure = plot.kernels(sessions[:1])
    found = yoked.kernel(sessions[0]).unshrunken
    dots = next(
        line for line in figure.axes[0].lines if line.get_label() == "unshrunken"
    )
    assert np.allclose(dots.get_ydata(), found.kernel.value.ravel())
    each, together = (
        np.concatenate([path.vertices[:, 1] for path in one.get_paths()])
        for one in figure.axes[0].collections
    )
    for drawn, name in ((each, ""), (together, "_all")):
        low, high = (
            getattr(found.kernel, f"low{name}"),
            getattr(found.kernel, f"high{name}"),
        )
        assert drawn.min() == pytest.approx(low.min())
        assert drawn.max() == pytest.approx(high.max())
    (legend,) = figure.legends
    said = " ".join(legend.get_title().get_text().split())
    assert said == "bands are the 95 % intervals of the dots, not of the line"


def test_a_second_order_kernel_is_a_matrix_in_units_of_the_noise(sessions):
    figure = plot.kernels(sessions, order=2)
    kernel = yoked.kernel(sessions[0], order=2)
    drawn = figure.axes[0].images[0].get_array()
    assert np.allclose(drawn, kernel.kernel / kernel.noise_sd**2)


def test_eigenvalues_are_drawn_with_their_band(sessions):
    trials = TrialDesign.of(responses(sessions[0]), sessions[0].noise)
    spectrum = eigen_spectrum(trials, n_permutations=39)
    axis = draw_spectra([("template", spectrum)], noise_sd=0.1).axes[0]
    dots = np.concatenate(
        [line.get_ydata() for line in axis.lines if line.get_marker() in "oD"]
    )
    assert np.allclose(np.sort(dots), np.sort(spectrum.values) / 0.01)
    assert axis.collections  # the band


def test_roc_and_psychometric_curves_pass_by_their_points():
    rng = np.random.default_rng(1)
    target = rng.integers(0, 2, 600)
    ratings = np.clip(np.rint(2 * target + rng.normal(1.5, 1.4, 600)), 0, 5).astype(int)
    found = roc_from_ratings(ratings, target, n_responses=6)
    axis = draw_roc([("ann", found)]).axes[0]
    points = next(line for line in axis.lines if line.get_marker() == "o")
    assert np.allclose(points.get_ydata(), found.hit_rate)
    contrast, n = np.array([0.05, 0.1, 0.2, 0.4]), np.full(4, 100)
    fit = psychometric_from_counts(contrast, np.array([55, 68, 88, 98]), n)
    axis = draw_psychometric([("ann", fit)]).axes[0]
    offsets = axis.collections[0].get_offsets()
    assert np.allclose(offsets[:, 1], [0.55, 0.68, 0.88, 0.98])
    assert axis.get_xscale() == "log"


def test_a_depth_profile_has_a_dot_or_a_reason_for_each_depth(sessions):
    profile = depth_profile(sessions[0], sessions[2])
    noise = "internal noise is too uncertain for a share"
    refused = Estimate.missing("share/1", noise, 9)
    first = replace(profile.depths[0], share=refused)
    profile = replace(profile, depths=(first, *profile.depths[1:]))
    axis = draw_depth([profile]).axes[0]
    known = [
        depth.share.value for depth in profile.depths if depth.share.value is not None
    ]
    dots = [line for line in axis.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in dots] == known
    texts = [text.get_text().replace("\n", " ") for text in axis.texts]
    reasons = [profile.reason(each) for each in profile.depths if not each.share.value]
    assert noise in reasons
    assert set(reasons) <= set(texts)
    assert sum(text in COLORS for text in texts) == 3
    assert profile.table()[0]["share"] == noise
    with pytest.raises(ValueError, match="must have a depth profile to draw, got none"):
        draw_depth([])


@pytest.mark.parametrize("name", sorted({*plot.__all__} - {"v1", "white_box"}))
def test_every_plot_needs_a_session(name):
    with pytest.raises(ValueError, match="sessions must be one or more, got none"):
        getattr(plot, name)([])


@pytest.mark.parametrize("name", ["measures", "second_order", "spectra"])
def test_one_session_alone_is_plotted_like_a_list_of_one(sessions, name):
    draw = getattr(plot, name)
    alone, listed = draw(sessions[0]), draw(sessions[:1])
    drawn = [
        [line.get_ydata() for axis in figure.axes for line in axis.lines]
        for figure in (alone, listed)
    ]
    assert drawn[0]
    for one, other in zip(*drawn, strict=True):
        assert np.array_equal(one, other)


def test_measures_of_sessions_are_those_of_their_summaries(sessions):
    axis = plot.measures(sessions).axes[0]
    drawn = [line.get_xdata()[0] for line in axis.lines if line.get_marker() == "o"]
    assert drawn == [yoked.dprime(session).value for session in sessions]
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == [session.observer for session in sessions]


def test_the_roc_of_a_session_is_that_of_its_responses():
    session = run(load_protocol("bar-polarity"), Template(), seed=1, trials=300)
    axis = plot.roc(session).axes[0]
    points = next(line for line in axis.lines if line.get_marker() == "o")
    counted = session.counted
    yes = [counted.response[counted.target == k].sum() for k in (0, 1)]
    n = [(counted.target == k).sum() for k in (0, 1)]
    assert points.get_xdata()[0] == pytest.approx((yes[0] + 0.5) / (n[0] + 1))
    assert points.get_ydata()[0] == pytest.approx((yes[1] + 0.5) / (n[1] + 1))


def test_a_forced_choice_has_no_roc_to_plot(sessions):
    with pytest.raises(ValueError, match="must be rating or yes_no for a ROC"):
        plot.roc(sessions)


def test_the_psychometric_function_of_a_session_passes_by_its_proportions(sessions):
    protocol = load_protocol("bar-in-noise").with_options(trials=300, contrast=0.2)
    three = replace(protocol.contrast, values=(0.06, 0.12, 0.25))
    session = run(replace(protocol, contrast=three), Template(), seed=1)
    drawn = plot.psychometric([session]).axes[0].collections[0].get_offsets()
    correct = session.counted.groupby("contrast").correct.mean()
    assert np.allclose(drawn[:, 0], correct.index)
    assert np.allclose(drawn[:, 1], correct)
    with pytest.raises(ValueError, match="contrasts must be 3 or more"):
        plot.psychometric(sessions)


def test_second_order_is_the_kernel_of_order_two(sessions):
    one, other = plot.second_order(sessions), plot.kernels(sessions, order=2)
    for axis, same in zip(one.axes[:3], other.axes[:3], strict=True):
        drawn = axis.images[0].get_array()
        assert np.array_equal(drawn, same.images[0].get_array())


def test_yoked_sessions_are_paired_with_their_source(sessions):
    axis = plot.agreement(sessions).axes[0]
    names = [text.get_text() for text in axis.texts]
    assert names == ["guesser with template", "template with template"]
    values = {line.get_xdata()[0] for line in axis.lines}
    compared = [response_agreement(sessions[0], other) for other in sessions[1:]]
    assert {each.same_response.value for each in compared} <= values
    texts = [text.get_text() for text in plot.depth(sessions[:2]).axes[0].texts]
    assert texts[0] == "guesser and template"


@pytest.mark.parametrize("name", ["agreement", "depth"])
def test_one_session_is_no_pair(sessions, name):
    with pytest.raises(ValueError, match="two that share trials, got none"):
        getattr(plot, name)(sessions[:1])


def test_efficiency_is_drawn_at_each_contrast_with_its_power():
    protocol = load_protocol("bar-in-noise").with_options(trials=400)
    session = run(protocol, Template(), seed=1, internal_noise=1.0)
    found = absolute_efficiency(session)
    assert len(found.by_contrast) > 1
    axis = draw_efficiency([("template", found)]).axes[0]
    drawn = {
        line.get_xdata()[0]: line.get_ydata()[0]
        for line in axis.lines
        if line.get_marker() == "o"
    }
    assert drawn == {e.contrast: e.efficiency.value for e in found.by_contrast}
    fitted = next(line for line in axis.lines if line.get_label() == "template")
    assert fitted.get_ydata()[0] == pytest.approx(found.trend.lowest)
    assert fitted.get_ydata()[-1] == pytest.approx(found.trend.highest)

"""White-box kernels: equal to black-box ones, cheaper, exact where that is known."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from scipy.special import ndtri
from scipy.stats import chi2, norm

import yoked
from tests.models.observers.played import CONTRASTS, GAMMA, played
from yoked.analysis.second_order.operators import Operators
from yoked.analysis.trials.held import as_design
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Task
from yoked.models.networks.retina_cnn import RetinaCNN
from yoked.models.noise import noise_like
from yoked.models.observers.circuits import Linear
from yoked.models.registry import load
from yoked.models.simulate import run
from yoked.models.training.practice import TrainingPlan
from yoked.models.white_box.kernels import smoothing_bias, white_box

CNN = "retina-cnn"
OBSERVERS = [*CONTRASTS, CNN]
HALVES = ("kernel", "target_half", "nontarget_half")
UPPER = np.triu_indices(13)


@pytest.fixture(scope="module", autouse=True)
def _weights(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YOKED_CACHE", str(tmp_path_factory.mktemp("weights")))
        yield


@cache
def observer(name):
    return RetinaCNN(plan=TrainingPlan(n_steps=40)) if name == CNN else load(name)


@cache
def black(name):
    """Return a session of an observer, at about 75 % correct."""
    if name != CNN:
        return played(name)
    protocol, options = load_protocol("bar-in-noise"), {"internal_noise": GAMMA}
    return run(protocol, observer(CNN), seed=1, trials=2500, contrast=0.13, **options)


@cache
def white(name, trials=2000, seed=0):
    contrast = CONTRASTS.get(name, 0.13)
    options = {"contrast": contrast, "internal_noise": GAMMA, "trials": trials}
    return white_box(
        load_protocol("bar-in-noise"), observer(name), seed=seed, **options
    )


def fits(squares, degrees):
    """Whether a chi-squared is one of ten thousand, in either direction at most."""
    low, high = chi2.ppf([1e-4, 1 - 1e-4], degrees)
    assert low < squares < high, f"{squares:.1f} at {degrees} degrees of freedom"


def se_of(kernel, half):
    return kernel.se if half == "kernel" else getattr(kernel, f"{half}_se")


def second_se(session, n):
    """Give the standard errors of a second-order kernel by n bootstrap samples."""
    drawn = Operators.bootstrapped(as_design(session), n, 0)
    columns = [drawn.times(axis[None]) for axis in np.eye(drawn.n_elements)]
    return np.stack(columns, axis=2).std(axis=0)


def held_against(session, found):
    """Hold kernels of order 1 from gradients against those of a session."""
    kernel = yoked.kernel(session, 1, "weighted_sum")
    for half in HALVES:
        apart = getattr(kernel, half) - getattr(found, half)
        se = np.hypot(se_of(kernel, half), se_of(found, half))
        fits(np.sum((apart / se) ** 2), apart.size)


@pytest.mark.parametrize("name", OBSERVERS)
def test_white_box_kernels_match_black_box_ones_in_both_orders(name):
    found, session = white(name), black(name)
    correct = session.counted["correct"].mean()
    assert found.probability[0] == pytest.approx(correct, abs=0.03)
    held_against(session, found.one)
    second = yoked.kernel(session, 2)
    sampled = second_se(session, 100)
    apart = second.kernel - found.two.kernel
    se = np.hypot(sampled, found.two.se)
    fits(np.sum((apart / se)[UPPER] ** 2), len(UPPER[0]))
    for half in HALVES[1:]:
        apart = (getattr(second, half) - getattr(found.two, half)).ravel()
        size = getattr(second, f"{half}_null_se")
        assert np.std(apart) < 1.3 * size * math.sqrt(14 / 13)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_they_match_for_mobilenet_with_a_linear_readout(protocol, fetched_weights):
    """Some minutes; the last run's figures are in docs/methods.md 8.2."""
    fetched_weights("mobilenet-v2")
    network = load("mobilenet-v2", layer="features.3", fit_trials=256)
    options = {"contrast": 0.2, "internal_noise": GAMMA}
    session = run(protocol, network, seed=1, trials=3000, **options)
    found = white_box(protocol, network, trials=600, batch=4, **options)
    squares = {}
    kernel = yoked.kernel(session, 1, "weighted_sum")
    for half in HALVES:
        apart = getattr(kernel, half) - getattr(found.one, half)
        se = np.hypot(se_of(kernel, half), se_of(found.one, half))
        squares[half] = float(np.sum((apart / se) ** 2))
    sampled = second_se(session, 100)
    apart = yoked.kernel(session, 2).kernel - found.two.kernel
    se = np.hypot(sampled, found.two.se)
    squares["order 2"] = float(np.sum((apart / se)[UPPER] ** 2))
    print(squares, session.counted["correct"].mean(), found.probability)
    for half, found_squares in squares.items():
        fits(found_squares, len(UPPER[0]) if half == "order 2" else 13)


@pytest.mark.parametrize("name", OBSERVERS)
def test_a_twentieth_of_the_trials_gives_a_smaller_error(name):
    truth, session, seeds = white(name, 4000, seed=1), black(name), (0, 2, 3, 4)
    for order, se in ((1, None), (2, second_se(session, 50))):
        key = "one" if order == 1 else "two"
        true = getattr(truth, key).kernel
        few = [
            getattr(white(name, len(session.counted) // 20, seed=seed), key).kernel
            for seed in seeds
        ]
        cheap = math.sqrt(np.mean([np.sum((each - true) ** 2) for each in few]))
        sampled = yoked.kernel(session, 1, "weighted_sum").se if se is None else se
        assert cheap < np.linalg.norm(sampled)


@pytest.mark.parametrize("name", ["linear", "hammerstein", "energy", "gain-control"])
def test_without_internal_noise_they_match_too(protocol, name):
    options = {"contrast": CONTRASTS[name]}
    found = white_box(protocol, load(name), trials=1000, **options)
    assert (found.smoothing, found.note) == (0.01, None)
    held_against(run(protocol, load(name), seed=2, trials=4000, **options), found.one)


def test_standard_errors_are_those_of_repeated_estimates():
    drawn = [white("energy", 300, seed=seed) for seed in range(2, 22)]
    for order in ("one", "two"):
        kernels = np.stack([getattr(each, order).kernel for each in drawn])
        said = np.stack([getattr(each, order).se for each in drawn])
        away = kernels.std(axis=0, ddof=1)
        ratio = math.sqrt((away**2).sum() / (said**2).mean(0).sum())
        assert ratio == pytest.approx(1, abs=0.2)


# --- exact -------------------------------------------------------------------------


def test_the_kernel_of_a_linear_observer_has_its_closed_form(protocol):
    """The closed forms of methods.md 4.3 and 5.2."""
    found = white_box(protocol, Linear(), contrast=0.2, internal_noise=1.0, trials=4000)
    p, sd = found.probability[0], found.noise_sd
    w = _template()
    size = 2 * sd / 2 * norm.pdf(ndtri(p)) / (p * (1 - p))
    assert found.one.kernel.ravel() == pytest.approx(size * w, rel=0.015)
    assert np.abs(found.two.kernel).max() < 5 * found.two.se.max()
    assert np.abs(found.two.kernel).max() < 0.01 * sd**2
    assert found.one.target_half == pytest.approx(found.one.nontarget_half, abs=0.002)


def test_each_half_of_a_biased_linear_observer_has_its_closed_form():
    """Not nought, along ww', of opposite signs: methods.md 5.2."""
    found = white_box(
        _yes_no(),
        Linear(),
        contrast=0.2,
        internal_noise=1.0,
        criterion=0.3,
        trials=6000,
    )
    w, sd = _template(), found.noise_sd
    halves = (found.two.target_half, found.two.nontarget_half)
    errors = (found.two.target_half_se, found.two.nontarget_half_se)
    for p, half, se in zip(found.probability, halves, errors, strict=True):
        z, q = ndtri(p), 1 - p
        density = norm.pdf(z) / (p * q)
        size = -(sd**2) / 2 * density * (z + density * (q - p))
        assert w @ half @ w == pytest.approx(size, abs=5 * se.max())
        assert np.all(np.abs(half - size * np.outer(w, w)) < 5 * se + 1e-7)


def test_energy_has_its_closed_form_in_absent_trials():
    """sigma^2 (-ln F) / (1 - F) WW': methods.md 5.4."""
    found = white_box(_yes_no(), load("energy"), contrast=0.295, trials=6000)
    assert (found.smoothing, found.is_crossed) == (0.05, False)
    false_alarms, half = found.probability[1], found.two.nontarget_half
    pair = load("energy")
    pair = _learnt(pair).network[0].templates.numpy()
    size = found.noise_sd**2 * -math.log(false_alarms) / (1 - false_alarms)
    inside = np.linalg.eigvalsh(half)[-2:] / size
    assert inside == pytest.approx([1, 1], abs=0.06)
    assert half == pytest.approx(size * pair @ pair.T, abs=0.05 * size)
    assert (
        np.abs(found.one.nontarget_half).max() < 5 * found.one.nontarget_half_se.max()
    )


@pytest.mark.parametrize("smoothing", [0.1, 0.3])
def test_smoothing_changes_a_linear_kernel_as_is_said(protocol, smoothing):
    options = {"contrast": 0.161, "orders": 1, "trials": 4000}
    least = white_box(protocol, Linear(), smoothing=0.02, **options)
    more = white_box(protocol, Linear(), smoothing=smoothing, **options)
    ratio = more.one.kernel.sum() / least.one.kernel.sum()
    assert ratio - 1 == pytest.approx(more.smoothing_bias, abs=0.004)
    assert smoothing_bias(0.0, 0.75) == 0


# --- ReLU and max-pooling ----------------------------------------------------------


class Rectified:
    """Rectifies random filters; then sums them, or takes the largest of each couple."""

    name = "rectified"

    def __init__(self, pools):
        generator = torch.Generator().manual_seed(5)
        self.filters = torch.randn(13, 8, generator=generator) / math.sqrt(13)
        self.pools = pools

    def prepare(self, viewing):
        self.element_px = viewing.element_px

    def of(self, elements):
        found = 10 * elements @ self.filters.to(elements)
        if self.pools:
            found = found.unflatten(-1, (4, 2)).amax(-1)
        return found.relu().sum(-1)

    def scores(self, contrast):
        return self.of(contrast[..., 0, 0, :: self.element_px[1]])

    def decide(self, frames, noise):
        contrast = (torch.from_numpy(frames).double() - 128) / 127
        return self.scores(contrast).numpy()


@pytest.mark.parametrize("pools", [False, True])
def test_the_second_order_holds_for_relu_and_max_pooling_where_a_hessian_does_not(
    pools,
):
    rectified = Rectified(pools)
    found = white_box(
        _yes_no(), rectified, contrast=0.2, internal_noise=0.3, trials=4000
    )
    rng, sd = np.random.default_rng(3), found.noise_sd
    n = torch.from_numpy(rng.normal(0, sd, (200_000, 13)))
    d = rectified.of(n)
    criterion, internal = _place(d, found.probability[1], 0.3)
    f = torch.special.ndtr((d - criterion) / internal)
    p = float(f.mean())
    mean = (n.T @ f / len(n) / (p * (1 - p))).numpy()
    raw = n.T @ ((f - p)[:, None] * n) / len(n) / (p * (1 - p))
    truth = raw.numpy() - (1 - 2 * p) * np.outer(mean, mean)

    few = n[:4000].requires_grad_()
    response = torch.special.ndtr((rectified.of(few) - criterion) / internal)
    (slope,) = torch.autograd.grad(response.sum(), few, create_graph=True)
    rows = [
        torch.autograd.grad(slope[:, i].sum(), few, retain_graph=True)[0]
        for i in range(13)
    ]
    hessian = torch.stack(rows).mean(1).numpy()
    autodiff = sd**4 * hessian / (p * (1 - p)) - (1 - 2 * p) * np.outer(mean, mean)
    ours = np.corrcoef(found.two.nontarget_half.ravel(), truth.ravel())[0, 1]
    theirs = np.corrcoef(autodiff.ravel(), truth.ravel())[0, 1]
    assert ours > 0.95
    assert theirs < 0.75


def _place(d, share, gamma):
    """Return criterion and internal SD of an observer who says yes so often."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    internal, values = gamma * float(d.std()), d.numpy()[:20_000]
    place = brentq(lambda c: ndtr((values - c) / internal).mean() - share, -50, 50)
    return place, internal


# --- tasks -------------------------------------------------------------------------


class Coupled(Linear):
    """Scores each alternative against the others: the responses stay the same."""

    name = "coupled"

    def scores(self, contrast):
        found = super().scores(contrast)
        return found - found.sum(1, keepdim=True)


def test_alternatives_that_share_a_pass_are_taken_together(protocol):
    options = {"contrast": 0.161, "trials": 3000}
    alone = white_box(protocol, Linear(), **options)
    together = white_box(protocol, Coupled(), **options)
    assert (alone.is_crossed, together.is_crossed) == (True, False)
    ratio = together.one.kernel.sum() / alone.one.kernel.sum()
    assert ratio == pytest.approx(1, abs=0.05)
    apart = np.abs(together.two.kernel - alone.two.kernel)
    assert np.all(apart < 5 * np.hypot(together.two.se, alone.two.se))


def test_four_alternatives_have_kernels_of_order_1(protocol):
    plain = protocol.with_options(contrast=0.161)
    four = replace(plain, task=Task("mafc", ("1", "2", "3", "4")))
    options = {"internal_noise": GAMMA}
    found = white_box(four, load("hammerstein"), orders=1, trials=1500, **options)
    held_against(
        run(four, load("hammerstein"), seed=1, trials=4000, **options), found.one
    )
    with pytest.raises(ValueError, match="alternatives must be two for a second"):
        white_box(four, load("linear"))


@pytest.mark.parametrize(
    "task", [Task("yes_no", ("f", "j")), Task("rating", ("1", "2", "3", "4"))]
)
def test_yes_no_and_rating_match_black_box_kernels(protocol, task):
    asked = replace(protocol, task=task)
    options = {"contrast": 0.2, "internal_noise": GAMMA, "criterion": 0.2}
    found = white_box(asked, load("ln"), trials=2000, **options)
    session = run(asked, load("ln"), seed=1, trials=5000, **options)
    held_against(session, found.one)
    second = yoked.kernel(session, 2)
    apart = (second.kernel - found.two.kernel) / second.null_se
    assert np.std(apart) < 1.3


class Noisy(Linear):
    """Adds noise of its own to its scores."""

    name = "noisy"

    def scores(self, contrast):
        found = super().scores(contrast)
        return found + noise_like(found.flatten()).view(found.shape)


def test_an_observers_own_noise_is_the_same_for_the_same_seed(protocol):
    options = {"contrast": 0.161, "trials": 1000, "orders": 1}
    one, same = (
        white_box(protocol, Noisy(), batch=batch, **options) for batch in (8, 8)
    )
    assert np.array_equal(one.one.kernel, same.one.kernel)
    assert not one.is_crossed


def test_the_batch_changes_nothing_and_the_seed_does(protocol):
    options = {"contrast": 0.161, "trials": 400, "internal_noise": GAMMA}
    one, split, other = (
        white_box(protocol, load("max"), batch=batch, seed=seed, **options)
        for batch, seed in ((32, 0), (5, 0), (32, 1))
    )
    assert split.two.kernel == pytest.approx(one.two.kernel, rel=1e-3, abs=1e-6)
    assert not np.allclose(other.two.kernel, one.two.kernel, rtol=1e-3)


def test_movies_and_fields_have_their_own_shapes():
    movie = white_box(load_protocol("movie-bar"), load("linear"), trials=200)
    assert (movie.one.kernel.shape, movie.two.kernel.shape) == ((9, 1, 9), (81, 81))
    assert np.unravel_index(movie.one.kernel.argmax(), (9, 1, 9)) == (4, 0, 4)
    gabor = white_box(load_protocol("gabor-in-noise"), load("energy"), trials=200)
    assert gabor.one.kernel.shape == (1, 16, 16)


def test_progress_says_what_is_done(protocol):
    seen = []
    white_box(protocol, Linear(), trials=200, progress=lambda *each: seen.append(each))
    assert seen[-1] == ("responses", 200, 200)


# --- what is said and refused ------------------------------------------------------


def test_scores_that_are_often_equal_are_said_to_feel_smoothing_more(protocol):
    found = white_box(protocol, load("ln"), contrast=0.2, trials=200, orders=1)
    assert "of the scores equal another, where smoothing is felt more" in found.note


def test_noise_that_is_cut_off_is_said_to_be_taken_as_gaussian():
    disk = load_protocol("disk-polarity")
    found = white_box(disk, load("linear"), trials=100, orders=1)
    assert found.note.startswith(
        "the noise is cut off at 2 SD; the formula takes it as"
    )


class Broken(Linear):
    def __init__(self, how):
        super().__init__()
        self.name, self.how = how, how

    def scores(self, contrast):
        found = super().scores(contrast)
        return {
            "flat": found[:, 0],
            "nan": found * float("nan"),
            "cut": found.detach(),
            "still": 0 * found,
        }[self.how]


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        (
            "flat",
            r"flat must be \(trial, alternative\) = \(32, 2\), got \(32,",
        ),
        ("nan", "scores of nan must be finite, got nan or inf"),
        (
            "cut",
            "cut must be differentiable by the contrast, got no gradient",
        ),
        ("still", "the SD of still's scores must be more than 0, got 0"),
    ],
)
def test_scores_that_cannot_be_used_are_refused(protocol, how, sentence):
    with pytest.raises(ValueError, match=sentence):
        white_box(protocol, Broken(how))


def test_an_observer_without_scores_is_refused(protocol):
    with pytest.raises(ValueError, match=r"guesser must have scores\(contrast\) that"):
        white_box(protocol, load("guesser"))


def test_a_surrogate_gradient_is_refused(protocol):
    class Straight(Linear):
        def learn(self, practice):
            super().learn(practice)
            self.network[0].has_surrogate_gradient = True

    rule = (
        "linear must have true gradients everywhere for white-box kernels, got a surr"
    )
    with pytest.raises(ValueError, match=rule):
        white_box(protocol, Straight())


def test_noise_that_is_not_gaussian_or_not_white_is_refused(protocol):
    binary = replace(protocol, noise=replace(protocol.noise, kind="binary"))
    on_images = load_protocol("orientation-noise")
    with pytest.raises(ValueError, match="noise must be white for white-box kernels"):
        white_box(on_images, load("linear"))
    with pytest.raises(ValueError, match="noise must be gaussian for white-box"):
        white_box(binary, load("linear"))


def test_a_response_that_is_never_given_has_no_kernel(protocol):
    rule = "each response must be at least 0.001 of the trials, to have a kernel"
    with pytest.raises(ValueError, match=rule):
        white_box(protocol, load("linear", spread=0), contrast=0.56, trials=200)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"orders": 3}, "orders must be 1 or 2, got 3"),
        ({"trials": 10}, "trials must be 100 or more, got 10"),
        ({"batch": 1}, "batch must be 2 or more, got 1"),
        ({"unit": "3"}, "unit must come with a layer, got '3' alone"),
        ({"smoothing": 0.0}, r"smoothing must be in \(0, 1\], got 0"),
        ({"internal_noise": -1.0}, "internal_noise must be 0 or more, got -1"),
        (
            {"criterion": 0.1},
            "criterion must be given for yes/no and rating tasks",
        ),
        ({"seed": -1}, r"seed must be in \[0, 2\^20\), got -1"),
    ],
)
def test_options_out_of_range_are_refused(protocol, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        white_box(protocol, load("linear"), **options)


def _learnt(circuit):
    from yoked.experiments.session.observer import Practice
    from yoked.models.simulate import teach

    teach(circuit, Practice(load_protocol("bar-in-noise")))
    return circuit


def _template():
    return _learnt(Linear()).network[0].templates.numpy()[:, 0]


def _yes_no():
    return replace(load_protocol("bar-in-noise"), task=Task("yes_no", ("f", "j")))

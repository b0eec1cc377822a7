"""Second-order kernels: methods.md 5.1 to 5.5 in closed form."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import ndtr

from tests.analysis.written_out import second_order_matrices, without_linear_part
from yoked.analysis.kernels.weighted_sum import first_order_kernel
from yoked.analysis.second_order.kernel import (
    both_kernels,
    second_order_kernel,
)
from yoked.analysis.sessions.kernel import kernel as kernel_of
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.responses import Responses, responses
from yoked.experiments.stimulus.sources import StoredNoise

from ..observers.linear import Linear, linear_responses, run, session, unit

SD = 0.1
TEMPLATE = unit(np.exp(-((np.arange(40) - 20) ** 2) / 50))
SMALL = unit([1, 2, 3, 1, -1, 0.5])
HALVES = {"2afc": (0, 1), "yes_no": (-0.5, 0.5)}  # what each class adds to the signal


def phi(z):
    return np.exp(-np.square(z) / 2) / math.sqrt(2 * math.pi)


def off_diagonal(matrix):
    return matrix[np.triu_indices(len(matrix), 1)]


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
@pytest.mark.parametrize("strengths", [0.1, [0.03, 0.12]])
@pytest.mark.parametrize("chunk", [None, 100])
def test_streamed_kernels_are_those_of_trials_in_memory(task, strengths, chunk):
    made = linear_responses(Linear(SMALL), task, 800, strengths, seed=3, n_pairs=90)
    found = second_order_kernel(*made, chunk)
    target, nontarget = second_order_matrices(TrialDesign.of(*made))
    np.testing.assert_allclose(found.target_half, target, atol=1e-12)
    np.testing.assert_allclose(found.nontarget_half, nontarget, atol=1e-12)
    np.testing.assert_allclose(found.kernel, target + nontarget, atol=1e-12)
    np.testing.assert_array_equal(found.diagonal.ravel(), np.diag(found.kernel))
    assert found.diagonal.shape == found.shape == (1, 1, 6)
    assert found.noise_sd == pytest.approx(SD, rel=0.05)
    assert sum(found.n_per_class.values()) + found.n_left_out == 800


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
@pytest.mark.parametrize("weights", ["sum", "optimal"])
def test_one_pass_gives_the_kernels_of_two(task, weights):
    made = linear_responses(Linear(SMALL), task, 500, [0.05, 0.15], seed=5, n_pairs=60)
    first, second = both_kernels(*made, weights=weights)
    alone = first_order_kernel(*made, weights=weights)
    for name in ("kernel", "se", "target_half", "nontarget_half_se"):
        expected = getattr(alone, name)
        np.testing.assert_allclose(getattr(first, name), expected, atol=1e-14)
    assert first.n_per_class == alone.n_per_class
    alone = second_order_kernel(*made)
    np.testing.assert_allclose(second.kernel, alone.kernel, atol=1e-14)
    assert second.null_se == pytest.approx(alone.null_se)


def test_a_contrast_with_one_error_has_a_mean_but_no_covariance():
    table, source = run(Linear(SMALL), "2afc", 300, [0.1, 0.1], seed=6)
    easy = table["contrast"] == 2
    table.loc[easy, "response"] = table.loc[easy, "target"]
    first_row = table.index[easy][0]
    table.loc[first_row, "response"] = 1 - table.loc[first_row, "target"]
    responses = Responses.from_table(table, "2afc", 2)
    first, second = both_kernels(responses, source)
    assert (first.contrasts, second.contrasts) == ((1.0, 2.0), (1.0,))
    assert (first.n_left_out, second.n_left_out) == (0, 150)
    hard = responses.where(responses.contrast == 1)
    expected = second_order_kernel(hard, source)
    np.testing.assert_allclose(second.kernel, expected.kernel, atol=1e-14)


@pytest.mark.parametrize("bias", [0.0, 0.3])
def test_a_linear_2afc_observer_has_no_second_order_whatever_its_bias(bias):
    observer, n = Linear(TEMPLATE, SD, 0.5), 60_000
    sd_difference = math.sqrt(2) * observer.sd_decision
    observer = Linear(TEMPLATE, SD, 0.5, bias * sd_difference)
    made = linear_responses(observer, "2afc", n, 0.7 * sd_difference, seed=7)
    found = second_order_kernel(*made)
    score = off_diagonal(found.kernel) / found.null_se
    assert score.std() == pytest.approx(1, abs=4 / math.sqrt(2 * score.size))
    w, se = TEMPLATE, math.sqrt(2) * found.null_se
    assert abs(w @ found.kernel @ w) < 4 * se
    # Each half is a multiple of ww', methods.md 5.2; classes are correct and incorrect.
    z = 0.7 + np.array([1, -1]) * bias
    pc = float(ndtr(z).mean())
    qc = 1 - pc
    delta = SD**2 / sd_difference * float(phi(z).mean()) / (pc * qc)
    raw = -(SD**4) / sd_difference**2 * float(np.mean(phi(z) * z)) / (pc * qc)
    half = raw - (qc - pc) * delta**2
    for matrix, sign in ((found.target_half, 1), (found.nontarget_half, -1)):
        assert w @ matrix @ w == pytest.approx(sign * half, abs=4 * se)
        assert abs(half) > 5 * se
        rest = without_linear_part(matrix, w)
        se_half = found.target_half_null_se
        assert off_diagonal(rest).std() == pytest.approx(se_half, rel=0.15)


@pytest.mark.parametrize("criterion", [0.0, 0.7])
def test_a_linear_yes_no_observer_has_the_predicted_contamination(criterion):
    observer, n = Linear(SMALL, SD, 0.3), 120_000
    sd_d = observer.sd_decision
    observer = Linear(SMALL, SD, 0.3, criterion * sd_d)
    made = linear_responses(observer, "yes_no", n, sd_d, seed=8, gains=HALVES["yes_no"])
    found = second_order_kernel(*made)
    z = np.array([0.5, -0.5]) - criterion  # of the target half, and of the other
    p, q = ndtr(z), ndtr(-z)
    tilt = z + phi(z) * (q - p) / (p * q)
    expected = -(SD**4) / sd_d**2 * phi(z) / (p * q) * tilt
    matrices = (found.target_half, found.nontarget_half)
    errors = (found.target_half_null_se, found.nontarget_half_null_se)
    for matrix, value, se in zip(matrices, expected, errors, strict=True):
        bound = 4.5 * math.sqrt(2) * se
        np.testing.assert_allclose(matrix, value * np.outer(SMALL, SMALL), atol=bound)
        assert SMALL @ matrix @ SMALL == pytest.approx(value, abs=bound)
    rest = without_linear_part(found.kernel, SMALL)
    np.testing.assert_allclose(rest @ SMALL, 0, atol=1e-12)
    assert np.abs(rest).max() < 4.5 * math.sqrt(2) * found.null_se
    assert (found.note is None) == (criterion == 0)
    if criterion:
        assert abs(expected.sum()) > 5 * math.sqrt(2) * found.null_se
        assert "criterion 0.7" in found.note
        assert "Gaussian" not in found.note


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
@pytest.mark.parametrize("strengths", [[1.0], [0.4, 1.0, 2.0]])
@pytest.mark.parametrize("n_pairs", [0, 3000])
def test_the_null_error_is_the_spread_of_elements(task, strengths, n_pairs):
    observer, n = Linear(TEMPLATE, SD, 0.5), 6000
    signals = np.array(strengths) * 1.4 * observer.sd_decision
    made = linear_responses(
        observer, task, n, signals, 9, n_pairs=n_pairs, gains=HALVES[task]
    )
    found = second_order_kernel(*made)
    for matrix, se in (
        (found.kernel, found.null_se),
        (found.target_half, found.target_half_null_se),
        (found.nontarget_half, found.nontarget_half_null_se),
    ):
        score = off_diagonal(without_linear_part(matrix, TEMPLATE)) / se
        assert score.std() == pytest.approx(1, abs=4 / math.sqrt(2 * score.size))
        spread = np.std(np.diag(matrix)) / (math.sqrt(2) * se)
        assert spread == pytest.approx(1, abs=4 / math.sqrt(2 * len(matrix)))


def test_the_null_error_of_one_contrast_is_the_closed_form():
    made = linear_responses(Linear(SMALL), "2afc", 4000, 0.15, seed=10)
    found = second_order_kernel(*made)
    pc = made[0].correct.mean()
    expected = found.noise_sd**2 * math.sqrt(2 / (4000 * pc * (1 - pc)))
    assert found.null_se == pytest.approx(expected, rel=1e-3)


@dataclass(frozen=True)
class Energy(Linear):
    """Energy of two orthogonal filters, without internal noise; "yes" above F."""

    rate: float = 0.5

    def decision_variables(self, noise, signal, rng):
        filters = np.stack([self.template, pair_of(self.template)], axis=1)
        out = noise @ filters
        out[..., 0] += signal
        return (out**2).sum(-1)

    def choose(self, decision_variables):
        above = -2 * self.sd**2 * math.log(self.rate)
        return (decision_variables[:, 0] > above).astype(np.int64)


def pair_of(template):
    return unit(np.roll(template, 2) - (np.roll(template, 2) @ template) * template)


@pytest.mark.parametrize(
    ("rate", "printed"), [(0.25, 1.848), (0.5, 1.386), (0.1, 2.558)]
)
def test_an_energy_detector_has_its_exact_eigenvalue(rate, printed):
    observer = Energy(SMALL, SD, 0.0, rate=rate)
    made = linear_responses(observer, "yes_no", 120_000, 0.1, seed=11)
    found = second_order_kernel(*made)
    value = SD**2 * -math.log(rate) / (1 - rate)
    assert value / SD**2 == pytest.approx(printed, abs=5e-4)
    se = math.sqrt(2) * found.nontarget_half_null_se
    for w in (SMALL, pair_of(SMALL)):
        along = w @ found.nontarget_half @ w
        # Yes trials' energy has a longer tail than Gaussian noise: up to 3 SE of it.
        assert along == pytest.approx(value, abs=6 * se)
    values = np.linalg.eigvalsh(found.nontarget_half)
    assert np.all(np.abs(values[:-2]) < 5 * se)
    kernel = first_order_kernel(*made)
    assert (
        abs(kernel.nontarget_half.ravel() @ SMALL) < 4 * kernel.nontarget_half_se.max()
    )


@dataclass(frozen=True)
class Quadratic(Linear):
    """Decision variable w . x + x'Kx / 2: weakly quadratic."""

    matrix: np.ndarray | None = None

    def decision_variables(self, noise, signal, rng):
        linear = super().decision_variables(noise, signal, rng)
        return linear + 0.5 * np.einsum("...i,ij,...j", noise, self.matrix, noise)


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_a_weakly_quadratic_observer_gives_its_matrix_back(task):
    half = np.random.default_rng(1).normal(size=(6, 6))
    matrix = (half + half.T) / 2
    # Without trace, and the quadratic part has .2 of the linear part's SD.
    matrix -= np.trace(matrix) / 5 * (np.eye(6) - np.outer(SMALL, SMALL))
    matrix *= 0.2 / (SD * math.sqrt(np.sum(matrix**2) / 2))
    observer, n = Quadratic(SMALL, SD, 0.7, matrix=matrix), 400_000
    sd_d = math.sqrt(2 if task == "2afc" else 1) * observer.sd_decision
    z = 0.5
    signal = z * sd_d * (1 if task == "2afc" else 2)
    made = linear_responses(observer, task, n, signal, 12, gains=HALVES[task])
    found = second_order_kernel(*made)
    p, q = ndtr(z), ndtr(-z)
    scale = 2 * phi(z) / (sd_d * p * q) * SD**4
    back, error = found.kernel / scale, found.null_se / scale
    beside = np.eye(6) - np.outer(SMALL, SMALL)
    expected, seen = (beside @ m @ beside for m in (matrix, back))
    assert np.abs(seen - expected).max() < 5 * error
    slope = float(np.sum(seen * expected) / np.sum(expected**2))
    sampling = 4 * math.sqrt(2) * error / math.sqrt(np.sum(expected**2))
    assert slope == pytest.approx(1, abs=sampling + 0.02)  # it is not quite weak
    # Along the template the linear part acts on the quadratic one. To first order
    # Hess E[g' x'Kx / 2] has the term E[g''](Kx w' + w x'K), and the centred form the
    # product of the two parts' means.
    change = (SD / sd_d) ** 2 * (z**2 - 1 + (q - p) * z * phi(z) / (p * q))
    expected, seen = (1 + change) * beside @ matrix @ SMALL, beside @ back @ SMALL
    assert np.abs(seen - expected).max() < 5 * error + 0.02 * np.abs(matrix).max()


def test_uniform_noise_is_noted_where_it_matters():
    observer = Linear(SMALL, SD, 0.3, 0.08)
    table, source = run(observer, "yes_no", 2000, 0.1, seed=13)
    uniform = np.random.default_rng(1).uniform(-0.17, 0.17, source.fields.shape)
    responses = Responses.from_table(table, "yes_no", 2)
    note = second_order_kernel(responses, StoredNoise(uniform)).note
    assert "the noise is not Gaussian (excess kurtosis -1.2)" in note
    table, _ = run(observer, "2afc", 2000, 0.1, seed=13)
    responses = Responses.from_table(table, "2afc", 2)
    pairs = np.stack([uniform, uniform], axis=1)[:, :, 0]
    assert second_order_kernel(responses, StoredNoise(pairs)).note is None


def test_sessions_in_any_order_give_the_same():
    table, source = run(Linear(SMALL, SD), "2afc", 600, 0.1, 14, n_pairs=200)
    plain = kernel_of(session(table, source), order=2)
    shuffled = table.sample(frac=1, random_state=1)
    renamed = session(shuffled, source, id="b-2", observer="p10")
    first, second = both_kernels(responses(renamed), renamed.noise)
    np.testing.assert_array_equal(second.kernel, plain.kernel)
    np.testing.assert_array_equal(
        first.kernel, kernel_of(renamed, method="weighted_sum").kernel
    )
    assert (first.order, second.order) == (1, 2)


def test_swapped_responses_flip_the_sign():
    table, source = run(Linear(SMALL, SD), "2afc", 600, 0.1, 15)
    other = table.assign(response=1 - table["response"])
    found, flipped = (
        second_order_kernel(Responses.from_table(t, "2afc", 2), source)
        for t in (table, other)
    )
    np.testing.assert_allclose(flipped.kernel, -found.kernel, atol=1e-15)


def test_a_rating_counts_as_yes_or_no():
    table, source = run(Linear(SMALL, SD), "yes_no", 600, 0.1, 16)
    rating = table.assign(response=table["response"] * 4 + 1)
    plain = second_order_kernel(Responses.from_table(table, "yes_no", 2), source)
    found = second_order_kernel(Responses.from_table(rating, "rating", 6), source)
    np.testing.assert_array_equal(found.kernel, plain.kernel)
    assert found.formula == "kernel2-yes-no-covariances/1"


def test_what_has_no_second_order_kernel_says_why():
    four = linear_responses(Linear(SMALL), "mafc", 100, 0.1, seed=4, n_alternatives=4)
    with pytest.raises(
        ValueError, match="alternatives must be two for a second-order k"
    ):
        second_order_kernel(*four)
    perfect = linear_responses(Linear(SMALL), "2afc", 50, 50.0, seed=4)
    with pytest.raises(ValueError, match="no trial was incorrect; a kernel needs"):
        second_order_kernel(*perfect)
    table, source = run(Linear(SMALL), "2afc", 50, 50.0, seed=4)
    table.loc[0, "response"] = 1 - table.loc[0, "target"]
    with pytest.raises(ValueError, match="no contrast has 2 trials in all stimulus-re"):
        second_order_kernel(Responses.from_table(table, "2afc", 2), source)

"""Whitening: the template of a linear observer comes back from correlated noise."""

import math

import numpy as np
import pytest
from scipy.linalg import toeplitz

from yoked.analysis.kernels.weighted_sum import first_order_kernel, template_match
from yoked.analysis.kernels.whitening import noise_covariance, whitened
from yoked.analysis.trials.responses import Responses
from yoked.experiments.stimulus.sources import StoredNoise

from ..observers.linear import Linear, run, unit

N, P, SD = 20_000, 24, 0.1
TEMPLATE = unit(np.exp(-((np.arange(P) - 12) ** 2) / 4))
COVARIANCE = SD**2 * toeplitz(0.8 ** np.arange(P))


def made(task, covariance=COVARIANCE, n_pairs=0, seed=1):
    """Response correlated noise: that of `run`, mixed before the observer sees it."""
    root = np.linalg.cholesky(covariance) / SD

    class Correlated(Linear):
        def decision_variables(self, noise, signal, rng):
            return super().decision_variables(noise @ root.T, signal, rng)

    table, source = run(Correlated(TEMPLATE, SD), task, N, 0.15, seed, n_pairs)
    mixed = (source.fields.astype(float) @ root.T).astype(np.float32)
    return Responses.from_table(table, task, 2), StoredNoise(mixed)


@pytest.mark.parametrize("task", ["yes_no", "2afc"])
def test_the_realised_covariance_is_that_of_the_noise(task):
    responses, source = made(task, n_pairs=3000)
    shown = source.fields[:, : 2 if task == "2afc" else 1].reshape(-1, P)
    found = noise_covariance(responses, source)
    np.testing.assert_allclose(found, np.cov(shown.T), atol=1e-8)


@pytest.mark.parametrize("task", ["yes_no", "2afc"])
def test_whitening_undoes_the_correlation(task):
    responses, source = made(task)
    kernel = first_order_kernel(responses, source)
    clean = whitened(kernel, noise_covariance(responses, source))
    blurred = template_match(kernel.kernel[0, 0], TEMPLATE).cosine
    found = template_match(clean.kernel[0, 0], TEMPLATE).cosine
    assert blurred < 0.85
    assert found > 0.95
    np.testing.assert_allclose(clean.kernel, clean.target_half + clean.nontarget_half)
    assert clean.formula.endswith("-whitened/1")
    # The template times kappa; its error is that of the standard errors.
    w = TEMPLATE
    kappa = float(clean.kernel.ravel() @ w)
    score = (clean.kernel.ravel() - kappa * w) / clean.se.ravel()
    assert score.std() == pytest.approx(1, abs=4 / math.sqrt(2 * P))


def test_white_noise_only_divides_by_its_variance():
    responses, source = made("2afc", SD**2 * np.eye(P))
    kernel = first_order_kernel(responses, source)
    clean = whitened(kernel, SD**2 * np.eye(P))
    np.testing.assert_allclose(clean.kernel, kernel.kernel / SD**2)
    np.testing.assert_allclose(
        clean.target_half_se, kernel.target_half_se / SD**2, rtol=0.1
    )


def test_a_ridge_goes_from_the_inverse_to_the_kernel_as_it_was():
    responses, source = made("2afc")
    kernel = first_order_kernel(responses, source)
    shapes = [whitened(kernel, COVARIANCE, ridge=r).kernel for r in (0, 0.1, 0.99)]
    likeness = [template_match(s, kernel.kernel).cosine for s in shapes]
    assert likeness == sorted(likeness)
    lengths = [float(np.linalg.norm(s)) for s in shapes]
    assert lengths == sorted(lengths, reverse=True)


def test_outside_of_the_passband_the_kernel_is_zero():
    # A smooth kernel's worth of noise: no power in the upper half of the directions.
    values, vectors = np.linalg.eigh(COVARIANCE)
    values[: P // 2] = 1e-18
    narrow = (vectors * values) @ vectors.T
    narrow = (narrow + narrow.T) / 2
    kernel = first_order_kernel(*made("2afc", COVARIANCE))
    with pytest.raises(ValueError, match="covariance must be invertible, or come with"):
        whitened(kernel, narrow)
    clean = whitened(kernel, narrow, passband=0.01)
    np.testing.assert_allclose(
        vectors[:, : P // 2].T @ clean.kernel.ravel(), 0, atol=1e-8
    )
    assert np.isfinite(whitened(kernel, narrow, ridge=0.1).kernel).all()


def test_wrong_arguments_are_named():
    responses, source = made("2afc")
    kernel = first_order_kernel(responses, source)
    with pytest.raises(
        ValueError, match="covariance must be 24 by 24 elements, as the"
    ):
        whitened(kernel, np.eye(3))
    with pytest.raises(ValueError, match="covariance must be symmetric"):
        whitened(kernel, np.triu(np.ones((P, P))))
    with pytest.raises(ValueError, match=r"ridge must be in \[0, 1\), got 2"):
        whitened(kernel, COVARIANCE, ridge=2)
    nothing = responses.where(np.arange(N) < 1)
    with pytest.raises(ValueError, match="noise fields must be two or more, got 1"):
        noise_covariance(nothing, source)

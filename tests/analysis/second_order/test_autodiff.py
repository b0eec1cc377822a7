"""Kernels from responses are the mean gradient and Hessian of the observer's surface.

methods.md 4.1: in Gaussian noise of covariance S the first order is
S E[grad f] / (p q) and the second S E[Hess f] S / (p q), about the class means, for any
observer. Here for a small convolutional network, by automatic differentiation.
"""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.linalg import toeplitz

from yoked.analysis.kernels.whitening import whitened
from yoked.analysis.second_order.kernel import both_kernels
from yoked.analysis.trials.responses import Responses
from yoked.experiments.stimulus.sources import StoredNoise

from ..observers.linear import run, unit

torch = pytest.importorskip("torch")

P, SD, N = 10, 0.1, 120_000
SIGNAL = unit(np.exp(-((np.arange(P) - 5) ** 2) / 2)) * 0.12
DECISION_SD = 0.35
CORRELATED = toeplitz(0.5 ** np.arange(P))


def network(x):
    """Give the decision variable of fields (trial, element): conv, softplus, linear."""
    rng = np.random.default_rng(3)
    filters = torch.tensor(rng.normal(0, 1, (4, 1, 3)) * 8)
    readout = torch.tensor(rng.normal(0, 1, (4, P - 2)) / 4)
    # A convolution as a product: PyTorch's own is slow where each field has its own.
    windows = torch.stack([x[:, i : i + P - 2] for i in range(3)], -2)
    features = filters[:, 0] @ windows
    return (torch.nn.functional.softplus(features) * readout).sum((-1, -2))


class Network:
    """Says "yes" (or the second interval) by the network plus Gaussian noise."""

    template, sd = SIGNAL, SD

    def __init__(self, root, criterion):
        self.root = root  # mixes white noise into the noise that is shown
        self.criterion = criterion

    def decision_variables(self, noise, signal, rng):
        shown = noise.astype(float) @ self.root.T + signal[..., None] * SIGNAL
        flat = torch.from_numpy(shown.reshape(-1, P))
        clean = network(flat).numpy().reshape(noise.shape[:2])
        return clean + rng.normal(0, DECISION_SD, clean.shape)

    def choose(self, d):
        d = d[:, 0] if d.shape[1] == 1 else d[:, 1] - d[:, 0]
        return (d > self.criterion).astype(np.int64)


def made(task, covariance, criterion):
    root = np.linalg.cholesky(covariance)
    table, source = run(Network(root, criterion), task, N, 1.0, seed=1)
    mixed = StoredNoise((source.fields.astype(float) @ root.T).astype(np.float32))
    return Responses.from_table(table, task, 2), mixed


def surface(x, signal, criterion):
    """Return P(yes) of one field, and of how it depends on it."""
    d = network((x + signal)[None])[0]
    return torch.special.ndtr((d - criterion) / DECISION_SD)


def difference_surface(both, criterion):
    """Return P(correct) of the (target, other) fields, for one target interval."""
    target, other = both[:P] + torch.from_numpy(SIGNAL), both[P:]
    d = network(target[None])[0] - network(other[None])[0]
    return torch.special.ndtr((d - criterion) / (math.sqrt(2) * DECISION_SD))


def mean_derivatives(function, noise):
    """Return E f, E grad f and E Hess f over fields of noise."""
    x = torch.from_numpy(noise)
    parts = []
    for chunk in x.split(5000):
        value = torch.func.vmap(function)(chunk)
        gradient = torch.func.vmap(torch.func.grad(function))(chunk)
        # Reverse over reverse: the forward mode brings in what PyTorch deprecates.
        hessian = torch.func.vmap(torch.func.jacrev(torch.func.grad(function)))(chunk)
        parts.append([t.sum(0).numpy() for t in (value, gradient, hessian)])
    return [sum(part) / len(x) for part in zip(*parts, strict=True)]


def predicted(value, gradient, hessian, covariance):
    """Return the first-order and the centred second-order half of one class."""
    p, q = float(value), 1 - float(value)
    first = covariance @ gradient / (p * q)
    raw = covariance @ hessian @ covariance / (p * q)
    return first, raw - (q - p) * np.outer(first, first)


def assert_close(found, expected, se):
    """Compare within the standard errors of the responses; and there is something."""
    np.testing.assert_allclose(found, expected, atol=5 * float(np.max(se)))
    assert np.abs(expected).max() > 8 * np.max(se)
    assert np.corrcoef(np.ravel(found), np.ravel(expected))[0, 1] > 0.97


@pytest.mark.parametrize("covariance", [np.eye(P), CORRELATED], ids=["white", "mixed"])
def test_yes_no_kernels_are_mean_derivatives_of_the_surface(covariance):
    criterion = 0.1
    first, second = both_kernels(*made("yes_no", covariance, criterion))
    s = SD**2 * covariance
    noise = np.random.default_rng(2).multivariate_normal(np.zeros(P), s, 20_000)
    halves = SimpleNamespace(target=SIGNAL, nontarget=np.zeros(P))
    for half in ("target", "nontarget"):
        signal = torch.from_numpy(getattr(halves, half))
        moments = mean_derivatives(lambda x, s=signal: surface(x, s, criterion), noise)
        order1, order2 = predicted(*moments, s)
        se = getattr(first, f"{half}_half_se")
        assert_close(getattr(first, f"{half}_half").ravel(), order1, se)
        se = math.sqrt(2) * getattr(second, f"{half}_half_null_se")
        assert_close(getattr(second, f"{half}_half"), order2, se)
        gradient = getattr(whitened(first, s), f"{half}_half").ravel()
        p = float(moments[0])
        assert np.corrcoef(gradient * p * (1 - p), moments[1])[0, 1] > 0.97


def test_2afc_kernels_are_mean_derivatives_of_the_probability_correct():
    first, second = both_kernels(*made("2afc", np.eye(P), 0.0))
    s = SD**2 * np.eye(P)
    noise = np.random.default_rng(2).normal(0, SD, (20_000, 2 * P))
    value, gradient, hessian = mean_derivatives(
        lambda both: difference_surface(both, 0.0), noise
    )
    halves = (("target", slice(0, P), 1), ("nontarget", slice(P, 2 * P), -1))
    for half, part, sign in halves:
        order1, order2 = predicted(value, gradient[part], hessian[part, part], s)
        se = getattr(first, f"{half}_half_se")
        assert_close(getattr(first, f"{half}_half").ravel(), sign * order1, se)
        se = math.sqrt(2) * getattr(second, f"{half}_half_null_se")
        assert_close(getattr(second, f"{half}_half"), sign * order2, se)

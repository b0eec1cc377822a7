"""Priors: bases and penalties are what they say, and each wins where it is right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from tests.analysis.observers.designs import cosine, linear_design
from tests.analysis.observers.linear import Linear, unit
from tests.analysis.written_out import first_order_vector
from yoked.analysis.kernels.fitted import fitted_kernel
from yoked.analysis.kernels.priors import (
    prior,
    pyramid_basis,
    smooth_basis,
)
from yoked.analysis.probit.newton import BinaryResponses, log_likelihoods
from yoked.analysis.probit.penalised import Through
from yoked.analysis.probit.sparse import SparseProblem, fit_sparse, largest_penalty
from yoked.analysis.probit.trials import standardised

shapes = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5))


def smooth_penalty(shape, length=1.0):
    """Return the penalty matrix (I + length^2 L)^2, L the Laplacian of the grid."""
    size = int(np.prod(shape))
    laplacian = np.zeros((size, size))
    for axis, n in enumerate(shape):
        before, after = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
        chain = np.diff(np.eye(n), axis=0)
        chain = chain.T @ chain
        laplacian += np.kron(np.kron(np.eye(before), chain), np.eye(after))
    root = np.eye(size) + length**2 * laplacian
    return root @ root


@given(shapes, st.floats(0.3, 4.0))
def test_the_smooth_basis_is_the_root_of_the_inverse_penalty(shape, length):
    basis, penalty = smooth_basis(shape, length), smooth_penalty(shape, length)
    identity = np.eye(len(penalty))
    np.testing.assert_allclose(basis @ basis.T @ penalty, identity, atol=1e-8)


@given(shapes, st.floats(0.3, 4.0))
def test_the_edges_reflect_so_that_a_flat_kernel_costs_as_under_ridge(shape, length):
    penalty = smooth_penalty(shape, length)
    np.testing.assert_allclose(penalty.sum(1), 1, atol=1e-8)


@given(shapes)
def test_a_smooth_penalty_is_the_same_seen_in_a_mirror(shape):
    penalty = smooth_penalty(shape, 1.5).reshape(*shape, *shape)
    for axis in range(3):
        mirrored = np.flip(penalty, (axis, axis + 3))
        np.testing.assert_allclose(mirrored, penalty, atol=1e-10)


@pytest.mark.parametrize("name", ["ridge", "smooth"])
def test_an_element_has_a_prior_variance_of_one_on_average(name):
    basis = prior(name, (3, 1, 9), 2.0).basis
    assert np.mean((basis**2).sum(1)) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(1, 1, 13), (1, 16, 16), (9, 1, 9), (32, 1, 1)])
def test_the_pyramid_has_every_element_and_blobs_of_norm_one(shape):
    basis, size = pyramid_basis(shape), int(np.prod(shape))
    np.testing.assert_array_equal(basis[:, :size], np.eye(size))
    np.testing.assert_allclose(np.linalg.norm(basis, axis=0), 1)
    assert size < basis.shape[1] < 2 * size
    coverage = (basis**2).sum(1).reshape(shape)
    np.testing.assert_allclose(np.flip(coverage), coverage)


def one_bar(n):
    return linear_design(Linear(unit(np.eye(13)[6]), gamma=1.0), "2afc", n, seed=1)


def sparse_problem(n=300):
    trials = one_bar(n)
    x, _ = standardised(trials.noise, trials.cell)
    basis = prior("sparse", (1, 1, 13)).basis
    problem = SparseProblem(Through.of(x, basis, x.T @ x))
    return problem, BinaryResponses(trials.response, trials.cell, np.ones(n))


def test_the_sparse_fit_is_the_minimum_that_a_general_search_finds():
    problem, responses = sparse_problem()
    x, q = problem.seen.x @ problem.seen.basis, problem.seen.n_coefficients
    penalty = 0.1 * largest_penalty(problem, responses)

    def loss(v):  # positive and negative parts make the penalty smooth
        theta = v[2 : 2 + q] - v[2 + q :]
        fits = log_likelihoods(v[responses.cell] + x @ theta, responses.response).sum()
        return penalty * v[2:].sum() + 0.01 * v[:2] @ v[:2] / 2 - fits

    bounds = [(None, None)] * 2 + [(0, None)] * (2 * q)
    options = {"maxiter": 2000, "maxfun": 10**6, "ftol": 1e-13}
    found = minimize(loss, np.zeros(2 + 2 * q), bounds=bounds, options=options)
    (fitted,) = fit_sparse(problem, [responses], penalty, tolerance=1e-8)
    positive, negative = np.maximum(fitted.theta, 0), np.maximum(-fitted.theta, 0)
    here = loss(np.concatenate([fitted.intercept, positive, negative]))
    assert here == pytest.approx(found.fun, abs=1e-3)


def test_from_the_largest_penalty_on_there_is_no_kernel():
    problem, responses = sparse_problem()
    largest = largest_penalty(problem, responses)
    above, below = (
        fit_sparse(problem, [responses], share * largest)[0] for share in (1.01, 0.9)
    )
    assert not above.theta.any()
    assert below.theta.any()


def mean_cosine(template, shape, name, n=800):
    observer = Linear(unit(np.ravel(template)), gamma=1.0)
    designs = [linear_design(observer, "2afc", n, s, shape=shape) for s in range(3)]
    if name == "weighted sum":
        kernels = [first_order_vector(design) for design in designs]
    else:
        kernels = [fitted_kernel(design, name).kernel for design in designs]
    return np.mean([cosine(kernel, template) for kernel in kernels])


def test_the_smooth_prior_wins_for_a_smooth_template():
    place = (np.arange(40) - 19.5) / 6
    template, shape = np.exp(-(place**2) / 2) * np.cos(place * 2), (1, 1, 40)
    found = {
        name: mean_cosine(template, shape, name, 400)
        for name in ("smooth", "ridge", "weighted sum")
    }
    assert found["smooth"] > found["ridge"] + 0.05
    assert found["ridge"] > found["weighted sum"]


def test_the_sparse_prior_wins_for_a_single_bar_of_a_movie():
    template, shape = np.zeros((9, 9)), (9, 1, 9)
    template[4, 4] = 1
    found = {
        name: mean_cosine(template, shape, name, 500)
        for name in ("sparse", "smooth", "ridge")
    }
    assert found["sparse"] > 0.95
    assert found["sparse"] > max(found["smooth"], found["ridge"]) + 0.05


def test_unknown_priors_and_lengths_are_refused():
    with pytest.raises(ValueError, match="prior must be one of ridge, smooth, sparse"):
        prior("flat", (1, 1, 3))
    with pytest.raises(ValueError, match="length must be > 0 elements, got 0"):
        smooth_basis((1, 1, 3), 0.0)

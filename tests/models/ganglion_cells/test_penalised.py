"""Penalised fits: those of a general optimiser, and the conditions of an optimum."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from yoked.models.ganglion_cells.penalised import Chunk, NotFinite, Penalty, fit_weights

N, N_WEIGHTS = 2000, 5
TRUTH = np.array([0.6, -0.4, 0.0, 0.0, -1.5])


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(1)
    design = rng.normal(size=(N, N_WEIGHTS)).astype(np.float32)
    design[:, -1] = 1
    offset = 0.3 * rng.normal(size=N).astype(np.float32)
    counts = rng.poisson(np.exp(design @ TRUTH + offset)).astype(np.float32)
    return design, counts, offset


def chunks_of(design, counts, offset, n=3):
    cuts = np.array_split(np.arange(len(counts)), n)
    parts = [
        [torch.from_numpy(v[cut]) for v in (design, counts, offset)] for cut in cuts
    ]
    return [Chunk(*part) for part in parts]


def slope_at(w, design, counts, offset, likelihood):
    """Slope of minus the log-likelihood, in plain NumPy."""
    u = np.exp(design.astype(float) @ w + offset)
    if likelihood == "poisson":
        return design.T @ (u - counts)
    return design.T @ np.where(counts > 0, -u / np.expm1(u), u)


def minus_log_likelihood(w, design, counts, offset, likelihood):
    u = np.exp(design.astype(float) @ w + offset)
    if likelihood == "poisson":
        return float((u - counts * np.log(u)).sum())
    return float(-np.where(counts > 0, np.log(-np.expm1(-u)), -u).sum())


@pytest.mark.parametrize("likelihood", ["poisson", "bernoulli"])
def test_without_penalties_it_is_what_a_general_optimiser_finds(problem, likelihood):
    free = Penalty(np.zeros(N_WEIGHTS), np.zeros((N_WEIGHTS, N_WEIGHTS)))
    ours = fit_weights(chunks_of(*problem), free, likelihood, tolerance=1e-6)
    args = (*problem, likelihood)
    theirs = minimize(minus_log_likelihood, np.zeros(N_WEIGHTS), args=args)
    assert ours == pytest.approx(theirs.x, abs=1e-3)


@pytest.mark.parametrize("likelihood", ["poisson", "bernoulli"])
@pytest.mark.parametrize("l1", [5.0, 60.0, 300.0])
def test_with_penalties_no_weight_could_gain(problem, likelihood, l1):
    costs = np.append(np.full(N_WEIGHTS - 1, l1), 0.0)
    differences = np.diff(np.eye(N_WEIGHTS), axis=0)[:3]
    quadratic = 20 * differences.T @ differences
    penalty = Penalty(costs, quadratic)
    w = fit_weights(chunks_of(*problem), penalty, likelihood, tolerance=1e-7)
    slope = slope_at(w, *problem, likelihood) + 2 * quadratic @ w
    moves, close = w != 0, 0.5  # of the slope, in nats a unit of weight; N is 2000
    assert slope[moves] == pytest.approx(-costs[moves] * np.sign(w[moves]), abs=close)
    assert (np.abs(slope[~moves]) <= costs[~moves] + close).all()


def test_how_steps_are_cut_into_chunks_changes_nothing(problem):
    penalty = Penalty(np.full(N_WEIGHTS, 10.0), np.zeros((N_WEIGHTS, N_WEIGHTS)))
    one, seven = (fit_weights(chunks_of(*problem, n), penalty) for n in (1, 7))
    assert one == pytest.approx(seven, abs=1e-4)


def test_steps_that_do_not_count_might_as_well_not_be_there(problem):
    free = Penalty(np.zeros(N_WEIGHTS), np.zeros((N_WEIGHTS, N_WEIGHTS)))
    (whole,) = chunks_of(*problem, 1)
    counted = (torch.arange(N) % 3 > 0).float()
    masked = Chunk(whole.design, whole.counts, whole.offset, counted)
    kept = counted.bool().numpy()
    fewer = chunks_of(*(values[kept] for values in problem), 1)
    assert fit_weights([masked], free) == pytest.approx(
        fit_weights(fewer, free), abs=1e-4
    )


def test_a_fit_of_nan_is_refused(problem):
    design, counts, offset = (values.copy() for values in problem)
    design[7, 1] = np.nan
    free = Penalty(np.zeros(N_WEIGHTS), np.zeros((N_WEIGHTS, N_WEIGHTS)))
    rule = "stimulus and spikes in a fit must be finite numbers, got NaN or infinity"
    with pytest.raises(NotFinite, match=rule):
        fit_weights(chunks_of(design, counts, offset), free)

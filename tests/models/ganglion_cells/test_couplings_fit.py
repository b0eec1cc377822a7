"""Couplings from repeats: a conditional logit, and the free numbers it stands for."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from yoked.experiments.recordings.recording import Recording, Segment
from yoked.models.ganglion_cells import couplings_fit
from yoked.models.ganglion_cells.couplings_fit import (
    fit_couplings,
    history,
    refractory_steps,
    split,
)
from yoked.models.ganglion_cells.temporal_basis import Bases, Cosines

BASES = Bases(Cosines(2, 0, 5, 1, 8), Cosines(2, 0, 3, 1, 5), Cosines(2, 0, 3, 1, 5))
NONE = np.zeros(2, np.int64)


@pytest.fixture(scope="module")
def repeats():
    rng = np.random.default_rng(1)
    counts = rng.poisson(rng.uniform(0.2, 0.6, (40, 2)), (8, 40, 2)).astype(np.uint8)
    return Segment("repeats", counts)


def test_it_is_the_likelihood_with_a_free_number_for_every_step(repeats, monkeypatch):
    monkeypatch.setattr(couplings_fit, "L1", 0.0)
    found = fit_couplings([repeats], 0, BASES, NONE)
    x = np.stack([history(c, 0, BASES).double().numpy() for c in repeats.counts])
    n = repeats.counts[:, :, 0].astype(float)
    seen = (
        n.sum(axis=0) > 0
    )  # the free number of a step without spikes is minus infinity

    def cost(both):
        eta = x[:, seen] @ both[:4] + both[4:]
        return float((np.exp(eta) - n[:, seen] * eta).sum())

    start = np.append(np.zeros(4), np.log(n[:, seen].mean(axis=0)))
    whole = minimize(cost, start, method="BFGS", options={"gtol": 1e-6})
    assert found == pytest.approx(whole.x[:4], abs=2e-3)


def test_what_all_repeats_share_changes_nothing(repeats):
    # Twice each repeat, and half the penalty's weight: where spikes fell is the same.
    once = fit_couplings([repeats], 1, BASES, NONE)
    both = replace(repeats, counts=np.concatenate([repeats.counts] * 40))
    many = fit_couplings([both], 1, BASES, NONE)
    in_parts = fit_couplings([repeats] * 40, 1, BASES, NONE)
    assert many == pytest.approx(in_parts, abs=1e-4)
    assert np.linalg.norm(once) < np.linalg.norm(many)  # which the penalty holds less


def test_weights_are_those_of_sources_and_of_the_cell_itself():
    counts = np.zeros((12, 3), np.uint8)
    counts[2, 0] = counts[4, 1] = 1
    weights = np.arange(1.0, 7.0)
    couplings, own = split(weights, 1, 3, BASES)
    assert couplings.tolist() == [[1, 2], [0, 0], [3, 4]]
    assert own.tolist() == [5, 6]
    found = history(counts, 1, BASES).double().numpy() @ weights
    by_hand = np.zeros(20)
    by_hand[3:8] += couplings[0] @ BASES.coupling.weights()
    by_hand[5:10] += own @ BASES.own.weights()
    assert found == pytest.approx(by_hand[:12], abs=1e-6)


def test_a_cell_with_few_intervals_has_no_refractory_period():
    counts = np.zeros((1, 200, 2), np.uint8)
    counts[0, ::9, 0] = 1
    counts[0, [3, 5, 9], 1] = 1
    clock = np.zeros(200, np.int32)
    one = Segment("fit", counts, np.zeros((1, 1, 3), np.float32), clock)
    recording = Recording("made-up", 1.0, 10.0, ("a", "b"), (one,))
    assert refractory_steps(recording).tolist() == [8, 0]
    assert refractory_steps(recording, as_published=True).tolist() == [9, 0]

"""Noise that is not that of the trials is told, and no other."""

import numpy as np
import pytest

import yoked
from tests.analysis.observers.linear import Linear, run, session, unit
from yoked.analysis.double_pass.smooth_thresholds import consistent_share
from yoked.analysis.kernels.doubt import doubt
from yoked.analysis.sessions.depths import depths
from yoked.analysis.trials.held import Held

OBSERVER = Linear(unit([0, 0.3, 1, 0.3, 0, -0.4]), sd=0.15, gamma=0.8)


def doubted(table, fields, task="2afc"):
    held = Held.of(session(table, fields, task))
    return doubt(held.design, consistent_share(held.responses).r)


def simulated(seed, n=600, n_pairs=200):
    table, source = run(OBSERVER, "2afc", n, signal=0.15, seed=seed, n_pairs=n_pairs)
    return table, source


def other_noise(source, seed):
    """Return the same fields in another order: those of other trials."""
    order = np.random.default_rng(seed).permutation(len(source.fields))
    return type(source)(source.fields[order])


@pytest.mark.parametrize("seed", range(8))
def test_the_noise_of_other_trials_is_doubted_and_their_own_is_not(seed):
    table, source = simulated(seed)
    assert doubted(table, source) is None
    said = doubted(table, other_noise(source, 100 + seed))
    assert "noise and trials may not belong together" in said


def test_a_session_can_be_asked_by_itself():
    table, source = simulated(0)
    other = session(table, other_noise(source, 100), "2afc")
    assert "noise and trials may not belong together" in yoked.doubt(other)
    assert yoked.doubt(session(table, source, "2afc")) is None
    alone, source = simulated(0, n_pairs=0)  # pairs foretell nothing
    assert yoked.doubt(session(alone, source, "2afc")) is None


def test_few_pairs_foretell_nothing():
    table, source = simulated(1, n=60, n_pairs=10)
    assert doubted(table, other_noise(source, 2)) is None
    table, source = simulated(1, n_pairs=0)
    assert doubted(table, other_noise(source, 2)) is None


def test_an_observer_of_squares_is_not_linear_which_the_sentence_allows():
    table, source = simulated(3)
    shown = source.fields.reshape(len(source.fields), 2, -1)
    energy = (shown[:, 1] ** 2 - shown[:, 0] ** 2).sum(axis=1)
    seen = energy[table["stimulus_id"]]
    late = np.random.default_rng(1).normal(0, 0.3 * seen.std(), len(seen))
    table = table.assign(response=(seen + late > 0).astype(int))
    assert "not linear in the noise" in doubted(table, source)


def test_the_depths_of_a_session_have_the_doubt_only_where_there_is_one():
    table, source = simulated(5, n=300, n_pairs=120)
    own = depths(session(table, source, "2afc"), orders=1, n_permutations=50)
    assert own.one.doubt is None
    assert "doubt" not in own.one.parts()
    other = session(table, other_noise(source, 6), "2afc")
    found = depths(other, orders=1, n_permutations=50)
    assert found.one.doubt == found.one.parts()["doubt"]

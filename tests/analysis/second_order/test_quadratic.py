"""The quadratic observer predicts what the linear cannot, where there is a reason."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from tests.analysis.observers.cascades import QUADRATURE, cascade_trials
from tests.analysis.thomas2005 import gabor_trials
from yoked.analysis.second_order import quadratic
from yoked.analysis.second_order.quadratic import quadratic_gain
from yoked.analysis.trials.estimate import CannotTell


def test_an_energy_observer_is_predicted_better_with_each_of_its_two_filters():
    found = quadratic_gain(cascade_trials("energy", 1500, seed=2), rank=2)
    first, second = found.by_rank
    assert first.low > 0.05
    assert second.low > first.value
    assert found.gain == second
    assert np.all(found.fit.signs == 1)
    filters = np.linalg.qr(found.fit.vectors.T)[0]
    inside = np.linalg.svd(filters.T @ np.linalg.qr(QUADRATURE)[0], compute_uv=False)
    assert inside.min() > 0.9


def test_a_linear_observer_gains_nothing():
    for n_pairs in (0, 500):
        trials = cascade_trials("linear", 1500, seed=2, n_pairs=n_pairs)
        gain = quadratic_gain(trials).gain
        assert gain.value < 0.005
        assert gain.low < 0


def test_gain_control_has_a_negative_quadratic_part():
    found = quadratic_gain(cascade_trials("gain control", 6000, seed=2))
    assert found.gain.low > 0
    assert found.fit.signs.tolist() == [-1]


def test_the_human_gabor_observer_has_a_second_order(shared_data):
    trials = gabor_trials(shared_data("gabor/Gabor.rda"))
    found = quadratic_gain(trials, rank=4)
    assert found.gain.low > 0
    assert np.all(found.fit.signs == 1)


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_the_gradient_is_that_of_the_loss(task):
    trials = cascade_trials("energy", 120, seed=1, task=task)
    data = quadratic._Data.of(trials)
    x = 0.2 * np.random.default_rng(0).normal(size=2 + 24 + 24)
    settings = (data, np.array([1.0, -1.0]), 2, 30.0, 20.0)
    _, gradient = quadratic._loss(x, *settings)
    numeric = approx_fprime(x, lambda y: quadratic._loss(y, *settings)[0], 1e-7)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-3, atol=1e-2)


def test_yes_no_responses_to_energy_are_predicted_too():
    trials = cascade_trials("energy", 1200, seed=2, task="yes_no")
    assert quadratic_gain(trials).gain.low > 0.02


def test_the_gain_does_not_depend_on_the_seed_much_nor_on_the_scale_of_the_noise():
    trials = cascade_trials("LN", 1500, seed=2)
    gains = [quadratic_gain(trials, 1, 3, seed).gain for seed in (0, 1)]
    assert abs(gains[0].value - gains[1].value) < 2 * gains[0].se
    larger = quadratic.replace(trials, halves=np.float32(8) * trials.halves)
    gain = quadratic_gain(larger, n_folds=3).gain.value
    assert gain == pytest.approx(gains[0].value, abs=1e-3)


def test_the_fit_is_a_result_that_a_report_can_hold():
    found = quadratic_gain(cascade_trials("LN", 400, seed=2), n_folds=2)
    assert json.loads(json.dumps(found.to_dict()))["rank"] == 1
    assert found.fit.matrix.shape == (12, 12)
    assert np.linalg.matrix_rank(found.fit.matrix) == 1


def test_wrong_settings_are_refused():
    trials = cascade_trials("LN", 100, seed=2)
    with pytest.raises(ValueError, match=r"rank must be from 1 to 12, .*, got 13"):
        quadratic_gain(trials, rank=13)
    with pytest.raises(ValueError, match="n_folds must be >= 2, got 1"):
        quadratic_gain(trials, n_folds=1)


@pytest.mark.slow
def test_sessions_of_a_linear_observer_seldom_gain():
    gains = [
        quadratic_gain(cascade_trials("linear", 600, seed=seed), seed=seed).gain
        for seed in range(60)
    ]
    assert np.mean([gain.low > 0 for gain in gains]) <= 0.08
    assert np.mean([gain.value for gain in gains]) < 0.001


def with_rare(trials, n_rare):
    """Return trials with a few more of one class at another contrast."""
    rows = np.append(np.arange(len(trials)), np.arange(n_rare))
    more = trials.where(rows)
    last = np.arange(len(rows)) >= len(trials)
    return replace(
        more,
        cell=np.where(last, 2, more.cell),
        contrast=np.where(last, 2.0, more.contrast),
        cluster=np.arange(len(rows)),
        stratum=np.where(last, 2, more.stratum),
    )


@pytest.mark.parametrize("n_rare", [1, 2])
def test_a_contrast_of_one_or_two_trials_changes_nothing(n_rare):
    trials = cascade_trials("energy", 400, seed=2)
    trials = replace(trials, contrast=np.ones(len(trials)))
    alone = quadratic_gain(trials, n_folds=2)
    assert quadratic_gain(with_rare(trials, n_rare), n_folds=2).gain == alone.gain


def test_a_constant_responder_gains_nothing_that_is_a_result():
    trials = cascade_trials("energy", 400, seed=2)
    always = replace(trials, response=np.ones(len(trials), bool))
    with pytest.raises(CannotTell, match="both kinds in some stimulus class"):
        quadratic_gain(always)


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_with_many_elements_the_filter_is_an_eigenvector(task, monkeypatch):
    trials = cascade_trials("energy", 1000, seed=3, task=task)
    fitted = quadratic_gain(trials, n_folds=3)
    monkeypatch.setattr(quadratic, "LARGE", 0)
    found = quadratic_gain(trials, rank=2, n_folds=3)
    assert found.gain.formula == "quadratic-eigenvector-cross-validated-gain/1"
    assert found.gain.low > 0
    assert found.by_rank[1].value > found.by_rank[0].value
    assert found.fit.vectors.shape == (2, 12)
    assert found.by_rank[0].value > 0.5 * fitted.gain.value


def test_an_eigenvector_of_nothing_predicts_nothing(monkeypatch):
    monkeypatch.setattr(quadratic, "LARGE", 0)
    gains = [
        quadratic_gain(cascade_trials("linear", 500, seed=seed), seed=seed).gain
        for seed in range(12)
    ]
    assert np.mean([gain.value for gain in gains]) < 0.002
    assert sum(gain.low > 0 for gain in gains) <= 2

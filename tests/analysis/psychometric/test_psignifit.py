"""psignifit's fits beside ours, and the sentence where it is not installed."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.observers import linear as simulated
from yoked.analysis.psychometric.fit import (
    PsychometricSettings,
    psychometric_from_counts,
)
from yoked.analysis.psychometric.psignifit import fit_psignifit, psychometric_psignifit

CONTRAST = np.array([0.05, 0.1, 0.15, 0.2, 0.3])
CORRECT, TRIALS = np.array([53, 62, 78, 88, 97]), np.full(5, 100)
LINEAR = PsychometricSettings("cumulative_normal", "linear", n_simulations=0)


@pytest.fixture(autouse=True)
def _installed():
    pytest.importorskip("psignifit")


@pytest.mark.parametrize(
    "settings",
    [
        PsychometricSettings(n_simulations=0),
        replace(LINEAR, lapse=0.02, threshold_at=0.8),
    ],
)
def test_the_two_fits_agree_within_a_fraction_of_their_intervals(settings):
    ours = psychometric_from_counts(CONTRAST, CORRECT, TRIALS, settings=settings)
    its = fit_psignifit(CONTRAST, CORRECT, TRIALS, settings=settings)
    for name in ("threshold", "width"):
        one, other = getattr(ours, name), getattr(its, name)
        assert other.low < one.value < other.high
        assert one.low < other.value < one.high
    # The priors are broad: its mode is the maximum of the likelihood, nearly.
    assert abs(its.threshold.value - ours.threshold.value) < 0.2 * ours.threshold.se
    assert its.log_likelihood == pytest.approx(ours.log_likelihood, abs=0.1)
    assert its.threshold.formula.endswith("-psignifit/1")
    assert float(its(its.contrast_at(0.8))) == pytest.approx(0.8)
    assert its.note.startswith("overdispersion eta = ")


def test_a_session_gives_the_threshold_of_its_observer():
    observer = simulated.Linear(simulated.unit(np.ones(4)), gamma=1.0)
    strengths = np.array([0.03, 0.08, 0.15, 0.25, 0.4])
    table, source = simulated.run(observer, "2afc", 3000, strengths, seed=3)
    table["contrast"] = strengths[table["contrast"].to_numpy(int) - 1]
    session = simulated.session(table, source)
    fit = psychometric_psignifit(session, replace(LINEAR, lapse=0.01))
    true = 0.9539 * observer.sd_decision
    assert fit.threshold.low < true < fit.threshold.high
    assert fit.lapse.note == fit.guess.note == "given, not fitted"
    yes_no = simulated.session(table, source, "yes_no")
    with pytest.raises(ValueError, match="task must be a forced choice, got 'yes_no'"):
        psychometric_psignifit(yes_no)


def test_without_the_package_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psignifit", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "yoked\[psignifit\]"'):
        fit_psignifit(CONTRAST, CORRECT, TRIALS)

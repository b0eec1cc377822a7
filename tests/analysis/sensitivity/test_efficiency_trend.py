"""Efficiency by contrast: a trend that is there, one that is not, and refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from yoked.analysis.sensitivity.efficiency_trend import efficiency_trend
from yoked.analysis.trials.responses import Responses

IDEAL = np.linspace(0.5, 2.5, 6)


def simulate(task, power, n, seed, bias=0.3, efficiency=0.5):
    """Return 6 n trials of an observer whose efficiency goes with contrast^power."""
    rng = np.random.default_rng(seed)
    contrast = np.repeat(IDEAL, n)
    target = np.arange(len(contrast)) % 2
    d = np.sqrt(efficiency) * contrast ** (1 + power / 2)
    reach = d / np.sqrt(2) if task == "2afc" else d / 2
    mean = np.where(target == 1, reach, -reach) + bias
    table = pd.DataFrame(
        {
            "trial": np.arange(len(mean)),
            "target": target,
            "response": (rng.random(len(mean)) < ndtr(mean)).astype(int),
            "contrast": contrast,
            "repeats": pd.array([pd.NA] * len(mean), dtype="Int64"),
        }
    )
    return Responses.from_table(table, task, 2)


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
@pytest.mark.parametrize("power", [0.0, -1.2])
def test_the_power_is_that_of_the_simulated_observer(task, power):
    found = efficiency_trend(simulate(task, power, 4000, 1), IDEAL)
    assert found.power.low < power < found.power.high
    assert found.power.value == pytest.approx(power, abs=0.2)
    ends = 0.5 * IDEAL[[0, -1]] ** power
    assert [found.lowest, found.highest] == pytest.approx(ends, rel=0.25)


def test_the_interval_covers_and_the_test_keeps_its_level():
    found = [efficiency_trend(simulate("2afc", 0, 50, k), IDEAL) for k in range(40)]
    assert sum(one.power.low < 0 < one.power.high for one in found) >= 35
    assert sum(one.p < 0.05 for one in found) <= 5


def test_a_fall_is_said_and_a_flat_efficiency_is_not():
    falls = efficiency_trend(simulate("yes_no", -2.0, 1000, 3), IDEAL)
    assert "efficiency falls from" in falls.warning
    flat = efficiency_trend(simulate("yes_no", 0.0, 1000, 3), IDEAL)
    assert flat.warning is None


def test_what_has_no_trend_says_why():
    made = simulate("2afc", 0, 50, 1)
    with pytest.raises(ValueError, match=r"two or more with a signal .* got 1"):
        efficiency_trend(made, np.array([0, 0, 0, 0, 0, 2.5]))
    perfect = made.where(made.correct)
    with pytest.raises(ValueError, match="never varied, or were all correct"):
        efficiency_trend(perfect, IDEAL)

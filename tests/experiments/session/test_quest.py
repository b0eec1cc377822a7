"""QUEST+: Watson's published sequences, recovery of a known observer, replay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import entropy

from yoked.experiments.session.quest import FUNCTIONS, QuestPlus


def whole(first, last):
    return tuple(float(value) for value in range(first, last + 1))


DECIBELS = whole(-40, 0)
LAPSES = (0.0, 0.01, 0.02, 0.03, 0.04)
CONTRASTS = tuple(level / 127 for level in range(4, 64, 3))

# The four sequences that Watson (2017) printed for one-dimensional stimuli: stimulus
# shown, then + for response 1 and - for response 0. The numbers are as in the tests of
# the package questplus (hoechenberger/questplus on GitHub, questplus/tests/test_qp.py).
THRESHOLD = """
-18+ -22+ -25+ -28+ -30- -22- -13+ -15+ -16+ -18+ -19+ -20+ -21+ -22+ -23- -19+ -20+
-20- -18+ -18+ -19- -17+ -17+ -18+ -18+ -18+ -19+ -19+ -19+ -19+ -19+ -19+
"""
THRESHOLD_SLOPE = """
-18+ -22- -12+ -13+ -15+ -16+ -17+ -18+ -19+ -21+ -24+ -25+ -26+ -27- -21+ -22+ -23-
-20+ -20+ -20+ -21- -19+ -19+ -20+ -20+ -20- -19+ -19+ -19+ -19+ -19+ -20+ -20+ -20+
-20+ -20+ -21+ -21- -20+ -20+ -20- -19- -18+ -18+ -19+ -19+ -19- -18+ -18- -17+ -18+
-18+ -18- -17+ -17+ -17+ -17+ -17+ -17+ -17+ -18+ -18+ -18+ -18+
"""
THRESHOLD_SLOPE_LAPSE = """
-18+ -22+ -25+ -28+ -30- -21- -12+ -14+ -15+ -16+ -18+ -19+ -20+ -22+ -23- -18+ -19-
-16+ -17+ -17+ -18+ -18+ -18+ -19+ -19- -17+ -17+ -18+ -18+ -18+ -18+ -19+ -19+ -20-
-18+ -18+ -18+ -18+ -18+ -19+ -19+ -19+ -19+ -20- -18+ -18+ -18+ -18- -18+ -18+ -18+
-18+ -18+ -19+ -19+ -19+ -20- -18+ -18+ -18+ -18+ -19+ -19+ -19- -18+ -18+ -18+ -18+
-19+ -19+ -19+ -19+ -19+ -19+ -19+ -19+ -20+ -21- -19+ -19- -19+ -19+ -19+ -19+ -19-
-18+ -19+ -19- -16+ -16+ -16+ -16+ -16+ -16+ 0+ 0- -19+ -19+ -19+ -19+ -19+ -19+ -19+
-19+ -19+ -19+ -19+ -19+ -19+ -19+ -21+ -21- -19+ -19+ -19+ -19- -19+ -19- -19- -19+
-19+ -19+ -19+ -19- -19+ -19+ -19+ -19+
"""
MEAN_SD_LAPSE = """
0+ -1- 2- -2+ 2+ 3+ 3+ -5+ 3+ 3+ 3- 3+ -7- -7- -7- -7- 4+ -7+ 4- 4+ 4+ -8- -8- -8- 4+
-8- 4+ -8- -7- 4+ -7- -7- 4+ -7- 4+ -7- -6- 3+ -4- -5+ 3+ 3+ -7- 2+ 2+ 1+ 0- -7- -6-
-6- -6- 2+ -5- 2- -6- -5- 3+ -5- -5- 3- 4+ -5- -5- 4+ -4- -4- -4- -4+ 4+ 3+ 3- 4- 5+ 5+
-5- 5+ -5- -5- 4- 5+ 5+ -5- -4- -4- -4- -4- 5+ -4- -4- -3+ 4+ 4- 5+ 5+ -4- 5+ -4- -4+
5+ 4- 5+ 5+ -5- 5+ -4- -4- -4- -4- 5+ -4+ 5+ 4+ -4- 4+ -4- -4- -4- 4+ -4- -4- -4- 4- 4+
-4+ 4+ 4+ 4+ -4-
"""

WATSON = {
    "threshold": (
        THRESHOLD,
        QuestPlus(DECIBELS, {"threshold": DECIBELS, "slope": (3.5,)}, "weibull-db"),
        {"threshold": -20, "slope": 3.5},
    ),
    "threshold and slope": (
        THRESHOLD_SLOPE,
        QuestPlus(
            DECIBELS, {"threshold": DECIBELS, "slope": whole(2, 5)}, "weibull-db"
        ),
        {"threshold": -20, "slope": 3},
    ),
    "threshold, slope and lapse": (
        THRESHOLD_SLOPE_LAPSE,
        QuestPlus(
            DECIBELS,
            {"threshold": DECIBELS, "slope": whole(2, 5), "lapse": LAPSES},
            "weibull-db",
        ),
        {"threshold": -20, "slope": 5, "lapse": 0.04},
    ),
    "mean, sd and lapse": (
        MEAN_SD_LAPSE,
        QuestPlus(
            whole(-10, 10),
            {"mean": whole(-5, 5), "sd": whole(1, 10), "lapse": LAPSES},
            "normal-cdf",
        ),
        {"mean": 0, "sd": 4, "lapse": 0.01},
    ),
}


def most_probable(state):
    """Return the most probable cell of a posterior; among equals the first."""
    best = int(np.argmax(state.posterior))
    return {name: float(cell[best]) for name, cell in state.settings.cells.items()}


@pytest.mark.parametrize("example", WATSON)
def test_watsons_published_sequence_comes_out(example):
    sequence, quest, mode = WATSON[example]
    state = quest.start()
    for trial, step in enumerate(sequence.split()):
        stimulus, response = float(step[:-1]), int(step[-1] == "+")
        assert (trial, state.next()) == (trial, stimulus)
        state = state.update(stimulus, response)
    assert most_probable(state) == mode


def test_the_threshold_of_a_simulated_observer_is_recovered():
    rng = np.random.default_rng(1)
    truth = {"threshold": 0.2, "slope": 1.0, "lapse": 0.02}
    quest = QuestPlus.for_2afc(CONTRASTS)
    estimates = []
    for _ in range(30):
        state = quest.start()
        for _ in range(80):
            contrast = state.next()
            p = FUNCTIONS["dprime-2afc"](contrast, **truth)
            state = state.update(contrast, int(rng.random() < p))
        estimates.append(state.settings.cells["threshold"] @ state.posterior)
    assert np.median(estimates) == pytest.approx(0.2, rel=0.1)
    assert np.std(np.log(estimates)) < 0.25


def test_the_contrast_for_75_percent_is_the_displayable_one_nearest_to_it():
    truth = {"threshold": 0.2, "slope": 1.0, "lapse": 0.0}
    quest = QuestPlus.for_2afc(CONTRASTS)
    state = quest.start()
    for _ in range(20):  # an observer whose proportions are exactly the function's
        for contrast in CONTRASTS:
            n_correct = round(50 * FUNCTIONS["dprime-2afc"](contrast, **truth))
            for k in range(50):
                state = state.update(contrast, int(k < n_correct))
    displayable = [level / 127 for level in range(1, 128)]
    assert state.contrast_at(0.75, displayable) * 127 == pytest.approx(25, abs=1.01)
    assert state.contrast_at(0.75) in CONTRASTS
    assert state.contrast_at(0.85) > state.contrast_at(0.75) > state.contrast_at(0.65)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.sampled_from(CONTRASTS), st.sampled_from([0, 1, None]))))
def test_a_replayed_log_gives_the_same_state(log):
    quest = QuestPlus.for_2afc(CONTRASTS)
    states = [quest.start(), QuestPlus.for_2afc(list(CONTRASTS)).start()]
    for contrast, response in log:
        states = [state.update(contrast, response) for state in states]
    assert states[0].next() == states[1].next()
    np.testing.assert_array_equal(states[0].posterior, states[1].posterior)
    assert states[0].posterior.sum() == pytest.approx(1)


@settings(deadline=None, max_examples=50)
@given(st.sampled_from([each[1] for each in WATSON.values()]), st.integers(0, 2**32))
def test_the_gain_is_the_fall_of_entropy_that_each_response_brings(quest, seed):
    rng = np.random.default_rng(seed)
    state = quest.start()
    for _ in range(rng.integers(0, 30)):
        stimulus = rng.choice(quest.stimuli)
        p = quest.probability([stimulus])[0] @ state.posterior
        state = state.update(float(stimulus), int(rng.random() < p))
    gain = state.gain()
    for number in rng.choice(len(quest.stimuli), 5, replace=False):
        stimulus = quest.stimuli[number]
        p = quest.probability([stimulus])[0] @ state.posterior
        left = sum(
            chance * entropy(state.update(stimulus, response).posterior)
            for response, chance in ((0, 1 - p), (1, p))
            if chance > 1e-14
        )
        expected = entropy(state.posterior) - left
        assert gain[number] == pytest.approx(expected, abs=1e-12)


def test_a_missing_response_teaches_nothing():
    state = QuestPlus.for_2afc(CONTRASTS).start()
    assert state.update(CONTRASTS[3], None) is state


def test_an_update_leaves_the_earlier_state_as_it_was():
    before = QuestPlus.for_2afc(CONTRASTS).start()
    flat = before.posterior.copy()
    after = before.update(CONTRASTS[0], 1)
    np.testing.assert_array_equal(before.posterior, flat)
    with pytest.raises(ValueError, match="read-only"):
        after.posterior[0] = 1


def test_a_logged_contrast_that_was_rounded_on_its_way_is_found_in_the_grid():
    state = QuestPlus.for_2afc(CONTRASTS).start()
    logged = float(f"{CONTRASTS[5]:.12g}")
    exact, rounded = (state.update(c, 1).posterior for c in (CONTRASTS[5], logged))
    np.testing.assert_array_equal(exact, rounded)


def test_among_equally_informative_stimuli_the_first_is_chosen():
    grid = {"mean": (-2.0, 2.0), "sd": (1.0,)}
    saturated = (300.0, 200.0, 100.0)  # response 1 is certain to all of them
    assert QuestPlus(saturated, grid, "normal-cdf").start().next() == 300.0


def test_the_2afc_function_is_75_percent_at_threshold_and_limited_by_lapses():
    f = FUNCTIONS["dprime-2afc"]
    assert f(0.2, 0.2) == pytest.approx(0.75)
    assert f(0.0, 0.2, lapse=0.03) == 0.5
    assert f(1e3, 0.2, lapse=0.03) == pytest.approx(0.97)
    dprime = np.sqrt(2) * ndtri(f(np.array([0.1, 0.2, 0.4]), 0.2))
    np.testing.assert_allclose(dprime / dprime[0], [1, 2, 4])  # a linear observer


def test_the_weibull_function_has_its_published_landmarks():
    f = FUNCTIONS["weibull-db"]
    assert f(-20, -20, 3.5, 0.5, 0.02) == pytest.approx(0.98 - 0.48 / np.e)
    assert f(-400, -20, 3.5, 0.5, 0.02) == pytest.approx(0.5)
    assert f(40, -20, 3.5, 0.5, 0.02) == pytest.approx(0.98)


def test_an_unknown_function_is_refused_with_the_nearest_name():
    with pytest.raises(LookupError, match="'weibul-db'; did you mean 'weibull-db'"):
        QuestPlus(DECIBELS, {"threshold": DECIBELS}, "weibul-db")


def test_a_parameter_of_another_function_is_refused():
    with pytest.raises(ValueError, match="must be those of normal-cdf, got threshold"):
        QuestPlus(DECIBELS, {"threshold": DECIBELS}, "normal-cdf")


@pytest.mark.parametrize("stimuli", [(), (1.0, 1.0)])
def test_an_empty_or_repeated_grid_is_refused(stimuli):
    with pytest.raises(ValueError, match="stimuli must be distinct values"):
        QuestPlus(stimuli, {"mean": (0.0,), "sd": (1.0,)}, "normal-cdf")


def test_a_function_that_leaves_0_to_1_is_refused():
    with pytest.raises(ValueError, match=r"must stay in \[0, 1\] over the whole grid"):
        QuestPlus((1.0,), {"mean": (0.0,), "sd": (1.0,), "lapse": (1.5,)}, "normal-cdf")


def test_a_stimulus_outside_the_grid_is_refused():
    with pytest.raises(ValueError, match=r"stimulus must be one of the grid, got 0\.5"):
        QuestPlus.for_2afc((0.1, 0.2)).start().update(0.5, 1)


def test_a_response_that_is_none_of_0_1_none_is_refused():
    with pytest.raises(ValueError, match="response must be 0, 1 or None, got 2"):
        QuestPlus.for_2afc((0.1, 0.2)).start().update(0.1, 2)


def test_a_response_that_no_observer_of_the_grid_gives_is_refused():
    certain = QuestPlus((100.0,), {"mean": (0.0,), "sd": (1.0,)}, "normal-cdf").start()
    with pytest.raises(ValueError, match="must be possible for some observer"):
        certain.update(100.0, 0)

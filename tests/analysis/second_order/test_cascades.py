"""Cascades are named where the choices tell them, and only there."""

import json

import numpy as np
import pytest

from tests.analysis.coverage import cascades as table
from tests.analysis.coverage.study import key, results
from tests.analysis.observers.cascades import CASCADES, SD, Cascade, cascade_trials
from tests.analysis.observers.designs import yes_no_design
from tests.analysis.written_out import first_order_vector, second_order_matrices
from yoked.analysis.second_order.cascade_families import Clues, families
from yoked.analysis.second_order.cascade_fits import Choices, residual_matrices
from yoked.analysis.second_order.cascades import (
    EITHER,
    MEANINGS,
    signature,
)
from yoked.analysis.second_order.features import features
from yoked.analysis.second_order.replicates import noise_sd
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.estimate import CannotTell

N = 3000


def alternatives(name):
    pattern = Cascade(name).pattern
    return np.stack([0 * pattern, pattern])


def named(name, n=N, seed=5, **options):
    return signature(cascade_trials(name, n, seed, **options), alternatives(name))


def simulated(seed=1, **cell):
    """Return the signature of a session of the coverage study's observers."""
    given = {
        "width": 1.2,
        "exponent": 2.0,
        "gamma": 0.5,
        "task": "2afc",
        "trials": N,
        **cell,
    }
    trials, signal = table.design(given, np.random.default_rng(seed))
    return signature(trials, signal)


@pytest.mark.parametrize("name", CASCADES)
def test_each_cascade_is_named_in_3000_trials_of_2afc(name):
    found = named(name)
    assert found.verdict == name
    assert next(iter(found.cascades)) == name
    assert found.cascades[name].behind == 0
    assert found.adequacy > 0.05


@pytest.mark.parametrize("name", ["linear", "LN", "MAX", "energy"])
def test_cascades_are_named_in_yes_no_too(name):
    # A curve is told from none later: there is one field to each response.
    n = 6000 if name == "linear" else N
    assert named(name, n, seed=3, task="yes_no").verdict == name


def test_ln_at_three_contrasts_is_ln():
    found = simulated(observer="LN", contrasts=3, lapses=0.05)
    assert found.verdict == "LN"
    assert found.cascades["LN"].lapse_rate == pytest.approx(0.05, abs=0.03)


def test_lapses_of_a_linear_observer_do_not_make_it_a_saturating_one():
    found = simulated(observer="linear", lapses=0.1, seed=2)
    assert found.verdict == "linear"
    assert found.cascades["linear"].lapse_rate == pytest.approx(0.1, abs=0.04)


def test_a_monotone_nonlinearity_after_the_noise_is_called_linear_and_says_so():
    rng = np.random.default_rng(4)
    weights = table.bump(1.2)
    noise, target = rng.normal(size=(2, N, 13)), np.arange(N) % 2
    signal = np.stack([0 * table.SPOT, 1.6 * table.SPOT])
    drive = (noise + signal[::-1, None]) @ weights + 0.5 * rng.normal(size=(2, N))
    bent = np.tanh(drive)
    correct = bent[0] > bent[1]
    assert np.array_equal(correct, drive[0] > drive[1])
    sign = np.where(target == 1, 1, -1)[:, None]
    trials = TrialDesign(
        response=correct == (target == 1),
        target=target,
        cell=target,
        contrast=np.ones(N),
        cluster=np.arange(N),
        stratum=target,
        halves=np.stack([sign * noise[0], -sign * noise[1]]).astype(np.float32),
        shape=(1, 1, 13),
        is_forced_choice=True,
    )
    found = signature(trials, signal)
    assert found.verdict == "linear"
    assert found.meaning == MEANINGS["linear"]
    assert 0 < found.largest_nonlinear_share < 0.03
    assert "up to" in found.short()


def test_with_one_element_ln_and_hammerstein_are_one():
    assert simulated(observer="LN one element", width=0).verdict == EITHER


@pytest.mark.parametrize(
    "observer", ["two half-squares", "MAX over 5", "rectified, summed, squared"]
)
def test_what_is_outside_the_families_is_none_of_them(observer):
    found = simulated(observer=observer)
    assert found.verdict == "none"
    assert found.adequacy <= 0.05
    assert found.margin > 3
    best = next(iter(found.cascades))
    assert f"the one that fits best, {best}, misses" in found.meaning


@pytest.mark.parametrize(
    ("name", "n", "seed", "meaning"),
    [
        (
            "squared elements",
            600,
            3,
            "only Hammerstein, which contains it, scores less than 3 lower",
        ),
        ("LN", 1000, 3, "every other cascade scores more than 3 lower"),
    ],
)
def test_a_name_says_which_other_cascade_is_near(name, n, seed, meaning):
    found = named(name, n, seed)
    assert (found.verdict, found.meaning) == (name, meaning)
    assert (found.margin < 3) == meaning.startswith("only")


def test_what_is_undecided_says_for_which_reason():
    bent = named("linear", 400, seed=3)
    assert bent.verdict == "undecided"
    assert bent.meaning == (
        "linear fits best, but a non-linearity of up to "
        f"{100 * bent.largest_nonlinear_share:.2g} % of its variance is not ruled out"
    )
    many = named("gain control", 200, seed=4)
    near = [name for name, one in many.cascades.items() if one.behind < 3]
    assert many.verdict == "undecided"
    listed = f"{', '.join(near[:-1])} and {near[-1]}"
    assert many.meaning == f"more than one cascade may be this observer: {listed}"


def test_few_trials_decide_little_and_never_that_an_observer_is_linear():
    for name in ("linear", "LN", "gain control"):
        found = named(name, 200, seed=3)
        assert found.verdict != "linear"
        assert found.verdict in {"undecided", "none", name}


def test_a_criterion_that_drifts_leaves_an_ln_cascade_its_name():
    # A flexible curve has side tops where "yes" is rare: all starts go to the top.
    drifting = [
        simulated(seed, observer="LN", task="yes_no", bias=0.7, drift=1.0).verdict
        for seed in range(1, 7)
    ]
    assert drifting.count("LN") >= 5


def test_the_square_of_a_rectified_sum_is_no_hammerstein_cascade_in_yes_no():
    observer = {"observer": "rectified, summed, squared", "width": 1.8, "gamma": 0.7}
    found = [simulated(s, **observer, task="yes_no").verdict for s in range(1, 6)]
    assert found.count("none") >= 4


def test_what_both_showings_have_in_common_beyond_the_cascade_is_told():
    rng = np.random.default_rng(1)
    noise, target = rng.normal(size=(1500, 6)), np.arange(1500) % 2
    alike = rng.normal(size=1500)  # of the stimulus, but of no element
    shown = np.tile(np.arange(1500), 2)
    drive = (noise[:, 2] + 1.5 * target + alike)[shown] + 0.5 * rng.normal(size=3000)
    trials = yes_no_design(noise[shown], drive > 0.7, target[shown], cluster=shown)
    signal = np.stack([np.zeros(6), 1.5 * (np.arange(6) == 2)])
    assert "agree more than the best cascade says" in signature(trials, signal).note
    assert named("LN", n_pairs=1000).note is None


@pytest.mark.parametrize("index", range(10))
def test_derivatives_of_every_family_are_those_of_differences(index):
    rng = np.random.default_rng(1)
    family, x = families((1, 1, 9))[index], rng.normal(size=(40, 9))
    clues = Clues(
        template=rng.normal(size=9),
        residual=np.cov(rng.normal(size=(9, 30))),
        signal=np.eye(9)[4],
        scaled=lambda columns: 0.5 + rng.random(columns.shape[1]),
    )
    for theta in family.starts(x, clues):
        slopes = family.response(x, theta)[1]
        assert len(theta) >= family.n_parameters(9)
        for k in range(len(theta)):
            step = 1e-5 * np.eye(len(theta))[k]
            up, down = (family.response(x, theta + s)[0] for s in (step, -step))
            assert slopes[:, k] == pytest.approx((up - down) / 2e-5, abs=1e-6)


def test_a_field_of_two_dimensions_has_taps_along_both():
    ring, edged = families((2, 4, 5))[7:9]
    assert ring.places.shape == (40, 1 * 3 * 3)
    assert ring.places.max() == 39
    assert edged.places.max() == 40  # outside


def test_the_residual_matrix_is_a_sum_of_products_of_the_noise():
    trials = cascade_trials("LN", 50, seed=1)
    choices = Choices.of(trials, alternatives("LN"), SD)
    residual = np.random.default_rng(1).normal(size=(2, 50))
    target, other = trials.shown.astype(float) / SD
    signed = residual[1] * trials.sign
    expected = np.einsum("t,ti,tj->ij", signed, target, target)
    expected -= np.einsum("t,ti,tj->ij", signed, other, other)
    assert residual_matrices(choices, residual)[1] == pytest.approx(expected)


def test_the_off_diagonal_part_tells_ln_from_hammerstein_without_a_fit():
    z = {}
    for name in ("linear", "LN", "Hammerstein", "squared elements"):
        found = features(cascade_trials(name, N, seed=1))
        z[name] = {k: one.value / one.se for k, one in found.items()}
    assert z["LN"]["off_diagonal"] > 4
    assert z["Hammerstein"]["off_diagonal"] < 0
    assert abs(z["squared elements"]["off_diagonal"]) < 3
    assert z["squared elements"]["trace"] > 8
    assert all(abs(value) < 3 for value in z["linear"].values())


def test_the_marks_are_those_of_the_kernels_written_out():
    trials = cascade_trials("LN", 1000, seed=1)
    kernel = second_order_matrices(trials).sum(0) / noise_sd(trials) ** 2
    found = features(trials)
    assert found["trace"].value == pytest.approx(np.trace(kernel))
    first = first_order_vector(trials)
    unit = first / np.linalg.norm(first)
    # The kernel of half the fields is noisier than the whole one.
    along = unit @ kernel @ unit
    assert found["along_kernel"].value == pytest.approx(along, rel=0.25)
    assert found["off_diagonal"].value < found["along_kernel"].value


def test_the_share_of_second_order_is_most_of_squared_elements():
    def share(name):
        return features(cascade_trials(name, 5000, seed=1))["second_order_share"]

    # What the signal drags into the first order is not of the second.
    assert share("squared elements").low > 0.5
    assert share("linear").high < 0.02


def test_a_signature_can_be_written_as_json():
    found = named("linear", 1000)
    row = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert row["formula"] == "cascade-likelihood/1"
    assert set(row["cascades"]) == set(CASCADES)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"signal": np.zeros((2, 12))}, CannotTell, "signal must be known, and not"),
        ({"signal": np.ones((2, 5))}, ValueError, "each of the 12 elements .*, got 5"),
        ({"n_sets": 10}, ValueError, "n_sets must be >= 19 for a test at 5 %, got 10"),
        ({"n": 100}, CannotTell, "trials must be 10 or more for each of 12 elements"),
        ({"all": True}, CannotTell, "responses must be given in both kinds"),
    ],
)
def test_what_cannot_be_told_is_refused(change, error, match):
    trials = cascade_trials("LN", change.get("n", 500), seed=1)
    if "all" in change:
        trials = TrialDesign(**{**vars(trials), "response": trials.response | True})
    with pytest.raises(error, match=match):
        signature(
            trials,
            change.get("signal", alternatives("LN")),
            n_sets=change.get("n_sets", 19),
        )


def test_a_field_of_many_elements_is_refused_with_what_to_do():
    rng = np.random.default_rng(1)
    trials = yes_no_design(
        rng.normal(size=(40, 200)), rng.random(40) < 0.5, np.arange(40) % 2
    )
    with pytest.raises(CannotTell, match=r"at most 128 .*, got 200; show coarser"):
        signature(trials, np.stack([np.zeros(200), np.ones(200)]))


def test_the_study_has_every_cell_and_a_session_gives_what_its_columns_need():
    found = table.session(table.CELLS[8], np.random.default_rng(1))
    assert {column.quantity for column in table.NAMING.columns} <= set(found)
    assert {key(cell) for cell in table.CELLS} == set(results(table.NAMING))


@pytest.mark.parametrize("observer", table.OBSERVERS)
def test_the_observers_of_the_study_are_three_quarters_correct(observer):
    (cell, *_) = [cell for cell in table.CELLS if cell["observer"] == observer]
    given = {**cell, "task": "2afc", "trials": 4000, "lapses": 0}
    trials, _ = table.design(given, np.random.default_rng(1))
    correct = np.mean(trials.response == (trials.target == 1))
    assert correct == pytest.approx(0.75, abs=0.03)

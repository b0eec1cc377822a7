"""Tests of a kernel: exact where there is none, and they find the one that is there."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from tests.analysis.observers.designs import (
    gabor_template,
    linear_design,
    reshaped,
    yes_no_design,
)
from tests.analysis.observers.linear import Linear, run, session, unit
from yoked.analysis.kernels.hotelling import (
    hotelling_comparison,
    hotelling_test,
    low_frequencies,
)
from yoked.analysis.kernels.significance import kernel_test
from yoked.analysis.trials.estimate import CannotTell
from yoked.analysis.trials.result import short

TEMPLATE = unit(np.exp(-((np.arange(20) - 9.5) ** 2) / 8))


def deaf(seed, n_pairs=0, n=160, p=5):
    """Return trials of an observer that ignores the noise and repeats itself."""
    rng = np.random.default_rng(seed)
    field = np.concatenate([np.arange(n - n_pairs), np.arange(n_pairs)])
    noise, target = rng.normal(size=(n - n_pairs, p))[field], field % 2
    taste = rng.random(n - n_pairs)[field]
    yes = taste + 0.1 * rng.random(n) < 0.4 + 0.3 * target
    return yes_no_design(noise, yes, target, cluster=field)


@pytest.mark.parametrize("n_pairs", [0, 60])
def test_p_is_uniform_without_a_kernel(n_pairs):
    found = []
    for seed in range(250):
        test = kernel_test(deaf(seed, n_pairs), 99, seed, threshold=1.0)
        clusters = [cluster.p for cluster in test.clusters]
        found.append((test.p.min(), test.p_any, min(clusters, default=1.0)))
    largest, anything, cluster = np.transpose(found)
    for p in (largest, anything):
        assert kstest(p, "uniform").pvalue > 0.01
    # Where there is no cluster p is 1, so that it is uniform only below.
    for level in (0.05, 0.2):
        assert np.mean(cluster <= level) == pytest.approx(level, abs=0.05)


def test_without_regard_to_repeats_p_would_be_too_small():
    p = []
    for seed in range(150):
        trials = deaf(seed, n_pairs=80)
        alone = type(trials)(**{**vars(trials), "cluster": np.arange(160)})
        p.append(kernel_test(alone, 99, seed).p_any)
    assert np.mean(np.array(p) <= 0.05) > 0.1


def test_chi_squared_agrees_with_the_permutations_in_white_noise():
    tests = [kernel_test(deaf(seed, 50), 400, seed) for seed in range(12)]
    apart = [test.p_any - test.p_chi2 for test in tests]
    assert np.abs(apart).max() < 0.1


def test_the_largest_cluster_is_where_the_template_is():
    observer = Linear(gabor_template(), gamma=1.0)
    trials = linear_design(observer, "2afc", 1500, seed=1, shape=(1, 16, 16))
    test = kernel_test(trials, 200)
    strongest = test.clusters[0]
    assert strongest.p == pytest.approx(1 / 201)
    places = np.ravel_multi_index(strongest.members.T, (1, 16, 16))
    signs = np.sign(observer.template[places])
    assert abs(signs.sum()) == len(places) >= 4
    assert np.sign(strongest.mass) == signs[0]
    assert abs(strongest.mass) == pytest.approx(np.abs(test.z.ravel()[places]).sum())
    assert np.all(np.diff([abs(cluster.mass) for cluster in test.clusters]) <= 0)


def test_clusters_of_both_signs_stay_apart():
    template = unit([1, 1, -1, -1, 0, 0, 0, 0])
    trials = linear_design(Linear(template, gamma=0.5), "yes_no", 1500, seed=2)
    members = [
        cluster.members[:, 2].tolist() for cluster in kernel_test(trials).clusters
    ]
    assert sorted(members[:2]) == [[0, 1], [2, 3]]


def test_elements_are_neighbours_along_frames_rows_and_columns():
    template = np.zeros((3, 3, 3))
    template[1, 1, 1] = template[0, 1, 1] = template[1, 0, 1] = template[1, 1, 0] = 1
    observer = Linear(unit(template.ravel()), gamma=0.0)
    trials = linear_design(observer, "2afc", 2000, seed=3)
    cube = kernel_test(reshaped(trials, (3, 3, 3)), 50)
    assert len(cube.clusters[0].members) == 4
    line = kernel_test(reshaped(trials, (1, 1, 27)), 50)
    assert len(line.clusters[0].members) < 4


def test_a_known_observer_is_found_about_as_often_as_it_should_be():
    observer = Linear(TEMPLATE, gamma=1.35)
    p = [
        kernel_test(linear_design(observer, "2afc", 150, seed), 99, seed)
        for seed in range(20)
    ]
    # The sum of squares has 20 df and a non-centrality of 28 (its power is .98).
    assert np.mean([test.p_any <= 0.05 for test in p]) > 0.85
    assert np.mean([test.clusters[0].p <= 0.05 for test in p if test.clusters]) > 0.6


def test_drift_between_blocks_is_not_a_kernel():
    rng = np.random.default_rng(4)
    p = []
    for seed in range(100):
        block = np.arange(200) // 50
        rate = np.array([0.2, 0.4, 0.6, 0.8])[block]
        noise = rng.normal(size=(200, 4)) + block[:, None]
        target = np.arange(200) % 2
        trials = yes_no_design(noise, rng.random(200) < rate, target)
        kept = type(trials)(**{**vars(trials), "stratum": 2 * block + target})
        p.append(kernel_test(kept, 99, seed).p_any)
    assert kstest(p, "uniform").pvalue > 0.01


def test_a_thousand_permutations_take_a_second_or_two():
    trials = linear_design(
        Linear(gabor_template(), gamma=1.0), "2afc", 1000, 5, shape=(1, 16, 16)
    )
    began = time.process_time()
    kernel_test(trials, 1000)
    assert time.process_time() - began < 4  # half a second without the checks of types


@given(st.integers(0, 1000))
def test_the_same_seed_gives_the_same_p(seed):
    trials = deaf(seed, n_pairs=20, n=60)
    one, again = (kernel_test(trials, 20, seed) for _ in range(2))
    np.testing.assert_array_equal(one.p, again.p)
    assert one.p.min() >= 1 / 21


def test_swapped_responses_swap_the_sign_of_z_alone():
    trials = deaf(1, n_pairs=40)
    one, other = (
        kernel_test(t, 50) for t in (trials, replace(trials, response=~trials.response))
    )
    np.testing.assert_allclose(one.z, -other.z, atol=1e-9)
    np.testing.assert_allclose(one.p, other.p)


def test_a_session_is_tested_and_written_down():
    table, source = run(Linear(unit(np.eye(13)[6])), "2afc", 300, 0.13, seed=6)
    test = kernel_test(session(table, source), 99)
    assert test.p.shape == (1, 1, 13)
    assert int(test.p.argmin()) == 6
    shown = json.loads(json.dumps(test.to_dict()))
    assert shown["clusters"][0]["members"] == [[0, 0, 6]]


def test_impossible_tests_are_refused():
    trials = deaf(1)
    with pytest.raises(ValueError, match="n_permutations must be >= 1, got 0"):
        kernel_test(trials, 0)
    with pytest.raises(ValueError, match="threshold must be > 0, got -1"):
        kernel_test(trials, 10, threshold=-1.0)
    still = trials.halves.copy()
    still[:, :, 0] = 0
    mute = type(trials)(**{**vars(trials), "halves": still})
    with pytest.raises(ValueError, match="noise must vary in every element, got 1 "):
        kernel_test(mute, 10)


@pytest.mark.parametrize("n_pairs", [0, 60])
def test_hotelling_is_uniform_without_a_kernel(n_pairs):
    p = [hotelling_test(deaf(seed, n_pairs), np.eye(5)).p for seed in range(300)]
    assert kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize("task", ["yes_no", "2afc"])
def test_hotelling_accepts_the_true_kernel_and_no_other(task):
    observer = Linear(TEMPLATE, gamma=1.0)
    basis = np.stack([TEMPLATE, unit(np.eye(20)[3]), unit(np.eye(20)[15])], axis=1)
    true, p, wrong = TEMPLATE / np.sqrt(2), [], []
    for seed in range(150):
        trials = linear_design(observer, task, 500, seed)
        p.append(hotelling_test(trials, basis, true).p)
        wrong.append(hotelling_test(trials, basis, 0.5 * true).p)
    assert kstest(p, "uniform").pvalue > 0.001
    assert np.mean(np.array(p) < 0.05) < 0.09
    assert np.mean(np.array(wrong) < 0.05) > 0.9


def test_hotelling_tells_two_observers_apart_and_one_from_itself():
    other = Linear(np.roll(TEMPLATE, 3), gamma=1.0)
    basis = low_frequencies((1, 1, 20), 6)
    same, different = [], []
    for seed in range(150):
        ours = linear_design(Linear(TEMPLATE, gamma=1.0), "2afc", 400, seed)
        again = linear_design(Linear(TEMPLATE, gamma=1.0), "yes_no", 700, 500 + seed)
        theirs = linear_design(other, "2afc", 400, 900 + seed)
        same.append(hotelling_comparison(ours, again, basis).p)
        different.append(hotelling_comparison(ours, theirs, basis).p)
    assert kstest(same, "uniform").pvalue > 0.01
    assert np.mean(np.array(different) < 0.05) > 0.9


def still(n_different):
    """Return trials that show a few noise fields again and again, unmarked as such."""
    trials = deaf(1)
    shown = np.random.default_rng(4).normal(0.3, 1, (n_different, 5)).astype("f4")
    noise = shown[np.random.default_rng(5).integers(n_different, size=len(trials))]
    return yes_no_design(noise, trials.response, trials.target)


def test_identical_noise_fields_have_no_t_squared_rather_than_a_negative_one():
    for statistic in (hotelling_test, kernel_test):
        with pytest.raises(CannotTell, match="noise must vary"):
            statistic(still(1))


def test_fewer_noise_fields_than_dimensions_have_no_t_squared():
    with pytest.raises(CannotTell, match="fill the basis' 5 dimensions, got"):
        hotelling_test(still(3), np.eye(5))
    assert hotelling_test(still(40), np.eye(5)).t_squared > 0


def test_blocks_of_one_trial_have_nothing_to_permute():
    trials = replace(deaf(1), stratum=np.arange(160))
    with pytest.raises(CannotTell, match="within a stimulus class of some block"):
        kernel_test(trials, n_permutations=19)


def test_passes_that_cancel_have_no_kernel():
    trials = deaf(1, n_pairs=80)
    reversed_passes = replace(
        trials, response=np.append(trials.response[:80], ~trials.response[:80])
    )
    with pytest.raises(CannotTell, match="two showings of a noise field must not"):
        kernel_test(reversed_passes, n_permutations=19)


def test_a_p_that_no_permutation_reached_is_said_to_be_the_floor():
    trials = linear_design(Linear(TEMPLATE, gamma=0.5), "2afc", 400, seed=1)
    found = kernel_test(trials, n_permutations=99)
    assert found.p_any == 0.01
    rows = {row["quantity"]: row["value"] for row in found.table()}
    assert rows["p_any"] == "0.01, the floor of 99 permutations"
    assert rows["p_chi2"] == short(found.p_chi2)


def test_hotelling_does_not_depend_on_the_units_of_the_basis():
    trials, basis = deaf(2, 30), np.random.default_rng(1).normal(size=(5, 3))
    mix = np.array([[2.0, 1, 0], [0, 1, 0], [1, 0, 3]])
    one, other = (hotelling_test(trials, b).t_squared for b in (basis, basis @ mix))
    assert one == pytest.approx(other, rel=1e-4)


def test_low_frequencies_are_orthonormal_and_begin_with_the_mean():
    basis = low_frequencies((3, 1, 7), 5)
    np.testing.assert_allclose(basis.T @ basis, np.eye(5), atol=1e-10)
    assert np.ptp(basis[:, 0]) == pytest.approx(0)


def test_hotelling_refuses_what_does_not_fit():
    trials = deaf(3)
    with pytest.raises(ValueError, match="rows of the basis must be 5, one for each"):
        hotelling_test(trials, np.eye(4))
    with pytest.raises(ValueError, match=r"hypothesis must be a value .*, got \(3,\)"):
        hotelling_test(trials, hypothesis=np.zeros(3))
    with pytest.raises(ValueError, match="noise fields must have one shape"):
        hotelling_comparison(trials, reshaped(trials, (5, 1, 1)))
    few = trials.where(np.arange(6))
    with pytest.raises(ValueError, match=r"columns .* fewer than the 6 noise fields"):
        hotelling_test(few, np.eye(5))

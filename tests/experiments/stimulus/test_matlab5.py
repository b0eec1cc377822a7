"""MATLAB 5's generators: printed digits, two forms that agree, the noise they made."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yoked.experiments.stimulus.matlab5 import murray_noise, rand, randn

BACKENDS = ["numba", "numpy"]
ANY_SEED = st.integers(min_value=0, max_value=2**32 - 1)
SEEDS = st.lists(ANY_SEED, min_size=1, max_size=5).map(np.array)

# The sequences that MATLAB 5 manuals and textbooks print.
UNIFORM = {
    0: "0.95012929 0.23113851 0.60684258 0.48598247 0.89129897 0.76209683 0.45646767 "
    "0.01850364",
    1: "0.95278 0.70406 0.95388 0.59816 0.84074 0.44282",
}
NORMAL = {
    0: "-0.4326 -1.6656 0.1253 0.2877 -1.1465 1.1909 1.1892 -0.0376 0.3273 0.1746 "
    "-0.1867 0.7258 -0.5883 2.1832",
    1: "0.8644 0.0942 -0.8519 0.8735 -0.4380",
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_rand_gives_the_digits_that_matlab_printed(seed, backend):
    printed = UNIFORM[seed].split()
    digits = len(printed[0]) - len("0.")
    drawn = rand(np.array([seed]), len(printed), backend)[0]
    assert [f"{u:.{digits}f}" for u in drawn] == printed


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_randn_gives_the_digits_that_matlab_printed(seed, backend):
    printed = NORMAL[seed].split()
    drawn = randn(np.array([seed]), len(printed), backend)[0]
    assert [f"{z:.4f}" for z in drawn] == printed


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.integers(min_value=0, max_value=200))
def test_compiled_and_reference_rand_are_equal_bit_for_bit(seeds, n):
    np.testing.assert_array_equal(rand(seeds, n), rand(seeds, n, "numpy"))


def test_compiled_and_reference_randn_are_equal_into_the_tail():
    seeds = np.random.default_rng(1).integers(0, 2**32, 20)
    compiled, reference = randn(seeds, 2000), randn(seeds, 2000, "numpy")
    assert np.abs(reference).max() > 2.777  # beyond the last strip
    np.testing.assert_allclose(compiled, reference, rtol=1e-13, atol=0)


def test_randn_is_standard_normal():
    from scipy.stats import kstest

    drawn = randn(np.arange(50), 2000).ravel()
    assert kstest(drawn, "norm").pvalue > 0.01


@settings(deadline=None, max_examples=25)
@given(SEEDS)
def test_a_seed_alone_equals_it_among_others(seeds):
    together = rand(seeds, 40)
    alone = [rand(seeds[i : i + 1], 40)[0] for i in range(len(seeds))]
    np.testing.assert_array_equal(together, alone)


def test_a_longer_draw_starts_with_the_shorter_one():
    seeds = np.array([5, 6])
    np.testing.assert_array_equal(rand(seeds, 100)[:, :33], rand(seeds, 33))
    np.testing.assert_array_equal(randn(seeds, 100)[:, :33], randn(seeds, 33))


@pytest.mark.parametrize("draw", [rand, randn])
@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(draw, seed):
    with pytest.raises(ValueError, match=rf"must be in \[0, 2\^32\), got {seed}"):
        draw(np.array([3, seed]), 4)


def test_the_target_intervals_noise_is_drawn_first_and_down_the_columns():
    from scipy.stats import truncnorm

    seeds, targets = np.array([41402990, 5793494]), np.array([0, 1])
    draws = rand(seeds, 2 * 961)
    for trial, target in enumerate(targets):
        for interval in (0, 1):
            field = murray_noise(seeds, targets, interval)[trial, 0]
            first = 0 if interval == target else 961
            expected = truncnorm(-2, 2, scale=0.25).ppf(draws[trial, first:][:961])
            np.testing.assert_allclose(
                field, expected.reshape(31, 31, order="F"), atol=1e-12
            )


def test_the_noise_is_a_gaussian_cut_at_two_sd():
    seeds = np.arange(1, 401)
    noise = murray_noise(seeds, seeds % 2, 0)
    assert noise.shape == (400, 1, 31, 31)
    assert np.abs(noise).max() <= 0.5
    assert noise.std() == pytest.approx(0.25 * 0.8796, rel=0.005)  # truncnorm(-2, 2)
    assert noise.mean() == pytest.approx(0, abs=0.002)


def test_movie_frames_come_one_after_the_other():
    seeds, targets = np.array([3]), np.array([0])
    movie = murray_noise(seeds, targets, 0, grid=(2, 3, 4))
    still = murray_noise(seeds, targets, 0, grid=(1, 3, 4))
    assert movie.shape == (1, 2, 3, 4)
    np.testing.assert_array_equal(movie[:, :1], still)


def test_noise_of_a_third_interval_is_refused():
    with pytest.raises(ValueError, match="interval must be 0 or 1, got 2"):
        murray_noise(np.array([1]), np.array([0]), 2)


def test_noise_for_a_target_that_is_no_interval_is_refused():
    with pytest.raises(ValueError, match=r"targets must be 0 or 1 .*, got 2"):
        murray_noise(np.array([1]), np.array([2]), 0)

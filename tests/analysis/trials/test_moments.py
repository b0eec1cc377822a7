"""Moments: sums by class as they are defined, whatever the chunks and number types."""

import numpy as np
import pytest

from yoked.analysis.trials.moments import moments
from yoked.analysis.trials.moments_numba import element_sums
from yoked.analysis.trials.responses import Responses
from yoked.experiments.stimulus.sources import StoredNoise

from ..observers.linear import Linear, run, unit

OBSERVER = Linear(unit([0, 1, 2, 1, 0.5, 1, 0]))


def made(task, n_alternatives=2, n_pairs=80, n=600):
    table, source = run(
        OBSERVER, task, n, 0.15, 5, n_pairs, n_alternatives=n_alternatives
    )
    levels = StoredNoise(np.rint(127 * source.fields).astype(np.int8))
    responses = Responses.from_table(table, task, n_alternatives)
    label = 2 * responses.target + responses.correct
    label[responses.target == 1] %= 2  # some classes of two targets
    label[::50] = np.where(responses.first[::50] < 0, label[::50], -1)
    return responses, levels, label


def written_out(responses, source, label, n_labels):
    """Sum the channels of every trial by class: pairs count in both showings."""
    n = responses.n_alternatives if responses.is_forced_choice else 1
    fields = np.stack(
        [
            source.field(responses.table, k).reshape(len(responses), -1)
            for k in range(n)
        ],
        1,
    )
    fields = fields / 127
    if n > 1:
        rows = np.arange(len(responses))
        target = fields[rows, responses.target]
        others = (fields.sum(1) - target) / (n - 1)
        fields = np.stack([target, others, target - others], axis=1)
    member = np.equal.outer(np.arange(n_labels), label).astype(float)
    total = np.tensordot(member, fields, 1)
    return fields, total, np.tensordot(member, fields**2, 1)


TASKS = [("yes_no", 2), ("2afc", 2), ("mafc", 3), ("mafc", 5)]


@pytest.mark.parametrize(("task", "m"), TASKS)
@pytest.mark.parametrize("chunk", [None, 35, 900])
def test_sums_of_levels_are_those_of_the_trials(task, m, chunk):
    responses, source, label = made(task, m)
    n_labels = int(label.max()) + 1
    sums = moments(responses, source, label, n_labels, chunk_elements=chunk)
    _, total, squares = written_out(responses, source, label, n_labels)
    by_class = np.tensordot(sums.times.T, sums.total, 1)
    np.testing.assert_allclose(by_class, total, rtol=1e-12, atol=1e-12)
    by_class = np.tensordot(sums.times.T, sums.squares, 1)
    np.testing.assert_allclose(by_class, squares, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(
        sums.n @ sums.times, np.bincount(label[label >= 0], minlength=n_labels)
    )
    assert sums.shape == (1, 1, 7)


@pytest.mark.parametrize(("task", "m"), TASKS)
@pytest.mark.parametrize("chunk", [None, 35, 900])
def test_products_count_each_field_with_its_factor(task, m, chunk):
    responses, source, label = made(task, m)
    n_labels = int(label.max()) + 1
    factors = np.random.default_rng(1).normal(size=(2, n_labels))
    factors[0, 1] = 0  # a class that a half does not count
    sums = moments(responses, source, label, n_labels, factors, chunk)
    fields, *_ = written_out(responses, source, label, n_labels)
    for half, found in enumerate(sums.products):
        x = fields[:, min(half, fields.shape[1] - 1)]
        weight = np.where(label >= 0, factors[half, label], 0)
        expected = (weight[:, None] * x).T @ x
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("task", "m"), TASKS)
def test_floats_give_the_sums_of_the_levels_that_they_stand_for(task, m):
    responses, source, label = made(task, m)
    n_labels = int(label.max()) + 1
    contrast = StoredNoise(source.fields / 127)
    factors = np.random.default_rng(1).normal(size=(2, n_labels))
    whole, floats = (
        moments(responses, noise, label, n_labels, factors)
        for noise in (source, contrast)
    )
    for name in ("total", "squares", "products"):
        a, b = getattr(whole, name), getattr(floats, name)
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_wide_field_in_long_runs_is_multiplied_exactly():
    # Long runs of a class take the exact way, and strips make the matrix.
    rng = np.random.default_rng(1)
    fields = rng.integers(-127, 128, (1400, 2, 1, 20, 15)).astype(np.int8)
    table, _ = run(OBSERVER, "2afc", 1400, 0.1, 5)
    responses = Responses.from_table(table, "2afc", 2)
    label = responses.correct.astype(int)
    factors = np.array([[0.0, 1.0], [1.0, 0.0]])
    found = moments(responses, StoredNoise(fields), label, 2, factors).products
    rows, x = np.arange(1400), fields.reshape(1400, 2, -1).astype(np.int64)
    of_target, other = x[rows, responses.target], x[rows, 1 - responses.target]
    for half, shown, one in ((0, of_target, label == 1), (1, other, label == 0)):
        np.testing.assert_array_equal(
            np.rint(found[half] * 127**2), shown[one].T @ shown[one]
        )


def test_the_interval_with_the_target_is_asked_for_and_no_more_than_a_chunk():
    responses, source, label = made("2afc")
    asked = []

    class Watched:
        name = "stored"

        def field(self, table, interval):
            asked.append((len(table), interval, set(table["target"])))
            return source.field(table, interval)

    moments(responses, Watched(), label, 4, chunk_elements=14 * 20)
    assert max(n for n, _, _ in asked) == 20
    assert sum(n for n, _, _ in asked) == 2 * np.sum(responses.first < 0)
    assert all(len(targets) == 1 for _, _, targets in asked)


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda rng, n: rng.normal(0, 0.1, n), 0),
        (lambda rng, n: rng.uniform(-0.5, 0.5, n), -1.2),
        (lambda rng, n: rng.choice([-0.25, 0.25], n), -2),
    ],
)
def test_the_kurtosis_is_that_of_the_noise(draw, expected):
    table, _ = run(OBSERVER, "yes_no", 10_000, 0.1, 5)
    noise = draw(np.random.default_rng(1), (10_000, 1, 1, 1, 7))
    responses = Responses.from_table(table, "yes_no", 2)
    sums = moments(responses, StoredNoise(noise), responses.response, 2)
    assert sums.excess_kurtosis == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("largest", [127, 128 * 3])
@pytest.mark.parametrize("n", [0, 1, 9000])
def test_element_sums_are_exact_beyond_32_bits(largest, n):
    dtype = np.int8 if largest < 128 else np.int16
    x = np.full((n, 40), -largest, dtype)
    y = np.full((n, 40), largest, dtype)
    y[::2] = 1
    a, b = x.astype(np.int64), y.astype(np.int64)
    expected = [v.sum(0) for v in (a, a * a, b, b * b, a * b)]
    np.testing.assert_array_equal(element_sums(x, y, largest), expected)
    np.testing.assert_array_equal(element_sums(x, None, largest), expected[:2])

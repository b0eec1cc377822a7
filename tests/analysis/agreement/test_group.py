"""Groups: known means and spreads recovered, ceilings, and who is who."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yoked.analysis.agreement.group import (
    ObserverKernel,
    group,
    group_kernel,
)
from yoked.analysis.agreement.noise_ceiling import noise_ceiling
from yoked.analysis.agreement.random_effects import random_effects, random_effects_mean
from yoked.analysis.trials.estimate import Estimate

from ..observers.linear import Linear, run, session, unit

N = 13
BUMP = unit(np.exp(-((np.arange(N) - 6) ** 2) / 4))


def sessions_of(templates, n=600, gamma=1.0, per_observer=1, seed=1, signal=0.15):
    """Return sessions of observers, by name, with a template each."""
    made = []
    for number, (name, template) in enumerate(templates.items()):
        for k in range(per_observer):
            observer = Linear(template, gamma=gamma)
            own = seed + 100 * number + k
            table, source = run(observer, "2afc", n, signal, own)
            made.append(session(table, source, id=f"s{number}-{k}", observer=name))
    return made


def at_positions(*positions):
    """Return templates, each in an element of its own, of observers p1, p2, p10, ..."""
    return {f"p{i}": np.eye(N)[i] for i in positions}


@given(st.permutations([1, 2, 10, 11]), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_every_kernel_is_under_its_observers_name_in_any_order(order, seed):
    # rcicr wrote kernels under other participants' names where ids were not sorted,
    # as "p10" < "p2"; methods.md 6.7.
    made = sessions_of(at_positions(*order), n=300, gamma=0.5, seed=seed)
    found = group(made)
    assert list(found.observers) == sorted(found.observers)
    for i in order:
        own = found.kernel.of(f"p{i}")
        assert own.kernel.argmax() == i
        assert own.sessions == tuple(s.id for s in made if s.observer == f"p{i}")
    assert [one.observer for one in found.kernel.observers] == list(found.observers)


def test_the_mean_kernel_is_that_of_the_observers():
    rng = np.random.default_rng(2)
    templates = {f"o{i}": unit(BUMP + 0.15 * rng.normal(size=N)) for i in range(8)}
    found = group(sessions_of(templates, n=2000)).kernel
    expected = np.mean(list(templates.values()), axis=0) / math.sqrt(2)
    error = (found.kernel.ravel() - expected) / found.se.ravel()
    assert np.abs(error).max() < 4
    spread = np.std([t / math.sqrt(2) for t in templates.values()], axis=0, ddof=1)
    assert found.between_sd.mean() == pytest.approx(spread.mean(), rel=0.3)


def test_sessions_of_one_observer_are_one_kernel():
    made = sessions_of({"ann": BUMP, "bob": BUMP}, n=1500, per_observer=3)
    found = group(made)
    ann = found.kernel.of("ann")
    assert (ann.sessions, ann.n_trials) == (("s0-0", "s0-1", "s0-2"), 4500)
    alone = group([made[0], *made[3:]]).kernel.of("ann")
    assert ann.se == pytest.approx(alone.se / math.sqrt(3), rel=0.05)
    error = (ann.kernel.ravel() - BUMP / math.sqrt(2)) / ann.se
    assert np.abs(error).max() < 4
    assert found.n_sessions == (3, 3)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_group_is_a_frame_by_observer_and_a_table_of_one_row():
    found = group(sessions_of({"ann": BUMP, "bob": BUMP}))
    frame = found.to_frame()
    dprime = frame[frame["quantity"] == "dprime"].set_index("observer")["value"]
    assert dprime["ann"] == found.dprime_by_observer[0].value
    assert dprime[dprime.index.isna()].tolist() == [found.dprime.value]
    of_group = {"dprime", "error_consistency", "lower_ceiling", "upper_ceiling"}
    assert set(frame["quantity"][:4]) == of_group
    (row,) = found.table()
    assert (row["observers"], row["sessions"], row["trials"]) == (2, 2, 1200)
    assert f"<td>{found.dprime.short()}</td>" in found._repr_html_()
    assert np.array_equal(found.arrays()["kernel_se"], found.kernel.se)
    assert np.array_equal(found.to_dict()["kernel"], found.kernel.kernel)


def test_group_d_prime_is_the_observers_mean():
    made = sessions_of({"ann": BUMP, "bob": BUMP, "cy": BUMP}, n=2000)
    found = group(made).dprime
    expected = 0.15 / (0.1 * math.sqrt(2))
    assert abs(found.value - expected) < 4 * found.se
    assert found.n == 3


def test_the_ceiling_of_one_template_is_what_its_reliability_allows():
    made = sessions_of({f"o{i}": BUMP for i in range(6)}, n=1000)
    kernel = group(made).kernel
    lower, upper = kernel.lower_ceiling, kernel.upper_ceiling
    truth = [np.corrcoef(BUMP, one.kernel.ravel())[0, 1] for one in kernel.observers]
    assert lower.value < np.mean(truth) < upper.value
    assert upper.value - lower.value < 0.1


def test_observers_who_differ_have_a_low_ceiling():
    kernels = np.eye(4, N)
    lower, upper = noise_ceiling(kernels)
    assert lower.value < 0
    assert upper.value > 0.4


@given(st.floats(-3, 3), st.floats(0.01, 3), st.integers(2, 6))
def test_observers_who_agree_have_the_mean_by_precision(mean, se, n):
    ses = se * (1 + np.arange(n)[:, None])
    found = random_effects(np.full((n, 1), mean), ses)
    assert found.mean[0] == pytest.approx(mean, abs=1e-9)
    assert found.between_sd[0] == 0
    assert found.se[0] == pytest.approx((1 / ses**2).sum() ** -0.5)


def test_random_effects_match_a_worked_example():
    # By hand: weights 4, 4, 1; Q = 4 (.5^2) ... ; tau^2 = (Q - 2) / C.
    values, ses = np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.5, 1.0])
    weight = 1 / ses**2
    fixed = (weight * values).sum() / 9  # 16 / 9
    q = (weight * (values - fixed) ** 2).sum()
    c = 9 - (16 + 16 + 1) / 9
    found = random_effects(values[:, None], ses[:, None])
    assert found.between_sd[0] ** 2 == pytest.approx((q - 2) / c)
    total = 1 / (ses**2 + (q - 2) / c)
    assert found.mean[0] == pytest.approx((total * values).sum() / total.sum())


def test_intervals_over_few_observers_cover():
    rng, covered, n_runs = np.random.default_rng(3), [], 400
    for _ in range(n_runs):
        ses = rng.uniform(0.1, 0.4, 5)
        values = 1 + rng.normal(0, 0.3, 5) + ses * rng.normal(size=5)
        parts = [
            Estimate.normal(v, s, 100, "x/1") for v, s in zip(values, ses, strict=True)
        ]
        found = random_effects_mean(parts)
        covered.append(found.low < 1 < found.high)
    assert np.mean(covered) == pytest.approx(0.95, abs=4 * math.sqrt(0.05 * 0.95 / 400))


def test_observers_without_a_value_are_left_out_and_counted():
    known = [Estimate.normal(x, 0.2, 100, "x/1") for x in (1.0, 1.5)]
    found = random_effects_mean([*known, Estimate.missing("x/1", "why")])
    assert (found.n, found.note) == (2, "1 observers left out, without a value")
    alone = random_effects_mean(known[:1])
    assert alone.note == "observers must be two or more, got 1"


def test_observers_with_the_same_stimuli_are_told():
    made = sessions_of({"ann": BUMP, "bob": BUMP}, n=300)
    table = made[0].trials.assign(response=made[0].trials["response"].astype(int))
    twin = session(table, made[0].noise, id="t", observer="cy", yoked_to=made[0].id)
    found = group([*made, twin]).kernel
    assert "share sampling noise" in found.note
    assert "share sampling noise" in found.lower_ceiling.note
    assert group(made).kernel.note is None


def test_what_is_no_group_is_refused():
    made = sessions_of({"ann": BUMP, "bob": BUMP}, n=200)
    with pytest.raises(ValueError, match="observers must be two or more, got 1"):
        group(made[:1])
    with pytest.raises(ValueError, match="must be different ones, got s0-0 twice"):
        group([made[0], made[0]])
    table = made[1].trials.assign(response=made[1].trials["response"].astype(int))
    other = session(table, made[1].noise, task="yes_no", id="y", observer="bob")
    with pytest.raises(ValueError, match="sessions must have one stimulus, got 2"):
        group([made[0], other])
    kernels = [
        ObserverKernel(name, (), np.ones((1, 1, n)), 1.0, 1)
        for name, n in (("a", 2), ("b", 3))
    ]
    with pytest.raises(ValueError, match="kernels must have one shape"):
        group_kernel(kernels)
    with pytest.raises(ValueError, match="observers must be two or more with a kernel"):
        group_kernel(kernels[:1])
    with pytest.raises(ValueError, match="kernels must vary over elements"):
        noise_ceiling(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"standard errors must be above 0, got 0\.0"):
        random_effects(np.ones((2, 1)), np.zeros((2, 1)))
    with pytest.raises(LookupError, match="observer must be one of ann, bob, got 'cy'"):
        group(made).kernel.of("cy")

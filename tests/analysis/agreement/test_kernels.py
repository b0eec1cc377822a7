"""Kernel similarity: known cosines, ceilings reached, shared noise kept out."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from tests.analysis.written_out import (
    first_order_vector,
    second_order_matrices,
)
from yoked.analysis.agreement.group_dots import (
    GroupDots,
    SecondOrderSums,
    second_order_dots,
)
from yoked.analysis.agreement.kernel_groups import (
    group_sums,
    stimulus_groups,
)
from yoked.analysis.agreement.kernels import similarity
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.responses import Responses
from yoked.analysis.trials.score import score

from ..observers.linear import Linear, linear_responses, run, session, unit
from ..observers.nonlinear import Quadratic

N = 13
BUMP = unit(np.exp(-((np.arange(N) - 6) ** 2) / 4))
SIDE = unit(np.roll(BUMP, 3) - (np.roll(BUMP, 3) @ BUMP) * BUMP)
ELEMENTS = np.eye(N)


def at_cosine(cosine):
    return cosine * BUMP + math.sqrt(1 - cosine**2) * SIDE


def design(observer, n, seed, task="2afc", **options):
    made, source = linear_responses(observer, task, n, 0.1, seed, **options)
    return TrialDesign.of(made, source)


def on_one_set_of_trials(one, other, n, seed, n_pairs=0):
    """Return the trials of two observers with the same stimuli."""
    table, source = run(one, "2afc", n, 0.1, seed, n_pairs=n_pairs)
    shown = source.fields[table["stimulus_id"].to_numpy()][:, :, 0, 0]
    is_target = table["target"].to_numpy()[:, None] == np.arange(2)
    rng = np.random.default_rng(seed + 5000)
    chosen = other.choose(
        other.decision_variables(shown, np.where(is_target, 0.1, 0), rng)
    )
    tables = (table, table.assign(response=chosen))
    return [TrialDesign.of(Responses.from_table(t, "2afc", 2), source) for t in tables]


def filters(*elements):
    """Return an observer of the energy of some elements, without a linear part."""
    return Quadratic(1e-9 * ELEMENTS[0], gamma=0.5, filters=ELEMENTS[list(elements)])


@pytest.mark.parametrize("cosine", [1.0, 0.7, 0.0])
def test_the_cosine_of_two_templates_is_found_behind_the_noise(cosine):
    found, covered, n_runs = [], [], 60
    for seed in range(n_runs):
        one = design(Linear(BUMP, gamma=1.0), 600, seed)
        other = design(Linear(at_cosine(cosine), gamma=1.5), 800, 1000 + seed)
        alike = similarity(one, other, measure="cosine").disattenuated
        found.append(alike.value)
        covered.append(alike.low < cosine < alike.high)
    assert np.mean(found) == pytest.approx(
        cosine, abs=0.015 + 4 * np.std(found) / 60**0.5
    )
    assert np.mean(covered) > 0.95 - 4 * math.sqrt(0.05 * 0.95 / n_runs)


def test_pearson_leaves_out_the_mean_over_elements():
    one = design(Linear(unit(np.ones(N) + 3 * BUMP)), 8000, 1)
    other = design(Linear(unit(np.ones(N) - 3 * BUMP)), 8000, 2)
    pearson, cosine = (
        similarity(one, other, measure=measure).disattenuated
        for measure in ("pearson", "cosine")
    )
    assert pearson.value == pytest.approx(-1, abs=4 * pearson.se)
    a, b = np.ones(N) + 3 * BUMP, np.ones(N) - 3 * BUMP
    assert cosine.value == pytest.approx(unit(a) @ unit(b), abs=4 * cosine.se)


def test_observers_with_one_template_reach_the_ceiling():
    one, other = (design(Linear(BUMP, gamma=1.0), 800, seed) for seed in (3, 4))
    found = similarity(one, other, measure="cosine")
    difference = found.correlation.value - found.ceiling.value
    assert abs(difference) < 4 * found.disattenuated.se
    # The expected reliability is SNR / (SNR + p) with SNR = N phi^2 / pq alpha^2.
    snr = score(one).information / 2
    expected = snr / (snr + N)
    assert found.reliability_ours.value == pytest.approx(expected, abs=0.05)


def test_a_kernel_is_exactly_like_itself():
    trials = design(Linear(BUMP), 500, 5, n_pairs=100)
    found = similarity(trials, trials)
    assert found.disattenuated.value == pytest.approx(1)
    assert found.disattenuated.se == pytest.approx(0, abs=1e-6)
    assert found.n_shared_stimuli == 400
    assert found.correlation.value == pytest.approx(found.ceiling.value)


def test_what_two_observers_share_besides_kernels_does_not_make_them_alike():
    # Orthogonal templates, and a common non-linearity that decides most responses.
    n_elements, n_runs = 40, 60
    elements = np.eye(n_elements)
    common = elements[[2, 4, 6, 8]]
    one, other = (
        Quadratic(elements[i], gamma=0.0, filters=common) for i in (0, n_elements - 1)
    )
    plain, found = [], []
    for seed in range(n_runs):
        both = on_one_set_of_trials(one, other, 500, seed, n_pairs=100)
        kernels = [unit(first_order_vector(trials)) for trials in both]
        plain.append(kernels[0] @ kernels[1])
        alike = similarity(*both, measure="cosine")
        found.append(alike.correlation.value)
    assert alike.n_shared_stimuli == 400
    assert "stimuli are shared" in alike.correlation.note
    assert np.mean(plain) > 0.2
    assert abs(np.mean(found)) < 4 * np.std(found) / math.sqrt(n_runs)


def test_yoked_linear_observers_have_the_cosine_of_their_templates():
    one, other = Linear(BUMP, gamma=0.7), Linear(at_cosine(0.6), gamma=0.7)
    both = on_one_set_of_trials(one, other, 6000, 7, n_pairs=1000)
    found = similarity(*both, measure="cosine").disattenuated
    assert abs(found.value - 0.6) < 4 * found.se
    assert found.se < 0.05


@pytest.mark.parametrize(
    ("elements", "cosine"), [((3, 4), 1.0), ((4, 5), 0.5), ((8, 9), 0.0)]
)
def test_second_order_kernels_of_energy_observers_are_compared(elements, cosine):
    one, other = design(filters(3, 4), 3000, 8), design(filters(*elements), 3000, 9)
    found = similarity(one, other, order=2, measure="cosine")
    assert abs(found.disattenuated.value - cosine) < 4 * found.disattenuated.se + 0.02
    assert found.disattenuated.se < 0.07
    assert found.ceiling.value > 0.8
    assert found.order == 2
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_second_order_along_the_template_can_be_taken_out():
    # A yes/no observer with a criterion has a second order along its template.
    one, other = (
        design(Linear(BUMP, gamma=0.3, criterion=0.25), 20_000, s, "yes_no")
        for s in (1, 2)
    )
    kept = similarity(one, other, order=2, measure="cosine")
    removed = similarity(one, other, order=2, measure="cosine", linear_part="remove")
    assert kept.ceiling.low > 0.25
    gone = removed.ceiling
    assert gone.value is None or gone.value < 0.4 * kept.ceiling.value


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_groups_add_up_to_the_kernels(task):
    trials = design(Linear(BUMP), 1200, 10, task, n_pairs=300)
    rng = np.random.default_rng(0)
    (group, _), (n_groups, _), _ = stimulus_groups([trials, trials], 2, rng)
    first = group_sums(trials, group, n_groups).sum(0)
    np.testing.assert_allclose(first, score(trials).total, rtol=1e-4)
    second = SecondOrderSums(trials, group, n_groups, None).sums.whole
    exact = second_order_matrices(trials).sum(0)
    np.testing.assert_allclose(second, exact, atol=0.03 * np.abs(exact).max())


def held_as_matrices(sums, r, measure):
    """Return what each group adds to a second-order kernel, its upper triangle."""
    upper, found = np.triu_indices(N), []
    for x, c in sums.by_group():
        matrix = (x.T * c) @ x - c.sum() * r
        values = matrix[upper].astype(float)
        found.append(values - values.mean() * (measure == "pearson"))
    return np.array(found)


@pytest.mark.parametrize("measure", ["pearson", "cosine"])
@pytest.mark.parametrize("without", [None, BUMP])
@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_products_of_groups_are_those_of_their_matrices(measure, without, task):
    one = design(Linear(BUMP), 600, 10, task, n_pairs=100)
    other = design(Linear(SIDE, gamma=0.5), 600, 10, task, n_pairs=100)
    rng = np.random.default_rng(0)
    groups, n_groups, n_shared = stimulus_groups([one, other], 2, rng)
    assert n_shared
    sums = [
        SecondOrderSums(*each, without)
        for each in zip((one, other), groups, n_groups, strict=True)
    ]
    r = (sums[0].mean_product() + sums[1].mean_product()) / 2
    made = [held_as_matrices(each, r, measure) for each in sums]
    expected = (
        GroupDots.of(made[0], made[0], True),
        GroupDots.of(made[1], made[1], True),
        GroupDots.of(*made, True),
    )
    found = second_order_dots(*sums, True, measure == "pearson")
    for ours, theirs in zip(found, expected, strict=True):
        size = np.abs(theirs.same).max()
        assert ours.total == pytest.approx(theirs.total, rel=1e-3, abs=1e-3 * size)
        for name in ("first", "second", "same"):
            np.testing.assert_allclose(
                getattr(ours, name), getattr(theirs, name), atol=1e-3 * size
            )


def test_both_showings_of_a_stimulus_are_in_one_group():
    both = on_one_set_of_trials(Linear(BUMP), Linear(SIDE), 300, 11, n_pairs=100)
    rng = np.random.default_rng(0)
    (ours, theirs), _, n_shared = stimulus_groups(both, 1, rng)
    assert n_shared == 200
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(ours[200:], ours[:100])


def test_taking_the_linear_part_out_leaves_nothing_along_it():
    trials = design(Linear(BUMP), 400, 1)
    group = np.arange(len(trials)) % 20
    whole = SecondOrderSums(trials, group, 20, BUMP).sums.whole
    assert np.abs(whole @ BUMP).max() < 1e-4 * np.abs(whole).max()
    with pytest.raises(ValueError, match="kernel must differ from zero to be taken"):
        SecondOrderSums(trials, group, 20, np.zeros(N))


def test_sessions_are_compared_as_their_trials_are():
    sessions, designs = [], []
    for seed in (12, 13):
        table, source = run(Linear(BUMP), "2afc", 400, 0.1, seed)
        sessions.append(session(table, source, id=f"s{seed}"))
        designs.append(TrialDesign.of(Responses.from_table(table, "2afc", 2), source))
    assert similarity(*sessions) == similarity(*designs)


def test_a_kernel_without_reliability_is_named():
    guess, good = Linear(BUMP, gamma=1e4), design(Linear(BUMP), 400, 1)
    found = [similarity(design(guess, 400, seed), good) for seed in range(10)]
    without = [one for one in found if one.disattenuated.value is None]
    assert len(without) >= 8
    for one in without:
        note = "the kernel (ours) is too noisy for a share"
        assert one.disattenuated.note == note
        assert one.disattenuated.low is one.disattenuated.high is None
        assert one.reliability_theirs.value > 0.5


def test_what_cannot_be_compared_is_refused():
    one = design(Linear(BUMP), 100, 1)
    with pytest.raises(ValueError, match="noise fields must have one shape, got"):
        similarity(one, design(Linear(np.ones(4)), 100, 1))
    with pytest.raises(ValueError, match="order must be 1 or 2, got 3"):
        similarity(one, one, order=3)
    with pytest.raises(ValueError, match="measure must be pearson or cosine, got 'r'"):
        similarity(one, one, measure="r")
    with pytest.raises(ValueError, match="linear_part must be keep or remove, got 'a'"):
        similarity(one, one, linear_part="a")
    with pytest.raises(ValueError, match="responses must be given in both kinds"):
        similarity(one, replace(one, response=np.ones(100, bool)))

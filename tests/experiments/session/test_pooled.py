"""Sessions of one observer as one: nothing is mixed up, and kernels gain by it."""

from dataclasses import replace

import numpy as np
import pytest

import yoked
from yoked.analysis.trials.responses import responses
from yoked.experiments.session.pooled import by_participant, pooled

N = 400


@pytest.fixture(scope="module")
def sittings():
    protocol = yoked.load_protocol("bar-in-noise")
    protocol = replace(protocol, double_pass=replace(protocol.double_pass, n_pairs=40))
    return [
        yoked.run(
            protocol,
            yoked.load_observer("template"),
            seed=seed,
            trials=N,
            internal_noise=1.0,
        )
        for seed in (1, 2, 3)
    ]


def test_every_trial_keeps_its_own_noise(sittings):
    whole = pooled(sittings)
    mixed = whole.trials.sample(frac=1, random_state=0)
    fields = whole.noise.field(mixed, 1)
    starts = np.cumsum([0] + [len(each.trials) for each in sittings])
    for k, each in enumerate(sittings):
        inside = mixed["trial"].between(starts[k], starts[k + 1] - 1).to_numpy()
        own = each.trials.iloc[mixed["trial"][inside].to_numpy() - starts[k]]
        assert np.array_equal(fields[inside], each.noise.field(own, 1))


def test_pooled_sittings_in_noise_on_a_basis_keep_their_coefficients():
    protocol, observer = yoked.load_protocol("orientation-noise"), "template"
    own = [
        yoked.run(
            protocol, yoked.load_observer(observer), seed=seed, trials=N, contrast=0.12
        )
        for seed in (1, 2)
    ]
    whole = pooled(own)
    mixed = whole.trials.sample(frac=1, random_state=0)
    shown = whole.noise.coefficients(mixed, 1)
    start = len(own[0].trials)
    second = (mixed["trial"] >= start).to_numpy()
    part = own[1].trials.iloc[mixed["trial"][second].to_numpy() - start]
    assert np.array_equal(shown[second], own[1].noise.coefficients(part, 1))
    assert np.array_equal(whole.noise.unit_sd, own[0].noise.unit_sd)
    kernels = [yoked.kernel(each, method="weighted_sum") for each in own]
    found = yoked.kernel(whole, method="weighted_sum")
    mean = np.mean([each.kernel for each in kernels], axis=0)
    assert found.kernel.shape == (24,)
    assert np.allclose(found.kernel, mean, atol=0.5 * found.se.max())
    assert found.drawn()["classification_image"].shape == (1, 20, 20)


def test_second_passes_stay_pairs_and_no_others_are_made(sittings):
    whole = pooled(sittings)
    pairs = sum(len(responses(each).second_rows) for each in sittings)
    assert pairs > 60
    assert len(responses(whole).second_rows) == pairs
    assert whole.trials["trial"].is_unique


def test_a_kernel_of_all_sittings_is_the_sum_of_theirs(sittings):
    kernels = [yoked.kernel(each, method="weighted_sum") for each in sittings]
    whole = yoked.kernel(pooled(sittings), method="weighted_sum")
    mean = np.mean([each.kernel for each in kernels], axis=0)
    assert np.allclose(whole.kernel, mean, atol=0.5 * whole.se.max())
    shrunk = np.mean([each.se.mean() for each in kernels]) / np.sqrt(3)
    assert whole.se.mean() == pytest.approx(shrunk, rel=0.1)


def test_the_analysis_takes_pooled_sittings_at_all_depths(sittings):
    found = yoked.depths(pooled(sittings), n_permutations=19)
    assert found.zero.summary.pooled.n_trials == sum(
        len(each.counted) for each in sittings
    )
    assert not found.faults


def test_each_participant_is_pooled_by_stimuli(sittings):
    other = yoked.run(
        yoked.load_protocol("bar-polarity"),
        yoked.load_observer("template"),
        seed=9,
        trials=60,
    )
    found = by_participant([sittings[0], other, sittings[1]])
    assert [len(each.trials) > 500 for each in found] == [True, False]
    assert found[1] is other


def test_conditions_are_pooled_each_by_itself():
    protocol = yoked.load_protocol("equivalent-noise").with_options(100)
    template = yoked.load_observer("template")
    two = [yoked.run(protocol, template, seed=seed) for seed in (1, 2)]
    parts = [list(yoked.by_condition(each).values()) for each in two]
    found = by_participant([*parts[0], *parts[1]])
    assert [each.id for each in found] == [
        f"template/{each.name}" for each in protocol.conditions
    ]
    assert {len(each.counted) for each in found} == {40}
    assert [each.protocol.noise.sd for each in found] == [0, 0.05, 0.1, 0.15, 0.18]
    whole = yoked.by_condition(yoked.pooled(two))
    for one, (name, other) in zip(found, whole.items(), strict=True):
        assert one.id == f"template/{name}"
        assert one.counted["target"].tolist() == other.counted["target"].tolist()
        ours, theirs = (x.noise.field(x.counted, 0) for x in (one, other))
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="sessions must be of one condition to be"):
        yoked.pooled(parts[0][:2])


def test_what_is_not_one_observers_is_refused(sittings):
    guesser = yoked.run(
        sittings[0].protocol, yoked.load_observer("guesser"), seed=5, trials=N
    )
    with pytest.raises(ValueError, match="sessions must be of one observer to be pool"):
        pooled([sittings[0], guesser])
    other = yoked.run(
        yoked.load_protocol("bar-polarity"),
        yoked.load_observer("template"),
        seed=9,
        trials=60,
    )
    with pytest.raises(ValueError, match="sessions must be of one stimulus to be poo"):
        pooled([sittings[0], other])
    with pytest.raises(ValueError, match="sessions must be one or more, got none"):
        pooled([])

"""Claims of controls: made-up networks of known truth, and what is missing."""

import math

import numpy as np
import pytest

from yoked.analysis.agreement.random_effects import RANDOM_EFFECTS
from yoked.analysis.trials.estimate import Estimate
from yoked.app.reproduce.control_claims import claims_of
from yoked.app.reproduce.control_outcome import means_of, networks_of
from yoked.app.reproduce.v1_controls import ACTIVATIONS, POOLINGS, WEIGHTS


def records(value, n_seeds=3, recordings=()):
    """Make records in which value(measure, weights, activation, pooling, seed) is."""
    names = ("similarity", "variance", "complexity", "texture", "digit", *recordings)
    return [
        {
            "weights": weights,
            "activation": activation,
            "pooling": pooling,
            "seed": seed,
            "measures": {
                name: Estimate.normal(
                    value(name, weights, activation, pooling, seed), 0.01, 40, "made/1"
                ).to_dict()
                for name in names
            },
        }
        for weights in WEIGHTS
        for activation in ACTIVATIONS
        for pooling in POOLINGS
        for seed in range(1, n_seeds + 1)
    ]


def as_claimed(name, weights, activation, pooling, seed):
    """Give what the claims say: ReLU is best, training helps a little."""
    noise = (
        0.001
        * np.random.default_rng(
            [seed, len(name), *map(len, (weights, activation, pooling))]
        ).normal()
    )
    best = 0.2 if activation == "relu" else 0.0
    return 0.5 + best + (0.05 if weights == "trained" else 0) + noise


def found(records):
    return {(c.claim, c.says): c for c in claims_of(records)}


def test_networks_as_claimed_are_found_so():
    claims = found(records(as_claimed))
    for claim in ("10", "12"):
        for weights in ("trained", "random"):
            best = f"{weights} ReLU above the best of {weights} tanh, ELU, linear"
            one = claims[claim, best]
            assert (one.share.value, one.share.n, one.chance) == (1, 9, 1 / 4)
            assert one.p == pytest.approx((1 / 4) ** 9)
            pair = claims[claim, f"{weights} ReLU above {weights} tanh"]
            assert pair.p == pytest.approx(2 / 2**9)
            assert pair.median.value == pytest.approx(0.2, abs=0.005)
        little = claims[claim, "trained ReLU above random ReLU"]
        assert little.median.value == pytest.approx(0.05, abs=0.005)
    beyond = claims["10", "random ReLU above trained ELU"]
    assert beyond.median.value == pytest.approx(0.15, abs=0.005)
    assert ("12", "random ReLU above trained ELU") not in claims


def test_networks_of_chance_are_rarely_found_otherwise():
    p = []
    for number in range(60):
        rng = np.random.default_rng(number)
        made = records(lambda *_, rng=rng: 0.5 + 0.1 * rng.normal())
        p += [c.p for c in claims_of(made) if not math.isnan(c.p)]
    assert np.mean(np.array(p) < 0.05) < 0.06  # exact tests of 9 pairs are cautious


def test_complexity_goes_with_similarity_where_it_does():
    def alike(name, weights, activation, pooling, seed):
        own = ACTIVATIONS.index(activation) + 4 * POOLINGS.index(pooling) + 0.1 * seed
        return own / 12 if name != "similarity" else 1 - own / 12

    claims = found(records(alike))
    for words in ("all", "trained", "random", "shuffled"):
        one = claims["4", f"complexity goes with it, over {words} networks"]
        assert one.share.value == pytest.approx(-1)
        assert math.isnan(one.p)


def test_shuffling_that_costs_one_recording_more_is_found():
    v1, it = "encoding: v1", "encoding: it"

    def value(name, weights, activation, pooling, seed):
        cost = {v1: 0.05, it: 0.3}.get(name, 0) * (weights == "shuffled")
        help_ = 0.1 * (weights == "trained") * (activation == "relu") * (name == v1)
        return 0.6 - cost + help_ + 0.001 * seed

    claims = found(records(value, recordings=(v1, it)))
    assert claims["6", "shuffling costs it more than v1"].share.value == 1
    assert claims["6", "shuffling costs it more than v1"].share.n == 36
    rich = claims["3", "trained above random, with ReLU or max-pooling"]
    assert rich.measure == it  # the last one; ties alone
    assert rich.share.value is None
    of_v1 = [
        c for c in claims_of(records(value, recordings=(v1, it))) if c.measure == v1
    ]
    assert [c.share.n for c in of_v1 if c.claim == "3"] == [9, 0]


def test_learning_a_recording_that_helps_some_networks_is_found():
    def value(name, weights, activation, pooling, seed):
        helped = 0.1 * (activation == "relu" or pooling == "max")
        return 0.5 + helped * (name == "held out: v1") + 0.001 * seed

    made = records(value, recordings=("held out: v1", "held out, untrained: v1"))
    for record in made:
        record["weights"] = {"shuffled": "responses"}.get(record["weights"], "random")
    rich, poor = [c for c in claims_of(made) if c.claim == "3"]
    assert rich.says == "trained on it above untrained, with ReLU or max-pooling"
    assert (rich.share.value, rich.share.n) == (1, 18)
    assert rich.median.value == pytest.approx(0.1)
    assert (poor.share.value, poor.share.n) == (None, 0)  # ties alone


def test_means_and_rows_have_all_networks_and_say_what_failed():
    made = records(as_claimed, n_seeds=2)
    which = {name: made[1][name] for name in ("weights", "activation", "pooling")}
    made[1] = {**which, "seed": 2, "error": "it broke"}
    means = means_of(made)
    assert len(means) == 36
    assert (means[0].n_seeds, means[0].n_failed) == (1, 1)
    assert means[0].table()[0]["seeds"] == "1 (1 failed)"
    assert means[1].measures["digit"].formula == "mean-of-replicates-on-common-trials/1"
    assert means[1].measures["complexity"].formula == RANDOM_EFFECTS
    rows = networks_of(made)
    assert len(rows) == 72
    assert rows[1]["error"] == "it broke"
    assert rows[0]["similarity se"] == 0.01


def test_without_networks_to_compare_there_are_no_claims():
    some = [r for r in records(as_claimed) if r["activation"] == "relu"]
    claims = {c.claim for c in claims_of([r for r in some if r["weights"] == "random"])}
    assert claims == {"4"}

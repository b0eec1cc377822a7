"""Models and people: who took part is chance too, and so are stimuli seen in common."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

import yoked
from yoked.analysis.agreement.between_people import (
    NO_PAIRS,
    OVER_STIMULI,
    consistency_between,
)
from yoked.analysis.agreement.closer import Closer, ModelDifference
from yoked.analysis.agreement.closer_people import _over_observers
from yoked.analysis.trials.estimate import CannotTell, Estimate

from ..coverage.closer import observers

N_PEOPLE, N_STIMULI = 8, 50


def told(name, value, se, influence, units):
    """Give what one person's session says of two models."""
    made = Estimate.normal(value, se, 100, "made-up/1")
    difference = ModelDifference(
        "kappa", "the same answers", "a", "b", None, None, (1, 1), made,
        value / se, 0.5, 0.5, 0.5, influence, units,
    )  # fmt: skip
    return Closer(name, name, ("s", "t"), ("a", "b"), 100, 50, (difference,), {})


def rejections(between_sd, shared, n=400):
    """Give how often a mean of 0 is rejected: over people, and by trials alone."""
    rng = np.random.default_rng(6)
    over_people, by_trials = 0, 0
    for _ in range(n):
        common = rng.standard_normal(N_STIMULI) / np.sqrt(N_STIMULI)
        found, values = [], []
        for number in range(N_PEOPLE):
            own = rng.standard_normal(N_STIMULI) / np.sqrt(N_STIMULI)
            influence = 0.1 * (common + own if shared else np.sqrt(2) * own)
            units = np.arange(N_STIMULI) + (0 if shared else 1000 * number)
            value = float(influence.sum()) + between_sd * rng.standard_normal()
            se = float(np.linalg.norm(influence))
            found.append(told(f"p{number}", value, se, influence, units))
            values.append(value)
        over_people += _over_observers(found, "kappa", "a", "b").p < 0.05
        z = np.mean(values) / (0.1 * np.sqrt(2) / np.sqrt(N_PEOPLE))
        by_trials += 2 * norm.sf(abs(z)) < 0.05
    return over_people / n, by_trials / n


def test_people_who_differ_as_much_as_their_error_are_no_false_difference():
    over_people, by_trials = rejections(between_sd=0.1 * np.sqrt(2), shared=False)
    assert 0.01 < over_people < 0.07
    assert 0.12 < by_trials < 0.22  # of trials alone, 16 % by theory


def test_stimuli_seen_in_common_are_no_false_difference():
    over_people, by_trials = rejections(between_sd=0.05, shared=True)
    assert over_people < 0.08
    assert by_trials > 0.2


def test_people_who_do_not_differ_cost_little():
    over_people, _ = rejections(between_sd=0.0, shared=False)
    assert 0.01 < over_people < 0.07


@pytest.fixture(scope="module")
def people_and_models():
    people, models = [], []
    for number in range(4):
        rng = np.random.default_rng(number)
        person, near, _ = observers(rng, 1.0, (1.0, 0.0, 0.0), 200, 50)
        rng = np.random.default_rng(number)
        _, far, _ = observers(rng, 0.3, (1.0, 0.0, 0.0), 200, 50)
        for made, name in ((person, f"p{number}"), (near, "near"), (far, "far")):
            who = replace(made.row.observer, name=name)
            row = replace(made.row, id=f"{name}-{number}", observer=who)
            (people if made is person else models).append(replace(made, row=row))
    return people, models


def test_the_model_with_people_s_template_is_closer_to_people(people_and_models):
    found = yoked.closer_to_people(*people_and_models)
    assert found.observers == ("p0", "p1", "p2", "p3")
    latent, kappa = found.differences[:2]
    assert (latent.measure, latent.closer, latent.n_observers) == ("latent", "near", 4)
    assert kappa.closer == "near"
    assert latent.difference.low > 0
    row = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert row["differences"][0]["closer"] == "near"
    assert len(row["by_session"]) == 4


def test_a_person_without_models_is_left_out_and_named(people_and_models):
    people, models = people_and_models
    without = [each for each in models if not each.id.endswith("-3")]
    found = yoked.closer_to_people(people, without)
    assert found.observers == ("p0", "p1", "p2")
    assert found.missing["p3-3"].startswith("models must be two or more on the same")
    with pytest.raises(CannotTell, match="observers must be two or more"):
        yoked.closer_to_people(people[:1], models)


def panel(rng, n_people, n_stimuli, spread=0.5):
    """Give people who see the same stimuli; each weights two elements their own way."""
    noise = rng.standard_normal((n_stimuli, 2)) / 1
    target = rng.permutation(np.arange(n_stimuli) % 2)
    sides = 2 * target - 1
    rights = []
    for _ in range(n_people):
        angle = spread * rng.standard_normal()
        decision = noise @ [np.cos(angle), np.sin(angle)] + 0.9 * sides
        decision = decision + rng.standard_normal(n_stimuli)
        rights.append((decision > 0) == (target == 1))
    return rights


def kappa_of_people(rights):
    from yoked.analysis.agreement.between_people import _estimate
    from yoked.analysis.agreement.error_consistency import Consistency

    n = len(rights[0])
    every, contrast, stimulus = np.ones(n, bool), np.ones(n), np.arange(n)
    pairs = {}
    for i in range(len(rights)):
        for j in range(i + 1, len(rights)):
            found = Consistency.of(rights[i], rights[j], contrast, stimulus, every)
            pairs[i, j] = found.value, stimulus, found.influence
    return _estimate(pairs)


def test_kappa_between_people_covers_over_people_and_stimuli():
    rng = np.random.default_rng(2)
    truth = np.mean([kappa_of_people(panel(rng, 30, 3000)).value for _ in range(6)])
    held = 0
    for _ in range(200):
        found = kappa_of_people(panel(rng, 6, 150))
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 200 <= 1


def test_two_people_have_an_interval_over_stimuli_and_strangers_none(
    people_and_models,
):
    people, models = people_and_models
    alike = {"p0": [people[0]], "near": [models[0]]}
    found = consistency_between(alike)
    assert found.note == OVER_STIMULI
    compared = yoked.compare(people[0], models[0]).error_consistency
    assert found.value == pytest.approx(compared.value)
    assert found.se == pytest.approx(compared.se)
    apart = consistency_between({each.observer: [each] for each in people})
    assert apart.note == NO_PAIRS
    assert yoked.group(people).error_consistency.note == NO_PAIRS

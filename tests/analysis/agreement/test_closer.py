"""Which model is closer: known orders found again, symmetries, and many models."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

import yoked
from yoked.analysis.agreement.closeness import MEASURES
from yoked.analysis.agreement.closer import closer

from ..coverage.closer import observers


def by_measure(found):
    assert not found.faults, [each.traceback for each in found.faults.values()]
    return {each.measure: each for each in found.differences}


@pytest.fixture(scope="module")
def three():
    """Give an observer and two models whose templates are at .7 to the observer's."""
    return observers(np.random.default_rng(4), 0.7, (1.0, 0.0, 1.5), 500, 250)


@pytest.fixture(scope="module")
def one_near():
    """Give an observer, a model with its template, and one with another."""
    person, near, _ = observers(np.random.default_rng(5), 1.0, (1, 0, 0), 600, 300)
    _, far, _ = observers(np.random.default_rng(5), 0.5, (1, 0, 0), 600, 300)
    return person, near, replace(far, row=replace(far.row, id="far"))


def test_the_model_with_the_observer_s_template_is_closer_by_every_measure(one_near):
    person, near, far = one_near
    near = replace(near, row=replace(near.row, observer=named(near, "near")))
    far = replace(far, row=replace(far.row, observer=named(far, "far")))
    found = closer(person, [near, far])
    assert [each.measure for each in found.differences] == list(MEASURES)
    assert {each.closer for each in found.differences} == {"near"}
    share = by_measure(found)["share"]
    assert share.difference.low < 0.5 < share.difference.high


def named(session, name):
    return replace(session.row.observer, name=name)


def test_swapping_the_models_turns_every_sign(three):
    person, one, other = three
    found, turned = (
        by_measure(closer(person, models)) for models in ([one, other], [other, one])
    )
    for measure in MEASURES:
        assert found[measure].z == pytest.approx(-turned[measure].z)
        assert found[measure].p == pytest.approx(turned[measure].p)
        value = found[measure].difference.value
        assert value == pytest.approx(-turned[measure].difference.value)


def test_a_noisier_model_gives_other_answers_but_computes_the_same(three):
    found = by_measure(closer(three[0], three[1:]))
    for measure in ("latent", "kappa"):
        assert found[measure].p < 0.05
        assert found[measure].question == "the same answers"
    for measure in ("share", "kernel"):
        assert found[measure].p > 0.05
        assert found[measure].question == "the same computation"


def test_values_are_those_of_the_comparison(three):
    found = by_measure(closer(three[0], three[1:]))
    compared = yoked.compare(*three[:2])
    for measure, estimate in (
        ("latent", compared.latent.correlation),
        ("kappa", compared.kappa.kappa),
        ("share", compared.latent.disattenuated),
        ("kernel", compared.depth_profile.depths[1].share),
    ):
        value = found[measure].one_value
        assert value == pytest.approx(estimate.value, abs=0.02), measure


def test_a_model_and_itself_do_not_differ(three):
    person, one, _ = three
    again = replace(one, row=replace(one.row, id="again"))
    for each in closer(person, [one, again]).differences:
        assert (each.z, each.p, each.difference.value) == (0, 1, pytest.approx(0))


def test_more_models_are_corrected_for_all_pairs(three):
    person, one, other = three
    more = []
    for number in range(2):
        model = observers(np.random.default_rng(4), 0.7, (1, 0.5, 0.5), 600, 300)[1]
        flipped = model.trials["response"].where(
            np.random.default_rng(number).random(len(model.trials)) > 0.1,
            1 - model.trials["response"],
        )
        row = replace(model.row, id=f"m-{number}", observer=named(model, f"m{number}"))
        trials = model.trials.assign(response=flipped)
        more.append(replace(model, row=row, trials=trials))
    found = closer(person, [one, other, *more])
    assert len(found.differences) == 4 * 6
    for each in found.differences:
        assert each.p <= min(each.p_max_t + 0.02, each.p_holm)
    for measure in MEASURES:
        of_measure = [each for each in found.differences if each.measure == measure]
        clearest = min(of_measure, key=lambda each: each.p)
        # Correlated differences: the largest of six is less than six times as rare.
        assert clearest.p_max_t <= clearest.p_holm + 0.01


def test_one_pair_has_one_p(three):
    for each in closer(three[0], three[1:]).differences:
        assert each.p_holm == pytest.approx(each.p)
        assert each.p_max_t == pytest.approx(each.p, abs=0.02)


def test_models_with_other_trials_are_compared_on_those_that_all_share(three):
    person, one, other = three
    some = replace(other, trials=other.trials.iloc[:450])
    found = closer(person, [one, some])
    assert found.n_shared == 450
    nothing = replace(other, trials=other.trials.assign(contrast=3.0))
    with pytest.raises(ValueError, match="share trials that count in all"):
        closer(person, [one, nothing])


def test_without_a_double_pass_of_the_observer_the_share_is_tested_all_the_same(three):
    person, one, other = three
    single = person.trials.iloc[:500]
    apart = replace(person, trials=single)
    twice = closer(apart, [one, other])
    share = by_measure(twice).get("share")
    assert share is not None
    assert share.difference.value is None
    assert share.p == pytest.approx(2 * norm.sf(abs(share.z)))
    assert twice.missing["share"] == "the observer's own consistency is not known"


def test_what_a_model_lacks_is_said(three):
    person, one, other = three
    single = replace(one, trials=one.trials.iloc[:500])
    found = closer(person, [single, other])
    assert "share" not in by_measure(found)
    why = found.missing[f"share: {one.observer}"]
    assert why == "there must be 5 pairs of showings or more, got 0"


def test_replicates_of_a_model_widen_its_error(three):
    """Seeds of a network that come out differently make a difference less certain."""
    person, one, other = three
    rng = np.random.default_rng(8)
    seeds = []
    for number, share in enumerate((0.02, 0.25, 0.4)):
        flip = rng.random(len(one.trials)) < share
        response = one.trials["response"].where(~flip, 1 - one.trials["response"])
        row = replace(one.row, id=f"seed-{number}")
        seeds.append(replace(one, row=row, trials=one.trials.assign(response=response)))
    alone = by_measure(closer(person, [seeds[1], other]))["latent"]
    found = by_measure(closer(person, [*seeds, other], replicates=True))["latent"]
    assert found.n_replicates == (3, 1)
    assert found.difference.se > 1.5 * alone.difference.se
    same = [replace(one, row=replace(one.row, id=f"same-{k}")) for k in range(3)]
    equal = by_measure(closer(person, [*same, other], replicates=True))["latent"]
    plain = by_measure(closer(person, [one, other]))["latent"]
    assert equal.z == pytest.approx(plain.z)


def test_one_model_is_refused(three):
    with pytest.raises(ValueError, match="models must be two or more, got 1"):
        closer(three[0], [three[1]])


def test_comparing_with_several_models_says_which_is_closer(three):
    found = yoked.compare(*three)
    assert [each.other for each in found.comparisons] == [each.id for each in three[1:]]
    row = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert row["closer"]["format"] == "yoked-closer/1"
    assert "influence" not in row["closer"]["differences"][0]
    assert len(found.table()) == 2
    (first, *_) = found.closer.table()
    assert first["observer"] == "observer-0"

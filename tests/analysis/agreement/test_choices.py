"""Choices without noise: published numbers, ceilings by trying all, and intervals."""

import itertools

import numpy as np
import pandas as pd
import pytest

import yoked
from yoked.analysis.agreement.choice_kappa import Scored, best_kappa, kappa_between
from yoked.analysis.agreement.crossed import crossed_share
from yoked.analysis.trials.estimate import CannotTell

CUES = "model-vs-human/cue-conflict"


@pytest.fixture(scope="module")
def people(shared_data):
    return yoked.read_choices(shared_data(CUES))


@pytest.fixture(scope="module")
def found(people):
    return yoked.choices(people)


def scored(right):
    right = np.asarray(right, bool)
    condition = np.zeros(right.shape[1], np.int64)
    return Scored(right, np.ones_like(right), condition)


def plain_kappa(a, b):
    p, q = a.mean(), b.mean()
    chance = p * q + (1 - p) * (1 - q)
    return ((a == b).mean() - chance) / (1 - chance)


def frame(name, right, words=("cat", "dog"), **columns):
    said = np.where(right, *words)
    image = [f"{i}.png" for i in range(len(right))]
    rows = {"observer": name, "image": image, "category": "cat", "choice": said}
    return pd.DataFrame({**rows, **columns})


def test_ten_people_on_cue_conflict_have_the_published_numbers(found):
    assert found.n_trials == 12_800
    assert found.people.proportion_correct.value == pytest.approx(0.7755, abs=5e-5)
    assert found.people.kappa.value == pytest.approx(0.3311, abs=5e-5)
    assert found.conflicts.kappa.value == pytest.approx(0.3347, abs=5e-5)
    assert found.conflicts.shape_bias.value == pytest.approx(0.9587, abs=5e-5)
    assert (found.conflicts.n_conflicts, found.conflicts.n_agreeing) == (1200, 80)
    assert found.n_missing == 131
    assert found.missing == "wrong"
    assert found.n_alternatives == 16


def test_both_kappas_are_in_the_table(found):
    first, second, *rest = found.table()
    assert first["kappa with people"].startswith("0.331 [")
    assert second["observer"] == "conflicts alone"
    assert second["kappa with people"].startswith("0.335 [")
    assert [row["observer"] for row in rest] == [
        f"subject-{number:02}" for number in range(1, 11)
    ]


def test_a_model_by_the_same_table_is_compared_on_the_same_images(people):
    says_texture = pd.DataFrame(
        {
            "subj": "net",
            "object_response": people.other_cue[:1280],
            "category": people.target[:1280],
            "imagename": [people.stimuli[i] for i in people.stimulus[:1280]],
        }
    )
    subjects = pd.DataFrame(
        {
            "subj": [people.observers[i] for i in people.observer],
            "object_response": people.response,
            "category": people.target,
            "imagename": [people.stimuli[i] for i in people.stimulus],
            "condition": "0",
        }
    )
    table = yoked.read_choices(subjects, says_texture)
    assert "1280 choices without a condition got that of their stimulus" in table.notes
    found = yoked.choices(table)
    net = found.observers[-1]
    assert net.is_model
    assert net.shape_bias.value == 0
    assert net.proportion_correct.value == 80 / 1280
    assert net.kappa.low < 0.02
    expected = (80 / 1280 - found.people.proportion_correct.value) ** 2
    assert net.accuracy_difference.value == pytest.approx(expected)
    assert found.people.kappa.value == pytest.approx(0.3311, abs=5e-5)


def test_kappa_is_the_mean_over_pairs_within_conditions():
    rng = np.random.default_rng(3)
    hard = np.repeat([0.2, 0.7], 60)
    right = [hard + 0.2 * rng.normal(size=120) < rng.random(120) for _ in range(3)]
    condition = np.where(hard < 0.5, "easy", "difficult")
    tables = [
        frame(name, each, condition=condition)
        for name, each in zip("abc", right, strict=True)
    ]
    found = yoked.choices(yoked.read_choices(*tables))
    by_hand = [
        np.mean(
            [plain_kappa(a[here], b[here]) for a, b in itertools.combinations(right, 2)]
        )
        for here in (hard < 0.5, hard > 0.5)
    ]
    assert [each.condition for each in found.conditions] == ["easy", "difficult"]
    ours = [each.kappa.value for each in found.conditions]
    assert ours == pytest.approx(by_hand)
    assert found.people.kappa.value == pytest.approx(np.mean(by_hand))
    shares = found.observers[0].by_condition
    assert shares["easy"].value == right[0][:60].mean()
    assert found.conflicts is None
    assert found.observers[0].shape_bias is None


@pytest.mark.parametrize("seed", range(4))
def test_no_model_exceeds_the_ceiling_and_the_best_one_reaches_it(seed):
    right = np.random.default_rng(seed).random((3, 10)) < [[0.3], [0.6], [0.8]]
    right[:, :2] = [True, False]  # nobody is always right, or wrong
    models = np.array(list(itertools.product([False, True], repeat=10)))
    kappas = [
        np.mean([plain_kappa(model, person) for person in right]) for model in models
    ]
    best = best_kappa(scored(right), np.arange(3)).value
    assert best == pytest.approx(max(kappas))


def test_intervals_are_over_people_and_stimuli():
    rng = np.random.default_rng(5)
    able, hard = rng.normal(0.8, 0.4, (6, 1)), rng.normal(0, 0.8, 400)
    right = able + hard + 0.5 * rng.normal(size=(6, 400)) > 0
    kappa = kappa_between(scored(right), np.arange(6))
    again = kappa_between(scored(np.tile(right, 4)), np.arange(6))
    assert again.value == pytest.approx(kappa.value)
    assert kappa.se / 2 < again.se < kappa.se  # more stimuli, but the same people
    share = crossed_share(right.astype(float), np.ones((6, 400)), "share/1")
    assert share.se > 2 * np.sqrt(share.value * (1 - share.value) / 2400)
    pair = kappa_between(scored(right[:2]), np.arange(2))
    assert "over stimuli alone" in pair.note


def test_a_missing_response_is_left_out_or_wrong_as_was_said():
    right = np.arange(40) % 2 == 0
    table = frame("ann", right)
    table.loc[:9, "choice"] = "NA"
    for missing, n, share in (("left out", 30, 0.5), ("wrong", 40, 15 / 40)):
        read = yoked.read_choices(table, missing=missing)
        (ann,) = yoked.choices(read).observers
        assert (ann.n_missing, ann.proportion_correct.n) == (10, n)
        assert ann.proportion_correct.value == share
        assert f"10 missing responses are {missing}" in read.notes
    assert yoked.read_choices(table).missing == "left out"


def test_what_cannot_be_told_says_why():
    right = np.arange(40) % 2 == 0
    alone = yoked.choices(yoked.read_choices(frame("ann", right)))
    assert alone.people.kappa.note == "there is one person, and nobody to compare with"
    models = yoked.choices(yoked.read_choices(frame("net", right), models=["net"]))
    assert models.people.proportion_correct.note.startswith("there are no people")
    both = yoked.read_choices(frame("ann", right), frame("bob", right | True))
    assert "share a condition with 10 stimuli" in yoked.choices(both).people.kappa.note
    with pytest.raises(CannotTell, match="must have a response that counts, got none"):
        yoked.choices(yoked.read_choices(frame("ann", right, ("", ""))))

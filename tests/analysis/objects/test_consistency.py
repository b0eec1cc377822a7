"""Which object, of two: known populations, a table by hand, and Brain-Score's files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import yoked
from tests.analysis.objects.population import OBJECTS, Population
from yoked.analysis.objects.consistency import halves_of
from yoked.analysis.objects.signatures import MEASURES, signature
from yoked.analysis.trials.estimate import CannotTell

NAN = np.nan


def compared(population, n_each, **options):
    return yoked.object_consistency(
        yoked.read_object_trials(population.trials(n_each)),
        yoked.read_object_probabilities(population.probabilities()),
        **options,
    )


# --- by hand -------------------------------------------------------------------------

TAKEN = np.array([[NAN, 0.1], [NAN, 0.3], [0.2, NAN], [0.4, NAN]])
TARGET = np.array([0, 0, 1, 1])


def test_two_objects_and_four_images_are_as_by_hand():
    # Images of the first are taken for the second in .1 and .3, mean .2; of the second
    # for the first in .2 and .4, mean .3. z(.9) = 1.2816, z(.7) = .5244, z(.8) = .8416,
    # z(.6) = .2533, z(.3) = -.5244, z(.2) = -.8416.
    i2 = signature(TAKEN, TARGET, "i2")
    by_hand = [1.2816 + 0.5244, 0.5244 + 0.5244, 0.8416 + 0.8416, 0.2533 + 0.8416]
    assert [i2[0, 1], i2[1, 1], i2[2, 0], i2[3, 0]] == pytest.approx(by_hand, abs=2e-4)
    assert np.isnan([i2[0, 0], i2[1, 0], i2[2, 1], i2[3, 1]]).all()
    i2n = signature(TAKEN, TARGET, "i2n")
    less = [0.3786, -0.3786, 0.2941, -0.2941]
    assert [i2n[0, 1], i2n[1, 1], i2n[2, 0], i2n[3, 0]] == pytest.approx(less, abs=2e-4)
    assert signature(TAKEN, TARGET, "i1") == pytest.approx(by_hand, abs=2e-4)
    assert signature(TAKEN, TARGET, "i1n") == pytest.approx(less, abs=2e-4)
    o2 = signature(TAKEN, TARGET, "o2")
    assert [o2[0, 1], o2[1, 0]] == pytest.approx([0.8416 + 0.5244] * 2, abs=2e-4)
    assert signature(TAKEN, TARGET, "o1") == pytest.approx([1.366, 1.366], abs=2e-4)


def test_dprime_is_clipped_at_5_and_unknown_where_it_is_infinity_less_infinity():
    never = np.array([[NAN, 0.0], [NAN, 0.5], [0.5, NAN], [1.0, NAN]])
    i2 = signature(never, TARGET, "i2")
    assert (i2[0, 1], i2[3, 0]) == (5, -5)
    always = np.array([[NAN, 0.0], [NAN, 0.5], [1.0, NAN], [1.0, NAN]])
    assert np.isnan(signature(always, TARGET, "i2")[0, 1])


def test_halves_are_those_of_numpys_old_generator_with_seed_0():
    (first, second), (third, _) = halves_of(7, 2)
    rng = np.random.RandomState(0)
    order = np.arange(7)
    rng.shuffle(order)
    assert [*first, *second] == order.tolist()
    assert len(first) == 3
    order = np.arange(7)
    rng.shuffle(order)
    assert third.tolist() == order[:3].tolist()


def test_all_of_it_is_as_written_out_with_loops():
    """Brain-Score's steps once more, an image and a distractor at a time."""
    made = Population(0.5, n_images=4, seed=3)
    given = made.probabilities().set_index("image")
    found = compared(made, 30, n_bootstrap=0)
    table = Population(0.5, n_images=4, seed=3).trials(30)  # the same draws again

    def dprimes(p):
        of = dict(zip(made.images, [OBJECTS[o] for o in made.target], strict=True))
        false = {
            (a, b): np.mean([p[i][b] for i, t in of.items() if t == a])
            for a in OBJECTS
            for b in OBJECTS
            if a != b
        }
        d = {
            (i, o, b): np.clip(norm.ppf(1 - p[i][b]) - norm.ppf(false[b, o]), -5, 5)
            for i, o in of.items()
            for b in OBJECTS
            if b != o
        }
        cell = {
            (o, b): np.mean([v for (_, t, c), v in d.items() if (t, c) == (o, b)])
            for o, b in {(o, b) for _, o, b in d}
        }
        return np.array([d[key] - cell[key[1:]] for key in sorted(d)])

    def of_people(rows):
        wrong = rows.assign(w=rows.choice == rows.distractor)
        share = wrong.groupby(["image", "distractor"]).w.mean()
        return {i: share[i].to_dict() for i in made.images}

    p_model = {}
    for image, o in zip(made.images, made.target, strict=True):
        p = {b: given.loc[image, f"probability_{b}"] for b in OBJECTS}
        p_model[image] = {b: p[b] / (p[b] + p[OBJECTS[o]]) for b in OBJECTS}
    rng = np.random.RandomState(0)
    raw, ceiling = [], []
    for _ in range(2):
        order = np.arange(len(table))
        rng.shuffle(order)
        cut = len(table) // 2
        one, other = (
            dprimes(of_people(table.iloc[k])) for k in (order[:cut], order[cut:])
        )
        raw.append(np.corrcoef(dprimes(p_model), one)[0, 1])
        ceiling.append(np.corrcoef(one, other)[0, 1])
    assert found.raw.value == pytest.approx(np.mean(raw), abs=1e-12)
    assert found.ceiling.value == pytest.approx(np.mean(ceiling), abs=1e-12)
    expected = np.mean(raw) / np.sqrt(np.mean(ceiling))
    assert found.ceiled.value == pytest.approx(expected, abs=1e-12)


# --- known populations ---------------------------------------------------------------


@pytest.mark.parametrize("rho", [0.0, 0.6, 1.0])
def test_the_correlation_of_latent_difficulties_is_recovered(rho):
    found = compared(Population(rho, n_images=60, seed=5), 120, n_bootstrap=200)
    assert found.ceiled.value == pytest.approx(rho, abs=0.07)
    assert found.ceiled.low - 0.02 < rho < found.ceiled.high + 0.02
    assert found.ceiling.value > 0.7
    assert found.raw.value == pytest.approx(
        rho * np.sqrt(found.ceiling.value), abs=0.06
    )


def test_the_ceiling_is_that_of_counted_noise():
    # Half of 160 trials of p = Phi(-t): z(p) has the noise p q / (80 phi(t)^2).
    made = Population(1.0, n_images=60, sd=0.5, seed=7)
    made.people = 0.25 * (made.people - made.people.mean()) / made.people.std()
    found = compared(made, 160, n_bootstrap=0)
    off = np.arange(5) != made.target[:, None]
    t = made.people
    p = norm.cdf(-t)
    noise = (p * (1 - p) / (80 * norm.pdf(t) ** 2))[off].mean()
    signal = np.mean(
        [
            np.var(t[made.target == o][:, d])
            for o in range(5)
            for d in range(5)
            if d != o
        ]
    )
    assert found.ceiling.value == pytest.approx(signal / (signal + noise), abs=0.05)


def test_what_objects_explain_is_in_i2_and_not_in_i2n():
    made = Population(0.0, n_images=40, sd=0.2, seed=11)
    values = {
        m: compared(made, 60, measure=m, n_bootstrap=0).raw.value for m in MEASURES
    }
    assert values["i2"] > 0.5  # the same pairs of objects are hard
    assert abs(values["i2n"]) < 0.1
    assert values["o2"] > 0.95
    assert values["o1"] > 0.9
    assert abs(values["i1n"]) < 0.2 < values["i1"]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.permutations(range(3)))
def test_the_order_of_objects_changes_nothing(seed, order):
    rng = np.random.default_rng(seed)
    target = np.repeat(np.arange(3), 4)
    taken = rng.uniform(0.05, 0.95, (12, 3))
    taken[np.arange(12), target] = NAN
    place = np.array(order)
    turned = taken[:, np.argsort(place)]
    for measure in ("i2", "i2n"):
        again = signature(turned, place[target], measure)[:, place]
        assert again == pytest.approx(signature(taken, target, measure), nan_ok=True)


@pytest.mark.slow
def test_the_interval_covers_the_correlation_of_difficulties():
    inside = []
    for seed in range(100):
        made = Population(0.6, n_images=30, seed=1000 + seed)
        found = compared(made, 40, n_bootstrap=200).ceiled
        inside.append(found.low < 0.6 < found.high)
    assert 0.88 <= np.mean(inside) <= 0.99


# --- what is missing -----------------------------------------------------------------


def test_what_only_one_of_them_has_is_left_out_and_said():
    made = Population(1.0, n_images=6, seed=2)
    trials, given = made.trials(4), made.probabilities()
    model = yoked.read_object_probabilities(given.iloc[1:], observer="net")
    seen = trials[trials.image != made.images[-1]]
    found = yoked.object_consistency(
        yoked.read_object_trials(seen), model, n_bootstrap=20
    )
    assert (found.n_images, found.n_objects, found.model) == (28, 5, "net")
    assert found.notes == (
        "16 trials of images or objects that the model has not",
        "1 images of the model that people have not seen",
    )
    other = yoked.read_object_probabilities(given.assign(image=given.image + "x"))
    with pytest.raises(CannotTell, match="must have 2 or more objects and a trial in"):
        yoked.object_consistency(yoked.read_object_trials(seen), other)
    with pytest.raises(LookupError, match="got 'i2m'; did you mean"):
        yoked.object_consistency(yoked.read_object_trials(seen), model, "i2m")


def test_people_who_are_always_right_have_no_ceiling():
    made = Population(1.0, n_images=6, seed=2)
    trials = made.trials(4).assign(choice=lambda t: t.target)
    model = yoked.read_object_probabilities(made.probabilities())
    found = yoked.object_consistency(yoked.read_object_trials(trials), model)
    assert found.raw.value is None
    assert "does not vary enough" in found.raw.note
    assert "do not correlate above 0" in found.ceiled.note

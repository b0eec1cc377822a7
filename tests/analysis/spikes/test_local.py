"""Local averages: the gradient of rectified subunits, and polarity that changes."""

import numpy as np
import pytest

from yoked.analysis.spikes.local import local_average, polarity_changes

SHAPE, SD, N = (6, 6), 0.05, 4000
CENTRE = np.zeros((1, *SHAPE))
CENTRE[0, 1:5, 1:5] = 1
PATCHES = [(slice(a, a + 2), slice(b, b + 2)) for a in (1, 3) for b in (1, 3)]


class Subunits:
    """A cell that adds up what is above and below grey in each of four patches.

    Rate = base + sum of on x [mean of patch]+ + off x [-mean of patch]+: the gradient
    at an image is on / 4 in its light patches, and -off / 4 in its dark ones.
    """

    def __init__(self, on, off, base=0.5):
        self.on, self.off, self.base = on, off, base

    def rate(self, shown):
        rate = np.full(shown.shape[:-2], float(self.base))
        for patch in PATCHES:
            mean = shown[..., *patch].mean(axis=(-2, -1))
            rate += self.on * np.maximum(mean, 0) + self.off * np.maximum(-mean, 0)
        return rate

    def gradient(self, image):
        found = np.zeros(SHAPE)
        for patch in PATCHES:
            is_light = image[patch].mean() > 0
            found[patch] = self.on / 4 if is_light else -self.off / 4
        return found


def image(*signs, depth=0.4):
    made = np.zeros(SHAPE)
    for patch, sign in zip(PATCHES, signs, strict=True):
        made[patch] = sign * depth
    return made


def shown_and_counted(cells, around, seed=1, n=N, sd=SD):
    rng = np.random.default_rng(seed)
    perturbations = rng.normal(0, sd, (n, *SHAPE))
    rates = np.stack([cell.rate(around + perturbations) for cell in cells], axis=1)
    return perturbations, rng.poisson(rates)


def centres(n):
    return np.repeat(CENTRE, n, axis=0)


def test_it_is_the_gradient_of_rectified_subunits_at_the_image():
    """Patches are 16 SDs from their threshold, so each is linear around the image."""
    cell, around = Subunits(on=3.0, off=2.0), image(1, 1, -1, 1)
    shown, counts = shown_and_counted([cell], around)
    found = local_average(shown, counts, CENTRE, n_permutations=99)
    expected = SD**2 * cell.gradient(around) / cell.rate(around)
    z = (found.kernel[0] - expected) / found.se[0]
    assert np.sqrt(np.mean(z**2)) == pytest.approx(1, abs=4 / np.sqrt(2 * z.size))
    assert np.corrcoef(found.kernel[0].ravel(), expected.ravel())[0, 1] > 0.5
    one = found.polarity[0]
    truth = float((CENTRE[0] / CENTRE.sum() * expected).sum())
    assert one.low < truth < one.high
    np.testing.assert_allclose(
        one.value, (CENTRE[0] / CENTRE.sum() * found.kernel[0]).sum()
    )


def test_it_is_the_count_weighted_mean_less_the_mean():
    shown, counts = shown_and_counted([Subunits(3, 2)], image(1, 1, 1, 1), n=300)
    shown = shown.astype(np.float32).astype(float)
    found = local_average(shown, counts, CENTRE, n_permutations=9)
    weights = counts[:, 0] / counts.sum()
    expected = np.einsum("p,pyx->yx", weights, shown) - shown.mean(axis=0)
    np.testing.assert_allclose(found.kernel[0], expected, atol=1e-10)


def test_its_errors_are_those_of_other_presentations():
    cell, around = Subunits(6.0, 2.0), image(1, 1, 1, 1)
    found = [
        local_average(*shown_and_counted([cell], around, seed, n=500), CENTRE, 9)
        for seed in range(60)
    ]
    spread = np.std([one.kernel[0] for one in found], axis=0).mean()
    assert np.mean([one.se for one in found]) == pytest.approx(spread, rel=0.08)
    spread = np.std([one.polarity[0].value for one in found])
    assert found[0].polarity[0].se == pytest.approx(spread, rel=0.3)


def test_cells_that_change_polarity_are_told_from_those_that_do_not():
    """Light patches pull a cell of both kinds to light, dark ones to dark."""
    cells = [Subunits(3, 3), Subunits(3, 0), Subunits(0, 3), Subunits(0, 0, base=2)]
    images = image(1, 1, 1, 1), image(-1, -1, -1, -1), image(1, -1, 1, 1)
    found = [
        local_average(*shown_and_counted(cells, each, seed), centres(4), 499)
        for seed, each in enumerate(images)
    ]
    changes = polarity_changes(found)
    assert changes.changes == (True, False, False, False)
    assert changes.most_positive[0] in (0, 2)
    assert changes.most_negative[0] == 1
    assert changes.p[0] == pytest.approx(3 / 500)
    assert found[0].p_positive[1] == 1 / 500
    assert found[1].p_negative[2] == 1 / 500


def test_p_is_uniform_for_a_cell_that_sees_nothing():
    cells = [Subunits(0, 0, base=1) for _ in range(20)]
    found = [
        local_average(
            *shown_and_counted(cells, image(1, 1, 1, 1), seed, n=60), centres(20), 99
        )
        for seed in range(10)
    ]
    for name in ("p", "p_positive", "p_negative"):
        p = np.concatenate([getattr(one, name) for one in found])
        assert np.mean(p <= 0.1) == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 200))


def test_light_and_dark_are_each_others_opposite():
    shown, counts = shown_and_counted([Subunits(3, 2)], image(1, -1, 1, 1), n=500)
    one, other = (local_average(s * shown, counts, CENTRE, 99) for s in (1, -1))
    np.testing.assert_allclose(one.kernel, -other.kernel, atol=1e-12)
    assert one.p == other.p
    assert one.p_positive == other.p_negative


def test_a_silent_cell_has_no_polarity_and_does_not_change_it():
    shown, counts = shown_and_counted([Subunits(3, 2)] * 2, image(1, 1, 1, 1), n=200)
    counts[:, 1] = 0
    found = local_average(shown, counts, centres(2), 99)
    assert np.isnan(found.kernel[1]).all()
    assert found.polarity[1].note == "spikes must be 2 or more, got 0"
    assert found.p[1] == 1
    assert not polarity_changes([found, found]).changes[1]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"counts": np.ones((19, 1), int)}, "for each of the 19 presentations, got 20"),
        ({"counts": -np.ones((20, 1), int)}, "counts must be 0 or more, got -1"),
        ({"counts": np.ones((20, 2), int)}, r"centre must be of 2 cells and \(6, 6\)"),
        ({"centre": -CENTRE}, r"weights of a centre must be 0 or more, got -1\.0"),
        (
            {"centre": 0 * CENTRE},
            "a weight above 0 for every cell, got none for cell 0",
        ),
        ({"n_permutations": 0}, "n_permutations must be >= 1, got 0"),
        ({"perturbations": np.zeros((20, 6, 6))}, "noise must vary"),
    ],
)
def test_what_does_not_fit_is_refused(change, text):
    shown, counts = shown_and_counted([Subunits(3, 2)], image(1, 1, 1, 1), n=20)
    given = {"perturbations": shown, "counts": counts, "centre": CENTRE, **change}
    with pytest.raises(ValueError, match=text):
        local_average(**given)


def test_too_few_permutations_cannot_tell_a_change():
    shown, counts = shown_and_counted([Subunits(3, 2)], image(1, 1, 1, 1), n=50)
    found = local_average(shown, counts, CENTRE, 38)
    with pytest.raises(
        ValueError, match=r"must be >= 39 for 2 images at 0\.05, got 38"
    ):
        polarity_changes([found, found])
    with pytest.raises(ValueError, match="images must be two or more, got 1"):
        polarity_changes([found])

"""Digits under debris and in clutter: levels, what covers what, parts, balance."""

from collections import Counter

import numpy as np
import pytest

from tests.experiments.pictures.made import bars
from yoked.experiments.pictures.crowded_digits import LEVELS, crowded_digits
from yoked.experiments.pictures.digits import Digits

KINDS = tuple(LEVELS)


def made(kind, part="test", n=20, levels=None, seed=3):
    return list(crowded_digits(bars(), part, n, kind, levels, seed))


@pytest.mark.parametrize("kind", KINDS)
def test_each_digit_is_there_at_every_level_and_a_seed_gives_the_same(kind):
    found, again = made(kind), made(kind)
    assert Counter((one.digit, one.level) for one in found) == {
        (digit, level): 2 for digit in range(10) for level in LEVELS[kind]
    }
    for one, other in zip(found, again, strict=True):
        assert np.array_equal(one.contrast, other.contrast)
    elsewhere = made(kind, "fit")
    assert not np.array_equal(found[0].contrast, elsewhere[0].contrast)


@pytest.mark.parametrize("kind", KINDS)
def test_at_level_0_the_digit_stands_alone_in_the_middle(kind):
    known = {(0.9 * ink).astype(np.float32).tobytes() for ink in bars().ink}
    for one in made(kind, levels=(0,)):
        assert one.contrast.shape == (56, 56)
        middle = one.contrast[14:42, 14:42]
        assert np.abs(one.contrast).sum() == pytest.approx(np.abs(middle).sum())
        assert middle.astype(np.float32).tobytes() in known


def likeness(found, level):
    """Give how alike pictures are to their digits alone, over the digit's square."""
    pairs, plain = [], None
    for one in found:
        plain = one if one.level == 0 else plain
        if one.level == level:
            a, b = (each.contrast[14:42, 14:42].ravel() for each in (plain, one))
            pairs.append(np.corrcoef(a, b)[0, 1])
    return np.mean(pairs)


@pytest.mark.parametrize("kind", KINDS)
def test_less_is_seen_of_the_digit_the_higher_the_level(kind):
    found = made(kind, n=100)
    seen = [likeness(found, level) for level in LEVELS[kind]]
    assert seen[0] == pytest.approx(1)
    assert all(np.diff(seen) < -0.05)


def test_debris_covers_as_much_as_squares_at_random_places_do():
    ink = np.random.default_rng(1).uniform(0.4, 1, (100, 28, 28)).astype(np.float32)
    unlike = Digits(ink, np.arange(100) % 10)  # no value comes twice
    level, same = 30, []
    found = list(crowded_digits(unlike, "fit", 100, "occluded", (0, level)))
    for plain, one in zip(found[::2], found[1::2], strict=True):
        inside = plain.contrast > 0
        same.append(np.mean(one.contrast[inside] == plain.contrast[inside]))
    uncovered = (1 - 81 / 56**2) ** level
    assert np.mean(same) == pytest.approx(uncovered, abs=0.03)


def test_clutter_adds_ink_and_takes_none():
    found = made("cluttered", levels=(0, 4))
    for plain, one in zip(found[::2], found[1::2], strict=True):
        assert (one.contrast >= plain.contrast).all()
        outside = one.contrast.copy()
        outside[14:42, 14:42] = 0
        assert outside.sum() > 10


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"kind": "hidden"}, "kind must be one of occluded, cluttered, got 'hidden'"),
        ({"kind": "occluded", "levels": (3, 3)}, "levels must be different whole num"),
        (
            {"kind": "occluded", "part": "all"},
            "part must be 'fit' or 'test', got 'all'",
        ),
        ({"kind": "occluded", "n": 0}, "n must be 1 or more, got 0"),
    ],
)
def test_what_cannot_be_made_is_told(given, rule):
    with pytest.raises(ValueError, match=rule):
        made(**given)

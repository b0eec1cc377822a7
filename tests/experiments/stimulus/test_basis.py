"""Noise on a basis: equal pixels on every backend, and nothing to see outside it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.experiments.stimulus.basis_vectors import noise_of
from yoked.experiments.protocols.coefficients import coefficients_of
from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.image_kinds import images_of
from yoked.experiments.protocols.signal import signal_units
from yoked.experiments.stimulus.basis import (
    drawn_coefficients,
    finished,
    rounded,
    summed,
)
from yoked.experiments.stimulus.basis_fast import fast_coefficients, fast_pixels
from yoked.experiments.stimulus.basis_source import BasisNoise
from yoked.experiments.stimulus.basis_tiles import tiles_of
from yoked.experiments.stimulus.render import render, render_elements
from yoked.experiments.stimulus.sources import GeneratedNoise, noise_source

ON_A_BASIS = [
    name for name in protocol_names() if load_protocol(name).noise.basis is not None
]


def trials(n, protocol, contrast=None):
    return {
        "stimulus_id": np.arange(n),
        "contrast": np.full(n, contrast or max(protocol.contrast.values)),
        "target": np.arange(n) % protocol.task.n_targets,
        "block_kind": np.full(n, "main", object),
    }


@given(st.integers(-(2**40), 2**40), st.sampled_from(range(1, 256, 2)))
def test_rounding_is_the_same_on_both_sides_of_zero(total, fineness):
    there, back = rounded(np.array([total, -total]), fineness)
    assert there == -back
    assert abs(there - total / (127 * fineness)) < 0.5


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("n_fields", [1, 2, 70])
@pytest.mark.parametrize("is_added", [False, True])
def test_many_tiles_make_the_pixels_of_the_reference(precision, n_fields, is_added):
    from yoked.experiments.stimulus.basis_torch import torch_pixels

    basis = {"kind": "bumps", "grid": [2, 40, 36], "scales": [[4, 2.5]]}
    noise = noise_of({**basis, "each_frame": True})
    images, own = images_of(noise.basis, noise.grid), coefficients_of(noise, 0.3)
    assert len(tiles_of(images)) == 2 * 3 * 3
    assert not tiles_of(images)[0].is_all
    units = fast_coefficients(own, 5, np.arange(n_fields), 0)
    added = None
    if is_added:
        rng = np.random.default_rng(0)
        added = rng.integers(-90, 90, (n_fields, *images.shape)).astype(np.int16)
    levels = rounded(summed(images, units.astype(np.int64)), noise.fineness)
    expected = finished(levels if added is None else levels + added)
    arguments = (images, units, noise.fineness, added, precision)
    assert (fast_pixels(*arguments) == expected).all()
    assert (torch_pixels(*arguments, "cpu").numpy() == expected).all()


def test_strips_of_a_dense_movie_make_the_pixels_of_the_reference():
    basis = {"kind": "gratings", "grid": [3, 40, 48], "cycles": [2, 3]}
    noise = noise_of({**basis, "orientations_deg": [0, 45], "drifts": [-1, 1]})
    images, own = images_of(noise.basis, noise.grid), coefficients_of(noise, 0.3)
    assert [tile.shape[1] for tile in tiles_of(images)] == [21, 19] * 3
    for n_fields in (1, 9):
        units = fast_coefficients(own, 5, np.arange(n_fields), 0)
        sums = summed(images, units.astype(np.int64))
        expected = finished(rounded(sums, noise.fineness))
        arguments = (images, units, noise.fineness, None, np.float32)
        assert (fast_pixels(*arguments) == expected).all()


def test_coefficients_of_several_sds_are_those_of_the_reference():
    basis = {"kind": "bumps", "grid": [1, 20, 20], "scales": [[8, 5], [4, 2.5]]}
    noise = noise_of({**basis, "weights": [1, 0.3]})
    own, ids = coefficients_of(noise, 0.15), np.array([0, 3, 2**40])
    assert len(own.tables) == 2
    slow = drawn_coefficients(own.tables, own.row, 7, ids, 1)
    assert (fast_coefficients(own, 7, ids, 1) == slow).all()


@pytest.mark.parametrize("name", ON_A_BASIS)
def test_three_backends_render_a_protocol_alike(name):
    protocol = load_protocol(name)
    table = trials(9, protocol)
    table["block_kind"][3:5] = "catch"
    source = noise_source(protocol.noise.generator, protocol, 3)
    shown = [render(protocol, source, table, b) for b in ("numpy", "numba", "torch")]
    assert (shown[0] == shown[1]).all()
    assert (shown[0] == shown[2]).all()
    assert shown[0].shape == (9, 2, *protocol.frame_shape)


@pytest.mark.parametrize("name", ON_A_BASIS)
def test_catch_trials_have_the_noise_of_their_own_sd(name):
    protocol = load_protocol(name)
    table = trials(400, protocol)
    source = BasisNoise(protocol, 3)
    main = source.coefficients(table, 0)
    table["block_kind"][:] = "catch"
    catch = source.coefficients(table, 0)
    assert (main / source.unit_sd).std() == pytest.approx(1, abs=0.02)
    ratio = protocol.catch.sd / protocol.noise.sd
    assert catch.std() / main.std() == pytest.approx(ratio, rel=0.02)


def test_a_signal_is_noise_with_other_coefficients():
    protocol = load_protocol("orientation-noise")
    source, table = BasisNoise(protocol, 3), trials(4, protocol)
    units = source.coefficients(table, 0).astype(np.int64)
    units[::2] += signal_units(protocol, max(protocol.contrast.values))
    levels = rounded(summed(source.images, units), protocol.noise.fineness)
    shown = render_elements(protocol, source, table)[:, 0]
    assert (finished(levels) == shown).all()


def test_opposite_pairs_show_the_noise_with_the_other_sign():
    protocol = load_protocol("orientation-noise")
    protocol = replace(protocol, noise=replace(protocol.noise, pairs="opposite"))
    source, table = BasisNoise(protocol, 3), trials(5, protocol)
    first, second = (source.coefficients(table, interval) for interval in (0, 1))
    assert (first == -second).all()
    table["contrast"][:] = 0
    frames = render_elements(protocol, source, table).astype(int)
    assert (frames[:, 0] - 128 == 128 - frames[:, 1]).all()


def test_a_white_floor_is_added_and_is_the_same_on_every_backend():
    protocol = load_protocol("orientation-noise").with_options(contrast=0.1)
    protocol = replace(protocol, noise=replace(protocol.noise, floor_sd=0.05))
    source, table = BasisNoise(protocol, 3), trials(200, protocol)
    shown = render_elements(protocol, source, table)
    assert (shown == render_elements(protocol, source, table, "numpy")).all()
    bare = load_protocol("orientation-noise")
    without = render_elements(bare, BasisNoise(bare, 3), table)
    floor = shown.astype(int) - without
    assert floor.std() == pytest.approx(127 * 0.05, rel=0.02)
    assert abs(floor.mean()) < 0.1


def test_white_noise_and_noise_on_a_basis_are_never_mistaken():
    white, on_images = load_protocol("bar-in-noise"), load_protocol("one-over-f")
    with pytest.raises(ValueError, match="noise must be on a basis for yoked-1-basis"):
        BasisNoise(white, 1)
    with pytest.raises(ValueError, match="noise must be white for yoked-1"):
        GeneratedNoise(on_images, 1)


def outside(protocol, frames):
    """Give what of frames no sum of the images can show."""
    images = BasisNoise(protocol, 0).images.dense().reshape(-1, frames.shape[1]) / 127
    _, sizes, directions = np.linalg.svd(images, full_matrices=False)
    kept = directions[sizes > 1e-6 * sizes[0]]
    return frames - (frames @ kept.T) @ kept


@pytest.mark.parametrize("name", ON_A_BASIS)
def test_what_lies_outside_the_basis_tells_nothing(name):
    """A linear observer that is trained on it, and its energy, stay at chance."""
    protocol = load_protocol(name)
    table = trials(3000, protocol)
    frames = render_elements(protocol, BasisNoise(protocol, 11), table)
    fields = frames.reshape(6000, -1).astype(np.float64) - 128
    has_signal = (np.arange(2)[None, :] == table["target"][:, None]).ravel()
    left = outside(protocol, fields)
    half = slice(0, 3000)
    x, y = left[half], np.where(has_signal[half], 1.0, -1.0)
    gram = x.T @ x + 10 * np.eye(x.shape[1])
    scores = left[3000:] @ np.linalg.solve(gram, x.T @ y)
    for decision in (scores, (left[3000:] ** 2).sum(axis=1)):
        pairs = decision.reshape(-1, 2)
        correct = pairs.argmax(axis=1) == table["target"][1500:]
        assert abs(correct.mean() - 0.5) < 3 * 0.5 / np.sqrt(1500)

"""Noise on a basis: every golden vector, from the images to the digests of frames."""

import hashlib

import numpy as np
import pytest

from tests.experiments.stimulus.basis_vectors import CASES, GOLDEN, case, noise_of
from yoked.experiments.protocols.coefficients import (
    coefficient_table,
    coefficients_of,
    of_sds,
)
from yoked.experiments.protocols.image_kinds import images_of
from yoked.experiments.protocols.images import Images
from yoked.experiments.protocols.noise_and_signal import Signal
from yoked.experiments.protocols.projection import in_images
from yoked.experiments.stimulus.basis import (
    FIRST_FLOOR_STREAM,
    drawn_coefficients,
    finished,
    rounded,
    summed,
)
from yoked.experiments.stimulus.basis_fast import (
    fast_coefficients,
    fast_floor,
    fast_pixels,
)
from yoked.experiments.stimulus.noise import (
    FIRST_NOISE_STREAM,
    level_table,
    noise_levels,
)
from yoked.experiments.stimulus.render import repeat_elements

RECIPES = {f"{r['basis']['kind']}-{i}": r for i, r in enumerate(GOLDEN["recipes"])}


def sha256(values: np.ndarray) -> str:
    return hashlib.sha256(values.tobytes()).hexdigest()


@pytest.mark.parametrize("golden", GOLDEN["tables"], ids=lambda g: f"{g['sd']}")
def test_a_table_has_the_published_levels(golden):
    table = coefficient_table("gaussian", golden["sd"], golden["fineness"])
    assert sha256(table.astype("<i2")) == golden["sha256_int16_le"]
    assert len(np.unique(table)) == golden["n_levels"]
    own = of_sds("gaussian", np.array([golden["sd"]]), golden["fineness"])
    assert own.unit_sds[0] == pytest.approx(golden["realised_sd_units"], rel=1e-12)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_makes_the_published_images_and_sds(name):
    recipe = RECIPES[name]
    noise = noise_of(recipe["basis"])
    images = images_of(noise.basis, noise.grid)
    assert images.n == recipe["n_coefficients"]
    assert images.sha256 == recipe["basis_sha256"]
    sds = coefficients_of(noise, 0.15).sds[[0, -1]]
    assert sds.tolist() == recipe["sd_of_first_and_last_coefficient_at_sd_015"]


@pytest.mark.parametrize("name", CASES)
def test_images_have_one_hash_however_they_are_kept(name):
    images = case(name).images
    assert images.sha256 == CASES[name]["basis_sha256"]
    assert Images.of_array(images.dense()).sha256 == images.sha256
    assert Images.of_plain(images.plain).sha256 == images.sha256


@pytest.mark.parametrize("name", CASES)
def test_weights_and_sds_are_those_of_the_case(name):
    own, says = case(name), CASES[name]
    if says["integer_weights"] is not None:
        assert own.weights.tolist() == says["integer_weights"]
    sds = own.coefficients.sds
    is_each = says["coefficient_sds_are"] == "one for each coefficient"
    assert (sds if is_each else np.unique(sds)).tolist() == says["coefficient_sds"]


@pytest.mark.parametrize("name", CASES)
def test_the_largest_sum_and_the_strongest_element_are_those_of_the_case(name):
    own, says = case(name), CASES[name]
    largest = own.coefficients.largest + np.abs(own.signal)
    assert own.images.total(largest, np.abs).max() == says["largest_possible_sum"]
    variance = own.images.total(own.coefficients.unit_sds**2, np.square)
    strongest = np.sqrt(variance.max()) / (127 * says["fineness"])
    assert strongest == pytest.approx(says["strongest_sd_levels"], abs=1e-6)


def test_a_blob_is_projected_on_bumps_as_published():
    says = CASES["bumps-two-scales-yes-no"]
    found = in_images(Signal("gaussian", sigma=3.0), noise_of(says["basis"]))
    assert found.units(0.1, 15).tolist() == says["signal_coefficients"]
    assert found.share > 0.9999


TRIALS = [(name, i) for name, c in CASES.items() for i in range(len(c["trials"]))]


def mixed(name: str, trial: dict, interval: int) -> tuple[np.ndarray, ...]:
    """Give a field's coefficients, the sum with the signal's, and what is added."""
    own, says = case(name), CASES[name]
    seed, ids = int(trial["seed"]), np.array([int(trial["stimulus_id"])])
    coefficients = own.coefficients
    is_opposite = says["pairs"] == "opposite" and interval == 1
    stream = 0 if is_opposite else interval
    drawn = drawn_coefficients(coefficients, seed, ids, stream)
    assert (fast_coefficients(coefficients, seed, ids, stream) == drawn).all()
    drawn = -drawn if is_opposite else drawn
    has_signal = trial["signal_in_interval"] == interval
    units = drawn + own.signal if has_signal else drawn.astype(np.int64)
    added = np.zeros((1, *own.images.shape), np.int64)
    if own.picture is not None:
        added += own.picture
    if says["floor_sd"]:
        lookup = level_table("gaussian", says["floor_sd"])
        stream = FIRST_FLOOR_STREAM - FIRST_NOISE_STREAM + interval
        floor = noise_levels(lookup, own.images.shape, seed, ids, stream)
        fast = fast_floor(lookup, seed, ids, interval, floor.size)
        assert (fast == floor.reshape(fast.shape)).all()
        added += floor
    return drawn, units, added if added.any() else None


def reference(images, units, fineness, added):
    levels = rounded(summed(images, units), fineness)
    return finished(levels if added is None else levels + added)


def in_numba(precision):
    def made(images, units, fineness, added):
        added = None if added is None else added.astype(np.int16)
        return fast_pixels(images, units, fineness, added, precision)

    return made


def in_torch(precision, device="cpu"):
    def made(images, units, fineness, added):
        from yoked.experiments.stimulus.basis_torch import torch_pixels

        return (
            torch_pixels(images, units, fineness, added, precision, device)
            .cpu()
            .numpy()
        )

    return made


BACKENDS = {
    "numpy": reference,
    "numba in single precision": in_numba(np.float32),
    "numba in double precision": in_numba(np.float64),
    "torch in single precision": in_torch(np.float32),
    "torch in double precision": in_torch(np.float64),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("name", "number"), TRIALS)
def test_a_trial_has_the_published_digest(backend, name, number):
    own, says = case(name), CASES[name]
    trial = says["trials"][number]
    fields = [mixed(name, trial, interval) for interval in range(says["intervals"])]
    frames = [
        BACKENDS[backend](own.images, units, says["fineness"], added)[0]
        for _, units, added in fields
    ]
    whole = repeat_elements(np.array(frames), tuple(says["element_px"]))
    assert whole.shape == tuple(says["shape"])
    assert whole[0, 0, 0, :40].tolist() == trial["first_row"]
    middle = whole[-1, -1, whole.shape[2] // 2, :40]
    assert middle.tolist() == trial["middle_row"]
    assert sha256(whole) == trial["sha256"]


@pytest.mark.parametrize(("name", "number"), TRIALS)
def test_a_trial_has_the_published_coefficients_and_clipped_sums(name, number):
    own, says = case(name), CASES[name]
    trial = says["trials"][number]
    fields = [mixed(name, trial, interval) for interval in range(says["intervals"])]
    coefficients = np.concatenate([drawn for drawn, _, _ in fields])
    assert coefficients[:, :12].tolist() == trial["coefficients_first"]
    assert sha256(coefficients.astype("<i2")) == trial["coefficients_sha256_int16_le"]
    units = np.concatenate([units for _, units, _ in fields])
    levels = rounded(summed(own.images, units), says["fineness"])
    assert (np.abs(levels) > 127).sum() == trial["clipped_elements"]

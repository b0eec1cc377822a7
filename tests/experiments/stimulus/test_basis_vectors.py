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


def frames_of(name: str, trial: dict) -> tuple[np.ndarray, np.ndarray, int]:
    """Make coefficients, frames and the number of sums beyond 127."""
    own, says = case(name), CASES[name]
    seed, ids = int(trial["seed"]), np.array([int(trial["stimulus_id"])])
    drawn, frames, n_clipped = [], [], 0
    for interval in range(says["intervals"]):
        a = drawn_coefficients(
            own.coefficients.tables,
            own.coefficients.row,
            seed,
            ids,
            0 if says["pairs"] == "opposite" else interval,
        )
        a = -a if says["pairs"] == "opposite" and interval else a
        has_signal = trial["signal_in_interval"] == interval
        units = a + own.signal if has_signal else a.astype(np.int64)
        levels = rounded(summed(own.images, units), says["fineness"])
        n_clipped += int((np.abs(levels) > 127).sum())
        if own.picture is not None:
            levels = levels + own.picture
        if says["floor_sd"]:
            lookup = level_table("gaussian", says["floor_sd"])
            stream = FIRST_FLOOR_STREAM - FIRST_NOISE_STREAM + interval
            grid = own.images.shape
            levels = levels + noise_levels(lookup, grid, seed, ids, stream)
        drawn.append(a[0])
        frames.append(finished(levels)[0])
    whole = repeat_elements(np.array(frames), tuple(says["element_px"]))
    return np.array(drawn, np.int16), whole, n_clipped


@pytest.mark.parametrize(("name", "number"), TRIALS)
def test_a_trial_has_the_published_coefficients_and_digest(name, number):
    trial = CASES[name]["trials"][number]
    coefficients, frames, n_clipped = frames_of(name, trial)
    first = [row[:12].tolist() for row in coefficients]
    assert first == trial["coefficients_first"]
    assert sha256(coefficients.astype("<i2")) == trial["coefficients_sha256_int16_le"]
    assert frames.shape == tuple(CASES[name]["shape"])
    assert frames[0, 0, 0, :40].tolist() == trial["first_row"]
    assert sha256(frames) == trial["sha256"]
    assert n_clipped == trial["clipped_elements"]

"""The golden vectors of noise on a basis, as what our own parts are made of."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from yoked.experiments.protocols.checks import build
from yoked.experiments.protocols.coefficients import (
    Coefficients,
    coefficient_sds,
    integer_weights,
    of_sds,
)
from yoked.experiments.protocols.image_kinds import images_of
from yoked.experiments.protocols.images import Images
from yoked.experiments.protocols.noise_and_signal import Noise

PATH = Path(__file__).parents[2] / "vectors" / "yoked-1-basis.json"
GOLDEN = json.loads(PATH.read_text())
CASES = {case["case"]: case for case in GOLDEN["cases"]}


def noise_of(basis: dict[str, Any]) -> Noise:
    """Give the noise of a case whose images have a recipe."""
    basis = dict(basis)
    grid = basis.pop("grid")
    plain = {"kind": "gaussian", "sd": 0.15, "grid": grid, "basis": basis}
    return build(Noise, plain)


def identity(text: str) -> np.ndarray:
    """Give the images '127 times the identity, (13, 1, 1, 13)'."""
    shape = [int(size) for size in text.partition("(")[2].rstrip(")").split(",")]
    return (127 * np.eye(shape[0])).astype(np.int8).reshape(shape)


@dataclass(frozen=True, eq=False)
class Case:
    """One case: its images, its coefficients, and what it says."""

    says: dict[str, Any]
    images: Images
    weights: np.ndarray
    coefficients: Coefficients

    @property
    def signal(self) -> np.ndarray:
        """(K), what the signal adds to the coefficients."""
        return np.array(self.says["signal_coefficients"], np.int64)

    @property
    def picture(self) -> np.ndarray | None:
        """Levels of the picture, on the grid."""
        levels = self.says["picture_levels"]
        return None if levels is None else np.reshape(levels, self.images.shape)


@cache
def case(name: str) -> Case:
    """Give a case by its name."""
    says = CASES[name]
    basis, weights = says["basis"], says["integer_weights"]
    if basis["kind"] == "images":
        values = basis["values"]
        whole = identity(values) if isinstance(values, str) else values
        images = Images.of_array(np.array(whole, np.int8))
        weights = np.array(weights or [10000] * images.n, np.int64)
    else:
        noise = noise_of(basis)
        images = images_of(noise.basis, noise.grid)
        weights = integer_weights(noise.basis, images)
    sds = coefficient_sds(images, weights, says["catch_sd"] or says["sd"])
    return Case(says, images, weights, of_sds(says["kind"], sds, says["fineness"]))

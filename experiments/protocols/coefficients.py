"""Coefficients of noise on a basis: the SD of each, and what a draw turns into.

A unit is 1 / (127 fineness) contrast. Images of equal SD share one table of draws.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Float, Float64, Int, Int16, Int64

from .basis import Basis
from .checks import ProtocolError
from .deviates import N_DRAWS, normal_table
from .image_kinds import images_of
from .images import PEAK, Images
from .noise_and_signal import FULL_CONTRAST, Noise

MOST_TABLES = 256
_WHOLE = 10_000  # the largest weight, as an integer


@dataclass(frozen=True, eq=False)
class Coefficients:
    """What the draws of K coefficients turn into, at one SD of the noise.

    Attributes
    ----------
    sds
        (K), the SD of each in contrast, as asked for.
    tables
        (table, 65536), what each draw turns into.
    row
        (K), the table of each coefficient.
    """

    sds: Float64[np.ndarray, " image"]
    tables: Int16[np.ndarray, " table draw"]
    row: Int[np.ndarray, " image"]

    @property
    def largest(self) -> Int64[np.ndarray, " image"]:
        """(K), the largest magnitude of each, in units."""
        return np.abs(self.tables.astype(np.int64)).max(axis=1)[self.row]

    @cached_property
    def unit_sds(self) -> Float64[np.ndarray, " image"]:
        """(K), the SD of each table, in units."""
        squares = self.tables.astype(np.int64) ** 2
        means = self.tables.astype(np.int64).sum(axis=1) / N_DRAWS
        return np.sqrt(squares.sum(axis=1) / N_DRAWS - means**2)[self.row]


@lru_cache(maxsize=16)
def coefficients_of(noise: Noise, sd: float) -> Coefficients:
    """Give the coefficients of a protocol's noise on a basis.

    Parameters
    ----------
    noise
        With a basis.
    sd
        Contrast SD at the element where the noise is strongest: the noise's own, or
        that of catch trials.
    """
    assert noise.basis is not None
    images = images_of(noise.basis, noise.grid)
    sds = coefficient_sds(images, integer_weights(noise.basis, images), sd)
    return of_sds(noise.kind, sds, noise.fineness)


def of_sds(kind: str, sds: Float[np.ndarray, " image"], fineness: int) -> Coefficients:
    """Give the coefficients that have these SDs; arguments as in a protocol."""
    distinct, row = np.unique(sds, return_inverse=True)
    if len(distinct) > MOST_TABLES:
        rule = f"such that the images have {MOST_TABLES} different SDs at most"
        raise ProtocolError(
            [f"noise.basis.weights must be {rule}, got {len(distinct)}"]
        )
    tables = [coefficient_table(kind, float(sd), fineness) for sd in distinct]
    return Coefficients(sds, np.array(tables, np.int16), row.reshape(-1))


@lru_cache(maxsize=512)
def coefficient_table(
    kind: str, sd: float, fineness: int
) -> Int16[np.ndarray, " 65536"]:
    """Give the coefficient of every 16-bit draw, in units of 1 / (127 fineness).

    Parameters
    ----------
    kind
        'gaussian', rint(127 M clip(sd z, -1, 1)), or 'binary', +-rint(127 M sd) by the
        draw's top bit.
    sd
        Of the coefficient, in contrast.
    fineness
        M, units in a level.

    Examples
    --------
    >>> coefficient_table("gaussian", 0.2, 15)[[0, 50000]].tolist()
    [-1648, 273]
    """
    unit = FULL_CONTRAST * fineness
    if kind == "gaussian":
        levels = np.rint(unit * np.clip(sd * normal_table(), -1, 1))
    else:
        sign = np.where(np.arange(N_DRAWS) >= N_DRAWS // 2, 1, -1)
        levels = sign * np.rint(unit * sd)
    table = levels.astype(np.int16)
    table.setflags(write=False)
    return table


def integer_weights(basis: Basis, images: Images) -> Int64[np.ndarray, " image"]:
    """Give the weight of each image, the largest as 10,000.

    Raises
    ------
    ProtocolError
        If a weight is so small beside the largest that nothing is left of it.
    """
    if not basis.weights:
        return np.full(images.n, _WHOLE, np.int64)
    weights = np.array(basis.weights)
    if len(weights) != images.entries.max() + 1:  # of an array: the others are checked
        rule = f"{images.n} numbers, one per image"
        raise ProtocolError([f"noise.basis.weights must be {rule}, got {len(weights)}"])
    whole = np.rint(_WHOLE * (weights / weights.max())).astype(np.int64)
    if not whole.all():
        rule = f"at least 1 / {2 * _WHOLE} of the largest"
        raise ProtocolError(
            [f"noise.basis.weights must be {rule}, got {weights.min():g}"]
        )
    return whole[images.entries]


def coefficient_sds(
    images: Images, weights: Int64[np.ndarray, " image"], sd: float
) -> Float64[np.ndarray, " image"]:
    """Give the contrast SD of each coefficient: the strongest element has `sd`.

    Its variance is found exactly, in integers.
    """
    strongest = images.total(weights**2, np.square).max()
    return sd * ((PEAK * weights) / np.sqrt(float(strongest)))

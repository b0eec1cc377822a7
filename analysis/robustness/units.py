"""Distributions over units of how far a small change moves their responses [1]_.

References
----------
.. [1] Guo et al. (2022), Proc. ICML, 8072-8092.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..trials.estimate import Estimate
from ..trials.result import Cells, Result, short

IN_RANGE = "unit-sensitivity-in-range/1"
IN_SD = "unit-sensitivity-in-sd/1"
IN_NOISE = "unit-sensitivity-in-noise/1"
NOISE_IN_RANGE = "unit-noise-in-range/1"
NO_NOISE = "the responses do not vary from one showing to the next"
_REPLICATES = 999


@dataclass(frozen=True, eq=False)
class SensitivityPoint(Result):
    """Sensitivity of units at one eps.

    Attributes
    ----------
    eps
        L2 norm of the change, contrast.
    in_range, in_sd, in_noise
        Median over units of the mean change over pictures: in the unit's range and SD
        over pictures, and in the SD of a single response over its own noise.
    quartiles
        Of the first over units.
    units
        The first, of every unit.
    """

    eps: float
    in_range: Estimate
    in_sd: Estimate
    in_noise: Estimate
    quartiles: tuple[float, float]
    units: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class UnitSensitivity(Result):
    """Sensitivity of a layer's units.

    Attributes
    ----------
    format
        Version of the plain form.
    observer, layer
        Whose units.
    n_units, n_varying, n_looked_at
        Units attacked; those that vary with the picture; all of the layer.
    n_pictures, n_attacked
        Pictures that ranges are over, and those that were changed.
    steps, noise_draws
        Of the attack.
    noise
        Median over units of the SD of a single response over its noise, in the unit's
        range: what the units' own noise moves.
    points
        By eps.
    notes
        What is to be known, a sentence each.
    """

    format: str
    observer: str
    layer: str
    n_units: int
    n_varying: int
    n_looked_at: int
    n_pictures: int
    n_attacked: int
    steps: int
    noise_draws: int
    noise: Estimate
    points: tuple[SensitivityPoint, ...]
    notes: tuple[str, ...] = ()

    def table(self) -> list[Cells]:
        """Give a row for each eps."""
        return [
            {
                "observer": self.observer,
                "layer": self.layer,
                "eps": short(each.eps),
                "in range": each.in_range.short(),
                "in SD": each.in_sd.short(),
                "in noise": each.in_noise.short(),
                "noise in range": self.noise.short(),
            }
            for each in self.points
        ]


def sensitivity_point(
    eps: float,
    change: Float[np.ndarray, " unit picture"],
    range_: Float[np.ndarray, " unit"],
    sd: Float[np.ndarray, " unit"],
    noise_sd: Float[np.ndarray, " unit"],
    seed: int = 0,
) -> SensitivityPoint:
    """Summarise the largest changes of units at one eps.

    Parameters
    ----------
    eps
        Norm of the change.
    change
        The largest |change of the mean response| from each picture.
    range_, sd
        Of each unit's mean response over pictures.
    noise_sd
        Of a single response; units without noise are left out of `in_noise`.
    seed
        Of the bootstrap over units.

    Examples
    --------
    >>> ones = np.ones(5)
    >>> point = sensitivity_point(0.1, np.full((5, 3), 0.2), ones, ones / 4, 0 * ones)
    >>> round(point.in_range.value, 6), round(point.in_sd.value, 6)
    (0.2, 0.8)
    >>> point.in_noise.note
    'the responses do not vary from one showing to the next'
    """
    each = change.mean(1)
    in_range = each / range_
    is_noisy = noise_sd > 0
    low, high = (float(q) for q in np.quantile(in_range, [0.25, 0.75]))
    return SensitivityPoint(
        eps=float(eps),
        in_range=median_over_units(in_range, IN_RANGE, seed),
        in_sd=median_over_units(each / sd, IN_SD, seed),
        in_noise=median_over_units(each[is_noisy] / noise_sd[is_noisy], IN_NOISE, seed)
        if is_noisy.any()
        else Estimate.missing(IN_NOISE, NO_NOISE),
        quartiles=(low, high),
        units=tuple(float(value) for value in in_range),
    )


def noise_in_range(
    noise_sd: Float[np.ndarray, " unit"], range_: Float[np.ndarray, " unit"], seed: int
) -> Estimate:
    """Estimate the median SD of single responses over noise, in the unit's range."""
    if not (noise_sd > 0).any():
        return Estimate.missing(NOISE_IN_RANGE, NO_NOISE)
    return median_over_units(noise_sd / range_, NOISE_IN_RANGE, seed)


def median_over_units(
    values: Float[np.ndarray, " unit"], formula: str, seed: int
) -> Estimate:
    """Estimate a median over units, with a percentile interval from 999 bootstraps.

    Examples
    --------
    >>> print(median_over_units(np.arange(101.0), "unit-sensitivity-in-sd/1", 1).value)
    50.0
    """
    rng = np.random.default_rng(seed)
    n = len(values)
    drawn = np.median(values[rng.integers(n, size=(_REPLICATES, n))], axis=1)
    value = float(np.median(values))
    low, high = (float(q) for q in np.quantile(drawn, [0.025, 0.975]))
    return Estimate(
        value, float(drawn.std(ddof=1)), min(low, value), max(high, value), n, formula
    )

"""Luminance of a screen: photometer readings, the gamma they follow, the look-up table.

    L(v) = Lmin + (Lmax - Lmin) (v / 255) ** gamma

for a screen level v from 0 to 255. The table undoes it: contrast level 1 gets Lmin, 255
gets Lmax, and the levels between lie at equal steps of luminance, 128 in the middle.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import curve_fit

Reading = tuple[int, float]  # screen level, cd/m2
MIN_LEVELS = 6
MAX_FALL = 0.01  # of the brightest reading; photometers repeat themselves better
GOOD_RESIDUAL = 0.02  # of the range; beyond it the screen is no power function


@dataclass(frozen=True)
class LuminanceFit:
    """The curve of a screen, by unweighted least squares.

    Attributes
    ----------
    gamma, l_min_cd_m2, l_max_cd_m2
        The three parameters; luminances at levels 0 and 255.
    gamma_se, l_min_se, l_max_se
        Their standard errors, from the scatter of the readings about the curve.
    r_squared
        Share of the readings' variance that the curve explains.
    largest_residual_cd_m2
        The largest distance of a reading from the curve.
    n
        Readings.
    """

    gamma: float
    l_min_cd_m2: float
    l_max_cd_m2: float
    gamma_se: float
    l_min_se: float
    l_max_se: float
    r_squared: float
    largest_residual_cd_m2: float
    n: int

    def __post_init__(self) -> None:
        if not self.gamma > 0:
            raise ValueError(f"gamma must be more than 0, got {self.gamma}")
        if not self.l_min_cd_m2 < self.l_max_cd_m2:
            ends = f"{self.l_min_cd_m2} and {self.l_max_cd_m2}"
            raise ValueError(f"l_min_cd_m2 must be below l_max_cd_m2, got {ends}")

    def luminance(self, levels: Any) -> Float[np.ndarray, " *n"]:
        """Give the luminance of screen levels, in cd/m2."""
        part = (np.asarray(levels, float) / 255) ** self.gamma
        return np.asarray(self.l_min_cd_m2 + self.range_cd_m2 * part)

    @property
    def range_cd_m2(self) -> float:
        """Lmax - Lmin."""
        return self.l_max_cd_m2 - self.l_min_cd_m2

    @property
    def background_cd_m2(self) -> float:
        """Luminance of contrast 0, in the middle."""
        return (self.l_min_cd_m2 + self.l_max_cd_m2) / 2

    @property
    def michelson(self) -> float:
        """Contrast between brightest and darkest: a nominal contrast of 1 on screen.

        The luminance of contrast c is the background's times (1 + michelson c).
        """
        return self.range_cd_m2 / (self.l_max_cd_m2 + self.l_min_cd_m2)

    @property
    def note(self) -> str | None:
        """What is wrong with the fit, in a sentence; None if it is good."""
        part = self.largest_residual_cd_m2 / self.range_cd_m2
        if part <= GOOD_RESIDUAL:
            return None
        return (
            f"a reading lies {100 * part:.1f} % of the range off the curve: look for a "
            "wrong reading, and turn off dynamic contrast and picture modes"
        )


def faults(readings: Iterable[Reading]) -> list[str]:
    """Say what keeps readings from being fitted, one sentence each; [] if nothing.

    Examples
    --------
    >>> faults([(0, 0.3), (255, 100.0)])
    ['readings must be at 6 levels or more, got 2']
    """
    found = []
    readings = list(readings)
    for level, value in readings:
        if not (isinstance(level, int | np.integer) and 0 <= level <= 255):
            found.append(f"level must be a whole number from 0 to 255, got {level}")
        elif not (np.isfinite(value) and value >= 0):
            rule = "0 cd/m2 or more"
            found.append(f"the reading at level {level} must be {rule}, got {value}")
    if found:
        return found
    levels, means = mean_by_level(readings)
    if len(levels) < MIN_LEVELS:
        rule = f"at {MIN_LEVELS} levels or more"
        found.append(f"readings must be {rule}, got {len(levels)}")
    for end in {0, 255} - set(levels):
        found.append(f"readings must include level {end}, got none there")
    if means and not means[-1] > (1 + MAX_FALL) * means[0]:
        rule = "higher at the highest level than at the lowest"
        got = f"{means[0]:g} and {means[-1]:g} cd/m2"
        return sorted([*found, f"readings must be {rule}, got {got}"])
    return sorted(found + falls(readings))


def falls(readings: Iterable[Reading]) -> list[str]:
    """Say where luminance falls as the level rises, by more than photometers err.

    Examples
    --------
    >>> falls([(0, 0.3), (51, 37.0), (102, 15.2)])
    ['readings must rise with the level, got 37 cd/m2 at 51 and 15.2 at 102']
    """
    levels, means = mean_by_level(readings)
    top = max(means, default=0.0)
    steps = zip(levels[:-1], levels[1:], means[:-1], means[1:], strict=True)
    return [
        f"readings must rise with the level, got {low_value:g} cd/m2 at {low} and "
        f"{high_value:g} at {high}"
        for low, high, low_value, high_value in steps
        if high_value < low_value - MAX_FALL * top
    ]


def mean_by_level(readings: Iterable[Reading]) -> tuple[list[int], list[float]]:
    """Give the levels that were read, rising, and the mean reading at each.

    Examples
    --------
    >>> mean_by_level([(255, 99.0), (0, 0.5), (255, 101.0)])
    ([0, 255], [0.5, 100.0])
    """
    by_level: dict[int, list[float]] = {}
    for level, value in readings:
        by_level.setdefault(int(level), []).append(float(value))
    levels = sorted(by_level)
    return levels, [float(np.mean(by_level[level])) for level in levels]


def fit_luminance(readings: Sequence[Reading]) -> LuminanceFit:
    """Fit Lmin, Lmax and gamma to photometer readings.

    Parameters
    ----------
    readings
        Screen level and luminance in cd/m2, in any order, at `MIN_LEVELS` levels or
        more, 0 and 255 among them; a level may be read several times.

    Returns
    -------
    LuminanceFit
        Least squares, every reading with the same weight.

    Raises
    ------
    ValueError
        If the readings cannot be fitted; one sentence a line.

    Examples
    --------
    >>> levels = range(0, 256, 51)
    >>> fit = fit_luminance([(v, 0.5 + 100 * (v / 255) ** 2.2) for v in levels])
    >>> round(fit.gamma, 4), round(fit.l_min_cd_m2, 4), round(fit.l_max_cd_m2, 4)
    (2.2, 0.5, 100.5)
    """
    found = faults(readings)
    if found:
        raise ValueError("\n".join(found))
    levels, values = np.array(readings, float).T
    start = (values.min(), values.max() - values.min(), 2.0)

    def curve(v: np.ndarray, low: float, span: float, gamma: float) -> np.ndarray:
        return low + span * (v / 255) ** gamma

    bounds = ([-np.inf, 0, 0.1], [np.inf, np.inf, 10])
    best, covariance = curve_fit(
        curve, levels, values, start, bounds=bounds, xtol=1e-12, ftol=1e-12, gtol=1e-12
    )
    low, span, gamma = (float(value) for value in best)
    residuals = values - curve(levels, *best)
    spread = ((values - values.mean()) ** 2).sum()
    variances = np.diag(covariance)
    top_variance = variances[0] + variances[1] + 2 * covariance[0, 1]
    return LuminanceFit(
        gamma=gamma,
        l_min_cd_m2=low,
        l_max_cd_m2=low + span,
        gamma_se=float(np.sqrt(variances[2])),
        l_min_se=float(np.sqrt(variances[0])),
        l_max_se=float(np.sqrt(max(top_variance, 0.0))),
        r_squared=float(1 - (residuals**2).sum() / spread),
        largest_residual_cd_m2=float(np.abs(residuals).max()),
        n=len(values),
    )


def wanted_luminance(fit: LuminanceFit) -> Float[np.ndarray, " 256"]:
    """Give the luminance that each contrast level should have, in cd/m2.

    Level 128 + 127 c has the background's luminance plus c times half the range; no
    frame has level 0, which is given level 1's.
    """
    contrast = (np.maximum(np.arange(256), 1) - 128) / 127
    return fit.background_cd_m2 + contrast * fit.range_cd_m2 / 2


def look_up_table(fit: LuminanceFit) -> tuple[int, ...]:
    """Give the screen level of each of the 256 contrast levels.

    Of the two screen levels around the wanted luminance, the nearer in luminance.

    Examples
    --------
    >>> straight = LuminanceFit(1.0, 0.0, 100.0, 0, 0, 0, 1, 0, 6)
    >>> table = look_up_table(straight)
    >>> table[1], table[128], table[255]
    (0, 128, 255)
    """
    shown = fit.luminance(np.arange(256))
    wanted = wanted_luminance(fit)
    above = np.clip(np.searchsorted(shown, wanted), 1, 255)
    # At a tie, upwards: contrast 0 of a linear screen is then level 128.
    nearer = wanted - shown[above - 1] < (shown[above] - wanted) * (1 - 1e-9)
    return tuple(int(level) for level in np.where(nearer, above - 1, above))


@dataclass(frozen=True)
class TableQuality:
    """What 256 screen levels make of 255 contrast levels.

    Attributes
    ----------
    n_steps
        Distinct luminances among contrast levels 1 to 255.
    largest_error_cd_m2
        The largest distance of a level's luminance from the wanted one, by the fit.
    largest_error_contrast
        The same as contrast: over half the range.
    background_error_contrast
        That of level 128.
    """

    n_steps: int
    largest_error_cd_m2: float
    largest_error_contrast: float
    background_error_contrast: float


def table_quality(fit: LuminanceFit, lut: Sequence[int]) -> TableQuality:
    """Say how well a table makes luminance linear on a screen with 8 bits."""
    used = np.array(lut)[1:]
    errors = fit.luminance(used) - wanted_luminance(fit)[1:]
    half = fit.range_cd_m2 / 2
    largest = float(np.abs(errors).max())
    background = float(errors[127] / half)
    return TableQuality(len(set(used.tolist())), largest, largest / half, background)


def read_readings(path: str | Path) -> list[Reading]:
    """Read a CSV file with the columns level and cd_m2.

    Raises
    ------
    ValueError
        If a column is missing or a cell is not a number, with the line.
    """
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, skipinitialspace=True)
        missing = {"level", "cd_m2"} - set(rows.fieldnames or [])
        if missing:
            names = ", ".join(rows.fieldnames or []) or "none"
            rule = "the columns level and cd_m2"
            raise ValueError(f"{str(path)!r} must have {rule}, got {names}")
        return [_reading(row, rows.line_num) for row in rows]


def _reading(row: dict[str, str], line: int) -> Reading:
    try:
        return int(row["level"]), float(row["cd_m2"])
    except (TypeError, ValueError) as error:
        got = f"{row['level']!r} and {row['cd_m2']!r}"
        raise ValueError(f"line {line} must hold two numbers, got {got}") from error


def levels_to_read(n: int) -> tuple[int, ...]:
    """Give levels at equal steps from 0 to 255.

    Raises
    ------
    ValueError
        If there would be too few to fit.

    Examples
    --------
    >>> levels_to_read(6)
    (0, 51, 102, 153, 204, 255)
    """
    if not MIN_LEVELS <= n <= 256:
        raise ValueError(f"levels must be from {MIN_LEVELS} to 256, got {n}")
    return tuple(round(255 * i / (n - 1)) for i in range(n))

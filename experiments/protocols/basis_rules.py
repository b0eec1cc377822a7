"""Rules of noise on a basis: exact sums, room beside 5 SD, a signal in the images."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from .checks import Faults, ProtocolError
from .coefficients import Coefficients, coefficients_of
from .deviates import normal_table
from .image_kinds import images_of
from .images import Images
from .noise_and_signal import FULL_CONTRAST, HEADROOM_SD
from .parts import Parts
from .picture import picture_levels
from .projection import in_images
from .signal import remainder_levels, signal_units

LEAST_SHARE = 0.9  # of the template's energy, shown by the images
_LEAST_CORRELATION = 0.99  # of the signal in whole units with the one asked for
_MOST_SUM = 2**31
_FINENESSES = range(1, 256, 2)


def check_basis(protocol: Parts, faults: Faults) -> None:
    """Note one sentence for every rule that noise on a basis breaks."""
    noise, signal = protocol.noise, protocol.signal
    kind = protocol.task.kind
    rule = "independent unless the task is 2afc"
    faults.unless(
        noise.pairs == "independent" or kind == "2afc", "noise.pairs", rule, noise.pairs
    )
    if noise.basis is None:
        fits = signal.kind != "coefficients"
        faults.unless(fits, "signal.kind", "drawn without a basis", signal.kind)
        fits = signal.outside == "drop"
        faults.unless(fits, "signal.outside", "drop without a basis", signal.outside)
        return
    fits = signal.outside == "drop" or noise.floor_sd > 0
    rule = "drop unless noise.floor_sd hides what the images cannot show"
    faults.unless(fits, "signal.outside", rule, signal.outside)
    if signal.kind == "unknown":
        return  # a rule of its source refuses it
    try:
        _check_signal(protocol, faults)
        for shown in shown_together(protocol):
            _check_exact(shown, faults)
            _check_room(shown, faults)
    except ProtocolError as error:
        faults.found += error.faults


@dataclass(frozen=True, eq=False)
class Together:
    """Noise, signal and picture as one kind of trial shows them together.

    Attributes
    ----------
    key
        Which field of the protocol says the contrast.
    contrast
        The highest of these trials.
    """

    protocol: Parts
    key: str
    contrast: float
    coefficients: Coefficients
    images: Images

    @property
    def unit(self) -> int:
        """D, units of a coefficient in full contrast."""
        return FULL_CONTRAST * self.protocol.noise.fineness

    def units(self) -> list[Int64[np.ndarray, " image"]]:
        """Give what the signal adds to the coefficients with each of its gains."""
        gains = self.protocol.signal.gains
        return [signal_units(self.protocol, gain * self.contrast) for gain in gains]

    def largest_sum(self) -> int:
        """Give H: no partial sum of any element is larger."""
        signal = np.max([np.abs(units) for units in self.units()], axis=0)
        return int(self.images.total(self.coefficients.largest + signal, np.abs).max())

    def variance(self) -> Float[np.ndarray, " frame row column"]:
        """Give the variance of the noise on the images, in squared levels."""
        return (
            self.images.total(self.coefficients.unit_sds**2, np.square) / self.unit**2
        )

    def reach(self) -> Float[np.ndarray, " frame row column"]:
        """Give what is kept free for the noise, in levels: 5 SD, or its very end."""
        floor = self.protocol.noise.floor_sd
        five = HEADROOM_SD * np.sqrt(self.variance() + (FULL_CONTRAST * floor) ** 2)
        return np.minimum(five, self.end())

    def end(self) -> Float[np.ndarray, " frame row column"]:
        """Give the largest magnitude that the noise can have, in levels."""
        largest = self.coefficients.largest.astype(np.float64)
        end = self.images.total(largest, np.abs) / self.unit
        return end + _floor_end(self.protocol.noise.floor_sd)

    def beside(self) -> list[Float[np.ndarray, " frame row column"]]:
        """Give picture and signal in levels, with each of the signal's gains."""
        levels = []
        for gain, units in zip(self.protocol.signal.gains, self.units(), strict=True):
            sums = self.images.total(units, _same).astype(np.float64) / self.unit
            for part in (
                remainder_levels(self.protocol, gain * self.contrast),
                picture_levels(self.protocol),
            ):
                sums = sums if part is None else sums + part
            levels.append(sums)
        return levels


def _same(values: np.ndarray) -> np.ndarray:
    return values


def _floor_end(floor_sd: float) -> int:
    """Give the largest level of white noise of an SD."""
    return round(FULL_CONTRAST * min(1.0, floor_sd * float(normal_table()[-1])))


def shown_together(protocol: Parts) -> Iterator[Together]:
    """Give what the trials show together where the contrast is highest, by kind."""
    noise, catch = protocol.noise, protocol.catch
    assert noise.basis is not None
    images = images_of(noise.basis, noise.grid)
    shown = [("contrast", noise.sd, protocol.contrast.highest_shown)]
    if catch.n_per_block:
        shown.append(("catch.contrast", catch.sd, catch.contrast))
    for key, sd, contrast in shown:
        yield Together(protocol, key, contrast, coefficients_of(noise, sd), images)


def _check_exact(shown: Together, faults: Faults) -> None:
    fits = shown.key != "contrast" or bool((shown.coefficients.unit_sds > 0).all())
    fineness = shown.protocol.noise.fineness
    rule = "high enough for every coefficient of the noise to vary"
    faults.unless(fits, "noise.fineness", rule, fineness)
    largest = shown.largest_sum()
    rule = "such that no sum of images reaches 2^31 units"
    faults.unless(largest < _MOST_SUM, "noise.basis", rule, largest)


def _check_room(shown: Together, faults: Faults) -> None:
    """Nothing is clipped within 5 SD of the noise, at any element."""
    reach = shown.reach()
    beside = np.max([np.abs(levels) for levels in shown.beside()], axis=0)
    over = reach + beside - FULL_CONTRAST
    if over.max() <= 0:
        return
    worst = np.unravel_index(int(over.argmax()), over.shape)
    faults.found.append(
        f"{shown.key} must be such that signal and picture have room beside "
        f"{HEADROOM_SD:g} SD of the noise, got {beside[worst]:.1f} levels at element "
        f"{[int(i) for i in worst]}, where {HEADROOM_SD:g} SD take {reach[worst]:.1f} "
        f"of {FULL_CONTRAST} and leave {max(0, FULL_CONTRAST - reach[worst]):.1f}"
    )


def _check_signal(protocol: Parts, faults: Faults) -> None:
    noise, signal = protocol.noise, protocol.signal
    found = in_images(signal, noise)
    if signal.outside == "show":
        return
    rule = f"such that the images show {LEAST_SHARE:g} of its energy or more"
    fits = found.share >= LEAST_SHARE
    if not faults.unless(fits, "the signal", rule, round(found.share, 4)):
        return
    gain = min(abs(gain) for gain in signal.gains if gain)
    contrasts = [gain * c for c in protocol.contrast.values if c > 0]
    if not contrasts or _correlation(protocol, min(contrasts), noise.fineness) >= (
        _LEAST_CORRELATION
    ):
        return
    faults.found.append(_finer(protocol, min(contrasts)))


def _finer(protocol: Parts, contrast: float) -> str:
    """Say how fine the noise must be for the signal to be the one asked for."""
    for fineness in _FINENESSES:
        if _correlation(protocol, contrast, fineness) >= _LEAST_CORRELATION:
            rule, got = f"{fineness} or more", protocol.noise.fineness
            return (
                f"noise.fineness must be {rule} for a signal of contrast {contrast:g}, "
                f"got {got}"
            )
    rule = "high enough for the signal in whole units of the coefficients"
    return f"contrast.values must be {rule}, got {contrast:g}"


def _correlation(protocol: Parts, contrast: float, fineness: int) -> float:
    """Give the correlation of the signal in whole units with the one asked for."""
    assert protocol.noise.basis is not None
    found = in_images(protocol.signal, protocol.noise)
    images = images_of(protocol.noise.basis, protocol.noise.grid)
    whole = images.drawn(found.units(contrast, fineness).astype(np.float64))
    sizes = math.sqrt(float((whole**2).sum()) * float((found.shown**2).sum()))
    return float((whole * found.shown).sum()) / sizes if sizes else 0.0

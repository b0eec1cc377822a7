"""The signal on the noise grid: its template, and its levels at a contrast."""

from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, Int16, Int64

from .image_kinds import images_of
from .noise_and_signal import FULL_CONTRAST, Noise, Signal
from .parts import Parts
from .places import as_places
from .projection import in_images
from .template import template_of


def signal_template(protocol: Parts) -> Float[np.ndarray, " frame row column"]:
    """Give the signal at contrast 1 on the noise grid.

    Returns
    -------
    ndarray
        float64, scaled to a largest magnitude of 1 (by the contrast rule 'rms': an RMS
        of 1) and rounded to 9 decimals, so that every machine's mathematics library
        gives the same levels. All zero where the
        signal of imported data is unknown. In noise on a basis: what is shown of it, a
        sum of the basis's images.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> signal_template(load_protocol("bar-in-noise")).ravel()[5:8].tolist()
    [0.0, 1.0, 0.0]
    """
    if protocol.noise.basis is None:
        return template_of(protocol.signal, protocol.noise)
    signal = in_images(protocol.signal, protocol.noise)
    return signal.shown if signal.remainder is None else signal.shown + signal.remainder


def signal_levels(
    protocol: Parts, contrast: float
) -> Int16[np.ndarray, " frame row column"] | Float[np.ndarray, " frame row column"]:
    """Give the signal's contrast levels, rint(127 contrast t).

    In noise on a basis they are no whole numbers: a whole number of units of every
    coefficient is added before the frame is rounded.

    Parameters
    ----------
    protocol
        Says the template.
    contrast
        The trial's contrast times the alternative's gain; may be negative.
    """
    if protocol.noise.basis is not None:
        return _levels_in_images(protocol, contrast)
    return _levels(protocol.signal, protocol.noise, contrast)


@lru_cache(maxsize=64)
def _levels(
    signal: Signal, noise: Noise, contrast: float
) -> Int16[np.ndarray, " frame row column"]:
    """Round once what people are shown again and again, one trial at a time."""
    template = template_of(signal, noise)
    levels = np.rint(FULL_CONTRAST * contrast * template).astype(np.int16)
    levels.setflags(write=False)
    return levels


def signal_units(protocol: Parts, contrast: float) -> Int64[np.ndarray, " image"]:
    """Give what the signal adds to every coefficient of noise on a basis, in units."""
    signal = in_images(protocol.signal, protocol.noise)
    return signal.units(contrast, protocol.noise.fineness)


def remainder_levels(
    protocol: Parts, contrast: float
) -> Int64[np.ndarray, " frame row column"] | None:
    """Give the levels of the signal's part that the images cannot show, if it is."""
    remainder = in_images(protocol.signal, protocol.noise).remainder
    if remainder is None:
        return None
    return np.rint(FULL_CONTRAST * contrast * remainder).astype(np.int64)


def _levels_in_images(
    protocol: Parts, contrast: float
) -> Float[np.ndarray, " frame row column"]:
    assert protocol.noise.basis is not None
    images = images_of(protocol.noise.basis, protocol.noise.grid)
    units = signal_units(protocol, contrast).astype(np.float64)
    levels = images.drawn(units) / protocol.noise.fineness
    remainder = remainder_levels(protocol, contrast)
    return levels if remainder is None else levels + remainder


def interval_gains(
    protocol: Parts, targets: Int64[np.ndarray, " trial"]
) -> Float[np.ndarray, " trial interval"]:
    """Give the signal's gain in every interval of every trial.

    In a forced choice the interval that is the target has the second gain and the
    others the first; in yes/no and rating the class chooses. Where patterns are
    identified, the target's is there at every trial.
    """
    without, with_target = protocol.signal.gains
    if protocol.task.identifies:
        return np.full((len(targets), 1), with_target)
    targets = np.asarray(targets)[:, None]
    if protocol.task.is_forced_choice:
        has_target = np.arange(protocol.n_intervals)[None, :] == targets
    else:
        has_target = targets == 1
    return np.where(has_target, with_target, without).astype(np.float64)


def field_gains(protocol: Parts, table: Any) -> Float[np.ndarray, " trial field"]:
    """Give the signal's gain in every noise field of every trial of a table.

    Without places a field is an interval. With them field i x places + p is that of
    place p in interval i, and there is signal at the trial's place alone.
    """
    gains = interval_gains(protocol, np.asarray(table["target"], np.int64))
    n = protocol.places.count
    if not n:
        return gains
    here = np.arange(n) == places_of(protocol, table)[:, None]
    return (gains[:, :, None] * here[:, None, :]).reshape(len(gains), -1)


def places_of(protocol: Parts, table: Any) -> Int64[np.ndarray, " trial"]:
    """Give the signal's place in every trial of a table.

    Raises
    ------
    ValueError
        If a trial has none, or one that the protocol has not.
    """
    try:
        values = as_places(table["place"])
    except KeyError:
        values = [None] * len(table["stimulus_id"])
    n = protocol.places.count
    wrong = [value for value in values if value is None or not 0 <= value < n]
    if wrong:
        raise ValueError(
            f"place must be from 0 to {n - 1} in each trial, got {wrong[0]}"
        )
    return np.array(values, np.int64)


def signal_parameters(protocol: Parts) -> dict[str, Any]:
    """Give every parameter of the signal as plain data, for the trial log.

    But for lists (an array's values, coefficients, blobs, patterns): they are in the
    protocol, once for all trials. In a condition also the noise's SD, and what the
    condition changed.
    """
    plain = plain_signal(protocol.signal)
    if not protocol.condition:
        return plain
    return {**plain, "sd": protocol.noise.sd, "condition": protocol.condition}


def catch_parameters(protocol: Parts) -> dict[str, Any]:
    """Give the same of the catch trials of a protocol with conditions."""
    return {**plain_signal(protocol.signal), "sd": protocol.catch.sd}


def plain_signal(signal: Signal) -> dict[str, Any]:
    """Give the parameters of a signal as `signal_parameters` does of a protocol's."""
    plain = asdict(signal)
    for name in ("values", "coefficients", "blobs", "patterns", "variants"):
        del plain[name]
    for name in ("outside", "sha256", "pedestal", "contrast_rule", "pattern"):
        if plain[name] == type(signal).__dict__[name]:
            del plain[name]
    return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}

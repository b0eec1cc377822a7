"""The signal on the noise grid: its template, and its levels at a contrast."""

from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float, Int16, Int64

from .parts import FULL_CONTRAST, Noise, Parts, Signal


def signal_template(protocol: Parts) -> Float[np.ndarray, " frame row column"]:
    """Give the signal at contrast 1 on the noise grid.

    Returns
    -------
    ndarray
        float64, scaled to a largest magnitude of 1 and rounded to 9 decimals, so that
        every machine's mathematics library gives the same levels. All zero where the
        signal of imported data is unknown.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> signal_template(load_protocol("bar-in-noise")).ravel()[5:8].tolist()
    [0.0, 1.0, 0.0]
    """
    return _template(protocol.signal, protocol.noise)


@lru_cache(maxsize=64)
def _template(signal: Signal, noise: Noise) -> Float[np.ndarray, " frame row column"]:
    template = np.zeros(noise.grid)
    frames = slice(signal.frames[0], signal.frames[1] + 1)
    if signal.kind == "array":
        template[:] = np.reshape(signal.values, noise.grid)
    elif signal.kind == "bar":
        rows = slice(signal.rows[0], signal.rows[1] + 1)
        template[frames, rows, signal.columns[0] : signal.columns[1] + 1] = 1.0
    elif signal.kind != "unknown":
        template[frames] = _envelope(signal, noise) * _carrier(signal, noise)
    largest = np.abs(template).max()
    # A gaussian much finer than the grid has no element: the protocol refuses it.
    template = np.round(template / largest, 9) if largest > 0 else template
    template.setflags(write=False)
    return template


def _centred(n: int) -> np.ndarray:
    """Element positions about the middle of the field."""
    return np.arange(n) - (n - 1) / 2


def _envelope(signal: Signal, noise: Noise) -> np.ndarray:
    y, x = _centred(noise.grid[1])[:, None], _centred(noise.grid[2])[None, :]
    return np.exp(-(x**2 + y**2) / (2 * signal.sigma**2))


def _carrier(signal: Signal, noise: Noise) -> np.ndarray | float:
    """Cosine grating of a gabor; 1 for a gaussian."""
    if signal.kind == "gaussian":
        return 1.0
    y, x = _centred(noise.grid[1])[:, None], _centred(noise.grid[2])[None, :]
    angle = np.deg2rad(signal.orientation_deg)
    along = (x * np.cos(angle) + y * np.sin(angle)) * signal.cycles / noise.grid[2]
    return np.cos(2 * np.pi * along + np.deg2rad(signal.phase_deg))


def signal_levels(
    protocol: Parts, contrast: float
) -> Int16[np.ndarray, " frame row column"]:
    """Give the signal's contrast levels, rint(127 contrast t).

    Parameters
    ----------
    protocol
        Says the template.
    contrast
        The trial's contrast times the alternative's gain; may be negative.
    """
    template = signal_template(protocol)
    return np.rint(FULL_CONTRAST * contrast * template).astype(np.int16)


def interval_gains(
    protocol: Parts, targets: Int64[np.ndarray, " trial"]
) -> Float[np.ndarray, " trial interval"]:
    """Give the signal's gain in every interval of every trial.

    In a forced choice the interval that is the target has the second gain and the
    others the first; in yes/no and rating the class chooses.
    """
    without, with_target = protocol.signal.gains
    targets = np.asarray(targets)[:, None]
    if protocol.task.is_forced_choice:
        has_target = np.arange(protocol.n_intervals)[None, :] == targets
    else:
        has_target = targets == 1
    return np.where(has_target, with_target, without).astype(np.float64)


def signal_parameters(protocol: Parts) -> dict[str, Any]:
    """Give every parameter of the signal as plain data, for the trial log.

    But for an array's values: they are in the protocol, once for all trials. In a
    condition also the noise's SD, and what the condition changed.
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
    del plain["values"]
    return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}

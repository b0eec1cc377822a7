"""What a page needs to make frames: tables as steps, images, signals; all whole.

See `StimulusParameters` in `static/plugin-noise-trial/src/stimulus.js`.
"""

import base64
from typing import Any

import numpy as np
from jaxtyping import Int

from ...experiments.protocols.coefficients import coefficients_of
from ...experiments.protocols.image_kinds import images_of
from ...experiments.protocols.picture import picture_levels
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.signal import (
    remainder_levels,
    signal_levels,
    signal_units,
)
from ...experiments.stimulus.noise import level_table


def stimulus_parameters(protocol: Protocol) -> dict[str, Any]:
    """Give grid, sizes and level tables, and the basis where there is one."""
    noise, sds = protocol.noise, {"main": protocol.noise.sd}
    if protocol.catch.n_per_block:
        sds["catch"] = protocol.catch.sd
    if noise.basis is None:
        tables = {name: [level_table(noise.kind, sd)] for name, sd in sds.items()}
    else:
        tables = {name: coefficients_of(noise, sd).tables for name, sd in sds.items()}
    return {
        "grid": noise.grid,
        "element_px": protocol.display.element_px,
        "intervals": protocol.n_intervals,
        "tables": {name: [*map(steps, found)] for name, found in tables.items()},
        "basis": None if noise.basis is None else _basis(protocol),
    }


def _basis(protocol: Protocol) -> dict[str, Any]:
    noise = protocol.noise
    assert noise.basis is not None
    images, picture = images_of(noise.basis, noise.grid), picture_levels(protocol)
    floor = level_table("gaussian", noise.floor_sd) if noise.floor_sd else None
    atoms = [{"size": atom.shape, "values": _base64(atom)} for atom in images.atoms]
    return {
        "images": {
            "atoms": atoms,
            "which": images.which.tolist(),
            "places": images.places.tolist(),
        },
        "row": coefficients_of(noise, noise.sd).row.tolist(),
        "fineness": noise.fineness,
        "floor": None if floor is None else steps(floor),
        "picture": None if picture is None else _base64(picture),
        "opposite": noise.pairs == "opposite",
    }


def steps(table: Int[np.ndarray, " 65536"]) -> dict[str, Any]:
    """Give a rising level table as steps: level lowest + i begins at draw starts[i].

    Examples
    --------
    >>> steps(np.repeat(np.array([-2, -1, 1], np.int8), [1, 2, 65533]))
    {'lowest': -2, 'starts': [0, 1, 3, 3]}
    """
    levels = table.astype(np.int64)
    lowest, highest = int(levels[0]), int(levels[-1])
    starts = np.searchsorted(levels, np.arange(lowest, highest + 1))
    return {"lowest": lowest, "starts": starts.tolist()}


def shown_at(protocol: Protocol, contrast: float) -> dict[str, Any]:
    """Give the signal at a contrast, without the target and with it."""
    gains = protocol.signal.gains
    signals = [_signal(protocol, gain * contrast) for gain in gains]
    return {"contrast": contrast, "signals": signals}


def _signal(protocol: Protocol, contrast: float) -> dict[str, Any]:
    """Give what is added to coefficients, and to levels."""
    if protocol.noise.basis is None:
        levels, units = signal_levels(protocol, contrast), None
    else:
        levels = remainder_levels(protocol, contrast)
        units = signal_units(protocol, contrast).tolist()
    added = {} if levels is None or not levels.any() else {"levels": _base64(levels)}
    return added if units is None or not any(units) else {**added, "units": units}


def _base64(levels: np.ndarray) -> str:
    return base64.b64encode(levels.astype(np.int8).tobytes()).decode()

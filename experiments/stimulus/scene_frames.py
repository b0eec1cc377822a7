"""The scene as whole frames: patches, marks and cues in levels, for every presenter."""

from typing import Any

import numpy as np
from jaxtyping import Int64, UInt8

from ..protocols.places import as_places
from ..protocols.protocol import Protocol
from ..protocols.scene import backdrops, layout_of
from .by_condition import column


def in_scene(
    protocol: Protocol,
    table: Any,
    patches: UInt8[np.ndarray, " trial field frame y x"],
) -> UInt8[np.ndarray, " trial interval shown y2 x2"]:
    """Put the patches of trials into their scene, with the frames of a cue.

    Parameters
    ----------
    protocol
        Has places.
    table
        Columns place and cue besides what `render` needs.
    patches
        At pixel size; field i x places + p is that of place p in interval i.
    """
    shape = protocol.n_intervals, protocol.places.count, *patches.shape[2:]
    patches = patches.reshape(len(patches), *shape)
    behind = backdrops(protocol)[cue_states(protocol, table)]
    frames = np.repeat(behind[:, None], protocol.n_intervals, axis=1)
    first = protocol.n_before
    shown = slice(first, first + patches.shape[3])
    for place, (top, left, height, width) in enumerate(layout_of(protocol).patches):
        y, x = slice(top, top + height), slice(left, left + width)
        frames[:, :, shown, y, x] = patches[:, :, place]
    return frames


def in_turn(protocol: Protocol, n: int, first: int = 0) -> dict[str, Any]:
    """Give columns place and cue of trials without a schedule: places in turn, valid.

    Nothing where the protocol has no places.
    """
    if not protocol.places.count:
        return {}
    place = np.arange(first, first + n) % protocol.places.count
    return {"place": place, **({"cue": place} if protocol.cue.kind else {})}


def scene_trial(
    protocol: Protocol, place: int | None = None, cue: int | None = None
) -> dict[str, int | None]:
    """Give place and cue of one trial that was asked for.

    Parameters
    ----------
    place
        The signal's; the first by default.
    cue
        Where the cue points: at the signal's place by default, at all of them for -1.

    Raises
    ------
    ValueError
        If the protocol has no such place, or no cue.
    """
    n = protocol.places.count
    for name, value, has in (("place", place, n), ("cue", cue, protocol.cue.kind)):
        if value is not None and not has:
            raise ValueError(f"{name} must be left out of {protocol.name}, got {value}")
        if value is not None and value >= n:
            raise ValueError(f"{name} must be from 0 to {n - 1}, got {value}")
    if not n:
        return {}
    here = place or 0
    if not protocol.cue.kind:
        return {"place": here}
    pointed = here if cue is None else None if cue < 0 else cue
    return {"place": here, "cue": pointed}


def cue_states(protocol: Protocol, table: Any) -> Int64[np.ndarray, " trial"]:
    """Give which backdrop each trial has: the place cued, or the last one.

    Raises
    ------
    ValueError
        If a cue points at no place of the protocol's.
    """
    cues, n = as_places(column(table, "cue")), protocol.places.count
    if not protocol.cue.kind:
        return np.zeros(len(cues), np.int64)
    states = np.array([n if cue is None else cue for cue in cues], np.int64)
    wrong = states[(states < 0) | (states > n)]
    if wrong.size:
        raise ValueError(f"cue must be a place from 0 to {n - 1}, got {wrong[0]}")
    return states

"""What a device must be able to do for a protocol, as the pages' scripts take it."""

from collections.abc import Sequence

from ...experiments.protocols.keys import KEY_CODES
from ...experiments.protocols.protocol import Protocol


def needs(protocol: Protocol) -> dict:
    """Give what a device must be able to do, to be found out before anything is stored.

    See js/types.js.
    """
    return {
        "keys": places(protocol.task.keys),
        "touch": protocol.task.touch,
        "side_by_side": protocol.n_onsets < protocol.n_intervals,
        "shape": _shape(protocol),
        "deg_per_element": protocol.display.deg_per_element,
        "element_px": protocol.display.element_px,
        "timing": {**vars(protocol.timing), **_cue_times(protocol)},
    }


def _cue_times(protocol: Protocol) -> dict[str, tuple[float, ...]]:
    """Give the durations of a cue's frames; nothing without a cue."""
    times = protocol.cue.frames_ms
    return {f"{protocol.cue.when}_ms": times} if times else {}


def places(names: Sequence[str]) -> list[dict[str, str]]:
    """Give keys in order: name, and place on the keyboard."""
    return [{"name": key, "code": KEY_CODES[key]} for key in names]


def _shape(protocol: Protocol) -> dict[str, int]:
    frames, height, width = protocol.frame_shape
    return {
        "intervals": protocol.n_intervals,
        "frames": frames,
        "height": height,
        "width": width,
    }

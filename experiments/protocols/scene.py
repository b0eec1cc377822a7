"""The scene of a protocol with places: where patches, marks and cues are, in pixels.

All is drawn in levels at stimulus size, so that no presenter draws anything of it.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, UInt8

from .levels import BACKGROUND
from .parts import Parts
from .places import Cue, Places

DARK, BRIGHT = 1, 255
GAP_PX, MARK_PX = (
    3,
    6,
)  # of a mark: from the patch, and along; as the lab's stage has it
RING_PX = 2  # thickness of a ring
ARROW_DEG = 1.0
LEAST_ARROW_PX = 8
_EDGE_PX = GAP_PX + MARK_PX
_DIGITS = 6  # sines differ in their last digits from machine to machine

Rectangle = tuple[int, int, int, int]  # top, left, height, width in px
Drawn = Bool[np.ndarray, " y x"]


@dataclass(frozen=True)
class Layout:
    """Where the patches of a scene are.

    Attributes
    ----------
    size_px
        Height and width of the scene; fixation is its middle.
    patches
        Rectangle of each place: top, left, height, width.
    px_per_deg
        Of the stimulus.
    margin_px
        Around each patch, for its marks and a ring.
    """

    size_px: tuple[int, int]
    patches: tuple[Rectangle, ...]
    px_per_deg: float
    margin_px: int


def layout_of(protocol: Parts) -> Layout:
    """Give the layout of a protocol with places.

    Examples
    --------
    >>> import yoked
    >>> layout = layout_of(yoked.load_protocol("cued-detection"))
    >>> layout.size_px, layout.patches[0]
    ((150, 150), (9, 93, 48, 48))
    """
    rows, columns = protocol.noise.grid[1:]
    tall, wide = protocol.display.element_px
    px_per_deg = wide / protocol.display.deg_per_element
    patch = rows * tall, columns * wide
    margin = _EDGE_PX
    if protocol.cue.kind == "ring":
        margin = max(margin, *(math.ceil(_outer(patch) - side / 2) for side in patch))
    return _layout(protocol.places, patch, px_per_deg, margin)


@lru_cache(maxsize=64)
def _layout(
    places: Places, patch: tuple[int, int], px_per_deg: float, margin: int
) -> Layout:
    height, width = patch
    middles = [
        (round(-up * px_per_deg, _DIGITS), round(right * px_per_deg, _DIGITS))
        for right, up in places.centres
    ]
    corners = [(round(y - height / 2), round(x - width / 2)) for y, x in middles]
    reach = [
        max(max(-start, start + side) for start in starts)
        for starts, side in zip(zip(*corners, strict=True), patch, strict=True)
    ]
    half = [most + margin for most in reach]
    if places.size_deg:
        half = [round(places.size_deg * px_per_deg / 2)] * 2
    rectangles = tuple((half[0] + y, half[1] + x, height, width) for y, x in corners)
    return Layout((2 * half[0], 2 * half[1]), rectangles, px_per_deg, margin)


def frame_shape_of(protocol: Parts) -> tuple[int, int, int]:
    """Give the frames of an interval, and their height and width in px."""
    if protocol.places.count:
        return len(protocol.times_ms), *layout_of(protocol).size_px
    frames, rows, columns = protocol.noise.grid
    tall, wide = protocol.display.element_px
    return frames, rows * tall, columns * wide


def backdrops(protocol: Parts) -> UInt8[np.ndarray, " state frame y x"]:
    """Give the frames of an interval without its patches, for each state of the cue.

    State i is a cue at place i; the last one points at all places, or at none where
    nothing points.
    """
    return _backdrops(
        layout_of(protocol),
        protocol.places.marks,
        protocol.cue,
        len(protocol.times_ms),
        protocol.n_before,
    )


@lru_cache(maxsize=32)
def _backdrops(
    layout: Layout, has_marks: bool, cue: Cue, n_frames: int, n_before: int
) -> UInt8[np.ndarray, " state frame y x"]:
    plain = np.full(layout.size_px, BACKGROUND, np.uint8)
    for patch in range(len(layout.patches) if has_marks else 0):
        plain[marks(layout, patch)] = DARK
    if middle_is_free(layout):
        plain[dot(layout)] = DARK
    n_states = 1 + (len(layout.patches) if cue.kind else 0)
    found = np.tile(plain, (n_states, n_frames, 1, 1))
    if cue.kind:
        first = cue.when == "before"
        shown = 0 if first else n_frames - 1
        for state in range(n_states):
            every = range(len(layout.patches))
            pointed = [state] if state < len(layout.patches) else list(every)
            level = BRIGHT if cue.kind == "marks" else DARK
            for patch in pointed:
                found[state, shown][cue_at(layout, cue.kind, patch)] = level
    found.setflags(write=False)
    return found


def cue_at(layout: Layout, kind: str, patch: int) -> Drawn:
    """Give the pixels of a cue that points at a place."""
    if kind == "arrow":
        return arrow(layout, patch)
    return ring(layout, patch) if kind == "ring" else marks(layout, patch)


def marks(layout: Layout, patch: int) -> Drawn:
    """Give the pixels of the lines above and below a place."""
    top, left, height, width = layout.patches[patch]
    drawn = np.zeros(layout.size_px, bool)
    middle = slice(left + (width - 1) // 2, left + width // 2 + 1)
    drawn[max(0, top - _EDGE_PX) : max(0, top - GAP_PX), middle] = True
    drawn[top + height + GAP_PX : top + height + _EDGE_PX, middle] = True
    return drawn


def dot(layout: Layout) -> Drawn:
    """Give the pixels of the dot at fixation."""
    height, width = layout.size_px
    drawn = np.zeros(layout.size_px, bool)
    drawn[height // 2 - 2 : height // 2 + 2, width // 2 - 2 : width // 2 + 2] = True
    return drawn


def ring(layout: Layout, patch: int) -> Drawn:
    """Give the pixels of a ring around a place, as near as no corner is covered."""
    y, x = _from_middle_of(layout, patch)
    outer = _outer(layout.patches[patch][2:])
    distance = np.round(np.hypot(y, x), _DIGITS)
    return (distance >= round(outer - RING_PX, _DIGITS)) & (distance < outer)


def _outer(patch: tuple[int, int]) -> float:
    """Give the radius of a ring around a patch of a height and width."""
    return round(math.hypot(*patch) / 2 + 1 + RING_PX, _DIGITS)


def arrow(layout: Layout, patch: int) -> Drawn:
    """Give the pixels of an arrow from fixation towards a place."""
    up, right = _direction(layout, patch)
    height, width = layout.size_px
    y = np.arange(height)[:, None] - (height - 1) / 2
    x = np.arange(width)[None, :] - (width - 1) / 2
    along = np.round(x * right - y * up, _DIGITS)
    across = np.abs(np.round(x * up + y * right, _DIGITS))
    length = arrow_px(layout)
    head = length / 2
    shaft = (along >= 0) & (along <= length - head / 2) & (across <= 1)
    tip = (along >= length - head) & (along <= length)
    return shaft | (tip & (across <= np.round((length - along) / 2, _DIGITS)))


def arrow_px(layout: Layout) -> int:
    """Give the length of an arrow: a degree, or what is free around fixation."""
    free = min(_from_fixation(layout, patch) for patch in range(len(layout.patches)))
    return min(round(ARROW_DEG * layout.px_per_deg), math.floor(free) - GAP_PX)


def middle_is_free(layout: Layout) -> bool:
    """Whether no patch is at fixation."""
    every = range(len(layout.patches))
    return min(_from_fixation(layout, patch) for patch in every) > GAP_PX


def _direction(layout: Layout, patch: int) -> tuple[float, float]:
    """Give the direction of a place from fixation: up and right, of length 1."""
    top, left, height, width = layout.patches[patch]
    down = top + height / 2 - layout.size_px[0] / 2
    right = left + width / 2 - layout.size_px[1] / 2
    length = math.hypot(down, right)
    return (-down / length, right / length) if length else (1.0, 0.0)


def _from_fixation(layout: Layout, patch: int) -> float:
    """Give the distance of fixation from the nearest pixel of a place."""
    top, left, height, width = layout.patches[patch]
    y, x = layout.size_px[0] / 2, layout.size_px[1] / 2
    outside = max(top - y, y - top - height, 0), max(left - x, x - left - width, 0)
    return math.hypot(*outside)


def _from_middle_of(layout: Layout, patch: int) -> tuple[np.ndarray, np.ndarray]:
    top, left, height, width = layout.patches[patch]
    y = np.arange(layout.size_px[0])[:, None] - (top + (height - 1) / 2)
    x = np.arange(layout.size_px[1])[None, :] - (left + (width - 1) / 2)
    return y, x

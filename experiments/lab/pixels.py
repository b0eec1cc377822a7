"""Pixels of a screen: frames of protocols, drawn, read back and compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from ..protocols.parts import BACKGROUND
from ..protocols.protocol import Protocol
from ..stimulus.render import render
from ..stimulus.scene_frames import in_turn
from ..stimulus.sources import noise_source
from .screen import Screen, padded, place
from .stage import Stage

N_TRIALS = 2
N_SHOWN = 6  # pictures of each protocol, spread over its trials and movies
_SEED = 20261120
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Pixels:
    """Frames of a protocol, drawn and read back.

    Attributes
    ----------
    protocol, scale, lut
        What was drawn, how large, through which table: 'identity' or 'calibration'.
    n_frames, n_pixels
        How much was compared: whole screens, background included.
    n_wrong, largest
        Pixels that differ from LUT[levels], and the largest difference in levels.
    skipped
        Why nothing was drawn; None if it was.
    """

    protocol: str
    scale: int
    lut: str
    n_frames: int = 0
    n_pixels: int = 0
    n_wrong: int = 0
    largest: int = 0
    skipped: str | None = None


def check_pixels(
    screen: Screen,
    protocols: Sequence[Protocol],
    luts: Mapping[str, Sequence[int]],
    scales: Sequence[int],
    progress: Progress = lambda stage, done, total: None,
) -> tuple[Pixels, ...]:
    """Draw frames of protocols at scales through tables, and compare every pixel.

    Parameters
    ----------
    screen
        What draws and reads back.
    protocols
        Whose frames.
    luts
        Look-up tables by name.
    scales
        Whole numbers.
    progress
        Called after each entry.

    Returns
    -------
    tuple
        One entry for each combination; those that do not fit say so.
    """
    planned = [
        (protocol, scale, name)
        for protocol in protocols
        for scale in scales
        for name in luts
    ]
    found = []
    for done, (protocol, scale, name) in enumerate(planned, start=1):
        found.append(_check(screen, protocol, scale, name, np.array(luts[name])))
        progress("pixels", done, len(planned))
    return tuple(found)


def _check(
    screen: Screen, protocol: Protocol, scale: int, name: str, lut: np.ndarray
) -> Pixels:
    """Compare the frames of one protocol, scale and table."""
    entry = Pixels(protocol.name, scale, name)
    stage = Stage.of(protocol, lut.tolist(), scale)
    height, width = stage.shape
    if width > screen.size_px[0] or height > screen.size_px[1]:
        return replace(entry, skipped=f"{width} x {height} px do not fit the window")
    empty = read_empty(screen)
    for patches in some_patches(protocol):
        picture = stage.picture(patches)
        # The stage against the contract, then the screen against the stage.
        pairs = zip(stage.patches_of(picture), patches, strict=True)
        n_off = sum(int((put != lut[levels]).sum()) for put, levels in pairs)
        n_wrong, largest = compare_picture(screen, picture, empty)
        entry = replace(
            entry,
            n_frames=entry.n_frames + len(patches),
            n_pixels=entry.n_pixels + empty.size,
            n_wrong=entry.n_wrong + n_wrong + n_off * scale**2,
            largest=max(entry.largest, largest),
        )
    return entry


def some_patches(protocol: Protocol) -> list[list[UInt8[np.ndarray, " y x"]]]:
    """Give frames of a protocol as contrast levels, those shown together in a list.

    They are spread over trials and movies, at the protocol's highest contrast.
    """
    table = {
        "stimulus_id": np.arange(1, N_TRIALS + 1),
        "contrast": np.full(N_TRIALS, protocol.contrast.highest_shown),
        "target": np.arange(N_TRIALS) % protocol.task.n_targets,
        "block_kind": np.array(["main"] * N_TRIALS),
        **in_turn(protocol, N_TRIALS),
    }
    source = noise_source(protocol.noise.generator, protocol, _SEED)
    frames = render(protocol, source, table)  # (trial, interval, frame, y, x)
    if protocol.task.kind == "mafc":
        together = frames.swapaxes(1, 2).reshape(-1, *np.delete(frames.shape, [0, 2]))
    else:
        together = frames.reshape(-1, 1, *frames.shape[-2:])
    n = min(N_SHOWN, len(together))
    chosen = np.linspace(0, len(together) - 1, n).round().astype(int)
    return [list(patches) for patches in together[chosen]]


def read_empty(screen: Screen) -> UInt8[np.ndarray, " y x"]:
    """Read an empty screen back."""
    screen.flip()
    return screen.read_back()


def check_background(screen: Screen, lut: Sequence[int]) -> tuple[int, int]:
    """Give the level of an empty screen, where it is worst, and the one wanted."""
    empty, wanted = read_empty(screen).astype(int), int(lut[BACKGROUND])
    return int(empty.flat[np.abs(empty - wanted).argmax()]), wanted


def compare_picture(
    screen: Screen,
    picture: UInt8[np.ndarray, " y x"],
    empty: UInt8[np.ndarray, " height width"],
) -> tuple[int, int]:
    """Draw a picture in the middle of a screen and compare the whole screen.

    Returns
    -------
    tuple
        How many pixels are wrong, and by how much at most.
    """
    picture = padded(picture, screen.size_px, int(empty[0, 0]))
    (handle,) = screen.prepare([picture])
    screen.draw(handle)
    shown = screen.read_back()
    screen.flip()
    screen.release([handle])
    top, left, height, width = place(picture.shape, screen.size_px)
    wanted = empty.copy()
    wanted[top : top + height, left : left + width] = picture
    # Of bytes whose difference may be negative, without making them wider.
    difference = np.maximum(shown, wanted) - np.minimum(shown, wanted)
    return int(np.count_nonzero(difference)), int(difference.max())

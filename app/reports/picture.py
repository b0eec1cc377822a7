"""A trial as a picture: PNG, or GIF for a movie."""

from typing import IO, TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from ...experiments.protocols.parts import BACKGROUND
from ...experiments.protocols.protocol import Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

SMALLEST_PX = 480  # the longer side is magnified to at least this


def write_picture(
    file: IO[bytes],
    suffix: str,
    protocol: Protocol,
    frames: UInt8[np.ndarray, " interval frame y x"],
) -> None:
    """Write the intervals of a trial side by side, in order, on the background.

    Every pixel keeps its contrast level (no look-up table, no interpolation); the
    whole is magnified by a whole number. Frames of a cue stand beside the stimulus in a
    PNG, in their order.

    Parameters
    ----------
    suffix
        ".png" for a still field; ".gif" for any, a movie at its own pace (GIF rounds
        to 10 ms).

    Raises
    ------
    ValueError
        If the suffix is another, or is ".png" and the frames are a movie.
    """
    check_suffix(suffix, protocol)
    if suffix == ".png":  # a still stimulus, and maybe frames of a cue
        frames = frames.reshape(-1, 1, *frames.shape[2:])
    images = [as_image(frame) for frame in side_by_side(frames)]
    if suffix == ".png":
        images[0].save(file, format="PNG")
        return
    images[0].save(
        file,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=[round(ms) for ms in protocol.times_ms],
        loop=0,
    )


def check_suffix(suffix: str, protocol: Protocol) -> None:
    """Refuse a kind of file that cannot hold this protocol's frames."""
    kinds = (".gif",) if protocol.noise.grid[0] > 1 else (".png", ".gif")
    if suffix not in kinds:
        what = "a movie" if len(kinds) == 1 else "a picture"
        raise ValueError(
            f"the name of {what} must end in {' or '.join(kinds)}, got {suffix!r}"
        )


def side_by_side(
    frames: UInt8[np.ndarray, " interval frame y x"],
) -> UInt8[np.ndarray, " frame height width"]:
    """Lay the intervals beside each other with gaps of a quarter field, magnified.

    Examples
    --------
    >>> side_by_side(np.zeros((2, 1, 52, 52), np.uint8)).shape
    (1, 312, 572)
    """
    gap = -(-frames.shape[-1] // 4)
    around = ((0, 0), (0, 0), (gap, gap), (0, gap))
    padded = np.pad(frames, around, constant_values=BACKGROUND)
    wide = np.concatenate(list(padded), axis=-1)  # (frame, y, x)
    framed = np.pad(wide, ((0, 0), (0, 0), (gap, 0)), constant_values=BACKGROUND)
    times = -(-SMALLEST_PX // max(framed.shape[1:]))
    return framed.repeat(times, axis=1).repeat(times, axis=2)


def as_image(frame: UInt8[np.ndarray, " y x"]) -> "Image":
    """Return a grey Pillow image."""
    from PIL import Image

    return Image.fromarray(frame)

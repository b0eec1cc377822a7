"""The stage: a trial's frames as whole pictures, marks included, in screen levels.

All is put together as contrast levels at stimulus size, looked up, and only then
repeated: no graphics card interpolates, blends or scales.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from ..protocols.parts import BACKGROUND
from ..protocols.protocol import Protocol
from ..stimulus.render import repeat_elements

_MARK = 1  # contrast level of the marks: dark
_GAP, _LENGTH = 3, 6  # of a guide mark, in stimulus px: from the patch; along
_ARM = 4  # of the fixation cross

IDENTITY = tuple(range(256))


@dataclass(frozen=True)
class Stage:
    """Where the patches, guide marks and fixation cross of a protocol are.

    Guide marks stand above and below every patch, never in it; the cross is there
    before the first interval only.

    Attributes
    ----------
    patch_px
        Height and width of a patch in stimulus px.
    n_patches
        Patches beside each other: one, but in a spatial forced choice.
    lut
        Screen level of each contrast level.
    scale
        Screen px for each stimulus px, a whole number.
    """

    patch_px: tuple[int, int]
    n_patches: int = 1
    lut: tuple[int, ...] = IDENTITY
    scale: int = 1

    def __post_init__(self) -> None:
        if len(self.lut) != 256 or not all(0 <= level <= 255 for level in self.lut):
            rule = "256 screen levels from 0 to 255"
            raise ValueError(f"lut must be {rule}, got {len(self.lut)} values")
        if self.scale < 1:
            raise ValueError(f"scale must be 1 or more, got {self.scale}")

    @classmethod
    def of(
        cls, protocol: Protocol, lut: Sequence[int] = IDENTITY, scale: int = 1
    ) -> "Stage":
        """Give the stage of a protocol."""
        n_patches = protocol.n_intervals if protocol.task.kind == "mafc" else 1
        _, height, width = protocol.frame_shape
        return cls((height, width), n_patches, tuple(lut), scale)

    @property
    def background(self) -> int:
        """Screen level of zero contrast."""
        return self.lut[BACKGROUND]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of a picture, in screen px."""
        height, width = self._shape
        return height * self.scale, width * self.scale

    @property
    def _shape(self) -> tuple[int, int]:
        height, width = self.patch_px
        margin = _GAP + _LENGTH
        across = width * self.n_patches + self._between * (self.n_patches - 1)
        # Room for the cross, with the patches' own parity: both have one middle.
        return height + 2 * margin, max(across, 2 * _ARM + across % 2)

    @property
    def _between(self) -> int:
        """Empty columns between two patches."""
        return max(self.patch_px[1] // 2, 2)

    def _corner(self, patch: int) -> tuple[int, int]:
        width = self.patch_px[1]
        across = width * self.n_patches + self._between * (self.n_patches - 1)
        first = (self._shape[1] - across) // 2
        return _GAP + _LENGTH, first + patch * (width + self._between)

    def picture(
        self, patches: Sequence[UInt8[np.ndarray, " y x"]] = (), fixation: bool = False
    ) -> UInt8[np.ndarray, " y2 x2"]:
        """Put patches of contrast levels on the stage; none leaves it empty.

        Returns
        -------
        ndarray
            Screen levels.
        """
        levels = np.full(self._shape, BACKGROUND, np.uint8)
        self._mark_guides(levels)
        if fixation:
            self._mark_fixation(levels)
        height, width = self.patch_px
        for number, patch in enumerate(patches):
            top, left = self._corner(number)
            levels[top : top + height, left : left + width] = patch
        looked_up = np.array(self.lut, np.uint8)[levels]
        return repeat_elements(looked_up, (self.scale, self.scale))

    def patches_of(
        self, picture: UInt8[np.ndarray, " y x"]
    ) -> list[UInt8[np.ndarray, " y2 x2"]]:
        """Cut the patches out of a picture, in screen levels at stimulus size.

        Raises
        ------
        ValueError
            If a stimulus px is not one level throughout.
        """
        small = picture[:: self.scale, :: self.scale]
        whole = repeat_elements(small, (self.scale, self.scale))
        if not np.array_equal(whole, picture):
            raise ValueError("each stimulus px must be of one level on the screen")
        height, width = self.patch_px
        corners = [self._corner(number) for number in range(self.n_patches)]
        return [small[y : y + height, x : x + width] for y, x in corners]

    def _mark_guides(self, levels: np.ndarray) -> None:
        """Draw a line above and one below each patch, as wide as parity asks."""
        height, width = self.patch_px
        for number in range(self.n_patches):
            top, left = self._corner(number)
            middle = slice(left + (width - 1) // 2, left + width // 2 + 1)
            levels[:_LENGTH, middle] = _MARK
            levels[top + height + _GAP :, middle] = _MARK

    def _mark_fixation(self, levels: np.ndarray) -> None:
        height, width = levels.shape
        rows = slice((height - 1) // 2, height // 2 + 1)
        columns = slice((width - 1) // 2, width // 2 + 1)
        levels[rows, width // 2 - _ARM : (width + 1) // 2 + _ARM] = _MARK
        levels[height // 2 - _ARM : (height + 1) // 2 + _ARM, columns] = _MARK


def trial_pictures(
    stage: Stage, frames: UInt8[np.ndarray, " interval frame y x"]
) -> list[UInt8[np.ndarray, " y2 x2"]]:
    """Give all pictures of a trial: fixation, empty stage, then the stimulus in order.

    The stimulus is interval by interval and frame by frame; patches side by side share
    a picture.
    """
    stages = frames.swapaxes(0, 1) if stage.n_patches > 1 else frames
    if stage.n_patches > 1:
        stimuli = [stage.picture(list(patches)) for patches in stages]
    else:
        stimuli = [stage.picture([patch]) for movie in stages for patch in movie]
    return [stage.picture(fixation=True), stage.picture(), *stimuli]

"""From pictures of contrast to what a network takes of them."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ...experiments.session.observer import Viewing
from ..networks.inputs import InputMaker
from ..networks.sight import Sight


def beyond_field(
    shape: Sequence[int], field_deg: float, size_px: tuple[int, int], deg_per_px: float
) -> list[int]:
    """Give the px of a picture that a field cuts off on either side, by axis.

    A whole number, so that the middle stays.
    """
    reach = [field_deg * n / max(size_px) / deg_per_px for n in size_px]
    beyond = [(n - r) / 2 - 1e-6 for n, r in zip(shape, reach, strict=True)]
    return [max(0, math.ceil(each)) for each in beyond]


class PictureInput:
    """Makes a network's input of pictures, which stand in the middle of its field.

    What reaches beyond the field is cut off, and around a smaller picture is the
    background. To a network of photographs contrast is what a file's code values would
    be: twice the value over 255, less 1. Its gradient passes.

    Parameters
    ----------
    sight
        What the network sees of the world.
    viewing
        Of the pictures.
    frame_shape
        Frames, height and width of a picture in px; a still picture has one frame.
    field_deg, size_px
        Of the network: degrees across its input, and the input's px.

    Attributes
    ----------
    maker
        Makes the input of what is within the field.

    Raises
    ------
    ValueError
        If the network takes another number of frames, or less than a pixel of a picture
        is within its field.
    """

    def __init__(
        self,
        sight: Sight,
        viewing: Viewing,
        frame_shape: tuple[int, int, int],
        field_deg: float,
        size_px: tuple[int, int],
    ) -> None:
        self._sight, self._shape = sight, frame_shape
        n_frames, *shape = frame_shape
        if n_frames == 1:
            n_frames = sight.n_frames
        elif sight.n_frames > 1 and n_frames != sight.n_frames:
            rule = f"1 or {sight.n_frames} for this network"
            raise ValueError(f"frames of a picture must be {rule}, got {n_frames}")
        self._cut = cut = beyond_field(shape, field_deg, size_px, viewing.deg_per_px)
        kept = [n - 2 * c for n, c in zip(shape, cut, strict=True)]
        if min(kept) < 1:
            rule = "one picture's pixel or more on either side"
            got = f"{field_deg:g} degrees"
            raise ValueError(f"the field of view must be {rule}, got {got}")
        light = sight.preprocess.light
        preprocess = replace(
            sight.preprocess, light="linear" if light == "srgb" else light
        )
        seen = (n_frames, kept[0], kept[1])
        self.maker = InputMaker(
            preprocess, viewing, seen, field_deg, size_px, sight.device
        )

    def require(self, contrast: Float[Tensor, " picture frame y x"]) -> None:
        """Refuse pictures of another shape.

        Raises
        ------
        ValueError
            If they are.
        """
        if tuple(contrast.shape[1:]) != self._shape:
            got = tuple(contrast.shape[1:])
            rule = f"{self._shape} (frame, y, x)"
            raise ValueError(f"pictures must be {rule}, got {got}")

    def __call__(self, contrast: Float[Tensor, " picture frame y x"]) -> Tensor:
        """Give what the network takes of pictures."""
        top, left = self._cut
        height, width = self._shape[1:]
        seen = contrast[..., top : height - top, left : width - left]
        seen = seen.to(self._sight.device, torch.float32)
        seen = seen.expand(-1, self.maker.n_frames, -1, -1)
        x = self.maker(seen.unsqueeze(1))  # one alternative a trial
        return x.unsqueeze(1) if self._sight.takes_trials else x

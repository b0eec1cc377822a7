"""How a stimulus becomes a network's input: light, channels, field of view, frames."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from jaxtyping import Float, Float32
from torch import Tensor

from ...experiments.protocols.checks import Faults, build
from ...experiments.session.observer import Viewing
from ..separable import SeparableSums

LIGHTS = ("srgb", "linear", "contrast")
FRAMES = ("one-by-one", "steps", "channels")
INTERPOLATIONS = ("nearest", "area", "bilinear", "bicubic")
# Mean and SD of a channel. ImageNet's are those that its networks are trained with.
NORMALISATIONS = {
    "none": ((0.0,), (1.0,)),
    "half": ((0.5,), (0.5,)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
_LINEAR_PART = 0.0031308  # of sRGB's curve, IEC 61966-2-1


@dataclass(frozen=True)
class Preprocess:
    """How contrast becomes a network's input. All of it goes into the trial log.

    Attributes
    ----------
    light
        What a pixel's value stands for. 'srgb': the code value, in [0, 1], that a photo
        of the stimulus would have, which is what a network trained on photos expects
        (mid-gray is .735). 'linear': light, (1 + contrast) / 2. 'contrast': contrast
        itself, in [-1, 1] about the background.
    channels
        How many equal channels: 1 or 3.
    normalise
        'imagenet' (means .485, .456, .406 and SDs .229, .224, .225), 'half' (mean and
        SD .5) or 'none'; applied last.
    interpolation
        From the stimulus's pixels to the network's: 'nearest', 'area' (the mean over a
        network pixel), 'bilinear' or 'bicubic' (both widened where the network is
        coarser, so that nothing aliases). It is done in contrast, which is light.
    frames
        What the frames of an alternative are to the network. 'one-by-one': images of
        their own, (image, channel, y, x), whose read-outs are taken together. 'steps':
        (image, step, channel, y, x); a still image, which has no steps, stays (image,
        channel, y, x). 'channels': (image, frame * channel, y, x).
    surround
        Contrast around the stimulus, where the field of view is larger; 0 is the
        background.

    Examples
    --------
    >>> Preprocess().light, Preprocess(channels=1, normalise="half").channels
    ('srgb', 1)
    """

    light: str = "srgb"
    channels: int = 3
    normalise: str = "imagenet"
    interpolation: str = "bilinear"
    frames: str = "one-by-one"
    surround: float = 0.0

    def __post_init__(self) -> None:
        faults = Faults()
        for key, known in (
            ("light", LIGHTS),
            ("normalise", tuple(NORMALISATIONS)),
            ("interpolation", INTERPOLATIONS),
            ("frames", FRAMES),
        ):
            value = getattr(self, key)
            faults.unless(value in known, key, f"one of {', '.join(known)}", value)
        faults.unless(self.channels in (1, 3), "channels", "1 or 3", self.channels)
        fits = self.normalise != "imagenet" or self.channels == 3
        rule = "'none' or 'half' with one channel"
        faults.unless(fits, "normalise", rule, self.normalise)
        faults.unless(-1 <= self.surround <= 1, "surround", "in [-1, 1]", self.surround)
        faults.raise_any()


# What there is a word for, in Python and on the command line.
PRESETS = {
    "imagenet": Preprocess(),
    "gray": Preprocess(channels=1, normalise="half"),
    "contrast": Preprocess("contrast", 1, "none"),
}


def as_preprocess(given: "Preprocess | str | Mapping[str, Any]") -> Preprocess:
    """Give a preset by its name, or build a `Preprocess` from plain data.

    Raises
    ------
    ValueError
        If there is no such preset, key or value.

    Examples
    --------
    >>> as_preprocess("gray").channels, as_preprocess({"light": "linear"}).light
    (1, 'linear')
    """
    if isinstance(given, Preprocess):
        return given
    if isinstance(given, str):
        if given not in PRESETS:
            rule = f"one of {', '.join(PRESETS)} or a table of settings"
            raise ValueError(f"preprocess must be {rule}, got {given!r}")
        return PRESETS[given]
    return build(Preprocess, dict(given))


class InputMaker:
    """Makes a network's input from contrast, for one protocol on one device.

    Parameters
    ----------
    preprocess
        What is done.
    viewing
        How many degrees a pixel has.
    frame_shape
        Frames, height and width of an alternative in px.
    field_deg
        Degrees of visual angle across the longer side of the network's input; None for
        the stimulus's longer side.
    size_px
        Pixels of that input, or (height, width); None for one network pixel a pixel.
    device
        Where the input is made.

    Raises
    ------
    ValueError
        If the stimulus is larger than the field of view, or a size is out of range.
    """

    def __init__(
        self,
        preprocess: Preprocess,
        viewing: Viewing,
        frame_shape: tuple[int, int, int],
        field_deg: float | None = None,
        size_px: int | Sequence[int] | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.preprocess = preprocess
        self.frame_shape = frame_shape
        self.n_frames, *self._shape_px = frame_shape
        stimulus = [n * viewing.deg_per_px for n in self._shape_px]
        self.field_deg = max(stimulus) if field_deg is None else float(field_deg)
        self.size_px = _size(size_px, self.field_deg / viewing.deg_per_px)
        self.deg_per_px = self.field_deg / max(self.size_px)
        field = [n * self.deg_per_px for n in self.size_px]
        if any(s > f * (1 + 1e-9) for s, f in zip(stimulus, field, strict=True)):
            rule = f"the stimulus's {stimulus[0]:g} x {stimulus[1]:g} degrees or more"
            got = f"{field[0]:g} x {field[1]:g}"
            raise ValueError(f"the field of view (field_deg) must be {rule}, got {got}")
        rows, columns = (
            resampling(
                n,
                size,
                self.deg_per_px / viewing.deg_per_px,
                preprocess.interpolation,
            ).to(device)
            for n, size in zip(self._shape_px, self.size_px, strict=True)
        )
        mean, sd = NORMALISATIONS[preprocess.normalise]
        self._mean, self._sd = (
            torch.tensor(values, device=device).expand(preprocess.channels)[
                :, None, None
            ]
            for values in (mean, sd)
        )
        self._resample = SeparableSums(rows, columns)
        # Then the sums give what they take, at most of a small network's cost.
        self._is_native = _is_identity(rows) and _is_identity(columns)
        covered = rows.sum(1)[:, None] * columns.sum(1)  # (y, x)
        self._surround = preprocess.surround * (1 - covered)

    @property
    def described(self) -> dict[str, Any]:
        """What the trial log keeps of it."""
        settings = {
            f.name: getattr(self.preprocess, f.name) for f in fields(Preprocess)
        }
        return {
            "field_deg": self.field_deg,
            "size_px": list(self.size_px),
            "preprocess": settings,
        }

    def __call__(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " *image_channel_y_x"]:
        """Make the input; the rows of a trial stand beside each other.

        Raises
        ------
        ValueError
            If the frames are not those of the protocol.
        """
        expected = (self.n_frames, *self._shape_px)
        if tuple(contrast.shape[2:]) != expected:
            got = tuple(contrast.shape[2:])
            raise ValueError(f"frames must be {expected} (frame, y, x), got {got}")
        x = contrast
        if not self._is_native:
            x = self._resample(contrast) + self._surround
        x = as_light(x.flatten(0, 1), self.preprocess.light)  # (image, frame, y, x)
        x = x[:, :, None].expand(-1, -1, self.preprocess.channels, -1, -1)
        x = (x - self._mean) / self._sd  # (image, frame, channel, y, x)
        if self.preprocess.frames == "steps" and self.n_frames > 1:
            return x
        join = (1, 2) if self.preprocess.frames == "channels" else (0, 1)
        return x.flatten(*join)


def as_light(
    contrast: Float[Tensor, " *image"], light: str
) -> Float[Tensor, " *image"]:
    """Give contrast as what a pixel's value stands for; see `Preprocess`.

    sRGB's curve is that of IEC 61966-2-1. Light beyond [0, 1], which bicubic
    interpolation can give, is cut off there, as a camera would.

    Examples
    --------
    >>> [round(float(as_light(torch.zeros(1), light)), 3) for light in LIGHTS]
    [0.735, 0.5, 0.0]
    """
    if light == "contrast":
        return contrast
    linear = (1 + contrast) / 2
    if light == "linear":
        return linear
    linear = linear.clamp(0, 1)
    curved = 1.055 * linear.clamp(min=_LINEAR_PART) ** (1 / 2.4) - 0.055
    return torch.where(linear <= _LINEAR_PART, 12.92 * linear, curved)


def resampling(
    n: int, size: int, scale: float, interpolation: str
) -> Float32[Tensor, " size n"]:
    """Give the weight of each stimulus pixel in each pixel of the input, on one axis.

    The middles of stimulus and input coincide. The stimulus goes on beyond its edges as
    background, contrast 0, so that weights there are left out and not made up for.

    Parameters
    ----------
    n, size
        Pixels of the stimulus and of the input.
    scale
        Width of an input pixel in stimulus pixels.
    interpolation
        One of `INTERPOLATIONS`.

    Examples
    --------
    >>> torch.equal(resampling(4, 4, 1.0, "bicubic"), torch.eye(4))
    True
    """
    reach = math.ceil(3 * max(1.0, scale)) + math.ceil(size * scale / 2) + n
    places = torch.arange(-reach, n + reach, dtype=torch.float64) + 0.5 - n / 2
    centres = (torch.arange(size, dtype=torch.float64) + 0.5 - size / 2) * scale
    away = places - centres[:, None]  # (size, place), in stimulus pixels
    if interpolation == "nearest":
        # Half-way between two, the left one: a pixel is [left edge, right edge).
        weights = ((away > -0.5) & (away <= 0.5)).double()
    elif interpolation == "area":
        low = torch.maximum(away - 0.5, torch.tensor(-scale / 2))
        high = torch.minimum(away + 0.5, torch.tensor(scale / 2))
        weights = (high - low).clamp(min=0)
    else:
        weights = _kernel(interpolation, away / max(1.0, scale))
    weights = weights / weights.sum(1, keepdim=True)
    return weights[:, reach : reach + n].float()


def _is_identity(weights: Float[Tensor, " size n"]) -> bool:
    n = len(weights)
    is_square = n == weights.shape[1]
    return is_square and torch.equal(weights, torch.eye(n, device=weights.device))


def _kernel(name: str, t: Tensor) -> Tensor:
    """Give the triangle, or Keys's (1981) cubic with a = -1/2, at distances t."""
    t = t.abs()
    if name == "bilinear":
        return (1 - t).clamp(min=0)
    near = (1.5 * t - 2.5) * t * t + 1
    far = ((-0.5 * t + 2.5) * t - 4) * t + 2
    return torch.where(t <= 1, near, torch.where(t < 2, far, torch.zeros_like(t)))


def _size(given: int | Sequence[int] | None, native: float) -> tuple[int, int]:
    if given is None:
        given = max(1, round(native))
    pair = (given, given) if isinstance(given, int) else tuple(given)
    whole = len(pair) == 2 and all(isinstance(n, int) and n >= 1 for n in pair)
    if not whole:
        raise ValueError(f"size_px must be one or two whole numbers, got {given!r}")
    return int(pair[0]), int(pair[1])

"""Sensitivity of single units to small changes of a picture, as Guo et al. have it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ...analysis.robustness.units import (
    UnitSensitivity,
    noise_in_range,
    sensitivity_point,
)
from ...experiments.protocols.protocol import Protocol
from ...experiments.session.observer import Viewing

FORMAT = "yoked-sensitivity/1"  # of the plain form, which docs/json.md describes
FULL_CONTRAST, BACKGROUND = 127.0, 128.0
Progress = Callable[[int, int], None]


class Reference(NamedTuple):
    """A layer that others are told beside, and its observer."""

    observer: Any
    layer: str


def retina_reference() -> Reference:
    """Give the ganglion cells of the staged retina, with their noise."""
    from ...models.registry import load

    # The network behind it is not run, since the layer comes before it.
    observer: Any = load("plain-cnn", front="retina")
    observer.name = "staged-retina"
    return Reference(observer, "front")


_SURROGATE = (
    "a module's gradient is a surrogate: what its noise does to a response is not "
    "followed"
)


def unit_sensitivity(
    observer: Any,
    layer: str,
    pictures: Float[np.ndarray, " picture frame y x"],
    deg_per_px: float,
    eps: Sequence[float],
    *,
    frame_ms: float = 100.0,
    units: int = 16,
    attacked: int = 4,
    steps: int = 20,
    noise_draws: int = 4,
    noise: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> UnitSensitivity:
    """Estimate how far a change of L2 norm eps can move units of a layer.

    The largest |r(x + d) - r(x)| of a unit's mean response that PGD finds, over the
    unit's range of responses to all pictures, over their SD, and over the SD of its own
    noise: Guo et al. (2022).

    Parameters
    ----------
    observer
        A network; with a retina in front, whose layer 'front' is that retina.
    layer
        A module of it.
    pictures
        Contrast in [-1, 1], 2 or more.
    deg_per_px
        Degrees of visual angle across their pixels.
    eps
        L2 norms over a picture's pixels, in contrast: twice those of values in [0, 1].
    frame_ms
        How long a frame stays.
    units, attacked
        How many units, drawn from those that vary, and how many pictures are changed.
    steps, noise_draws
        Of the attack, and of the noise that its gradients are averaged over.
    noise
        False for the network without its noise.
    seed
        Of the choice of units, of noise and of the bootstrap.
    progress
        Called with changes made and all there are.

    Raises
    ------
    ValueError
        If pictures are fewer than 2, no unit varies, or an option is out of range.
    LookupError
        If there is no such layer.
    ModuleNotFoundError
        If foolbox is not installed.

    Examples
    --------
    >>> import torch, yoked
    >>> network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
    >>> observer = yoked.from_torch(
    ...     network, preprocess="gray", size_px=8, field_deg=2
    ... )
    >>> pictures = np.random.default_rng(1).uniform(-0.5, 0.5, (10, 1, 8, 8))
    >>> found = yoked.unit_sensitivity(observer, "1", pictures, 0.25, [0.1, 0.2])
    >>> one, two = (point.in_range.value for point in found.points)
    >>> round(two / one, 3)
    2.0
    """
    import torch

    from ...models.robustness.unit_sensitivity import moved_units

    found = moved_units(
        observer,
        layer,
        torch.from_numpy(np.ascontiguousarray(pictures, np.float32)),
        deg_per_px,
        eps,
        frame_ms=frame_ms,
        units=units,
        attacked=attacked,
        steps=steps,
        noise_draws=noise_draws,
        noise=noise,
        seed=seed,
        progress=progress,
    )
    return UnitSensitivity(
        format=FORMAT,
        observer=observer.name,
        layer=layer,
        n_units=len(found.units),
        n_varying=found.n_varying,
        n_looked_at=found.n_looked_at,
        n_pictures=len(pictures),
        n_attacked=found.change.shape[2],
        steps=steps,
        noise_draws=noise_draws if found.noise_sd.any() else 1,
        noise=noise_in_range(found.noise_sd, found.range, seed),
        points=tuple(
            sensitivity_point(each, change, found.range, found.sd, found.noise_sd, seed)
            for each, change in zip(found.eps, found.change, strict=True)
        ),
        notes=(_SURROGATE,) if found.has_surrogate else (),
    )


def pictures_of(
    protocol: Protocol, n: int, contrast: float | None = None, seed: int = 0
) -> tuple[Float[np.ndarray, " picture frame y x"], dict[str, float]]:
    """Give alternatives of trials as pictures, and how they are seen.

    Parameters
    ----------
    protocol
        Whose stimuli; no session shows these.
    n
        Pictures.
    contrast
        Of the signal; by default the protocol's median.
    seed
        Another one gives others.

    Returns
    -------
    pictures
        Contrast in [-1, 1].
    dict
        `deg_per_px` and `frame_ms`, as `unit_sensitivity` takes them.
    """
    from ...models.decision import reference_contrast
    from ...models.robustness.shown import unseen_trials

    asked = reference_contrast(protocol) if contrast is None else contrast
    trials = -(-n // protocol.n_intervals)
    _, frames = unseen_trials(protocol, trials, asked, seed)
    shown = frames.reshape(-1, *frames.shape[2:])[:n].astype(np.float32)
    seen = Viewing.of(protocol)
    about = {"deg_per_px": seen.deg_per_px, "frame_ms": seen.frame_ms}
    return np.clip((shown - BACKGROUND) / FULL_CONTRAST, -1, 1), about

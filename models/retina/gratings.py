"""Gratings as physiologists show them, and the harmonics of a cell's response."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import curve_fit
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .staged import StagedRetina


@dataclass(frozen=True)
class Grating:
    """A vertical sinusoidal grating that drifts or reverses its contrast.

    Attributes
    ----------
    cycles_per_deg
        Spatial frequency.
    hertz
        Temporal frequency.
    contrast
        Amplitude about the background.
    phase
        Spatial phase at the middle of the frame in radians; 0 is a zero crossing, the
        null phase of a cell there.
    reverses
        Whether it stands and reverses instead of drifting to the right.

    Examples
    --------
    >>> Grating(6.0, 4.0, 0.2, reverses=True).phase  # at a null of the middle cell
    0.0
    """

    cycles_per_deg: float
    hertz: float
    contrast: float
    phase: float = 0.0
    reverses: bool = False

    def movie(
        self, retina: StagedRetina, n_frames: int
    ) -> Float[Tensor, " image frame y x"]:
        """Give its frames for a retina, each as it is in the middle of the frame."""
        rows, columns = retina.pixels
        x = columns.places(torch.zeros(()))
        seconds = (torch.arange(n_frames) + 0.5) * retina.frame_ms / 1000
        across = 2 * math.pi * self.cycles_per_deg * x + self.phase
        turns = 2 * math.pi * self.hertz * seconds[:, None]
        if self.reverses:
            wave = torch.sin(across) * torch.sin(turns)
        else:
            wave = torch.sin(across - turns)
        return (self.contrast * wave)[None, :, None].expand(-1, -1, rows.n, -1)


@dataclass(frozen=True)
class Harmonics:
    """What a response to a periodic stimulus consists of, in spikes/s.

    Attributes
    ----------
    mean
        F0, the mean rate.
    first, second
        Amplitudes of the fundamental and of twice its frequency: F1 and F2.
    phase_deg
        Phase of the fundamental in degrees; more is earlier.
    """

    mean: float
    first: float
    second: float
    phase_deg: float


def ganglion_rates(
    retina: StagedRetina, contrast: Float[Tensor, " image frame y x"]
) -> dict[str, Float[Tensor, " image step row column"]]:
    """Give every type's rates on its own mosaic, before noise and grid."""
    found: dict[str, Tensor] = {}

    def keep(name: str) -> RemovableHandle:
        def hook(_cell: nn.Module, _inputs: tuple[Tensor, ...], rates: Tensor) -> None:
            found[name] = rates

        return retina.ganglion[name].register_forward_hook(hook)

    hooks = [keep(name) for name in retina.channels]
    try:
        retina(contrast)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def middle(rates: Float[Tensor, " image step row column"]) -> Float[Tensor, " step"]:
    """Give the first image's response of the cell in the middle of its mosaic."""
    return rates[0, :, rates.shape[2] // 2, rates.shape[3] // 2]


def grating_responses(
    retina: StagedRetina, grating: Grating, settle_ms: float = 500.0
) -> dict[str, Harmonics]:
    """Give the harmonics of the middle cell of every type, once it has settled.

    Parameters
    ----------
    retina
        One frame has to be one step, with no tail: `tail_ms=0`, `frame_ms=step_ms`.
    grating
        Its period has to be a whole number of steps.
    settle_ms
        How long it is shown before it is measured; rounded up to whole periods.

    Raises
    ------
    ValueError
        If a frame is not a step or a period not a whole number of them.

    Examples
    --------
    >>> from yoked.models.retina.staged import StagedRetinaConfig
    >>> config = StagedRetinaConfig(tail_ms=0, noise="none")
    >>> retina = StagedRetina(config, 0.02, (24, 24), frame_ms=config.step_ms)
    >>> found = grating_responses(retina, Grating(2.0, 4.0, 0.1), settle_ms=250)
    >>> sorted(found)
    ['off_midget', 'off_parasol', 'on_midget', 'on_parasol']
    """
    step_ms = retina.config.step_ms
    period = 1000 / grating.hertz / step_ms
    if retina.frame_ms != step_ms or retina.config.tail_ms:
        raise ValueError(f"frame_ms must be step_ms, {step_ms}, with tail_ms 0")
    if abs(period - round(period)) > 1e-6:
        rule = f"a whole number of steps of {step_ms} ms"
        raise ValueError(f"the grating's period must be {rule}, got {period:.4g}")
    period = round(period)
    settle = math.ceil(settle_ms / step_ms / period) * period
    with torch.no_grad():
        rates = ganglion_rates(retina, grating.movie(retina, settle + period))
    return {
        name: _harmonics(middle(one)[settle:].numpy()) for name, one in rates.items()
    }


def _harmonics(rates: Float[np.ndarray, " step"]) -> Harmonics:
    waves = np.fft.rfft(rates) / len(rates)
    first, second = 2 * waves[1], 2 * waves[2]
    phase = math.degrees(np.angle(first))
    return Harmonics(float(waves[0].real), float(abs(first)), float(abs(second)), phase)


@dataclass(frozen=True)
class DifferenceOfGaussians:
    """A receptive field as fitted to responses to gratings.

    Attributes
    ----------
    gain
        Response to the centre alone at a spatial frequency of 0.
    centre_deg, surround_deg
        Radii to 1/e.
    surround_gain
        Integrated sensitivity of the surround, the centre's being 1.

    Examples
    --------
    >>> cell = DifferenceOfGaussians(20.0, 0.03, 0.2, 0.55)
    >>> bool(cell.at([4.0])[0] > cell.at([0.0])[0])
    True
    """

    gain: float
    centre_deg: float
    surround_deg: float
    surround_gain: float

    @classmethod
    def fitted(
        cls, cycles_per_deg: list[float], amplitudes: list[float]
    ) -> "DifferenceOfGaussians":
        """Fit F1 over spatial frequency by least squares, as Croner & Kaplan did.

        Examples
        --------
        >>> cell = DifferenceOfGaussians(20.0, 0.03, 0.2, 0.55)
        >>> sf = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 12.0]
        >>> again = DifferenceOfGaussians.fitted(sf, list(cell.at(sf)))
        >>> round(again.centre_deg, 4), round(again.surround_gain, 3)
        (0.03, 0.55)
        """
        best = int(np.argmax(amplitudes))
        radius = 1 / (math.pi * max(cycles_per_deg[best], 0.1) * 2)
        start = (max(amplitudes), radius, 5 * radius, 0.5)
        found, _ = curve_fit(
            _profile, cycles_per_deg, amplitudes, start, bounds=(0, np.inf)
        )
        return cls(*found.tolist())

    def at(self, cycles_per_deg: list[float]) -> Float[np.ndarray, " frequency"]:
        """Give the amplitude at spatial frequencies."""
        values = self.gain, self.centre_deg, self.surround_deg, self.surround_gain
        return _profile(np.asarray(cycles_per_deg), *values)


def _profile(
    sf: np.ndarray, gain: float, centre: float, surround: float, share: float
) -> np.ndarray:
    """K (exp(-(pi r_c f)^2) - k exp(-(pi r_s f)^2)), its magnitude."""
    sf = np.asarray(sf)
    wide = share * np.exp(-((math.pi * surround * sf) ** 2))
    return np.abs(gain * (np.exp(-((math.pi * centre * sf) ** 2)) - wide))

"""Known surprises of real retinas, measured in ours and reported as they come out.

None of these was built in or tuned for.

References
----------
.. [1] Schwartz, Harris, Shrom & Berry (2007), Detection and prediction of periodic
   patterns by the retina. Nature Neuroscience, May, 552-554: salamander and mouse.
.. [2] Schwartz, Taylor, Fisher, Harris & Berry (2007), Synchronized firing among
   retinal ganglion cells signals motion reversal. Neuron, doi
   10.1016/j.neuron.2007.07.042.
.. [3] Goldin, Lefebvre, Virgili, Pham Van Cang, Ecker, Mora, Ferrari & Marre (2022),
   Context-dependent selectivity to natural images in the retina. Nature
   Communications, doi 10.1038/s41467-022-33242-8: mouse and axolotl.
"""

from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor

from .ganglion import Ganglion
from .gratings import ganglion_rates, middle
from .staged import StagedRetina, StagedRetinaConfig

STEP_MS = 5.0


def _retina(
    config: StagedRetinaConfig | None, size_px: tuple[int, int]
) -> StagedRetina:
    """Make a retina without noise, of .04 degrees a pixel, a frame a step."""
    config = config or StagedRetinaConfig()
    still = replace(config, noise="none", step_ms=STEP_MS, tail_ms=0.0)
    return StagedRetina(still, 0.04, size_px, STEP_MS)


@dataclass(frozen=True)
class Omission:
    """A cell's response around the flash that does not come.

    Attributes
    ----------
    period_ms
        Of the train of flashes.
    flash_per_s
        Peak above the maintained rate in the last period of the train.
    after_per_s
        The highest peak above the maintained rate later than a latency after the moment
        when the next flash was due; 0 where there is none.
    delay_ms
        Time of that peak after that moment; 0 where there is none. A response to the
        omission has the same delay at every period.
    """

    period_ms: float
    flash_per_s: float
    after_per_s: float
    delay_ms: float

    @property
    def ratio(self) -> float:
        """The response to the omission over that to a flash."""
        return self.after_per_s / self.flash_per_s


def omitted_stimulus(
    period_ms: float = 80.0,
    flash_ms: float = 40.0,
    contrast: float = -1.0,
    n_flashes: int = 12,
    config: StagedRetinaConfig | None = None,
) -> dict[str, Omission]:
    """Show a train of full-field flashes that ends, and give what every type does.

    A cell that expects the next flash fires after the train, at a constant time from
    when that flash was due, whatever the period [1]_.

    Examples
    --------
    >>> found = omitted_stimulus(n_flashes=6)
    >>> found["off_parasol"].flash_per_s > 10
    True
    """
    retina = _retina(config, (30, 30))
    period, flash = round(period_ms / STEP_MS), round(flash_ms / STEP_MS)
    one = torch.zeros(period)
    one[:flash] = contrast
    movie = torch.cat([one.repeat(n_flashes), torch.zeros(round(600 / STEP_MS))])
    with torch.no_grad():
        rates = ganglion_rates(
            retina, movie[None, :, None, None].expand(-1, -1, 30, 30)
        )
    due = n_flashes * period  # onset of the flash that does not come
    found = {}
    for cell_type in retina.config.cell_types:
        above = middle(rates[cell_type.name]) - rates[cell_type.name][0, 0, 0, 0]
        latency = round(cell_type.latency_ms / STEP_MS)
        found[cell_type.name] = _omission(above, due, period, latency)
    return found


def _omission(above: Tensor, due: int, period: int, latency: int) -> Omission:
    """Compare the last response to a flash with what comes when the next one is due."""
    flash = float(above[due + latency - period : due + latency].max())
    after = above[due + latency :]
    rises = (after[1:-1] > after[:-2]) & (after[1:-1] >= after[2:]) & (after[1:-1] > 0)
    peaks = (after[1:-1] * rises).tolist()
    highest = max(peaks)
    at = peaks.index(highest) + 1 + latency
    delay_ms = (at + 0.5) * STEP_MS if highest else 0.0
    return Omission(period * STEP_MS, flash, highest, delay_ms)


@dataclass(frozen=True)
class Reversal:
    """What a row of cells does while a bar moves, and when it turns round.

    Attributes
    ----------
    smooth_per_s
        Peak above the maintained rate while the bar moves on: the mean over cells.
    reversal_per_s
        The same over the cells that the bar has just passed, and comes back to, within
        200 ms of the turn.
    apart_ms
        SD over those cells of the time of that peak: small if they fire together.
    """

    smooth_per_s: float
    reversal_per_s: float
    apart_ms: float

    @property
    def ratio(self) -> float:
        """The response to the turn over that to smooth motion."""
        return self.reversal_per_s / self.smooth_per_s


def motion_reversal(
    deg_per_s: float = 4.0,
    bar_deg: float = 0.2,
    contrast: float = -1.0,
    config: StagedRetinaConfig | None = None,
) -> dict[str, Reversal]:
    """Move a bar across, turn it round in the middle, and give what every type does.

    A retina that notices the turn fires one burst, all cells at once [2]_; cells that
    merely see the bar come back fire one after the other.

    Examples
    --------
    >>> sorted(motion_reversal())
    ['off_midget', 'off_parasol', 'on_midget', 'on_parasol']
    """
    retina = _retina(config, (20, 100))
    x = retina.pixels[1].places(torch.zeros(()))
    half = round(float(x[-1] - x[0]) / 2 / deg_per_s / (STEP_MS / 1000))
    steps = torch.arange(2 * half)
    at = x[0] + torch.minimum(steps, 2 * half - steps) * deg_per_s * STEP_MS / 1000
    bar = contrast * ((x - at[:, None]).abs() < bar_deg / 2).float()
    with torch.no_grad():
        rates = ganglion_rates(retina, bar[None, :, None].expand(-1, -1, 20, -1))
    return {
        name: _reversal(retina, name, found, half, float(at.max()))
        for name, found in rates.items()
    }


def _reversal(
    retina: StagedRetina, name: str, rates: Tensor, turn: int, at: float
) -> Reversal:
    """Take cells well before the turn for smooth motion, and those just behind it."""
    row = rates[0, :, rates.shape[2] // 2]
    row = row - row[0]
    columns = cast(Ganglion, retina.ganglion[name]).axes[1]
    places = columns.places(torch.zeros(()))
    smooth = row[:turn, (places > at - 1.2) & (places < at - 0.6)]
    behind = row[
        turn : turn + round(200 / STEP_MS), (places > at - 0.3) & (places < at)
    ]
    times = behind.argmax(dim=0).float() * STEP_MS
    return Reversal(
        float(smooth.max(dim=0).values.mean()),
        float(behind.max(dim=0).values.mean()),
        float(times.std()) if len(times) > 1 else 0.0,
    )


def polarity_changes(
    n_images: int = 50,
    contrast_sd: float = 0.35,
    seed: int = 1,
    config: StagedRetinaConfig | None = None,
) -> dict[str, float]:
    """Give the share of images in which a cell of each type has the other polarity.

    The image is a still of 200 ms whose amplitude falls as 1 / frequency, as in natural
    scenes. The polarity in its context is the sign of the gradient of the middle cell's
    mean rate over the image and 50 ms after it, summed over the cell's centre [3]_.

    Examples
    --------
    >>> shares = polarity_changes(n_images=4)
    >>> all(0 <= share <= 1 for share in shares.values())
    True
    """
    config = replace(config or StagedRetinaConfig(), noise="none", tail_ms=50.0)
    retina = StagedRetina(config, 0.04, (41, 41), 200.0)
    images = _scenes(n_images, 41, contrast_sd, seed).requires_grad_()
    rates = ganglion_rates(retina, images)
    shares = {}
    x = retina.pixels[1].places(torch.zeros(()))
    for cell_type in config.cell_types:
        found = rates[cell_type.name]
        cell = found[:, :, found.shape[2] // 2, found.shape[3] // 2].mean(dim=1).sum()
        (slope,) = torch.autograd.grad(cell, images, retain_graph=True)
        weights = torch.exp(-((x / cell_type.centre_deg) ** 2))
        centre = (slope[:, 0] * weights * weights[:, None]).sum(dim=(1, 2))
        changed = centre * cell_type.polarity < 0
        shares[cell_type.name] = float(changed.double().mean())
    return shares


def _scenes(n: int, size: int, contrast_sd: float, seed: int) -> Tensor:
    """Make random images with a spectrum of 1 / frequency, cut off at full contrast."""
    generator = torch.Generator().manual_seed(seed)
    white = torch.randn(n, 1, size, size, generator=generator)
    frequency = torch.fft.fftfreq(size)
    radius = torch.hypot(frequency[:, None], frequency[None]).clamp(min=1 / size)
    images = torch.fft.ifft2(torch.fft.fft2(white) / radius).real
    return (images / images.std() * contrast_sd).clamp(-1, 1)

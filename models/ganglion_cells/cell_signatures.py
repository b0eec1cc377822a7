"""Known surprises of real retinas, looked for in fitted models, cell by cell.

The measures are those of `retina.signatures`; here the stimulus is in the unit and on
the elements of the recording, and every cell is measured at its own place. Tanaka et
al. [1]_ found all three in networks that were fitted to natural scenes alone.

References
----------
.. [1] Tanaka, Nayebi, Maheswaranathan, McIntosh, Baccus & Ganguli (2019), NeurIPS 32.
.. [2] Schwartz, Harris, Shrom & Berry (2007), Nature Neuroscience, May, 552-554.
.. [3] Schwartz, Taylor, Fisher, Harris & Berry (2007), Neuron, doi
   10.1016/j.neuron.2007.07.042.
.. [4] Berry, Brivanlou, Jordan & Meister (1999), Anticipation of moving stimuli by the
   retina. Nature 398, 334-338.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from ...experiments.recordings.recording import Segment
from ..retina.signatures import Omission, Reversal
from .cell_model import CellModel

REST_MS = 500.0  # of background before a stimulus, and after it
_SOON_MS = 200.0  # after a turn


@dataclass(frozen=True)
class Anticipation:
    """When a cell's response to a bar that moves comes, beside one that is flashed.

    Attributes
    ----------
    place
        The element where a flashed bar moves the cell most, from 0.
    flash_ms
        From the onset of that bar to the peak.
    motion_ms
        From when a moving bar arrives there to the peak: mean of both directions.
    """

    place: int
    flash_ms: float
    motion_ms: float

    @property
    def ahead_ms(self) -> float:
        """How much earlier the response to motion is: more than 0 is anticipation."""
        return self.flash_ms - self.motion_ms


def cell_omission(
    model: CellModel,
    level: float,
    period_ms: float = 80.0,
    flash_ms: float = 40.0,
    n_flashes: int = 12,
) -> tuple[Omission, ...]:
    """Show a train of full-field flashes that ends, and give what every cell does.

    A cell that expects the next flash fires after the train, at a constant time from
    when that flash was due, whatever the period [2]_.

    Parameters
    ----------
    level
        Of a flash, in the recording's unit.

    Raises
    ------
    ValueError
        If a flash does not end before the next.

    Examples
    --------
        model, _ = yoked.load_cells(Path("retina/bn-cnn.pt"))
        [found.ratio for found in yoked.cell_omission(model, level=1.0)]
    """
    period, flash = _steps(period_ms, model), _steps(flash_ms, model)
    if flash >= period:
        rule = f"shorter than the period, {period_ms:g} ms"
        raise ValueError(f"flash_ms must be {rule}, got {flash_ms:g}")
    one = np.zeros(period, bool)
    one[:flash] = True
    rest = np.zeros(_steps(REST_MS, model), bool)
    is_lit = np.concatenate([rest, np.tile(one, n_flashes), rest])
    frames = np.full((len(is_lit), *model.shape), model.background, np.float32)
    frames[is_lit] = level
    above = _above_rest(model, frames)
    first = len(rest)
    due = first + n_flashes * period
    found = []
    for rates in above.T:
        response = rates[first : first + period + flash]
        rise = int((response >= response.max() / 2).argmax())  # when one begins
        last = float(rates[due + rise - period : due + rise].max())
        height, at = _highest_peak(rates[due + rise - 1 :])
        delay_ms = (at + rise - 1) * model.step_ms if height else 0.0
        found.append(Omission(period_ms, last, height, delay_ms))
    return tuple(found)


def cell_anticipation(
    model: CellModel, level: float, width: int, elements_per_s: float
) -> tuple[Anticipation, ...]:
    """Flash a bar at every place, move it across, and compare when cells respond.

    The flash lasts as long as a moving bar covers an element, so that a cell which
    looks at one element only responds alike.

    Parameters
    ----------
    level
        Of the bar, in the recording's unit.
    width
        Of the bar, in elements.
    elements_per_s
        How fast it moves.

    Raises
    ------
    ValueError
        If the bar is no part of the frame, or does not move.

    Examples
    --------
        found = yoked.cell_anticipation(model, level=1.0, width=5, elements_per_s=30)
        [each.ahead_ms for each in found]
    """
    _check_bar(model, width, elements_per_s)
    n_x, rest = model.shape[1], _steps(REST_MS, model)
    stay = max(1, round(width / elements_per_s * 1000 / model.step_ms))
    flashed = np.stack(
        [
            _above_rest(model, _frames(model, level, lit, rest))
            for lit in _flashes(n_x, width, stay)
        ]
    )[:, rest:]  # (place, step, cell)
    peaks = flashed.max(axis=1)
    moved = [
        _above_rest(model, _frames(model, level, lit, rest))[rest:]
        for lit in _sweeps(model, width, elements_per_s)
    ]
    found = []
    for cell in range(len(model.cells)):
        place = int(peaks[:, cell].argmax())
        latency = int(flashed[place, :, cell].argmax())
        lags = []
        for is_back, rates in enumerate(moved):
            gone = n_x - 1 - place if is_back else place
            arrival = math.ceil(gone / elements_per_s * 1000 / model.step_ms)
            lags.append(int(rates[:, cell].argmax()) - arrival)
        times = latency * model.step_ms, float(np.mean(lags)) * model.step_ms
        found.append(Anticipation(place, *times))
    return tuple(found)


def cell_reversal(
    model: CellModel, level: float, width: int, elements_per_s: float
) -> tuple[Reversal, ...]:
    """Move a bar across, turn it round in the middle, and give what the cells do.

    A retina that notices the turn fires one burst, all cells at once [3]_. The spread
    of peak times is over cells within the bar's width of the turn, and the same for all
    of them.

    Parameters
    ----------
    level, width, elements_per_s
        As for `cell_anticipation`.

    Examples
    --------
        yoked.cell_reversal(model, level=1.0, width=5, elements_per_s=30)[0].ratio
    """
    _check_bar(model, width, elements_per_s)
    rest = _steps(REST_MS, model)
    forth, _ = _sweeps(model, width, elements_per_s)
    middle = len(forth) // 2
    turned = np.concatenate([forth[:middle], forth[middle - 1 :: -1]])
    smooth = _above_rest(model, _frames(model, level, forth, rest))[rest:]
    back = _above_rest(model, _frames(model, level, turned, rest))[rest:]
    soon = back[middle : middle + _steps(_SOON_MS, model)]
    times = soon.argmax(axis=0) * model.step_ms
    spread = float(times.std(ddof=1)) if len(times) > 1 else 0.0
    return tuple(
        Reversal(float(one), float(other), spread)
        for one, other in zip(smooth.max(axis=0), soon.max(axis=0), strict=True)
    )


def _steps(ms: float, model: CellModel) -> int:
    return max(1, round(ms / model.step_ms))


def _check_bar(model: CellModel, width: int, elements_per_s: float) -> None:
    if not 1 <= width <= model.shape[1]:
        rule = f"1 to {model.shape[1]} elements"
        raise ValueError(f"width of a bar must be {rule}, got {width}")
    if not 0 < elements_per_s < math.inf:
        raise ValueError(f"elements_per_s must be more than 0, got {elements_per_s}")


def _flashes(n_x: int, width: int, stay: int) -> list[np.ndarray]:
    """Give where a bar is that ends at each place, for a while: (step, x)."""
    found = []
    for place in range(n_x):
        lit = np.zeros((stay, n_x), bool)
        lit[:, max(0, place - width + 1) : place + 1] = True
        found.append(lit)
    return found


def _sweeps(model: CellModel, width: int, elements_per_s: float) -> list[np.ndarray]:
    """Give where a bar is that moves from the first to the last place, and back."""
    n_x = model.shape[1]
    n_steps = math.ceil((n_x + width) / elements_per_s * 1000 / model.step_ms)
    edge = np.floor(np.arange(n_steps) * model.step_ms / 1000 * elements_per_s)
    x = np.arange(n_x)
    lit = (x <= edge[:, None]) & (x > edge[:, None] - width)
    return [lit, lit[:, ::-1]]


def _frames(
    model: CellModel, level: float, lit: np.ndarray, rest: int
) -> Float32[np.ndarray, " step y x"]:
    """Show lit elements, with background before and after."""
    frames = np.full((len(lit) + 2 * rest, *model.shape), model.background, np.float32)
    frames[rest : rest + len(lit)][np.repeat(lit[:, None], model.shape[0], 1)] = level
    return frames


def _above_rest(
    model: CellModel, frames: Float32[np.ndarray, " step y x"]
) -> Float64[np.ndarray, " step cell"]:
    """Give rates in spikes/s less those just before the stimulus."""
    counts = np.zeros((1, len(frames), len(model.cells)), np.uint8)
    clock = np.arange(len(frames), dtype=np.int32)
    rates = model.rates(Segment("test", counts, frames, clock))
    rest = rates[_steps(REST_MS, model) - 1]
    return (rates - rest) * 1000 / model.step_ms


def _highest_peak(rates: Float64[np.ndarray, " step"]) -> tuple[float, int]:
    """Give the highest local peak above 0, and its step; 0 where there is none."""
    inner = rates[1:-1]
    is_peak = (inner > rates[:-2]) & (inner >= rates[2:]) & (inner > 1e-9)
    if not is_peak.any():
        return 0.0, 0
    at = int(np.where(is_peak, inner, -np.inf).argmax()) + 1
    return float(rates[at]), at

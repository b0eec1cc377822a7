"""The spike-triggered average, by the code that estimates the kernels of an observer.

The mean stimulus before spikes less the mean stimulus [1]_: `first_order_kernel` of
spikes as "yes" and instants as "no" (`ensemble.py`), all cells in one pass over the
stimulus. Only the standard errors are others. Spikes come in bursts, and a moving
stimulus is the same for many of them, so a spike is no independent noise field; what
each stretch of the stimulus adds to the average is [2]_.

In white noise the average is, up to a factor, the filter of a cell that has one, and a
nonlinearity after it [1]_. In any other stimulus it is that filter blurred by the
covariance of the stimulus, S: what goes together with what drives the cell seems to
drive it. A frame that stays for ten steps, or bars that move, are such. Whitening
undoes it, S^-1 times the average, within the directions in which the stimulus varies
enough (`kernels/whitening.py`); in lags of frames, whose S is small enough to be
inverted. What the stimulus was before the longest lag is then seen in the longest lags,
as far as it goes together with them: take more lags than the cell remembers.

References
----------
.. [1] Chichilnisky (2001), Network 12, 199-213.
.. [2] Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 11.5 (the
   infinitesimal jackknife), here of stretches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from ...experiments.recordings.recording import Recording
from ..kernels.classes import SUM, KernelDesign
from ..kernels.weighted_sum import Kernel, kernel_of, named
from ..kernels.whitening import noise_covariance, whitened
from ..trials.estimate import CannotTell
from ..trials.moments import Moments, moments
from ..trials.result import Result
from .ensemble import Counts, SpikeEnsemble, as_yes_no

FORMULA = "spike-triggered-average/1"
N_BLOCKS = 20
MOST_WHITENED = 2000  # elements of an average whose covariance is inverted
TOO_FEW = "a cell must have two spikes or more with their whole past, got {} of {}"

Field = Float[np.ndarray, " lag y x"]


@dataclass(frozen=True, eq=False)
class TriggeredAverage(Result):
    """The spike-triggered average of one cell.

    Attributes
    ----------
    cell
        Its name.
    kernel
        Mean stimulus before spikes less the mean stimulus, (lag, y, x), in the unit of
        the stimulus; `target_half` is the mean before spikes, `nontarget_half` minus
        the mean stimulus. Standard errors are from stretches of the stimulus.
    whitened
        The same with the stimulus's covariance taken out, in 1 / unit; None where it
        was not asked for.
    lags_ms
        How long before the spike each row of the kernel is.
    n_spikes, n_instants
        What the two means are of.
    n_blocks
        Stretches of the stimulus that standard errors rest on.
    """

    cell: str
    kernel: Kernel
    whitened: Kernel | None
    lags_ms: tuple[float, ...]
    n_spikes: int
    n_instants: int
    n_blocks: int

    @property
    def peak(self) -> tuple[float, int, int]:
        """Lag in ms, row and column of the largest element, whatever its sign."""
        field = self.kernel.kernel
        lag, y, x = np.unravel_index(np.abs(field).argmax(), field.shape)
        return self.lags_ms[int(lag)], int(y), int(x)


def triggered(
    recording: Recording,
    n_lags: int,
    lag: str = "step",
    use: str = "fit",
    counts: Sequence[Counts] | None = None,
    passband: float | None = None,
    n_blocks: int = N_BLOCKS,
) -> tuple[TriggeredAverage, ...]:
    """Estimate the spike-triggered average of every cell, raw and whitened.

    Parameters
    ----------
    recording
        Stimulus and spikes.
    n_lags
        How far back it is looked, lag 0 being the spike's own step.
    lag
        'step', or 'frame': lags a frame apart.
    use
        Of the segments.
    counts
        A model's spikes for each of these segments, (repeat, step, cell); None for
        those recorded.
    passband
        Whitens as well, in the directions in which the stimulus has at least this share
        of its largest variance; None leaves it.
    n_blocks
        Stretches of the stimulus that standard errors rest on.

    Raises
    ------
    ValueError
        If a cell has fewer than two spikes, the stimulus never varies, there are fewer
        than two stretches, what is to be whitened has more than 2,000 elements, or as
        for `SpikeEnsemble.of`.

    Examples
    --------
    >>> from yoked.experiments.recordings.recording import Segment
    >>> rng = np.random.default_rng(1)
    >>> frames = rng.integers(0, 2, (4000, 1, 3)).astype(np.float32)
    >>> drive = np.roll(frames[:, 0, 2], 1)  # the last bar, one step ago
    >>> counts = rng.poisson(0.2 + 0.6 * drive)[None, :, None].astype(np.uint8)
    >>> one = Segment("fit", counts, frames, np.arange(4000, dtype=np.int32))
    >>> recording = Recording("made-up", 10.0, 10.0, ("a",), (one,))
    >>> found = triggered(recording, n_lags=3)[0]
    >>> found.peak, round(float(found.kernel.kernel[1, 0, 2]), 1)
    ((10.0, 0, 2), 0.3)
    """
    if n_blocks < 2:
        raise ValueError(f"n_blocks must be >= 2, got {n_blocks}")
    ensemble = SpikeEnsemble.of(recording, n_lags, lag, use, counts)
    for name, spikes in zip(ensemble.cells, ensemble.spikes, strict=True):
        if len(spikes) < 2:
            raise CannotTell(TOO_FEW.format(len(spikes), name))
    covariance = None if passband is None else stimulus_covariance(ensemble)
    sums = _sums(ensemble, n_blocks)
    found = []
    for cell, name in enumerate(ensemble.cells):
        kernel = _kernel(ensemble, sums, cell, n_blocks)
        white = None
        if covariance is not None and passband is not None:
            white = whitened(kernel, covariance, passband=passband)
        n_spikes, n_instants = len(ensemble.spikes[cell]), len(ensemble.instants)
        about = ensemble.lags_ms, n_spikes, n_instants, n_blocks
        found.append(TriggeredAverage(name, kernel, white, *about))
    return tuple(found)


def stimulus_covariance(
    ensemble: SpikeEnsemble,
) -> Float[np.ndarray, " element element"]:
    """Return the covariance of the stimulus before an instant.

    Raises
    ------
    CannotTell
        If there are more than 2,000 elements.
    """
    shape = ensemble.source.field({"stimulus_id": ensemble.instants[:1]}, 0).shape
    size = int(np.prod(shape))
    if size > MOST_WHITENED:
        rule = f"at most {MOST_WHITENED:,} to have a covariance"
        more = "lags in frames have fewer"
        raise CannotTell(f"elements must be {rule}, got {size:,}; {more}")
    nothing = np.zeros(0, np.int64)
    return noise_covariance(as_yes_no(nothing, ensemble.instants), ensemble.source)


def _sums(ensemble: SpikeEnsemble, n_blocks: int) -> Moments:
    """Add up the stimulus before the instants, and before each cell's spikes.

    By stretches: class 0 to n - 1 are of instants, the next n of the first cell's
    spikes, and so on; all that exist, whatever is in them.
    """
    every = [ensemble.instants, *ensemble.spikes]
    label = np.concatenate(
        [
            number * n_blocks + ensemble.blocks(instant, n_blocks)
            for number, instant in enumerate(every)
        ]
    )
    nothing = np.zeros(0, np.int64)
    trials = as_yes_no(nothing, np.concatenate(every))
    return moments(trials, ensemble.source, label, n_blocks * len(every))


def _kernel(ensemble: SpikeEnsemble, sums: Moments, cell: int, n_blocks: int) -> Kernel:
    """Make the kernel of "yes" and "no" from these sums, with errors of stretches."""
    trials = ensemble.responses(cell)
    design = KernelDesign.of(trials)
    ours, block = _of_cell(sums, cell, n_blocks)
    kernel = named(kernel_of(ours, design, "sum"), trials)
    names = ("target_half_se", "nontarget_half_se", "se")  # of halves 0 and 1, and SUM
    errors = {
        name: _block_se(ours, design, half, block, n_blocks)
        for half, name in zip((0, 1, SUM), names, strict=True)
    }
    return replace(kernel, **errors, formula=FORMULA)


def _of_cell(
    sums: Moments, cell: int, n_blocks: int
) -> tuple[Moments, Int[np.ndarray, " group"]]:
    """Return the sums of instants and of one cell's spikes, and their stretches."""
    kind, block = np.divmod(sums.times.argmax(axis=1), n_blocks)
    rows = (kind == 0) | (kind == cell + 1)
    made = replace(
        sums,
        times=np.eye(2)[(kind[rows] > 0).astype(np.int64)],
        n=sums.n[rows],
        total=sums.total[rows],
        squares=sums.squares[rows],
    )
    return made, block[rows]


def _block_se(
    sums: Moments,
    design: KernelDesign,
    half: int,
    block: Int[np.ndarray, " group"],
    n_blocks: int,
) -> Field:
    """Return the standard error from what every stretch adds to a kernel or half."""
    total = sums.total[:, 0]
    mean = sums.times.T @ total / design.size[:, None]
    about = total - sums.n[:, None] * (sums.times @ mean)
    each = (sums.times @ design.factors(half))[:, None] * about
    by_block = np.zeros((n_blocks, total.shape[1]))
    np.add.at(by_block, block, each)
    variance = (by_block**2).sum(axis=0) * n_blocks / (n_blocks - 1)
    return np.sqrt(variance).reshape(sums.shape)

"""The spike-triggered covariance, and how many filters it says that a cell has.

Covariance of the stimulus before spikes less that of the stimulus [1]_: the second
order of spikes as "yes" and instants as "no" (`ensemble.py`), estimated by the code of
`second_order_kernel`. Directions in which the stimulus before spikes varies more, or
less, are filters of the cell; the linear one is in the average (`triggered.py`), and a
nonlinearity leaves a negative eigenvalue along it as well.

How large eigenvalues are by chance is told by shifted spikes: each segment's are turned
round in time, with all that they have to do with each other, such as bursts and a slow
drift. They are tested one by one, each without those before (`second_order/nested.py`).

Of a stimulus that is correlated, directions of large variance change most. Whitened,
S^-1/2 (difference) S^-1/2 in the directions in which the stimulus varies enough has
eigenvalues in stimulus variances, and the filters are S^-1/2 times its vectors. Neither
helps where the stimulus is far from Gaussian, as sparse moving bars are: its directions
depend on each other, and one filter with a nonlinearity leaves many eigenvalues [2]_.
The result says so.

References
----------
.. [1] Schwartz, Pillow, Rust & Simoncelli (2006), J. Vision 6(4):13.
.. [2] Paninski (2003), Network 14, 437-464 (elliptic symmetry is what it takes).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ...experiments.recordings.recording import Recording
from ...experiments.stimulus.sources import as_contrast
from ..kernels.whitening import noise_covariance
from ..second_order.kernel import NOT_GAUSSIAN, SecondOrderKernel, both_kernels
from ..second_order.nested import FormedNull, nested, sorted_eigen, without
from ..trials.attempts import Share
from ..trials.estimate import CannotTell
from ..trials.result import Result
from .ensemble import Counts, SpikeEnsemble, as_yes_no
from .triggered import TOO_FEW, stimulus_covariance

FORMULA = "spike-triggered-covariance-nested-shifts/1"
MOST_FILTERS = 8  # that are looked for
SOME = 4096  # instants that the stimulus's kurtosis is from
NOTHING = np.zeros(0, np.int64)

Matrix = Float[np.ndarray, " element element"]
Basis = Float[np.ndarray, " element rank"]


@dataclass(frozen=True, eq=False)
class TriggeredCovariance(Result):
    """The spike-triggered covariance of one cell, and its filters.

    Attributes
    ----------
    cell
        Its name.
    kernel
        Covariance before spikes less that of the stimulus; elements are in C order:
        lag, row, column. Its own standard errors take spikes for independent.
    values
        Eigenvalues by falling size, with their sign: unit of the stimulus squared, or
        whitened in stimulus variances.
    filters
        One of unit length for each significant eigenvalue; the sign is arbitrary.
    n_significant
        How many eigenvalues, from the first, are significant.
    p
        Of each eigenvalue tested: one more than are significant, unless as many as were
        looked for are.
    null_low, null_high
        95 % band of the eigenvalues of shifted spikes, rank by rank, in falling order
        of the *signed* value.
    lags_ms
        How long before the spike each row of a filter is.
    linear_part
        'keep', or 'remove': the direction of the average was taken out first.
    passband
        Of whitening; None where it was not whitened.
    note
        What the number of filters may be wrong by, or None.
    """

    cell: str
    kernel: SecondOrderKernel
    values: Float[np.ndarray, " rank"]
    filters: Float[np.ndarray, " filter lag y x"]
    n_significant: int
    p: tuple[float, ...]
    null_low: Float[np.ndarray, " rank"]
    null_high: Float[np.ndarray, " rank"]
    lags_ms: tuple[float, ...]
    n_spikes: int
    n_instants: int
    linear_part: str
    passband: float | None
    alpha: float
    n_shifts: int
    seed: int
    formula: str = FORMULA
    note: str | None = None


def triggered_covariance(
    recording: Recording,
    cell: str,
    n_lags: int,
    lag: str = "frame",
    use: str = "fit",
    counts: Sequence[Counts] | None = None,
    linear_part: str = "keep",
    passband: float | None = None,
    n_shifts: int = 99,
    alpha: float = 0.05,
    seed: int = 0,
    progress: Share | None = None,
) -> TriggeredCovariance:
    """Estimate the spike-triggered covariance of a cell, and test its eigenvalues.

    Parameters
    ----------
    recording
        Stimulus and spikes.
    cell
        Name of the cell.
    n_lags, lag, use, counts
        As for `triggered`. Elements are lags x rows x columns, 2,000 at most.
    linear_part
        'remove' takes the direction of the average out of the stimulus first.
    passband
        Whitens, as for `triggered`.
    n_shifts
        Sets of shifted spikes. No p is below 1 / (n_shifts + 1).
    alpha
        Level of each test, and of the whole.
    seed
        Of the shifts.
    progress
        Called with the shifts done and all of them.

    Raises
    ------
    ValueError
        If there is no such cell, it has fewer than two spikes, there are too many
        elements or too few shifts to reach `alpha`, `linear_part` is neither, or as for
        `SpikeEnsemble.of`.

    Examples
    --------
    >>> from yoked.experiments.recordings.recording import Segment
    >>> rng = np.random.default_rng(1)
    >>> frames = rng.normal(size=(6000, 1, 3)).astype(np.float32)
    >>> counts = rng.poisson(0.2 * np.roll(frames[:, 0, 2], 1) ** 2)  # one step ago
    >>> counts = counts[None, :, None].astype(np.uint8)
    >>> one = Segment("fit", counts, frames, np.arange(6000, dtype=np.int32))
    >>> recording = Recording("made-up", 10.0, 10.0, ("a",), (one,))
    >>> found = triggered_covariance(recording, "a", n_lags=2, n_shifts=19)
    >>> found.n_significant, np.abs(found.filters[0, 1]).round(1).tolist()
    (1, [[0.0, 0.0, 1.0]])
    """
    _check(linear_part, n_shifts, alpha)
    if cell not in recording.cells:
        rule = f"of {', '.join(recording.cells)}"
        raise ValueError(f"a cell must be one {rule}, got {cell!r}")
    number = recording.cells.index(cell)
    ensemble = SpikeEnsemble.of(recording, n_lags, lag, use, counts)
    if len(ensemble.spikes[number]) < 2:
        raise CannotTell(TOO_FEW.format(len(ensemble.spikes[number]), cell))
    of_stimulus = stimulus_covariance(ensemble)
    average, kernel = both_kernels(ensemble.responses(number), ensemble.source)
    basis = np.eye(len(of_stimulus))
    if passband is not None:
        basis = _whitening(of_stimulus, passband)
    if linear_part == "remove":
        basis = basis @ without(basis.T @ average.kernel.ravel())
    values, inside = sorted_eigen(basis.T @ kernel.kernel @ basis)
    vectors = basis @ inside
    sets = _shifted(ensemble, number, n_shifts, seed)
    null = FormedNull(values, _turned(sets, n_shifts, of_stimulus, vectors, progress))
    low, high = null.band()
    p = nested(null, min(len(values), MOST_FILTERS), alpha)
    n_significant = sum(each <= alpha for each in p)
    filters = vectors[:, :n_significant].T
    filters = filters / np.linalg.norm(filters, axis=1, keepdims=True)
    return TriggeredCovariance(
        cell=cell,
        kernel=kernel,
        values=values,
        filters=filters.reshape(n_significant, *kernel.shape),
        n_significant=n_significant,
        p=p,
        null_low=low,
        null_high=high,
        lags_ms=ensemble.lags_ms,
        n_spikes=len(ensemble.spikes[number]),
        n_instants=len(ensemble.instants),
        linear_part=linear_part,
        passband=passband,
        alpha=alpha,
        n_shifts=n_shifts,
        seed=seed,
        note=_note(ensemble),
    )


def _check(linear_part: str, n_shifts: int, alpha: float) -> None:
    if linear_part not in ("keep", "remove"):
        raise ValueError(f"linear_part must be keep or remove, got {linear_part!r}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1, got {alpha}")
    least = int(np.ceil(1 / alpha - 1e-9)) - 1
    if n_shifts < least:
        rule = f">= {least} for a test at alpha {alpha:g}"
        raise ValueError(f"n_shifts must be {rule}, got {n_shifts}")


def _note(ensemble: SpikeEnsemble) -> str | None:
    """Say that the stimulus is not Gaussian, by some of it."""
    some = ensemble.instants[:: max(len(ensemble.instants) // SOME, 1)]
    x = as_contrast(ensemble.source.field({"stimulus_id": some}, 0))
    z = (x - x.mean(axis=0)).astype(np.float64)
    excess = float(np.mean(z**4) / np.mean(z**2) ** 2 - 3)
    if abs(excess) <= NOT_GAUSSIAN:
        return None
    return (
        f"the stimulus is not Gaussian (excess kurtosis {excess:.1f}): one filter with "
        "a nonlinearity may have more eigenvalues than one"
    )


def _whitening(covariance: Matrix, passband: float) -> Basis:
    """Return S^-1/2 within the directions in which the stimulus varies enough."""
    if not 0 < passband < 1:
        raise ValueError(f"passband must be between 0 and 1, got {passband}")
    values, vectors = np.linalg.eigh(covariance)
    passed = values >= passband * values[-1]
    return vectors[:, passed] / np.sqrt(values[passed])


def _shifted(
    ensemble: SpikeEnsemble, cell: int, n_shifts: int, seed: int
) -> Iterator[Matrix]:
    """Yield the covariance of the stimulus before each set of shifted spikes."""
    rng = np.random.default_rng(seed)
    for _ in range(n_shifts):
        trials = as_yes_no(ensemble.shifted(cell, rng), NOTHING)
        yield noise_covariance(trials, ensemble.source)


def _turned(
    sets: Iterator[Matrix],
    n_shifts: int,
    of_stimulus: Matrix,
    vectors: Basis,
    progress: Share | None,
) -> Float[np.ndarray, " shift rank rank"]:
    """Return what shifted spikes have in place of the kernel, in the eigenvectors."""
    rank = vectors.shape[1]
    turned = np.empty((n_shifts, rank, rank), np.float32)
    for number, found in enumerate(sets):
        turned[number] = vectors.T @ (found - of_stimulus) @ vectors
        if progress is not None:
            progress(number + 1, n_shifts)
    return turned

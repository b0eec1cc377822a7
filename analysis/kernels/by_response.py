"""A kernel for each response, where one of several patterns is identified.

The kernel of response k is the covariance of giving it with the noise, within each
stimulus class (target and contrast): the noise of the trials answered k less that of
their class, times how often that was. For a linear observer in Gaussian noise it is a
sum of the templates, the own one positive, the others negative [1]_; over all responses
kernels add up to 0.

References
----------
.. [1] Stein (1981), Ann. Statist. 9, 1135-1151: E(f(x) x) = variance x E(grad f);
   Murray (2011), J. Vis. 11(5):2, for classification images of several responses.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from ..trials.design import MAX_BYTES
from ..trials.estimate import CannotTell
from ..trials.held import Held
from ..trials.responses import SessionLike
from ..trials.result import Cells
from ..trials.shown import OfNoise, as_numbers, basis_of, noise_of, unit_of

BY_RESPONSE = "response-kernels-covariance-within-class/1"
_ROWS = 2048


@dataclass(frozen=True, eq=False)
class ResponseKernels(OfNoise):
    """The kernels of all responses.

    Attributes
    ----------
    kernel
        (response, ...): of each response, in contrast; in noise on a basis, in SDs of
        the coefficients.
    se
        Standard error of each element; two showings of a field count as one.
    n_by_response
        Trials with each response.
    n_trials
        All of them.
    formula
        Name and version.
    """

    kernel: Float64[np.ndarray, " response *shape"]
    se: Float64[np.ndarray, " response *shape"]
    n_by_response: tuple[int, ...]
    n_trials: int
    formula: str = BY_RESPONSE

    def drawn(self) -> dict[str, np.ndarray]:
        """Give the classification image of each kernel in coefficients."""
        basis = self.basis
        if basis is None:
            return {}
        images = [basis.image(each) for each in self.kernel]
        return {"classification_image": np.stack(images)}

    def table(self) -> list[Cells]:
        """Give a row for each response: its trials, and where its kernel peaks."""
        return [
            {
                "response": k,
                "trials": n,
                "largest": f"{self.kernel[k].max():.4g}",
                "smallest": f"{self.kernel[k].min():.4g}",
            }
            for k, n in enumerate(self.n_by_response)
        ]


def response_kernels(session: SessionLike) -> ResponseKernels:
    """Estimate a kernel for each response of a task of kind `identify`.

    Raises
    ------
    CannotTell
        If the task has two alternatives or intervals, no trial counts, or the noise is
        more than can be held.

    Examples
    --------
    >>> import yoked
    >>> data = yoked.load_protocol("bar-in-noise").to_dict()
    >>> data["task"] = {"kind": "identify", "keys": ["1", "2", "3"]}
    >>> bars = [{"kind": "bar", "columns": [c, c]} for c in (3, 6, 9)]
    >>> data["signal"] = {"kind": "patterns", "patterns": bars}
    >>> data["blocks"] = [{"kind": "main", "n_trials": 600}]
    >>> from yoked.experiments.protocols.protocol import Protocol
    >>> protocol = Protocol.from_dict(data)
    >>> session = yoked.run(protocol, yoked.load_observer("template"), seed=1)
    >>> found = yoked.response_kernels(session)
    >>> found.kernel[:, 0, 0].argmax(axis=1).tolist()
    [3, 6, 9]
    """
    held = Held.of(session)
    counted, source = held.responses, held.noise
    if counted.task != "identify":
        rule = "identify for a kernel of each response"
        raise CannotTell(f"the task must be {rule}, got {counted.task}")
    if not len(counted):
        raise CannotTell("trials must be one or more, got none that counts")
    given = counted.response[:, None] == np.arange(counted.n_alternatives)
    centred = _within(given.astype(np.float64), counted.cell)
    # A field that was shown twice is drawn once.
    fields, field = np.unique(counted.cluster, return_inverse=True)
    weights = np.zeros((len(fields), counted.n_alternatives))
    np.add.at(weights, field, centred)
    table, unit = counted.table.iloc[fields], unit_of(source)
    shape = noise_of(source, table.iloc[:1], 0).shape[1:]
    if 4 * len(fields) * int(np.prod(shape)) > MAX_BYTES:
        raise CannotTell(f"noise must be at most {MAX_BYTES} bytes for these kernels")
    sums = np.zeros((counted.n_alternatives, int(np.prod(shape))))
    squares = sums.copy()
    for start in range(0, len(fields), _ROWS):
        part = table.iloc[start : start + _ROWS]
        noise = noise_of(source, part, 0).reshape(len(part), -1)
        shown = as_numbers(noise, unit).astype(np.float64)
        own = weights[start : start + _ROWS].T
        sums += own @ shown
        squares += own**2 @ shown**2
    n = len(counted)
    return ResponseKernels(
        kernel=(sums / n).reshape(-1, *shape),
        se=(np.sqrt(squares) / n).reshape(-1, *shape),
        n_by_response=tuple(given.sum(axis=0).tolist()),
        n_trials=n,
        basis=basis_of(source),
    )


def _within(
    values: Float[np.ndarray, " trial response"], cell: np.ndarray
) -> Float64[np.ndarray, " trial response"]:
    """Return values less the mean of their class."""
    _, cell = np.unique(cell, return_inverse=True)
    sums = np.zeros((int(cell.max()) + 1, values.shape[1]))
    np.add.at(sums, cell, values)
    return values - (sums / np.bincount(cell)[:, None])[cell]

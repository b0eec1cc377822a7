"""The confusion matrix: how often each response was given to each target."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from ..trials.estimate import CannotTell, Estimate
from ..trials.held import as_responses
from ..trials.proportion import proportion
from ..trials.responses import Responses, SessionLike
from ..trials.result import Cells, Result

CONFUSION = "confusion-matrix-counts/1"
CORRECT = "proportion-correct-of-target-wilson/1"
RESPONDED = "share-of-response-wilson/1"


@dataclass(frozen=True, eq=False)
class Confusion(Result):
    """Responses by target.

    Attributes
    ----------
    counts
        (target, response): trials.
    correct
        Proportion correct of each target's trials.
    responded
        Share of each response in all trials: a bias towards it, or against.
    n_trials
        All of them.
    formula
        Name and version.
    """

    counts: Int64[np.ndarray, " target response"]
    correct: tuple[Estimate, ...]
    responded: tuple[Estimate, ...]
    n_trials: int
    formula: str = CONFUSION

    def table(self) -> list[Cells]:
        """Give a row for each target: how often each response was given to it."""
        return [
            {
                "target": target,
                **{f"response {k}": int(n) for k, n in enumerate(row)},
                "correct": self.correct[target].short(),
            }
            for target, row in enumerate(self.counts)
        ]


def confusion(source: SessionLike | Responses) -> Confusion:
    """Count the responses to each target; a rating counts as one of two.

    Raises
    ------
    CannotTell
        If no trial counts.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-polarity")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> found = yoked.confusion(session)
    >>> int(found.counts.sum())
    300
    """
    responses = as_responses(source)
    if not len(responses):
        raise CannotTell("trials must be one or more, got none that counts")
    m = responses.n_alternatives
    flat = np.bincount(m * responses.target + responses.response, minlength=m * m)
    counts = flat.reshape(m, m).astype(np.int64)
    of_target, of_response = counts.sum(axis=1), counts.sum(axis=0)
    return Confusion(
        counts=counts,
        correct=tuple(
            _share(int(counts[k, k]), int(of_target[k]), CORRECT) for k in range(m)
        ),
        responded=tuple(
            _share(int(of_response[k]), len(responses), RESPONDED) for k in range(m)
        ),
        n_trials=len(responses),
    )


def _share(k: int, n: int, formula: str) -> Estimate:
    if n == 0:
        return Estimate.missing(formula, "no trial with this target counts")
    return proportion(k, n, formula)

"""How alike two showings' decision variables are, for whoever counts single responses.

d', criterion and proportion correct rest on all trials, and a trial that was shown
twice is less than two. By how much says r, the correlation of the decision variables of
two showings; this file is the one place where those formulas get it.
"""

import numpy as np

from ..trials.responses import Responses
from .bivariate_probit import fit_bivariate_probit, informative
from .consistency import maximise
from .smooth_thresholds import smooth_showings


def shared_r(responses: Responses) -> float:
    """Return the correlation of two showings' decision variables.

    By the likelihood of all showings, thresholds smooth in contrast, and not below 0.
    With more than two alternatives the variable is that of being correct. 1, with which
    a pair counts as one trial, where the pairs cannot tell: the widest interval is the
    safe one.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.trials.responses import responses
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> shared_r(responses(session))  # this template has no internal noise
    1.0
    """
    if not len(responses.second_rows):
        return 1.0
    if responses.n_alternatives == 2:
        return _r_of_two(responses)
    twice, once, never = _pairs_correct(responses).T
    tables = np.stack([twice, once / 2, once / 2, never], axis=1).astype(np.float64)
    tables = tables[informative(tables)]
    return max(fit_bivariate_probit(tables).rho, 0.0) if len(tables) else 1.0


def _r_of_two(responses: Responses) -> float:
    second = responses.second_rows
    if np.all(
        responses.response[second] == responses.response[responses.first[second]]
    ):
        return 1.0
    return max(maximise(smooth_showings(responses)[0]).r, 0.0)


def _pairs_correct(responses: Responses) -> np.ndarray:
    """Pairs with both, one or none correct, by contrast."""
    second = responses.second_rows
    correct = responses.correct.astype(np.int64)
    times = correct[second] + correct[responses.first[second]]
    _, cell = np.unique(responses.contrast[second], return_inverse=True)
    counts = np.zeros((int(cell.max()) + 1, 3), np.int64)
    np.add.at(counts, (cell, 2 - times), 1)
    return counts

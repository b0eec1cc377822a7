"""What a session of so many trials gives, and how often that is enough.

Of every aim the *law* of the sessions is known in closed form: the probability that one
of n trials reaches it (`kernel_laws.py`, `width_laws.py`). Whoever does not know the
observer averages the laws of those it may be.
"""

import math
from collections.abc import Sequence

from .kernel_laws import eigenvalue_law, kernel_law
from .situation import Situation
from .width_laws import GammaLaw, Law, dprime_law


def law(name: str, assumed: Situation, share: float | None = None) -> Law:
    """Return how often sessions reach an aim.

    Parameters
    ----------
    name
        'kernel', 'dprime', 'gamma' or 'eigenvalue'.
    share
        Pairs per trial; by default the protocol's.

    Examples
    --------
    >>> from yoked.app.planning.situation import situation
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> assumed = situation(load_protocol("bar-in-noise"))
    >>> kernel = law("kernel", assumed)
    >>> [round(kernel(0.9, n), 2) for n in (300, 400, 500)]
    [0.53, 0.76, 0.89]
    """
    share = assumed.pair_share if share is None else share
    if name == "gamma":
        return GammaLaw.of(assumed)
    laws = {"kernel": kernel_law, "dprime": dprime_law, "eigenvalue": eigenvalue_law}
    return laws[name](assumed, share)


def averaged(laws: Sequence[Law], weights: Sequence[float]) -> Law:
    """Return the law of observers of whom one does not know which it will be."""

    def reached(wanted: float, n: float) -> float:
        each = (w * one(wanted, n) for w, one in zip(weights, laws, strict=True))
        return sum(each) / sum(weights)

    return reached


def fewest(found: Law, wanted: float, assurance: float) -> float | None:
    """Return the trials (pairs) with which a share of sessions reaches what is wanted.

    By bisection of the law, which rises with the number of trials.

    Returns
    -------
    float or None
        Before rounding up; None where a billion would not do.
    """
    few, many = 1.0, 2.0
    while found(wanted, many) < assurance:
        few, many = many, 2 * many
        if many > 1e9:
            return None
    while many - few > 1e-9 * many:
        middle = (few + many) / 2
        few, many = (
            (few, middle) if found(wanted, middle) >= assurance else (middle, many)
        )
    return many


def value_reached(name: str, found: Law, n: float, assurance: float) -> float:
    """Return the value that a share of sessions of n trials (pairs) reaches.

    A cosine that they exceed, a width that theirs is below, an eigenvalue that they
    find; infinite where no width would do.
    """
    if isinstance(found, GammaLaw):
        return found.width(n, assurance)
    if name == "kernel":
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (
                (middle, high) if found(middle, n) >= assurance else (low, middle)
            )
        return low
    low, high = 1e-6, 1e6
    if found(high, n) < assurance:
        return math.inf
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if found(middle, n) >= assurance else (middle, high)
    return high

"""Learning: whether an observer is the same in both halves of a session.

d', internal noise and kernels by half, each with a test, and tests for a change of
sensitivity with time and between the passes of a double pass.
"""

from dataclasses import dataclass

import numpy as np

from ..double_pass.change import SensitivityChange, second_half, sensitivity_change
from ..kernels.halves import KernelHalves, kernel_halves
from ..trials.attempts import Attempts
from ..trials.held import Held
from ..trials.responses import SessionLike
from ..trials.result import Result


@dataclass(frozen=True, eq=False)
class Learning(Result):
    """Both halves of a session.

    Attributes
    ----------
    sensitivity
        d' and internal noise, and tests for change.
    kernels
        First-order kernels of the halves; None where `note` says why.
    note
        Why there are no kernels.
    """

    sensitivity: SensitivityChange
    kernels: KernelHalves | None
    note: str | None


def learning(session: SessionLike, with_kernels: bool = True) -> Learning:
    """Compare the halves of a session.

    Parameters
    ----------
    with_kernels
        Whether to regenerate the noise for the kernels.

    Raises
    ------
    CannotTell
        If there are more than two alternatives or no correct answer, fewer than 100
        trials, or one response.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> learning(session).sensitivity.time.df
    4
    """
    held = Held.of(session)
    counted = held.responses
    counted.require_target()
    change = sensitivity_change(counted)
    if not with_kernels:
        return Learning(change, None, "kernels are of order one, which was not asked")
    attempt = Attempts(())

    def halves() -> KernelHalves:
        trials = held.design
        return kernel_halves(
            trials, second_half(counted)[np.isin(counted.cell, _cells(held))]
        )

    found = attempt("kernels", halves)
    return Learning(change, found, attempt.missing.get("kernels"))


def _cells(held: Held) -> np.ndarray:
    """Return the classes that `Held.design` keeps, as `Responses.cell` numbers them."""
    present = np.unique(held.responses.cell)
    return present[held.shown.fields_by_cell >= 2]

"""The kernel of a session: one door to the estimates of either order."""

from typing import Literal, get_args

from ..double_pass.lapses import lapse_rate
from ..kernels.fitted import FittedKernel, fitted_kernel
from ..kernels.weighted_sum import Kernel, first_order_kernel
from ..kernels.whitening import noise_covariance, whitened
from ..second_order.kernel import SecondOrderKernel, second_order_kernel
from ..trials.estimate import Estimate
from ..trials.held import Held
from ..trials.responses import SessionLike

Method = Literal["fitted", "weighted_sum", "optimal", "whitened"]
METHODS = get_args(Method)
CATCH_TRIALS = 50  # from which on their lapse rate is allowed for


def kernel(
    session: SessionLike,
    order: int = 1,
    method: Method = "fitted",
    ridge: float = 0.0,
    passband: float = 0.0,
) -> FittedKernel | Kernel | SecondOrderKernel:
    """Estimate the perceptual kernel of a session.

    Parameters
    ----------
    order
        1: what the observer looks at. 2: how it is combined; `method` says nothing
        there.
    method
        'fitted', the default: penalised probit with the prior that predicts best, in
        decision SDs per noise SD, and beside it the unshrunken estimate with intervals
        that cover the kernel. 'weighted_sum': the classical sum of class means
        that the literature reports, in noise contrast. 'optimal': the same with the
        best weights for a biased observer. 'whitened': the weighted sum with the
        correlation of the noise undone, by its realised covariance; in 1 / contrast.
    ridge, passband
        Of 'whitened': a share of the mean variance that is added to every element's,
        and the share of the largest variance below which a direction of the noise is
        left out. Noise without some directions, as of a filter, needs one of them.

    Raises
    ------
    ValueError
        If the order is neither, the method is none of these, the task has more
        alternatives than the method can take, or a stimulus-response class is empty.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")  # 13 bars, the signal in bar 6
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> int(yoked.kernel(session, method="weighted_sum").kernel[0, 0].argmax())
    6
    >>> yoked.kernel(session, order=2).kernel.shape
    (13, 13)
    """
    held = Held.of(session)
    if order == 2:
        return second_order_kernel(held.responses, held.noise)
    if order != 1:
        raise ValueError(f"order must be 1 or 2, got {order}")
    if method == "fitted":
        return fitted_kernel(held, lapse_rate=lapses_of(held))
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    weights = "optimal" if method == "optimal" else "sum"
    found = first_order_kernel(held.responses, held.noise, weights=weights)
    if method != "whitened":
        return found
    covariance = noise_covariance(held.responses, held.noise)
    return whitened(found, covariance, ridge, passband)


def lapses_of(session: SessionLike) -> float | Estimate:
    """Return the lapse rate of 50 catch trials or more; 0 where there are fewer."""
    rate = lapse_rate(session)
    return rate if rate.value is not None and rate.n >= CATCH_TRIALS else 0.0

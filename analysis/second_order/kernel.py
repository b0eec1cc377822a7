"""Second-order kernels: how elements of the noise act together on the observer.

Yes/no [1]_: the covariance of the noise of "yes" minus that of "no" responses, within
each class of stimuli, and summed over the two. 2AFC [2]_: for the target's noise the
covariance of correct minus that of incorrect trials, for the other noise the reverse,
and the sum of these two halves. In Gaussian noise of covariance S each difference is
S E[Hessian of P("yes")] S / (p q), less what its first-order part brings.

Covariances are about the mean of each class at each contrast. The sum of squares
without the means taken off is 4 to 7 times as sensitive to a bias.

A linear observer's halves are not zero: each is a multiple of ww', one positive and one
negative. In 2AFC they cancel, whatever the interval bias. In yes/no they cancel only
where the observer is unbiased; the first-order kernel taken out of rows and columns
takes out what a linear stage can have left.

Contrasts are averaged with the weights of `weighted_sum.py`, n_i phi(z_i).

References
----------
.. [1] Neri (2004), J. Vis. 4(2):2; Murray (2011), J. Vis. 11(5):2, eq. 36.
.. [2] Neri (2009), J. Vis. 9(12):1, appendix; Neri & Heeger (2002), Nat. Neurosci. 5,
   812-816, for the diagonal.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ...experiments.stimulus.sources import NoiseSource
from ..kernels.classes import KernelDesign
from ..kernels.weighted_sum import Kernel, kernel_of, named
from ..sensitivity import by_task
from ..trials.estimate import CannotTell
from ..trials.moments import Moments, moments
from ..trials.responses import Responses
from ..trials.score import ROUNDING, STILL
from ..trials.shown import OPPOSITE, OfNoise, Shape, basis_of, require_few_coefficients

FORMULAS = {False: "kernel2-yes-no-covariances/1", True: "kernel2-2afc-covariances/1"}
# Excess kurtosis from which the noise is called non-Gaussian: truncation at 2.5 SD has
# -.3, at 3 SD -.1; uniform noise has -1.2, binary -2.
NOT_GAUSSIAN = 0.3
BIASED = 0.2  # criterion, in SD of the decision variable

Matrix = Float[np.ndarray, " element element"]


@dataclass(frozen=True, eq=False)
class SecondOrderKernel(OfNoise):
    """A second-order kernel, in units of noise contrast squared; symmetric.

    In noise on a basis, in units of the variances of its coefficients.

    Attributes
    ----------
    kernel
        The sum of the halves. Elements of a field are in C order: frame, row, column.
    target_half
        From the noise that came with the target: in 2AFC that of the target interval,
        in yes/no that of signal trials.
    nontarget_half
        From the other noise, with the sign with which it enters the sum.
    null_se, target_half_null_se, nontarget_half_null_se
        Standard error of an element off the diagonal for an observer without second
        order, in white noise; on the diagonal of Gaussian noise it is sqrt(2) larger.
    noise_sd
        Realised, as shown.
    shape
        (frames, rows, columns) of a field, or (coefficients,).
    n_per_class
        Trials of each stimulus-response class that entered.
    n_left_out
        Trials of contrasts at which a class has fewer than two: no covariance there.
    contrasts, weights
        The contrasts that entered, and their shares of the kernel; they add up to 1.
    order
        2: the covariance of the noise; 1 would be its mean.
    formula
        Name and version.
    note
        What the numbers may be biased by, or None.
    basis
        What eigenvectors in coefficients are drawn in; None in white noise.
    """

    kernel: Matrix
    target_half: Matrix
    nontarget_half: Matrix
    null_se: float
    target_half_null_se: float
    nontarget_half_null_se: float
    noise_sd: float
    shape: Shape
    n_per_class: Mapping[str, int]
    n_left_out: int
    contrasts: tuple[float, ...]
    weights: tuple[float, ...]
    order: int
    formula: str
    note: str | None = None

    @property
    def diagonal(self) -> Float[np.ndarray, " *shape"]:
        """The variance kernel, as a field or by coefficient."""
        return np.diag(self.kernel).reshape(self.shape)


def second_order_kernel(
    responses: Responses, source: NoiseSource, chunk_elements: int | None = None
) -> SecondOrderKernel:
    """Estimate the second-order kernel, its halves and their standard error.

    Parameters
    ----------
    responses
        The responses; a rating counts as yes or no.
    source
        Gives the noise field of any of these trials, as shown: its realised values.
    chunk_elements
        Noise elements in memory at a time, over all alternatives; None takes 16 MiB.
        Four matrices of all elements by all are held besides.

    Raises
    ------
    ValueError
        If no contrast has two trials or more in every stimulus-response class, or there
        are more than two alternatives; or if the noise is on a basis of more than 2,000
        images, or its second interval shows the negative of the first.

    Examples
    --------
    >>> import pandas as pd
    >>> from yoked.experiments.stimulus.sources import StoredNoise
    >>> columns = {"trial": range(4), "target": 1, "response": [1, 1, 0, 0]}
    >>> columns |= {"contrast": 0.1, "repeats": None, "stimulus_id": range(4)}
    >>> responses = Responses.from_table(pd.DataFrame(columns), "2afc", 2)
    >>> noise = np.zeros((4, 2, 1, 1, 1))
    >>> noise[:, 1, 0, 0, 0] = [-0.2, 0.2, -0.1, 0.1]  # wider where it was chosen
    >>> second_order_kernel(responses, StoredNoise(noise)).target_half.round(3).tolist()
    [[0.06]]
    """
    require_few_coefficients(basis_of(source))
    design = _design(responses)
    n, factors = len(design.size), _of_halves(design)
    sums = moments(responses, source, design.label, n, factors, chunk_elements)
    return _kernel(sums, design, responses)


def both_kernels(
    responses: Responses, source: NoiseSource, weights: str = "sum"
) -> tuple[Kernel, SecondOrderKernel]:
    """Estimate the kernels of both orders in one pass over the noise.

    Parameters and errors are those of `first_order_kernel` and `second_order_kernel`;
    what either needs is what both need.
    """
    require_few_coefficients(basis_of(source))
    second, first = _design(responses), KernelDesign.of(responses, weights)
    label, members = _joint_classes(first, second)
    factors = np.where(members[1] >= 0, _of_halves(second)[:, members[1]], 0.0)
    sums = moments(responses, source, label, members.shape[1], factors)
    kernel = kernel_of(_by_class(sums, members[0], len(first.size)), first, weights)
    by_class = _by_class(sums, members[1], len(second.size))
    return named(kernel, responses), _kernel(by_class, second, responses)


def _design(responses: Responses) -> KernelDesign:
    if responses.n_alternatives > 2:
        rule = "two for a second-order kernel"
        raise CannotTell(f"alternatives must be {rule}, got {responses.n_alternatives}")
    return KernelDesign.of(responses, order=2)


def _of_halves(design: KernelDesign) -> Float[np.ndarray, " 2 label"]:
    """What a trial's (noise x noise') counts in each half."""
    return np.stack([design.factors(half) for half in (0, 1)])


def _joint_classes(
    first: KernelDesign, second: KernelDesign
) -> tuple[Int[np.ndarray, " trial"], Int[np.ndarray, " 2 label"]]:
    """Classes that lie within one of either design, and which one that is, or -1."""
    n = len(second.size) + 1
    code, members = pd.factorize(n * (first.label + 1) + second.label + 1, sort=True)
    members = np.stack([members // n, members % n]) - 1
    nowhere = np.all(members < 0, axis=0)
    number = np.where(nowhere, -1, np.cumsum(~nowhere) - 1)
    return number[code], members[:, ~nowhere]


def _by_class(sums: Moments, member: Int[np.ndarray, " joint"], n: int) -> Moments:
    """Count the fields of each group by the classes of one design."""
    is_in = np.equal.outer(member, np.arange(n)).astype(np.float64)
    times = sums.times @ is_in
    entered = times.any(axis=1)
    return Moments(
        times=times[entered],
        n=sums.n[entered],
        total=sums.total[entered],
        squares=sums.squares[entered],
        products=sums.products,
        excess_kurtosis=sums.excess_kurtosis,
        shape=sums.shape,
        basis=sums.basis,
    )


def _kernel(
    sums: Moments, design: KernelDesign, responses: Responses
) -> SecondOrderKernel:
    target, nontarget = (_half(sums, design, half) for half in (0, 1))
    if sums.basis is not None and not (target + nontarget).any():
        raise CannotTell(OPPOSITE)
    variance = _noise_variance(sums, design)
    of_half = [variance**2 * _share_of_error(sums, design, half) for half in (0, 1)]
    return SecondOrderKernel(
        kernel=target + nontarget,
        target_half=target,
        nontarget_half=nontarget,
        null_se=float(np.sqrt(sum(of_half))),
        target_half_null_se=float(np.sqrt(of_half[0])),
        nontarget_half_null_se=float(np.sqrt(of_half[1])),
        noise_sd=float(np.sqrt(variance)),
        shape=sums.shape,
        n_per_class=design.n_per_class,
        n_left_out=design.n_left_out,
        contrasts=tuple(design.contrasts.tolist()),
        weights=tuple(design.weights.tolist()),
        order=2,
        formula=FORMULAS[design.is_forced_choice],
        note=_note(sums, design, responses),
        basis=sums.basis,
    )


def _half(sums: Moments, design: KernelDesign, half: int) -> Matrix:
    """Weighted sum of the sample covariances of the classes."""
    assert sums.products is not None
    total = sums.times.T @ sums.total[:, design.channel(half)]  # (class, element)
    by_mean = design.factors(half) / np.maximum(design.size, 1)
    return sums.products[half] - (total.T * by_mean) @ total


def _noise_variance(sums: Moments, design: KernelDesign) -> float:
    """Realised variance of the noise as shown, mean over elements."""
    shown = slice(0, 2 if design.is_forced_choice else 1)
    n = sums.n.sum() * sums.total[:, shown].shape[1]
    mean = sums.total[:, shown].sum((0, 1)) / n
    squares = sums.squares[:, shown].sum((0, 1)) / n
    variance = float(np.mean(squares - mean**2))
    if variance <= ROUNDING * float(np.mean(squares)):
        raise CannotTell(STILL)
    return variance


def _share_of_error(sums: Moments, design: KernelDesign, half: int) -> float:
    """Variance of an element off the diagonal, over the noise variance squared.

    A field's product of two elements has variance sigma^4 and counts with its factor;
    the two showings of a double pass add their factors before they are squared.
    """
    return float(sums.n @ (sums.times @ design.factors(half)) ** 2)


def _note(sums: Moments, design: KernelDesign, responses: Responses) -> str | None:
    """Say what biases the kernel of a yes/no observer who has a bias."""
    if design.is_forced_choice:
        return None
    criterion = by_task.criterion(responses).value
    if criterion is None or abs(criterion) < BIASED:
        return None
    said = [
        f"the observer is biased (criterion {criterion:.2f}): a linear observer's "
        "kernel would not be zero either, see without_linear_part"
    ]
    if abs(sums.excess_kurtosis) > NOT_GAUSSIAN:
        said.append(
            f"the noise is not Gaussian (excess kurtosis {sums.excess_kurtosis:.1f}), "
            "which changes the diagonal"
        )
    return "; ".join(said)

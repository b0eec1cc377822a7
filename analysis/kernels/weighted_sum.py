"""First-order kernels: which elements of the noise moved the observer, and by how much.

Yes/no [1]_: the mean noise of "yes" minus that of "no" responses, within each class,
and summed over the two classes. Forced choice [2]_: for the target's noise the mean of
correct minus that of incorrect trials, for the other noise the reverse, and the sum of
these two halves. With more than two alternatives "the other noise" is the mean over the
non-target alternatives.

Several contrasts are never pooled before the means are taken. Their kernels K_i are
averaged with the weights n_i phi(z_i), the best ones for a linear observer [3]_; z_i is
Phi^-1 of the rate of "yes" in a class (in 2AFC, of "second" by target interval), and
phi(z_i) the mean over classes. For m alternatives the place of phi is taken by the
slope of proportion correct, which it is proportional to at m = 2.

A biased observer's classes of stimuli differ in what a response tells. The optimal
weights [3]_ give each its own n_k phi(z_k): the sum is then, up to a factor, the score
test of a probit model, and no weighted sum is less noisy. In 2AFC the classes are the
intervals that held the target. Both weightings have the same expected shape for a
linear observer, and the weights of each add up to the same.

Where no answer is correct, that of yes/no is the one difference of "yes" and "no", and
its halves are the mean of "yes" and minus that of "no". Of choices it is twice the mean
noise of what was chosen less that of what was not [4]_: every trial counts alike. In
opposite pairs of noise on sinusoids it is the classification image of rcicr and rcpyci.
Of several alternatives "what was not" is the mean of the others, and the halves are of
the two.

Standard errors count noise fields, not trials: two showings of one trial share the
noise and add their coefficients before they are squared.

References
----------
.. [1] Ahumada (1996), Perception 25 ECVP Abstracts, 2; Murray (2011), J. Vis. 11(5):2,
   eq. 1.
.. [2] Neri (2009), J. Vis. 9(12):1, appendix.
.. [3] Murray, Bennett & Sekuler (2002), J. Vis. 2(1):6, eqs A10 and B4.
.. [4] Dotsch & Todorov (2012), Soc. Psychol. Pers. Sci. 3, 562-571.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ...experiments.stimulus.sources import NoiseSource
from ..trials.estimate import CannotTell
from ..trials.moments import Moments, moments
from ..trials.responses import Responses
from ..trials.score import ONE_KIND, ROUNDING, STILL
from ..trials.shown import (
    OfNoise,
    as_numbers,
    basis_of,
    classification_image,
    noise_of,
    unit_of,
)
from .classes import SUM, KernelDesign

FORMULAS = {  # of the weights, and of whether it is forced choice
    ("sum", False): "kernel-yes-no-class-sum/1",
    ("sum", True): "kernel-forced-choice-halves-sum/1",
    ("optimal", False): "kernel-yes-no-optimal-weights/1",
    ("optimal", True): "kernel-2afc-optimal-weights/1",
}

WITHOUT_TARGET = {  # of whether it is forced choice
    False: "kernel-yes-no-said-yes-less-no/1",
    True: "kernel-2afc-chosen-less-rejected/1",
}
OF_SEVERAL = "kernel-mafc-chosen-less-rejected/1"

Field = Float[np.ndarray, " *shape"]


@dataclass(frozen=True, eq=False)
class Kernel(OfNoise):
    """A first-order kernel, in units of noise contrast, or in SDs of coefficients.

    Attributes
    ----------
    kernel
        The sum of the halves.
    target_half
        From the noise that came with the target: in forced choice that of the target
        alternative, in yes/no that of signal trials.
    nontarget_half
        From the other noise: of the other alternatives, or of trials without signal.
        Both halves have the sign of the template; where they differ the observer is
        not linear. Without a correct answer, of the first and the second alternative;
        of a single field, from "yes" and from "no", minus the latter; of several
        alternatives, of what was chosen and of the rest, minus the latter.
    se, target_half_se, nontarget_half_se
        Standard error of each element.
    n_per_class
        Trials of each stimulus-response class that entered.
    n_left_out
        Trials of contrasts at which a class is empty: no kernel is defined there.
    contrasts, weights
        The contrasts that entered, and their shares of the kernel; they add up to 1.
    order
        1: the mean of the noise; 2 would be its covariance.
    formula
        Name and version.
    basis
        What a kernel in coefficients is drawn in; None in white noise.
    """

    kernel: Field
    se: Field
    target_half: Field
    target_half_se: Field
    nontarget_half: Field
    nontarget_half_se: Field
    n_per_class: Mapping[str, int]
    n_left_out: int
    contrasts: tuple[float, ...]
    weights: tuple[float, ...]
    order: int
    formula: str

    def drawn(self) -> dict[str, np.ndarray]:
        """Give the classification image of a kernel in coefficients."""
        return classification_image(self.basis, self.kernel)


@dataclass(frozen=True)
class TemplateMatch:
    """How alike a kernel and a template are: 1 is the same shape, -1 its negative.

    Attributes
    ----------
    cosine
        Of the angle between the two; what a linear observer's efficiency depends on.
    pearson
        Correlation over elements: their means do not count.
    """

    cosine: float
    pearson: float


def first_order_kernel(
    responses: Responses,
    source: NoiseSource,
    chunk_elements: int | None = None,
    weights: str = "sum",
) -> Kernel:
    """Estimate the first-order kernel with its halves and their standard errors.

    Parameters
    ----------
    responses
        The responses.
    source
        Gives the noise field of any of these trials, as shown: its realised values.
    chunk_elements
        Noise elements in memory at a time, over all alternatives; None takes 16 MiB.
    weights
        'sum' adds the two classes of yes/no stimuli, or the correct and the incorrect
        trials of forced choice, as the literature does. 'optimal' weights each class of
        stimuli (in 2AFC, each interval that held the target) by its trials and phi(z):
        the same for an unbiased observer, less noisy for a biased one.

    Raises
    ------
    ValueError
        If no contrast has trials in every stimulus-response class, or a class has a
        single trial at each, so that its noise has no variance; or if there are no
        optimal weights, with more than two alternatives.
    """
    if responses.n_alternatives > 2 and not responses.has_target:
        return _of_chosen(responses, source)
    design = KernelDesign.of(responses, weights)
    sums = moments(
        responses, source, design.label, len(design.size), None, chunk_elements
    )
    return named(kernel_of(sums, design, weights), responses)


def _of_chosen(responses: Responses, source: NoiseSource) -> Kernel:
    """Give twice the mean noise of what was chosen of several less that of the rest."""
    n, m = len(responses), responses.n_alternatives
    chosen = np.bincount(responses.response, minlength=m)
    if np.count_nonzero(chosen) < 2:
        raise CannotTell(ONE_KIND)
    unit, shape, halves = unit_of(source), (0,), np.zeros((2, n, 0))
    for interval in range(m):
        noise = noise_of(source, responses.table, interval)
        shape, noise = noise.shape[1:], as_numbers(noise.reshape(n, -1), unit)
        if not halves.size:
            halves = np.zeros((2, *noise.shape))
        is_chosen = (responses.response == interval)[:, None]
        halves += 2 * np.stack([is_chosen * noise, (is_chosen - 1) * noise / (m - 1)])
    each = np.stack([halves[0] + halves[1], halves[0], halves[1]])
    parts = [_mean_of_fields(one, responses) for one in each]
    contrasts, shares = np.unique(responses.contrast, return_counts=True)
    return Kernel(
        *(part.reshape(shape) for pair in parts for part in pair),
        n_per_class={f"response_{k}": int(count) for k, count in enumerate(chosen)},
        n_left_out=0,
        contrasts=tuple(contrasts.tolist()),
        weights=tuple((shares / n).tolist()),
        order=1,
        formula=OF_SEVERAL,
        basis=basis_of(source),
    )


def _mean_of_fields(
    values: Float[np.ndarray, " trial element"], responses: Responses
) -> tuple[Float[np.ndarray, " element"], Float[np.ndarray, " element"]]:
    """Return a mean over trials, and its SE from the noise fields."""
    mean = values.mean(axis=0)
    _, field = np.unique(responses.cluster, return_inverse=True)
    count = int(field.max()) + 1
    if count < 2:
        raise CannotTell(STILL)
    together = np.zeros((count, values.shape[1]))
    np.add.at(together, field, values - mean)
    squares = (together**2).sum(axis=0) * count / (count - 1)
    return mean, np.sqrt(squares) / len(values)


def named(found: Kernel, responses: Responses) -> Kernel:
    """Return a kernel with the formula's name that it has without a target."""
    if responses.has_target:
        return found
    return replace(found, formula=WITHOUT_TARGET[responses.is_forced_choice])


def kernel_of(sums: Moments, design: KernelDesign, weights: str) -> Kernel:
    """Return the kernel of a design from the sums of its classes.

    Raises
    ------
    ValueError
        As `first_order_kernel`.
    """
    target, nontarget = (_estimate(sums, design, half) for half in (0, 1))
    kernel, se = _estimate(sums, design, SUM)
    return Kernel(
        kernel=kernel,
        se=se,
        target_half=target[0],
        target_half_se=target[1],
        nontarget_half=nontarget[0],
        nontarget_half_se=nontarget[1],
        n_per_class=design.n_per_class,
        n_left_out=design.n_left_out,
        contrasts=tuple(design.contrasts.tolist()),
        weights=tuple(design.weights.tolist()),
        order=1,
        formula=FORMULAS[weights, design.is_forced_choice],
        basis=sums.basis,
    )


def template_match(
    kernel: Float[np.ndarray, "*shape"], template: Float[np.ndarray, "*shape"]
) -> TemplateMatch:
    """Compare a kernel with a template, by cosine and by Pearson's correlation.

    Raises
    ------
    ValueError
        If either is the same everywhere, so that one of the two is undefined.

    Examples
    --------
    >>> template_match(np.array([0.0, 2.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    TemplateMatch(cosine=1.0, pearson=1.0)
    """
    a, b = kernel.ravel().astype(np.float64), template.ravel().astype(np.float64)
    for name, values in (("kernel", a), ("template", b)):
        if np.ptp(values) == 0:
            raise CannotTell(
                f"{name} must vary over elements, got one value everywhere"
            )
    return TemplateMatch(_cosine(a, b), _cosine(a - a.mean(), b - b.mean()))


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def _estimate(sums: Moments, design: KernelDesign, half: int) -> tuple[Field, Field]:
    """A half, or the kernel, and its standard error."""
    channel = design.channel(half)
    factor = sums.times @ design.factors(half)
    value = factor @ sums.total[:, channel]
    variance = _group_variance(sums, design, channel)
    se = np.sqrt((sums.n * factor**2) @ variance)
    return value.reshape(sums.shape), se.reshape(sums.shape)


def _group_variance(
    sums: Moments, design: KernelDesign, channel: int
) -> Float[np.ndarray, " group element"]:
    """Variance of the noise about its class mean, for the fields of each group.

    Estimated by outcome: it differs a little between outcomes along the template, and
    pooling over contrasts leaves enough trials. The divisor allows for fields that were
    shown twice.
    """
    total, squares = (
        sums.times.T @ s[:, channel] for s in (sums.total, sums.squares)
    )  # (class, element)
    size = np.maximum(design.size, 1)  # classes without trials have sums of 0
    about_mean = squares - total**2 / size[:, None]
    about_mean = np.where(about_mean > ROUNDING * squares, about_mean, 0.0)
    if not about_mean.any():
        raise CannotTell(STILL)
    freedom = design.size - (sums.n @ sums.times**2) / size
    outcomes = np.equal.outer(np.arange(len(design.names)), design.outcome)
    freedom, entered = outcomes @ freedom, outcomes @ design.size > 0
    if np.any(freedom[entered] < 0.5):
        name = design.names[int(np.argmin(np.where(entered, freedom, np.inf)))]
        rule = "two noise fields or more at some contrast, to have a variance"
        raise CannotTell(f"trials of class {name} must show {rule}")
    variance = (outcomes @ about_mean) / np.maximum(freedom, 0.5)[:, None]
    share = sums.times @ outcomes.T / sums.times.sum(1, keepdims=True)
    return share @ variance

"""First-order kernels: which elements of the noise moved the observer, and by how much.

Yes/no [1]_: the mean noise of "yes" minus that of "no" answers, within each class, and
summed over the two classes. Forced choice [2]_: for the target's noise the mean of
correct minus that of incorrect trials, for the other noise the reverse, and the sum of
these two halves. With more than two alternatives "the other noise" is the mean over the
non-target alternatives.

Several contrasts are never pooled before the means are taken. Their kernels K_i are
averaged with the weights n_i phi(z_i), the best ones for a linear observer [3]_; z_i is
Phi^-1 of the rate of "yes" in a class (in 2AFC, of "second" by target interval), and
phi(z_i) the mean over classes. For m alternatives the place of phi is taken by the
slope of proportion correct, which it is proportional to at m = 2.

Standard errors count noise fields, not trials: two showings of one trial share the
noise and add their coefficients before they are squared.

References
----------
.. [1] Ahumada (1996), Perception 25 ECVP Abstracts, 2; Murray (2011), J. Vis. 11(5):2,
   eq. 1.
.. [2] Neri (2009), J. Vis. 9(12):1, appendix.
.. [3] Murray, Bennett & Sekuler (2002), J. Vis. 2(1):6, eqs A10 and B4.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..experiments.sources import NoiseSource, as_contrast
from .choices import Choices, SessionLike, choices
from .kernel_design import SUM, KernelDesign

YES_NO = "kernel-yes-no-class-sum/1"
FORCED_CHOICE = "kernel-forced-choice-halves-sum/1"

Field = Float[np.ndarray, " frame row column"]


@dataclass(frozen=True, eq=False)
class Kernel:
    """A first-order kernel, in units of noise contrast.

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
        not linear.
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


def session_kernel(session: SessionLike, chunk_elements: int = 2**21) -> Kernel:
    """Estimate the first-order kernel of a session; see `first_order_kernel`.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")  # 13 bars, the signal in bar 6
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> int(yoked.kernel(session).kernel[0, 0].argmax())
    6
    """
    return first_order_kernel(choices(session), session.noise, chunk_elements)


def first_order_kernel(
    choices: Choices, source: NoiseSource, chunk_elements: int = 2**21
) -> Kernel:
    """Estimate the first-order kernel with its halves and their standard errors.

    Parameters
    ----------
    choices
        The answers.
    source
        Gives the noise field of any of these trials, as shown: its realised values.
    chunk_elements
        Noise elements in memory at a time, over all alternatives.

    Raises
    ------
    ValueError
        If no contrast has trials in every stimulus-response class, or a class has a
        single trial at each, so that its noise has no variance.
    """
    design = KernelDesign.of(choices)
    sums = _accumulate(choices, source, design, chunk_elements)
    target, nontarget = (_estimate(sums, design, half) for half in (0, 1))
    kernel, se = _estimate(sums, design, SUM)
    names = design.names
    sizes = [int(design.size[design.outcome == o].sum()) for o in range(len(names))]
    return Kernel(
        kernel=kernel,
        se=se,
        target_half=target[0],
        target_half_se=target[1],
        nontarget_half=nontarget[0],
        nontarget_half_se=nontarget[1],
        n_per_class=dict(zip(names, sizes, strict=True)),
        n_left_out=int(np.sum(design.label < 0)),
        contrasts=tuple(design.contrasts.tolist()),
        weights=tuple(design.weights.tolist()),
        order=1,
        formula=FORCED_CHOICE if choices.is_forced_choice else YES_NO,
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
            raise ValueError(
                f"{name} must vary over elements, got one value everywhere"
            )
    return TemplateMatch(_cosine(a, b), _cosine(a - a.mean(), b - b.mean()))


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over noise fields that were shown in the same classes (a pattern).

    `times[g, c]` says how often a field of pattern g was shown in class c: once in one
    class, or, for the two showings of a double pass, twice in all.
    """

    times: Float[np.ndarray, " pattern label"]
    n: Float[np.ndarray, " pattern"]
    total: Float[np.ndarray, " pattern channel element"]
    squares: Float[np.ndarray, " pattern channel element"]
    shape: tuple[int, int, int]


def _accumulate(
    choices: Choices, source: NoiseSource, design: KernelDesign, chunk_elements: int
) -> _Sums:
    """Add up the noise, in chunks; the noise of a pair is generated once."""
    times, rows, pattern = _patterns(choices, design)
    total = squares = np.zeros(0)
    shape = (0, 0, 0)
    for chunk, fields, field_shape in _channels(choices, source, rows, chunk_elements):
        if not total.size:
            shape = field_shape
            total = np.zeros((len(times), *fields.shape[1:]))
            squares = np.zeros_like(total)
        member = np.equal.outer(np.arange(len(times)), pattern[chunk]).astype(
            np.float64
        )
        total += np.tensordot(member, fields, 1)
        squares += np.tensordot(member, fields**2, 1)
    n = np.bincount(pattern, minlength=len(times)).astype(np.float64)
    return _Sums(times, n, total, squares, shape)


def _patterns(
    choices: Choices, design: KernelDesign
) -> tuple[Float[np.ndarray, " pattern label"], Int[np.ndarray, " field"], np.ndarray]:
    """Classes in which each noise field was shown, as patterns.

    Returns
    -------
    times, rows, pattern
        Patterns as counts by class; the row that shows each noise field first; and the
        number of its pattern.
    """
    entered = design.label >= 0
    rows = np.flatnonzero(entered & (choices.first < 0))
    other = np.full(len(choices), -1)
    second = choices.second_rows[entered[choices.second_rows]]
    other[choices.first[second]] = design.label[second]
    classes = np.sort(np.stack([design.label[rows], other[rows]], axis=1), axis=1)
    unique, pattern = np.unique(classes, axis=0, return_inverse=True)
    times = np.zeros((len(unique), len(design.size)))
    for g, pair in enumerate(unique):
        np.add.at(times[g], pair[pair >= 0], 1)
    return times, rows, pattern


def _channels(
    choices: Choices, source: NoiseSource, rows: np.ndarray, chunk_elements: int
) -> Iterator[tuple[slice, Float[np.ndarray, " t c e"], tuple[int, int, int]]]:
    """Yield noise in chunks: of the interval, or (target, non-target, difference)."""
    intervals = range(choices.n_alternatives if choices.is_forced_choice else 1)
    size, start = 1, 0  # the first chunk, of one trial, tells the size of a field
    while start < len(rows):
        chunk = slice(start, start + size)
        table, target = choices.table.iloc[rows[chunk]], choices.target[rows[chunk]]
        fields = [as_contrast(source.field(table, k)) for k in intervals]
        shape = fields[0].shape[1:]
        shown = np.stack(fields, axis=1).reshape(len(target), len(fields), -1)
        shown = shown.astype(np.float64)
        if choices.is_forced_choice:
            of_target = shown[np.arange(len(target)), target]
            others = (shown.sum(1) - of_target) / (len(fields) - 1)
            shown = np.stack([of_target, others, of_target - others], axis=1)
        yield chunk, shown, shape
        start += size
        size = max(chunk_elements // (len(fields) * int(np.prod(shape))), 1)


def _estimate(sums: _Sums, design: KernelDesign, half: int) -> tuple[Field, Field]:
    """A half, or the kernel, and its standard error."""
    channel = design.channel(half)
    factor = sums.times @ (design.coefficients(half) / design.size)  # by noise field
    value = factor @ sums.total[:, channel]
    variance = _pattern_variance(sums, design, channel)
    se = np.sqrt((sums.n * factor**2) @ variance)
    return value.reshape(sums.shape), se.reshape(sums.shape)


def _pattern_variance(
    sums: _Sums, design: KernelDesign, channel: int
) -> Float[np.ndarray, " pattern element"]:
    """Variance of the noise about its class mean, for the fields of each pattern.

    Estimated by outcome: it differs a little between outcomes along the template, and
    pooling over contrasts leaves enough trials. The divisor allows for fields that were
    shown twice.
    """
    total, squares = (
        sums.times.T @ s[:, channel] for s in (sums.total, sums.squares)
    )  # (class, element)
    about_mean = squares - total**2 / design.size[:, None]
    freedom = design.size - (sums.n @ sums.times**2) / design.size
    outcomes = np.equal.outer(np.arange(len(design.names)), design.outcome)
    freedom = outcomes @ freedom
    if np.any(freedom < 0.5):
        name = design.names[int(np.argmin(freedom))]
        rule = "two noise fields or more at some contrast, to have a variance"
        raise ValueError(f"trials of class {name} must show {rule}")
    variance = (outcomes @ about_mean) / freedom[:, None]
    share = sums.times @ outcomes.T / sums.times.sum(1, keepdims=True)
    return share @ variance

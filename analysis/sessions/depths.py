"""One observer at three depths: sensitivity, what is looked at, how it is combined.

Order 0 is accuracy and bias, order 1 the kernel, order 2 the covariance kernel. All
that the analysis can say of a session is collected here; what the data cannot bear is
left out, and `missing` says in a sentence why.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from ...experiments.session.observer import Viewing
from ..double_pass.drift import criterion_course
from ..double_pass.gamma_by_accuracy import gamma_by_accuracy
from ..double_pass.lapses import catch_errors, lapse_rate, lapses
from ..kernels.by_response import response_kernels
from ..kernels.decision import decision_of
from ..kernels.doubt import doubt
from ..kernels.fitted import fitted_kernel
from ..kernels.hotelling import hotelling_test
from ..kernels.lapse_share import share_without_lapses
from ..kernels.linear_share import linear_share
from ..kernels.significance import kernel_test
from ..kernels.weighted_sum import Kernel, first_order_kernel
from ..probit.likelihood_ratio import LikelihoodRatioTests, likelihood_ratio_tests
from ..second_order.cascades import signature
from ..second_order.consistency import consistency
from ..second_order.kernel import SecondOrderKernel, both_kernels
from ..second_order.quadratic import quadratic_gain
from ..second_order.spectrum import Spectrum, diagonal_test, eigen_spectrum
from ..sensitivity.confusion import confusion
from ..sensitivity.efficiency import (
    absolute_efficiency,
    kernel_efficiency,
)
from ..sensitivity.ideal import signal_difference
from ..sensitivity.physical_units import physical_units
from ..sensitivity.pooled import dprime_mean, dprime_slope, ln_beta
from ..sensitivity.roc import roc
from ..trials.attempts import Attempts, Fault, Progress
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell
from ..trials.held import Held
from ..trials.responses import SessionLike
from ..trials.result import Cells, Result
from ..trials.score import STILL, varies
from ..trials.shown import shown_signal
from .cueing import cueing
from .kernel import lapses_of
from .learning import learning
from .orders import OrderOne, OrderTwo, OrderZero
from .psychometric import PsychometricMethod, psychometric
from .row import session_row
from .summary import SessionSummary, summarise
from .template_agreement import template_agreement

# The parts of an analysis by order, as they are worked on.
PARTS = (
    (
        "zero.ln_beta",
        "zero.dprime_mean",
        "zero.dprime_slope",
        "zero.roc",
        "zero.psychometric",
        "zero.efficiency",
        "zero.physical_units",
        "zero.gamma_by_accuracy",
        "zero.lapse_rate",
        "zero.course",
        "zero.lapses",
        "zero.learning",
    ),
    (
        "trials",
        "kernels",
        "one.efficiency",
        "one.decision_law",
        "one.linear_share",
        "one.fitted",
        "one.template_agreement",
        "one.test",
        "one.hotelling",
        "one.likelihood_ratios",
        "one.linear_share_without_lapses",
    ),
    (
        "two.spectrum",
        "two.without_linear_part",
        "two.consistency",
        "two.signature",
        "two.diagonal",
        "two.quadratic",
    ),
)
LEAST_PERMUTATIONS = 19
TRIALS_PER_ELEMENT = 20
FORMAT = "yoked-analyse/3"  # of the plain form, which docs/json.md describes


@dataclass(frozen=True, eq=False)
class Depths(Result):
    """All that the analysis can say of one session.

    Attributes
    ----------
    zero, one, two
        By order; None for an order that was not asked for.
    missing
        Sentence by name of a part, such as "two.spectrum", that could not be had.
    faults
        Parts that could not be had by a mistake of ours, with the exception.
    """

    zero: OrderZero
    one: OrderOne | None
    two: OrderTwo | None
    missing: dict[str, str] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)

    @property
    def summary(self) -> SessionSummary:
        """The numbers of order zero, pooled and by contrast."""
        return self.zero.summary

    def parts(self) -> dict[str, Any]:
        """Give the summary's numbers, then the rest under the name of its order."""
        zero = self.zero.parts()
        return {
            "format": FORMAT,
            **zero.pop("summary").parts(),
            "order_0": zero,
            "order_1": self.one,
            "order_2": self.two,
            "missing": dict(self.missing),
            "faults": dict(self.faults),
        }

    def table(self) -> list[Cells]:
        """Give one row: the summary's, and a few numbers of each kernel."""
        return [session_row(self.zero, self.one, self.two)]

    def arrays(self) -> dict[str, np.ndarray]:
        """Give every kernel and test by name, such as "one.fitted.kernel"."""
        return {
            f"{order}.{name}": array
            for order, parts in (("one", self.one), ("two", self.two))
            if parts is not None
            for name, array in parts.arrays().items()
        }


def depths(
    session: SessionLike,
    orders: int = 2,
    n_permutations: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
    psychometric_method: PsychometricMethod = "ml",
    viewing: Viewing | None = None,
) -> Depths:
    """Return all that can be said of a session, down to an order.

    Parameters
    ----------
    orders
        The deepest order: 0, 1 or 2.
    n_permutations
        Of responses, for every permutation test; 140 or more, for the tests of
        eigenvalues to be able to find anything.
    seed
        Of permutations, folds and bootstrap samples.
    progress
        Called with the name of a part, how many parts are done, and how many there are.
    psychometric_method
        As `method` of `yoked.psychometric`.
    viewing
        As the session's display showed it, for physical units; as the protocol asks for
        by default.

    Raises
    ------
    ValueError
        If `orders` is none of these, or permutations are fewer than 19.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("template")
    >>> session = yoked.run(protocol, observer, seed=1, trials=300, contrast=0.15)
    >>> found = depths(session, orders=1)
    >>> found.one.fitted.kernel.shape
    (1, 1, 13)
    >>> found.missing["zero.psychometric"]
    'contrasts must be 3 or more for a psychometric function, got 1'
    """
    if orders not in (0, 1, 2):
        raise ValueError(f"orders must be 0, 1 or 2, got {orders}")
    if n_permutations < LEAST_PERMUTATIONS:
        rule = f">= {LEAST_PERMUTATIONS} for a test at 5 %"
        raise ValueError(f"n_permutations must be {rule}, got {n_permutations}")
    held = Held.of(session)
    attempt = Attempts(sum(PARTS[: orders + 1], ()), progress)
    one = two = None
    zero = _zero(held, attempt, psychometric_method, viewing, with_kernels=orders > 0)
    if orders > 0:
        trials = attempt("trials", lambda: held.design)
        kernels = attempt("kernels", lambda: _kernels(held, trials))
        first, second, why_no_second = kernels or (None, None, None)
        if why_no_second and orders > 1:
            attempt.missing["two.kernel"] = why_no_second
        one = _one(held, trials, first, attempt, n_permutations, seed)
        if orders > 1:
            two = _two(held, trials, second, attempt, n_permutations, seed)
    return Depths(zero, one, two, attempt.missing, attempt.faults)


def _zero(
    held: Held,
    attempt: Attempts,
    psychometric_method: PsychometricMethod,
    viewing: Viewing | None,
    with_kernels: bool,
) -> OrderZero:
    counted = held.responses
    curve = attempt(
        "zero.psychometric", lambda: psychometric(counted, method=psychometric_method)
    )
    return OrderZero(
        summary=summarise(held),
        ln_beta=attempt("zero.ln_beta", lambda: ln_beta(counted)),
        dprime_mean=attempt(
            "zero.dprime_mean", lambda: dprime_mean(counted, "inverse variance")
        ),
        dprime_slope=attempt("zero.dprime_slope", lambda: dprime_slope(counted)),
        roc=attempt("zero.roc", lambda: roc(counted)),
        psychometric=curve,
        efficiency=attempt("zero.efficiency", lambda: absolute_efficiency(held)),
        physical_units=attempt(
            "zero.physical_units",
            lambda: physical_units(held, curve and curve.threshold, viewing),
        ),
        gamma_by_accuracy=attempt(
            "zero.gamma_by_accuracy", lambda: gamma_by_accuracy(counted)
        ),
        lapse_rate=attempt("zero.lapse_rate", lambda: lapse_rate(held)),
        course=attempt("zero.course", lambda: criterion_course(counted)),
        lapses=attempt("zero.lapses", lambda: lapses(held, counted)),
        learning=attempt("zero.learning", lambda: learning(held, with_kernels)),
        cueing=attempt("zero.cueing", lambda: cueing(held, with_kernels))
        if held.protocol.places.count
        else None,
        confusion=attempt("zero.confusion", lambda: confusion(counted))
        if held.protocol.task.identifies
        else None,
    )


def _kernels(
    held: Held, trials: TrialDesign | None
) -> tuple[Kernel, SecondOrderKernel | None, str | None]:
    """Both kernels, or the first and why coefficients or many places have no second."""
    if trials is not None and not varies(trials.noise, trials.cell).any():
        raise CannotTell(STILL)
    try:
        return *both_kernels(held.responses, held.noise), None
    except CannotTell as reason:
        of_many = held.responses.is_forced_choice and held.responses.n_alternatives > 2
        if not of_many and (trials is None or trials.basis is None):
            raise
        return first_order_kernel(held.responses, held.noise), None, str(reason)


def _one(
    held: Held,
    trials: TrialDesign | None,
    kernel: Kernel | None,
    attempt: Attempts,
    n_permutations: int,
    seed: int,
) -> OrderOne:
    efficiency = attempt("one.efficiency", lambda: kernel_efficiency(held))
    decision = attempt(
        "one.decision_law", lambda: decision_of(held.responses, held.design, seed)
    )
    share = attempt("one.linear_share", lambda: linear_share(held, decision))
    law = decision and decision.law
    if trials is None:  # `missing` says why there are none
        return OrderOne(
            kernel,
            None,
            None,
            None,
            None,
            share,
            efficiency,
            decision_law=law,
            by_response=attempt("one.by_response", lambda: response_kernels(held))
            if held.protocol.task.identifies
            else None,
        )
    fitted = attempt(
        "one.fitted",
        lambda: fitted_kernel(trials, seed=seed, lapse_rate=lapses_of(held)),
    )
    template = None
    if fitted is not None:  # else `missing` says why there is no kernel
        template = attempt(
            "one.template_agreement",
            lambda: template_agreement(trials, held.responses, fitted, seed),
        )
    return OrderOne(
        weighted_sum=kernel,
        fitted=fitted,
        test=attempt("one.test", lambda: kernel_test(trials, n_permutations, seed)),
        hotelling=attempt("one.hotelling", lambda: hotelling_test(trials)),
        likelihood_ratios=attempt(
            "one.likelihood_ratios", lambda: _likelihood_ratios(trials)
        ),
        linear_share=share,
        efficiency=efficiency,
        template_agreement=template,
        linear_share_without_lapses=attempt(
            "one.linear_share_without_lapses",
            lambda: share_without_lapses(trials, *catch_errors(held), seed=seed),
        ),
        decision_law=law,
        doubt=attempt("one.doubt", lambda: doubt(trials, share.consistent))
        if share is not None
        else None,
    )


def _likelihood_ratios(trials: TrialDesign) -> LikelihoodRatioTests:
    """Test nested models, where chi-squared holds: its largest has 3 p weights."""
    elements = trials.halves.shape[2]
    if len(trials) < TRIALS_PER_ELEMENT * elements:
        rule = f"{TRIALS_PER_ELEMENT} or more for each of {elements} elements"
        raise CannotTell(f"trials must be {rule} to compare models, got {len(trials)}")
    return likelihood_ratio_tests(trials)


def _two(
    held: Held,
    trials: TrialDesign | None,
    kernel: SecondOrderKernel | None,
    attempt: Attempts,
    n_permutations: int,
    seed: int,
) -> OrderTwo:
    if trials is None:
        return OrderTwo(kernel, None, None, None, None, None, None)

    def spectrum(linear_part: Literal["keep", "remove"]) -> Spectrum:
        return eigen_spectrum(
            trials,
            n_permutations,
            seed,
            linear_part=linear_part,
            progress=attempt.within,
        )

    return OrderTwo(
        kernel=kernel,
        spectrum=attempt("two.spectrum", lambda: spectrum("keep")),
        without_linear_part=None
        if trials.is_forced_choice
        else attempt("two.without_linear_part", lambda: spectrum("remove")),
        consistency=attempt(
            "two.consistency",
            lambda: consistency(
                trials, _signal(held), n_permutations, seed, progress=attempt.within
            ),
        ),
        signature=attempt(
            "two.signature",
            lambda: signature(
                trials, _alternatives(held), seed=seed, progress=attempt.within
            ),
        ),
        diagonal=attempt(
            "two.diagonal",
            lambda: diagonal_test(trials, n_permutations, seed, attempt.within),
        ),
        quadratic=attempt("two.quadratic", lambda: quadratic_gain(trials, seed=seed)),
    )


def _signal(held: Held) -> Float[np.ndarray, " element"]:
    """What the target has more than the other alternative; any scale."""
    return signal_difference(held.protocol, 1.0, is_quantised=False).ravel()


def _alternatives(held: Held) -> Float[np.ndarray, " 2 element"]:
    """What the other alternative and the target show at contrast 1."""
    template = shown_signal(held.protocol, 1.0, is_quantised=False).ravel()
    return np.stack([gain * template for gain in held.protocol.signal.gains])

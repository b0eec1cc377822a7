"""What there is to say of a session at each order: results, not yet computed."""

from dataclasses import dataclass
from typing import Any

from ..double_pass.drift import CriterionCourse
from ..double_pass.gamma_by_accuracy import GammaByAccuracy
from ..double_pass.lapses import Lapses
from ..kernels.by_response import ResponseKernels
from ..kernels.decision_law import DecisionLaw
from ..kernels.fitted import FittedKernel
from ..kernels.hotelling import HotellingTest
from ..kernels.linear_share import LinearShare
from ..kernels.significance import KernelTest
from ..kernels.weighted_sum import Kernel
from ..probit.likelihood_ratio import LikelihoodRatioTests
from ..psychometric.fit import PsychometricFit
from ..second_order.cascades import Signature
from ..second_order.consistency import Consistency
from ..second_order.kernel import SecondOrderKernel
from ..second_order.quadratic import QuadraticGain
from ..second_order.spectrum import DiagonalTest, Spectrum
from ..sensitivity.confusion import Confusion
from ..sensitivity.efficiency import (
    Efficiency,
    KernelEfficiency,
)
from ..sensitivity.physical_units import PhysicalUnits
from ..sensitivity.pooled import DprimeSlope
from ..sensitivity.roc import Roc
from ..trials.estimate import Estimate
from ..trials.result import Result
from .cueing import Cueing
from .learning import Learning
from .summary import SessionSummary
from .template_agreement import TemplateAgreement


@dataclass(frozen=True, eq=False)
class OrderZero(Result):
    """Sensitivity, bias and internal noise.

    Attributes
    ----------
    summary
        Pooled and by contrast.
    ln_beta
        Log likelihood ratio at the criterion, or at the interval bias.
    dprime_mean
        d' averaged over contrasts by inverse variance.
    dprime_slope
        d' per unit contrast, and whether it is proportional to contrast.
    roc
        Of yes/no and rating tasks.
    psychometric
        With three contrasts or more.
    efficiency
        Against the ideal observer.
    physical_units
        Noise and signal in degrees (and seconds), E / N at threshold.
    gamma_by_accuracy
        How internal noise changes with accuracy, over contrasts.
    lapse_rate
        From catch trials.
    course
        Of the criterion: drift, the trial before, and values conditional on both.
    lapses
        d' and internal noise without them, in one likelihood with catch trials.
    learning
        The halves of the session, and whether sensitivity changed.
    cueing
        In a scene d' by whether the cue was valid; None without places.
    dprime_bootstrap, dprime_interval
        Pooled d' with a bootstrap interval, or with that of the profile likelihood or
        by enumeration, where somebody asked for it.
    confusion
        Responses by target, where patterns are identified.
    """

    summary: SessionSummary
    ln_beta: Estimate | None
    dprime_mean: Estimate | None
    dprime_slope: DprimeSlope | None
    roc: Roc | None
    psychometric: PsychometricFit | None
    efficiency: Efficiency | None
    physical_units: PhysicalUnits | None
    gamma_by_accuracy: GammaByAccuracy | None
    lapse_rate: Estimate | None
    course: CriterionCourse | None
    lapses: Lapses | None
    learning: Learning | None
    cueing: Cueing | None = None
    dprime_bootstrap: Estimate | None = None
    dprime_interval: Estimate | None = None
    confusion: Confusion | None = None

    def parts(self) -> dict[str, Any]:
        """Give the fields; of patterns, the confusion matrix beside them."""
        return self._fields_but(*(() if self.confusion else ("confusion",)))


@dataclass(frozen=True, eq=False)
class OrderOne(Result):
    """The first-order kernel.

    Attributes
    ----------
    weighted_sum
        The kernel that the literature reports.
    fitted
        The default estimate: penalised probit, prior by cross-validation.
    test
        Which elements are more than chance.
    hotelling
        The kernel against none on low frequencies: one test with few dimensions.
    likelihood_ratios
        Nested probit models: a kernel at all; two halves; squares.
    linear_share
        Consistent share of the decision variance that the kernel explains, beside that
        of the double pass.
    efficiency
        Whether the kernel explains the efficiency.
    template_agreement
        How often the kernel of other trials foretells the response.
    linear_share_without_lapses
        The linear share of attentive decisions, by catch trials.
    decision_law
        Whether the decision variable is normal; gamma by its exact law; the link.
    by_response
        A kernel for each response, where patterns are identified.
    doubt
        Why noise and trials may not belong together; None if they seem to.
    """

    weighted_sum: Kernel | None
    fitted: FittedKernel | None
    test: KernelTest | None
    hotelling: HotellingTest | None
    likelihood_ratios: LikelihoodRatioTests | None
    linear_share: LinearShare | None
    efficiency: KernelEfficiency | None
    template_agreement: TemplateAgreement | None = None
    linear_share_without_lapses: Estimate | None = None
    decision_law: DecisionLaw | None = None
    by_response: ResponseKernels | None = None
    doubt: str | None = None

    def parts(self) -> dict[str, Any]:
        """Give the fields; kernels by response and a doubt only where there are."""
        optional = ("by_response", "doubt")
        return self._fields_but(*(n for n in optional if getattr(self, n) is None))


@dataclass(frozen=True, eq=False)
class OrderTwo(Result):
    """The second-order kernel.

    Attributes
    ----------
    kernel
        In full, with its halves and diagonal.
    spectrum
        Eigenvalues and their nested test.
    without_linear_part
        The same with the direction of the first-order kernel taken out: in yes/no and
        rating, where a biased linear observer has a second order along it.
    consistency
        Whether the kernels of the two orders agree, where there is a signal.
    signature
        Which cascade answers like the observer.
    diagonal
        Which elements of the variance kernel, its diagonal, are more than chance.
    quadratic
        Gain in predicting held-out responses: is the second order real?
    """

    kernel: SecondOrderKernel | None
    spectrum: Spectrum | None
    without_linear_part: Spectrum | None
    consistency: Consistency | None
    signature: Signature | None
    diagonal: DiagonalTest | None
    quadratic: QuadraticGain | None

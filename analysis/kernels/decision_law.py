"""The law of a decision variable, as a session's analysis prints it."""

from dataclasses import dataclass

from ..trials.estimate import Estimate
from ..trials.result import Result, short
from .link_test import LinkTest

BENT = 0.05  # p of the link's test


@dataclass(frozen=True)
class DecisionLaw(Result):
    """The law of the decision variable, and internal noise under it.

    `internal_noise` of a summary, of the course, without lapses and of learning is
    always by the normal law. Where `law` is 'exact', `gamma` is to be read in its
    place; where it is 'unknown', the limits of `gamma`, if it has any.

    Attributes
    ----------
    kurtosis
        Excess kurtosis of the noise's part of the decision variable under the fitted
        kernel; None where the noise is not white, or the kernel is no larger than its
        sampling noise.
    element_kurtosis
        That of one element of the noise that speaks for "yes", as it was shown.
    n_elements
        Elements whose weights are beyond 2.5 SE.
    n_levels
        Levels that the noise's part has; None unless the law was computed.
    law
        'normal' (kurtosis within -.25 to .25), 'exact', or 'unknown'; `consistent`
        and the linear share are by the one that is named.
    gamma_normal
        Internal / external SD by the normal formula.
    gamma
        The same by the exact law.
    consistent
        r by the law that holds.
    given_noise
        Linear share from single responses given their noise.
    link
        Test of the normal internal noise.
    note
        Sentences about what could not be had, or None.
    """

    kurtosis: float | None
    element_kurtosis: float
    n_elements: int
    n_levels: int | None
    law: str
    gamma_normal: Estimate
    gamma: Estimate
    consistent: Estimate
    given_noise: Estimate
    link: LinkTest | None
    note: str | None = None

    def sentence(self) -> str:
        """Say in words by which law the numbers are, and whether the link holds."""
        return " ".join(
            part for part in (self._about_law(), self._about_link()) if part
        )

    def _about_law(self) -> str:
        has_bounds = self.gamma.low is not None or self.gamma.high is not None
        if self.law == "unknown" and has_bounds:
            return f"Internal noise has bounds alone: {self.gamma.note}."
        if self.kurtosis is None:
            return f"The law of the decision variable is not known: {self.note}."
        if self.law == "normal":
            return (
                f"The decision variable is near normal (excess kurtosis "
                f"{self.kurtosis:.2f}): the normal formulas hold."
            )
        of_it = f"excess kurtosis {self.kurtosis:.2f}, {self.n_elements} elements count"
        beyond = f"The decision variable is not normal ({of_it}): internal noise is"
        if self.gamma.value is None and self.gamma.high is not None:
            at_most = f"at most {short(self.gamma.high)}"
            return f"{beyond} {at_most}, no more can be told, for {self.gamma.note}."
        if self.gamma.value is None:
            return f"{beyond} missing, for {self.gamma.note}."
        exact, normal = self.gamma.short(), self.gamma_normal.short()
        return f"{beyond} {exact} by its exact law, {normal} by the normal."

    def _about_link(self) -> str:
        if self.link is None:
            return ""
        p = "p < .001" if self.link.p < 0.001 else f"p = {self.link.p:.2g}"
        if self.link.p >= BENT:
            return f"Held-out predictions show no bend of the link ({p})."
        return (
            f"Held-out predictions bend the link ({p}): lapses, internal noise with "
            "heavy tails or a saturation before it, and the numbers above are of a "
            "model that does not hold."
        )

"""The row that a terminal prints of a session: a few numbers of each order.

Beside a number stands the other one that is to be read in its place: d' and internal
noise given the course of the criterion where that moves, and internal noise by its
exact law where the decision variable is not normal.
"""

from ..double_pass.drift import CriterionCourse
from ..trials.result import Cells, short
from .orders import OrderOne, OrderTwo, OrderZero

GIVEN = "{} given the course"  # of the criterion
EXACT = "internal noise by the exact law"


def session_row(zero: OrderZero, one: OrderOne | None, two: OrderTwo | None) -> Cells:
    """Return the summary's row, with a few numbers of each kernel."""
    row = _order_zero(zero, one)
    for each in zero.cueing.cues if zero.cueing is not None else ():
        row[f"d', {each.cue}"] = each.dprime.short()
    if zero.dprime_bootstrap is not None:
        row["d' by bootstrap"] = zero.dprime_bootstrap.short()
    if zero.dprime_interval is not None:
        row["d' with that interval"] = zero.dprime_interval.short()
    if one is not None:
        fitted, share = one.fitted, one.linear_share
        row["kernel (bits)"] = short(fitted and fitted.log_likelihood_gain)
        row["any kernel (p)"] = short(one.test and one.test.p_any)
        row["linear share"] = short(share and share.linear)
        row["decision law"] = short(one.decision_law and one.decision_law.law)
    if two is not None:
        spectrum = two.without_linear_part or two.spectrum
        row["second order (bits)"] = short(two.quadratic and two.quadratic.gain)
        row["eigenvalues"] = short(spectrum and spectrum.n_significant)
        row["of the first (p)"] = short(spectrum and spectrum.p[0])
        row["cascade"] = short(two.signature and two.signature.short())
    return row


def _order_zero(zero: OrderZero, one: OrderOne | None) -> Cells:
    """Return the summary's row, each number with what is to be read in its place."""
    (row,) = zero.summary.table()
    course, law = zero.course, one and one.decision_law
    beside: dict[str, Cells] = {"d'": {}, "internal noise": {}}
    if course is not None and course.first == "conditional":
        given = course.conditional
        noise = given.internal_noise.gamma
        beside["d'"][GIVEN.format("d'")] = given.dprime.short()
        beside["internal noise"][GIVEN.format("internal noise")] = noise.short()
    if law is not None and law.law != "normal":
        beside["internal noise"][EXACT] = law.gamma.short()
    cells: Cells = {}
    for name, text in row.items():
        cells |= {name: text, **beside.get(name, {})}
    cells["criterion moves (p)"] = short(course and _p_of_drift(course))
    cells["follows the trial before (p)"] = short(course and course.previous.p)
    return cells


def _p_of_drift(course: CriterionCourse) -> float:
    """Return p of any drift: the smaller of two that are corrected for each other."""
    return min(test.p_holm for test in (course.spline, course.blocks) if test)

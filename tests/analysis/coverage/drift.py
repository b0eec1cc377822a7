"""A criterion that drifts, jumps, walks, or follows the trial before."""

import numpy as np

from yoked.analysis.double_pass.drift import criterion_course
from yoked.analysis.double_pass.lapses import fit_lapses
from yoked.analysis.trials.estimate import Estimate

from .showings import shown
from .study import Column, Found, Interval, Parameters, Table

COURSES = (
    {"course": "none"},
    {"course": "line", "size": 0.5, "halves": False},
    {"course": "line", "size": 0.5, "halves": True},
    {"course": "line", "size": 1.0, "halves": False},
    {"course": "line", "size": 1.0, "halves": True},
    {"course": "jumps", "size": 0.5},
    {"course": "jumps", "size": 1.0},
    {"course": "walk", "size": 1.5},
    {"course": "none", "serial": 0.3},
    {"course": "line", "size": 0.7, "serial": 0.3},
)
TOGETHER = {"course": "line", "size": 0.7, "serial": 0.2, "contrasts": 28}
TOGETHER |= {"lapses": 0.05, "catch": 60}
TASKS = ("yes_no", "2afc")


def session(cell: Parameters, rng: np.random.Generator) -> dict[str, Found]:
    """Give what a session of a drifting observer says of it."""
    made = shown(cell, rng)
    found = criterion_course(made.responses)
    constant, held = found.constant, found.conditional
    tests = [test for test in (found.spline, found.blocks) if test]
    said: dict[str, Found] = {
        "gamma constant": Interval.of(constant.internal_noise.gamma, made.gamma),
        "gamma": Interval.of(held.internal_noise.gamma, made.gamma),
        "dprime constant": Interval.of(constant.dprime, made.dprime),
        "dprime": Interval.of(held.dprime, made.dprime),
        "drift": min(test.p_holm for test in tests) < 0.05,
        "serial": found.previous.p < 0.05,
        "width": _ratio(held.internal_noise.r, constant.internal_noise.r),
        "dprime width": _ratio(held.dprime, constant.dprime),
    }
    if "catch" in cell:
        apart = fit_lapses(made.responses, made.n_errors, cell["catch"]).without
        assert apart is not None
        said["gamma without lapses"] = Interval.of(
            apart.internal_noise.gamma, made.gamma
        )
        said["dprime without lapses"] = Interval.of(apart.dprime, made.dprime)
    return said


def _ratio(one: Estimate, other: Estimate) -> float | None:
    """Compare widths; None where one has none, as r that is 0 at both ends."""
    widths = [
        each.high - each.low
        for each in (one, other)
        if each.high is not None and each.low is not None
    ]
    return widths[0] / widths[1] if len(widths) == 2 and widths[1] > 0 else None


def _attentive(cell: Parameters) -> bool:
    return "lapses" not in cell


def _still(cell: Parameters) -> bool:
    return cell["course"] == "none" and "serial" not in cell


DRIFT = Table(
    name="drift",
    title="A criterion that moves",
    text=(
        "Internal noise (gamma 1) and d' (1.35) with a constant criterion, and "
        "conditional on the course of the criterion and on the trial before; 200 pairs "
        "in 600 trials, six blocks. A line runs from -size to size decision SDs, jumps "
        "have that SD, a walk ends with it; in halves every second showing is in the "
        "second half. Promised of the conditional values: median gamma within 10 %, "
        "coverage at least 90; without drift the interval of r within 3 % of that with "
        "a constant criterion. The test of the trial before rejects in at most 8 % "
        "where nothing depends on it; each is tested given the other. The last two "
        "rows have everything at once, and 5 % lapses: there gamma and d' conditional "
        "on the course have the lapses still in them, and the promise is for the last "
        "three columns, which allow for both."
    ),
    cells=tuple(
        {"task": task, **rest} for rest in (*COURSES, TOGETHER) for task in TASKS
    ),
    session=session,
    first_session=80,
    columns=(
        Column("γ, constant", "gamma constant", "median ratio"),
        Column("held", "gamma constant", "held"),
        Column("γ, conditional", "gamma", "median ratio", 0.9, 1.1, _attentive),
        Column("held", "gamma", "held", 90, None, _attentive),
        Column("d′, constant", "dprime constant", "mean ratio"),
        Column("held", "dprime constant", "held"),
        Column("d′, conditional", "dprime", "mean ratio", 0.95, 1.05, _attentive),
        Column("held", "dprime", "held", 90, None, _attentive),
        Column("drift found", "drift", "true", None, 7, _still),
        Column(
            "trial before found",
            "serial",
            "true",
            None,
            8,
            lambda cell: "serial" not in cell,
        ),
        Column("width of r, ratio", "width", "mean", 0.97, 1.03, _still),
        Column("width of d′, ratio", "dprime width", "mean", 0.97, 1.03, _still),
        Column("γ without lapses", "gamma without lapses", "median ratio", 0.9, 1.1),
        Column("held", "gamma without lapses", "held", 90),
        Column("d′ without lapses", "dprime without lapses", "held", 90),
    ),
)

"""Observers whose sensitivity changes, and observers who stay as they are."""

from contextlib import suppress

import numpy as np

from yoked.analysis.double_pass.change import second_half, sensitivity_change
from yoked.analysis.kernels.halves import kernel_halves
from yoked.analysis.trials.estimate import CannotTell

from .lapses import design
from .showings import shown
from .study import Column, Found, Interval, Parameters, Table

CELLS = tuple(
    {"task": task, **rest}
    for rest in (
        {"halves": False},
        {"halves": True},
        {"halves": False, "course": "line", "size": 1.0},
        {"halves": False, "contrasts": 7, "dprime": 1.0},
        {"halves": False, "gain": "line", "gain_size": 0.5},
        {"halves": True, "gain": "line", "gain_size": 0.5},
        {"halves": True, "gain": "pass", "gain_size": 1.0},
    )
    for task in ("yes_no", "2afc")
)


def session(cell: Parameters, rng: np.random.Generator) -> dict[str, Found]:
    """Give what a session of an observer who may learn says of it."""
    made = shown(cell, rng)
    found = sensitivity_change(made.responses)
    kernels = None
    with suppress(CannotTell):  # white noise that does not look it
        kernels = kernel_halves(design(made, rng), second_half(made.responses))
    said: dict[str, Found] = {
        "gamma": Interval.of(found.conditional.internal_noise.gamma, made.gamma),
        "time": found.time.p < 0.05,
        "passes": found.passes is not None and found.passes.p < 0.05,
        "told": found.says is not None,
        "dprime": (found.dprime.p or 0.0) < 0.05,
    }
    if kernels is not None:
        said["amplitude"] = kernels.p_amplitude < 0.05
        said["shape"] = kernels.p_shape < 0.05
    if found.gamma.p is not None:
        said["gamma halves"] = found.gamma.p < 0.05
    return said


def _stays(cell: Parameters) -> bool:
    return "gain" not in cell


LEARNING = Table(
    name="learning",
    title="Learning",
    text=(
        "Sensitivity that stays, rises along a line from (1 - size) to (1 + size) "
        "times its mean, or is larger at second showings by a share of size; 200 pairs "
        "in 600 trials, d' 1.35, gamma 1. Per cent of sessions in which each test at "
        "5 % rejects: at most 7 promised where nothing changes, of the sentence that "
        "is printed (Holm over time and passes) too. Kernels are of 13 elements and "
        "never change. Gamma is conditional on the courses of criterion and "
        "sensitivity."
    ),
    cells=CELLS,
    session=session,
    first_session=80,
    columns=(
        Column("γ", "gamma", "median ratio", 0.9, 1.1),
        Column("held", "gamma", "held", 90),
        Column("time", "time", "true", None, 7, _stays),
        Column("passes", "passes", "true", None, 7, _stays),
        Column("told", "told", "true", None, 7, _stays),
        Column("d′ by half", "dprime", "true", None, 7, _stays),
        Column("γ by half", "gamma halves", "true", None, 7),
        Column("kernel, amplitude", "amplitude", "true", None, 7, _stays),
        Column("kernel, shape", "shape", "true", None, 7),
    ),
)

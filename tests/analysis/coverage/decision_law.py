"""Decision variables that are not normal: gamma, linear share and what is left."""

import numpy as np
import pandas as pd
from scipy.special import ndtr

from yoked.analysis.double_pass.smooth_thresholds import internal_noise
from yoked.analysis.kernels.decision_law import law_of_trials
from yoked.analysis.kernels.linear_share import share_given_law
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.responses import Responses
from yoked.experiments.stimulus.sources import StoredNoise

from .study import Column, Found, Interval, Parameters, Table

ELEMENTS, FIELDS, TWICE, CORRECT = 13, 800, 400, 0.75


def fields(rng: np.random.Generator, noise: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return noise of SD 1."""
    if noise == "binary":
        return rng.choice([-1.0, 1.0], shape)
    if noise == "uniform":
        return rng.uniform(-np.sqrt(3), np.sqrt(3), shape)
    return rng.normal(size=shape)


def linear_session(
    rng: np.random.Generator, noise: str, task: str, elements: int, gamma: float
) -> tuple[Responses, TrialDesign]:
    """Return responses of a template of equal elements; half of the fields come twice.

    75 % correct: the signal's part of the decision variable is found by bisection on
    these very fields.
    """
    intervals = 2 if task == "2afc" else 1
    x = fields(rng, noise, (FIELDS, intervals, ELEMENTS))
    template = np.zeros(ELEMENTS)
    template[4 : 4 + elements] = 1 / np.sqrt(elements)
    target = rng.permutation(np.arange(FIELDS) % 2)
    v = x @ template
    v = v[:, 1] - v[:, 0] if task == "2afc" else v[:, 0]
    sd = np.sqrt(intervals) * gamma
    sign = np.where(target == 1, 1.0, -1.0)
    low, high = 0.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        correct = ndtr(sign * (v + sign * middle) / sd).mean()
        low, high = (low, middle) if correct > CORRECT else (middle, high)
    row = np.concatenate([np.arange(FIELDS), np.arange(TWICE)])
    decision = (v + sign * low)[row] + sd * rng.normal(size=len(row))
    table = pd.DataFrame(
        {
            "trial": np.arange(len(row)),
            "stimulus_id": row,
            "target": target[row],
            "response": (decision > 0).astype(int),
            "contrast": 1.0,
            "repeats": pd.array([pd.NA] * FIELDS + list(range(TWICE)), dtype="Int64"),
        }
    )
    made = Responses.from_table(table, task, 2)
    source = StoredNoise(x[:, :, None, None].astype(np.float32))
    return made, TrialDesign.of(made, source)


def session(cell: Parameters, rng: np.random.Generator) -> dict[str, Found]:
    """Simulate a session and find gamma and the share in it."""
    gamma = cell["gamma"]
    made, trials = linear_session(
        rng, cell["noise"], cell["task"], cell["elements"], gamma
    )
    law = law_of_trials(made, trials)
    normal = internal_noise(made).gamma
    exact = law.internal_noise.gamma
    refused = law.share.value is None
    left = share_given_law(made, trials, law).nonlinear
    beyond = left.low is not None and left.value is not None
    return {
        "gamma normal": Interval.of(normal, gamma),
        "gamma": None if refused else Interval.of(exact, gamma),
        "gamma, refused": Interval.of(exact, gamma) if refused else None,
        "share": Interval.of(law.share, 1 / (1 + gamma**2)),
        "left": bool(left.low > 0 or left.high < 0) if beyond else None,
        "refused": refused,
        "kurtosis": law.excess_kurtosis,
        "link": None if law.link.p is None else bool(law.link.p < 0.05),
    }


def _cells() -> tuple[Parameters, ...]:
    return tuple(
        {"noise": noise, "task": task, "elements": elements, "gamma": gamma}
        for noise in ("binary", "uniform", "gaussian")
        for task in ("2afc", "yes_no")
        for elements in ((1, 2, 3, 5) if noise == "binary" else (1, 3))
        for gamma in (0.5, 1.0, 1.5)
    )


TABLE = Table(
    name="decision-law",
    title="Decision variables that are not normal",
    text=(
        "Templates of one to five equal elements among 13, 75 % correct, 800 noise"
        " fields of which 400 were shown twice. `γ` is by the exact law where the share"
        " is not refused (answers certain at one of few levels), `γ normal` by the"
        " formula for normal decision variables. Promised where not refused: γ within"
        " 10 %, r − share excludes 0 in at most 5 %."
    ),
    cells=_cells(),
    session=session,
    columns=(
        Column("excess kurtosis", "kurtosis", "median"),
        Column("γ normal, median / truth", "gamma normal", "median ratio"),
        Column("γ normal covers", "gamma normal", "held"),
        Column("γ, median / truth", "gamma", "median ratio", 0.9, 1.1),
        Column("γ covers", "gamma", "held", 90),
        Column("refused", "refused", "true"),
        Column("γ covers where refused", "gamma, refused", "held", 90),
        Column("share, mean / truth", "share", "mean ratio", 0.97, 1.03),
        Column("share covers", "share", "held", 93),
        Column("r − share excludes 0", "left", "true", None, 5),
        Column("link rejected", "link", "true"),
    ),
)

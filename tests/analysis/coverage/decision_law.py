"""Decision variables that are not normal: few elements in binary or uniform noise."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import ndtri

from tests.analysis.observers.linear import session as session_of
from yoked.analysis.kernels.decision import decision_of
from yoked.analysis.kernels.linear_share import linear_share
from yoked.analysis.trials.held import Held
from yoked.experiments.stimulus.sources import StoredNoise

from .study import Column, Found, Interval, Parameters, Table

ELEMENTS, FIELDS, PAIRS = 13, 800, 400
SD = 0.2


def simulate(cell: Parameters, rng: np.random.Generator):
    """Return (table, noise) of a session, from NumPy's deviates alone."""
    n_intervals = 2 if cell["task"] == "2afc" else 1
    noise = drawn(cell["noise"], (FIELDS, n_intervals, 1, 1, ELEMENTS), rng)
    flat = noise[:, :, 0, 0].astype(float)
    weights = np.zeros(ELEMENTS)
    weights[4 : 4 + cell["elements"]] = 1
    v = (flat[:, 1] - flat[:, 0] if n_intervals == 2 else flat[:, 0]) @ weights
    v = v / np.sqrt(np.var(flat) * n_intervals * cell["elements"])
    target = rng.permutation(np.arange(FIELDS) % 2)
    n_contrasts = cell.get("contrasts", 1)
    contrast = rng.permutation(np.arange(FIELDS) % n_contrasts)
    strength = np.linspace(0.5, 1.5, n_contrasts) if n_contrasts > 1 else np.ones(1)
    size = ndtri(0.75) * np.hypot(1, cell["gamma"]) * strength[contrast]
    kind = cell.get("observer", "linear")
    signed = v + np.where(target == 1, size, -size)
    if kind == "tanh":
        signed = np.tanh(signed)
    field = np.concatenate([np.arange(FIELDS), np.arange(PAIRS)])
    internal = rng.standard_normal(len(field))
    if kind == "laplace":
        internal = rng.laplace(0, np.sqrt(0.5), len(field))
    yes = signed[field] + cell["gamma"] * internal > 0
    guesses = rng.random(len(field)) < (0.1 if kind == "lapses" else 0.0)
    yes = np.where(guesses, rng.random(len(field)) < 0.5, yes)
    repeats = pd.array([pd.NA] * FIELDS + list(range(PAIRS)), dtype="Int64")
    table = pd.DataFrame(
        {
            "trial": np.arange(len(field)),
            "stimulus_id": field,
            "target": target[field],
            "response": yes.astype(int),
            "contrast": strength[contrast[field]],
            "repeats": repeats,
            "block_kind": "main",
            "valid": True,
            "excluded": False,
        }
    )
    return table, StoredNoise(noise)


def drawn(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return noise in contrast, rounded to levels as a stimulus is."""
    if kind == "binary":
        levels = rng.choice([-25.0, 25.0], shape)
    elif kind == "uniform":
        levels = rng.integers(-44, 45, shape).astype(float)
    else:
        levels = np.rint(127 * np.clip(rng.normal(0, SD, shape), -1, 1))
    return (levels / 127).astype(np.float32)


def session(cell: Parameters, rng: np.random.Generator) -> Mapping[str, Found]:
    """Simulate and analyse one session of a cell."""
    held = Held.of(session_of(*simulate(cell, rng), cell["task"]))
    decision = decision_of(held.responses, held.design)
    law, shares = decision.law, linear_share(held, decision)
    gamma, share = cell["gamma"], 1 / (1 + cell["gamma"] ** 2)
    by_law = law.gamma if law.law == "exact" else law.gamma_normal
    rest = shares.nonlinear
    found: dict[str, Found] = {
        "kurtosis": law.kurtosis,
        "gamma normal": Interval.of(law.gamma_normal, gamma),
        "gamma": Interval.of(by_law, gamma),
        "upper": None if by_law.high is None else by_law.high >= gamma,
        "share": Interval.of(shares.linear, share),
        "given noise": Interval.of(law.given_noise, share),
        "refused": shares.linear.value is None,
        "link": None if law.link is None else law.link.p < 0.05,
    }
    if rest.low is not None and rest.high is not None:
        found |= {"more": rest.low > 0, "less": rest.high < 0}
        found["excludes"] = rest.low > 0 or rest.high < 0
    return found


def linear(noise: str, task: str, elements: int, gamma: float, **more: object):
    return {
        "noise": noise,
        "task": task,
        "elements": elements,
        "gamma": gamma,
        **more,
    }


TASKS, GAMMAS = ("yes_no", "2afc"), (0.5, 1.0, 1.5)
FEW = [
    linear(noise, task, elements, gamma)
    for noise in ("binary", "uniform")
    for task in TASKS
    for elements in (1, 2, 3, 4, 5)
    for gamma in GAMMAS
]
NORMAL = [
    linear("gaussian", task, elements, gamma)
    for task in TASKS
    for elements in (1, 5)
    for gamma in GAMMAS
]
SEVERAL = [
    linear("binary", task, 1, gamma, contrasts=7)
    for task in TASKS
    for gamma in (0.5, 1.0)
]
OTHERS = [
    linear("gaussian", "2afc", 3, gamma, observer=observer)
    for observer in ("lapses", "laplace", "tanh")
    for gamma in (0.5, 1.0)
]


def is_linear(cell: Parameters) -> bool:
    """Whether the observer is the one that the statistics assume."""
    return "observer" not in cell


LAW = Table(
    name="decision_law",
    title="Decision variables that are not normal",
    text=(
        "800 fields of 13 elements, 400 of them shown twice, 75 % correct were the "
        "decision normal; the template weighs one to five elements alike. Gamma by the "
        "normal formula, and by the law that the kurtosis of the decision variable "
        "names (exact beyond .25): median over the truth, and how many intervals hold "
        "it. The linear share by the same law (mean over the truth), the share from "
        "single responses given their noise in every session, and how often r - share "
        "excludes 0. Refused: answers are certain at one of few levels; the upper "
        "limit of gamma remains. Link: rejections at .05, none where the law has few "
        "levels. Observers with 10 % lapses, Laplace internal noise, and a saturating "
        "transducer before the noise show what the test finds; no promise is made for "
        "their other figures."
    ),
    cells=tuple(FEW + NORMAL + SEVERAL + OTHERS),
    session=session,
    columns=(
        Column("kurtosis", "kurtosis", "mean"),
        Column("γ normal", "gamma normal", "median ratio"),
        Column("held", "gamma normal", "held"),
        Column("γ by law", "gamma", "median ratio", 0.9, 1.1, is_linear),
        Column("held", "gamma", "held", 93, 97, is_linear),
        Column("upper limit holds", "upper", "true"),
        Column("share", "share", "mean ratio", 0.95, 1.05, is_linear),
        Column("held", "share", "held", 93, 99, is_linear),
        Column("share given noise", "given noise", "mean ratio"),
        Column("held", "given noise", "held"),
        Column("r − share excludes 0", "excludes", "true", None, 5, is_linear),
        Column("above", "more", "true"),
        Column("below", "less", "true"),
        Column("refused", "refused", "true"),
        Column("link rejected", "link", "true", None, 5, is_linear),
    ),
    n_sessions=200,
)

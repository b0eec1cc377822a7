"""Intervals of order zero: d', criterion, proportion correct, agreement.

The observer is linear: a decision variable of external SD 1 and internal SD gamma,
criterion `bias` decision SDs towards "yes" (in 2AFC, towards the second interval).
"""

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal

from yoked.analysis.double_pass.internal_noise import agreement
from yoked.analysis.double_pass.shared_responses import shared_r
from yoked.analysis.sensitivity.bootstrap import dprime_bootstrap
from yoked.analysis.sensitivity.by_task import (
    criterion,
    dprime,
    pairs_correct,
    proportion_correct,
)
from yoked.analysis.trials.responses import Responses

from .study import Column, Found, Interval, Parameters, Table

PROMISED = tuple(
    {
        "task": task,
        "correct": correct,
        "gamma": gamma,
        "bias": bias,
        "pairs": 200,
        "single": 200,
    }
    for task in ("2afc", "yes_no")
    for bias in (0.0, 0.3)
    for correct in (0.6, 0.75, 0.9)
    for gamma in (0.5, 1.0, 1.5)
)
# What users meet and the promise leaves out: little data, much noise, near the ceiling.
BEYOND = tuple(
    dict(zip(PROMISED[0], values, strict=True))
    for values in (
        ("2afc", 0.75, 1.0, 0.0, 50, 0),
        ("2afc", 0.75, 3.0, 0.0, 200, 200),
        ("2afc", 0.75, 0.0, 0.0, 200, 200),
        ("2afc", 0.97, 1.0, 0.0, 200, 200),
        ("2afc", 0.5, 1.0, 0.0, 200, 200),
        ("yes_no", 0.75, 1.0, 1.0, 200, 200),
    )
)
CEILING = tuple(
    {"d'": d, "criterion": c, "r": r, "pairs": 2 * pairs}
    for r in (0.5, 0.8)
    for pairs in (25, 100)
    for c in (0.0, 0.75)
    for d in (2.0, 3.0, 4.0, 5.0)
)


def simulate(
    task: str,
    means: tuple[float, float],
    gamma: float,
    n_pairs: int,
    n_single: int,
    rng: np.random.Generator,
) -> Responses:
    """Return the responses of one session.

    Parameters
    ----------
    means
        Of the decision variable without and with the signal, in its own SDs.
    """
    n, twice = n_pairs + n_single, n_pairs
    target = rng.permutation(np.arange(n) % 2)
    # Pairs are the first, of both classes alike.
    target[:twice] = rng.permutation(np.arange(twice) % 2)
    target[twice:] = rng.permutation(np.arange(n - twice) % 2)
    mean = np.sqrt(1 + gamma**2) * np.where(target, means[1], means[0])
    external = mean + rng.normal(size=n)
    first, second = (external + gamma * rng.normal(size=n) > 0 for _ in range(2))
    response = np.concatenate([first, second[:twice]]).astype(int)
    table = pd.DataFrame(
        {
            "trial": np.arange(n + twice),
            "target": np.concatenate([target, target[:twice]]),
            "response": response,
            "contrast": 1.0,
            "repeats": pd.array([pd.NA] * n + list(range(twice)), dtype="Int64"),
            "block": np.arange(n + twice) // 100,
        }
    )
    return Responses.from_table(table, task, 2)


def session(cell: Parameters, rng: np.random.Generator) -> dict[str, Found]:
    """Give all intervals of a session far from the ceiling."""
    z, bias, is_2afc = ndtri(cell["correct"]), cell["bias"], cell["task"] == "2afc"
    means = float(-z + bias), float(z + bias)
    counts = cell["pairs"], cell["single"]
    made = simulate(cell["task"], means, cell["gamma"], *counts, rng)
    d = float(2 * z / (np.sqrt(2) if is_2afc else 1))
    rates = ndtr(np.array(means))
    correct = float(np.mean([1 - rates[0], rates[1]]))
    r = 1 / (1 + cell["gamma"] ** 2)
    law = multivariate_normal([0, 0], [[1, r], [r, 1]], allow_singular=True)
    agree = [law.cdf([m, m]) + law.cdf([-m, -m]) for m in means]
    found_r = shared_r(made)  # once, as the summary of a session does
    return {
        "d'": Interval.of(dprime(made, r=found_r), d),
        "profile": Interval.of(dprime(made, "profile", found_r), d),
        "bootstrap": Interval.of(dprime_bootstrap(made, n_draws=1000), d),
        "criterion": Interval.of(criterion(made, found_r), bias if is_2afc else -bias),
        "correct": Interval.of(proportion_correct(made, found_r), correct),
        "of pairs": Interval.of(pairs_correct(made, found_r), correct),
        "agreement": Interval.of(agreement(made), float(np.mean(agree))),
    }


def at_ceiling(cell: Parameters, rng: np.random.Generator) -> dict[str, Found]:
    """Give the intervals of a yes/no session of which every trial is shown twice."""
    d, c = cell["d'"], cell["criterion"]
    gamma = float(np.sqrt(1 / cell["r"] - 1))
    means = -d / 2 - c, d / 2 - c
    made = simulate("yes_no", means, gamma, cell["pairs"], 0, rng)
    found_r = shared_r(made)
    found = dprime(made, r=found_r)
    return {
        "d'": Interval.of(found, d),
        "without an end": bool(found.high == np.inf),
        "criterion": Interval.of(criterion(made, found_r), c),
        "correct": Interval.of(
            proportion_correct(made, found_r),
            float(np.mean([ndtr(d / 2 + c), ndtr(d / 2 - c)])),
        ),
    }


def _is_promised(cell: Parameters) -> bool:
    return dict(cell) in PROMISED


def _held(label: str, quantity: str) -> Column:
    return Column(label, quantity, "held", 93, 97, _is_promised)


TABLE = Table(
    name="order-zero",
    title="Order zero",
    text="""The decision variable has internal noise γ, and a criterion `bias` SDs
towards "yes" (in 2AFC, towards the second interval). `pairs` trials were shown twice,
`single` ones once; `correct` is the proportion without bias. The promise, 93 to 97, is
for the first 36 lines; the last six are what it leaves out: fewer trials, more noise,
none, hardly an error, a far criterion. The bootstrap has 1,000 draws of trials.""",
    cells=(*PROMISED, *BEYOND),
    session=session,
    columns=(
        _held("d'", "d'"),
        _held("d', profile", "profile"),
        _held("d', bootstrap", "bootstrap"),
        _held("criterion, interval bias", "criterion"),
        _held("proportion correct", "correct"),
        _held("of pairs", "of pairs"),
        _held("agreement", "agreement"),
    ),
)

CEILING_TABLE = Table(
    name="ceiling",
    title="d' near the ceiling, all trials shown twice",
    text="""Yes/no, no trial shown once: the variance of a count is then up to twice the
binomial one. Where all trials are shown once coverage is known without simulation:
`tests/analysis/sensitivity/test_mover.py` has it, at least 93 at every d' from 0 to 7.
`pairs` are of both classes together.""",
    cells=CEILING,
    session=at_ceiling,
    columns=(
        Column("d'", "d'", "held", 93),
        Column("d' without an upper end", "without an end", "true"),
        Column("criterion", "criterion", "held", 93),
        Column("proportion correct", "correct", "held"),
    ),
)

"""Intervals of the slope of log gamma on accuracy."""

import numpy as np
import pandas as pd

from yoked.analysis.double_pass.gamma_by_accuracy import gamma_by_accuracy
from yoked.analysis.trials.responses import Responses

from .study import Column, Found, Interval, Parameters, Table

CELLS = tuple(
    {"task": task, "contrasts": contrasts, "pairs": pairs, "slope": slope, "bias": bias}
    for task in ("2afc", "yes_no")
    for contrasts, pairs in ((5, 200), (10, 100))
    for slope in (0.0, -0.5)
    for bias in (0.0, 0.3)
)


def simulate(
    task: str,
    n_contrasts: int,
    n_pairs: int,
    slope: float,
    bias: float,
    rng: np.random.Generator,
) -> Responses:
    """Return a session: unbiased accuracy z from .2 to 1.4, gamma 1 at z .8."""
    z = np.repeat(np.linspace(0.2, 1.4, n_contrasts), n_pairs)
    n, gamma = len(z), np.exp(slope * (z - 0.8))
    target = np.arange(n) % 2
    mean = np.sqrt(1 + gamma**2) * (np.where(target, z, -z) + bias)
    external = mean + rng.normal(size=n)
    shown = [external + gamma * rng.normal(size=n) > 0 for _ in range(2)]
    table = pd.DataFrame(
        {
            "trial": np.arange(2 * n),
            "target": np.tile(target, 2),
            "response": np.concatenate(shown).astype(int),
            "contrast": np.tile(np.round(z, 6), 2),
            "repeats": pd.array([pd.NA] * n + list(range(n)), dtype="Int64"),
            "block": 0,
        }
    )
    return Responses.from_table(table, task, 2)


def session(cell: Parameters, rng: np.random.Generator) -> dict[str, Found]:
    """Give the slope's interval, and whether its test rejects."""
    counts = cell["contrasts"], cell["pairs"], cell["slope"]
    found = gamma_by_accuracy(simulate(cell["task"], *counts, cell["bias"], rng))
    return {
        "slope": Interval.of(found.slope, cell["slope"]),
        "p": None if found.p is None else bool(found.p < 0.05),
    }


TABLE = Table(
    name="gamma-by-accuracy",
    title="Slope of log γ on accuracy",
    text="""`pairs` at each of `contrasts` contrasts from z .2 to 1.4 (58 to 92 %
correct), all trials shown twice; γ is 1 at z .8 and multiplied by e^slope for each SD
of accuracy. Criterion `bias` decision SDs from the middle.""",
    cells=CELLS,
    session=session,
    columns=(
        Column("covers", "slope", "held", 93, 97),
        Column("median", "slope", "median"),
        Column("width", "slope", "width"),
        Column("p < .05", "p", "true", None, 7, lambda cell: cell["slope"] == 0),
    ),
    n_sessions=300,
)

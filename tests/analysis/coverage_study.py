"""How often a 95 % interval holds the truth, over simulated sessions.

`python -m tests.analysis.coverage_study` prints the tables of docs/coverage.md (about
half an hour on two cores); `tests/analysis/test_coverage.py` asserts them behind the
marker `slow`.

The observer is linear: a decision variable of external SD 1 and internal SD gamma,
criterion `bias` decision SDs towards "yes" (in 2AFC, towards the second interval).
"""

import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from yoked.analysis.double_pass.internal_noise import (
    agreement,
    agreement_probability,
    internal_noise_closed_form,
    internal_noise_likelihood,
    pair_counts,
)
from yoked.analysis.sensitivity.bootstrap import dprime_bootstrap
from yoked.analysis.sensitivity.by_task import (
    criterion,
    dprime,
    proportion_correct,
)
from yoked.analysis.trials.estimate import Estimate
from yoked.analysis.trials.responses import Responses


@dataclass(frozen=True)
class Cell:
    """One kind of simulated session."""

    task: str
    pc: float
    gamma: float
    bias: float = 0.0
    n_pairs: int = 200
    n_single: int = 200

    @property
    def z(self) -> float:
        """Distance of either class from the unbiased criterion, decision SDs."""
        return float(ndtri(self.pc))

    @property
    def rates(self) -> np.ndarray:
        """Rates of the response "yes" without and with signal."""
        return ndtr(np.array([-self.z, self.z]) + self.bias)

    @property
    def r(self) -> float:
        return 1 / (1 + self.gamma**2)


@dataclass(frozen=True)
class Quantity:
    """An estimate and what it should be."""

    name: str
    estimate: Callable[[Responses], Estimate]
    truth: Callable[[Cell], float]
    biased: bool = True  # whether it is meant for biased observers too


def simulate(cell: Cell, rng: np.random.Generator) -> Responses:
    """Return the responses of one session."""
    n, twice = cell.n_pairs + cell.n_single, cell.n_pairs
    target = rng.permutation(np.arange(n) % 2)
    mean = np.sqrt(1 + cell.gamma**2) * (np.where(target, cell.z, -cell.z) + cell.bias)
    external = mean + rng.normal(size=n)
    responses = [external + cell.gamma * rng.normal(size=n) > 0 for _ in range(2)]
    table = pd.DataFrame(
        {
            "trial": np.arange(n + twice),
            "target": np.concatenate([target, target[:twice]]),
            "response": np.concatenate([responses[0], responses[1][:twice]]).astype(
                int
            ),
            "contrast": 1.0,
            "repeats": pd.array([pd.NA] * n + list(range(twice)), dtype="Int64"),
            "block": np.arange(n + twice) // 100,
        }
    )
    return Responses.from_table(table, cell.task, 2)


def _by_profile(responses: Responses) -> Estimate:
    return dprime(responses, "profile")


def _dprime(cell: Cell) -> float:
    return 2 * cell.z / (np.sqrt(2) if cell.task == "2afc" else 1)


def _agreement(cell: Cell) -> float:
    return float(agreement_probability(ndtri(cell.rates), cell.r).mean())


QUANTITIES = (
    Quantity("d'", dprime, _dprime),
    Quantity("d', profile", _by_profile, _dprime),
    Quantity(
        "d', bootstrap",
        lambda responses: dprime_bootstrap(responses, n_draws=1000),
        _dprime,
    ),
    Quantity(
        "criterion, interval bias",
        criterion,
        lambda cell: cell.bias if cell.task == "2afc" else -cell.bias,
    ),
    Quantity(
        "proportion correct",
        proportion_correct,
        lambda cell: float(np.mean([1 - cell.rates[0], cell.rates[1]])),
    ),
    Quantity("agreement", agreement, _agreement),
    Quantity(
        "gamma, pooled closed form",
        lambda responses: internal_noise_closed_form(pair_counts(responses)).gamma,
        lambda cell: cell.gamma,
        biased=False,
    ),
    Quantity(
        "gamma, likelihood",
        lambda responses: internal_noise_likelihood(pair_counts(responses, True)).gamma,
        lambda cell: cell.gamma,
    ),
)


@dataclass(frozen=True)
class Coverage:
    """Shares of the sessions whose interval holds the truth, or lies above it."""

    cell: Cell
    name: str
    held: float
    above: float
    n: int
    n_missing: int


def study(cell: Cell, n_sessions: int, seed: int = 0) -> list[Coverage]:
    """Return the coverage of every quantity in sessions of one kind."""
    rng = np.random.default_rng(seed)
    wanted = [q for q in QUANTITIES if q.biased or not cell.bias]
    ends = {q.name: np.full((n_sessions, 2), np.nan) for q in wanted}
    for number in range(n_sessions):
        responses = simulate(cell, rng)
        for quantity in wanted:
            estimate = quantity.estimate(responses)
            if estimate.value is not None:
                ends[quantity.name][number] = estimate.low, estimate.high
    return [_coverage(cell, q, ends[q.name]) for q in wanted]


def _coverage(cell: Cell, quantity: Quantity, ends: np.ndarray) -> Coverage:
    known = ends[~np.isnan(ends[:, 0])]
    truth, slack = quantity.truth(cell), 1e-9
    low, high = known.T
    return Coverage(
        cell=cell,
        name=quantity.name,
        held=float(np.mean((low <= truth + slack) & (truth <= high + slack))),
        above=float(np.mean(low > truth + slack)),
        n=len(known),
        n_missing=len(ends) - len(known),
    )


CELLS = tuple(
    Cell(task, pc, gamma, bias)
    for task, biases in (("2afc", (0.0, 0.3)), ("yes_no", (0.0, 0.3)))
    for bias in biases
    for pc in (0.6, 0.75, 0.9)
    for gamma in (0.5, 1.0, 1.5)
)
# What users meet and the promise leaves out: little data, much noise, near the ceiling.
BEYOND = (
    Cell("2afc", 0.75, 1.0, n_pairs=50, n_single=0),
    Cell("2afc", 0.75, 3.0),
    Cell("2afc", 0.75, 0.0),
    Cell("2afc", 0.97, 1.0),
    Cell("2afc", 0.5, 1.0),
    Cell("yes_no", 0.75, 1.0, bias=1.0),
)


def studies(cells: Iterable[Cell], n_sessions: int) -> list[Coverage]:
    """Return the coverage in every cell, on all cores, in the order of the cells."""
    cells, started, rows = list(cells), time.monotonic(), []
    with ProcessPoolExecutor() as pool:
        jobs = [pool.submit(study, cell, n_sessions, i) for i, cell in enumerate(cells)]
        for number, job in enumerate(jobs, 1):
            rows += job.result()
            minutes = (time.monotonic() - started) / 60
            print(f"{number} of {len(cells)} cells, {minutes:.1f} min", file=sys.stderr)
    return rows


def table(rows: Iterable[Coverage]) -> str:
    """Lay coverage out as Markdown: a row for each kind of session."""
    rows = list(rows)
    names = list(dict.fromkeys(row.name for row in rows))
    found = {(row.cell, row.name): row for row in rows}
    head = ["task", "correct", "γ", "bias", "pairs", "single", *names]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for cell in dict.fromkeys(row.cell for row in rows):
        cells = [_shown(found.get((cell, name))) for name in names]
        start = [cell.task, f"{cell.pc:g}", f"{cell.gamma:g}", f"{cell.bias:g}"]
        start += [str(cell.n_pairs), str(cell.n_single)]
        lines.append(f"| {' | '.join(start + cells)} |")
    return "\n".join(lines)


def _shown(row: Coverage | None) -> str:
    if row is None:
        return "–"
    if not row.n:
        return "none"
    missing = f" ({row.n_missing} without)" if row.n_missing else ""
    return f"{100 * row.held:.1f}{missing}"


if __name__ == "__main__":
    print(table(studies(CELLS, 1000)))
    print()
    print(table(studies(BEYOND, 1000)))

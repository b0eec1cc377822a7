"""Shares of two observers: responses, first-order and second-order kernels.

Observers are written out here from normal deviates; nothing of the package simulates.
"""

import math

import numpy as np
import pandas as pd

from yoked.analysis.agreement.kernels import similarity
from yoked.analysis.agreement.latent import DISATTENUATED, TOO_NOISY
from yoked.analysis.agreement.order_zero import OrderZero
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.responses import Responses
from yoked.experiments.stimulus.sources import StoredNoise

from .study import Column, Found, Interval, Outside, Parameters, Table

# --- order zero ----------------------------------------------------------------------


def two_observers(rng, task, n_contrasts, gammas, rho, n_pairs=200, n=500, bias=0.0):
    """Return the tables of two observers of n trials, the last `n_pairs` repeats.

    The decision variable of each is signal + external + gamma x internal, over
    sqrt(1 + gamma^2); the externals correlate by rho, and are the same at the second
    showing. An unbiased observer is correct in 75 per cent at the middle contrast, from
    which the others are up to an octave away; z is proportional to contrast.
    """
    n_stimuli = n - n_pairs
    octaves = np.linspace(-1, 1, n_contrasts) if n_contrasts > 1 else np.zeros(1)
    contrast = 0.1 * 2 ** rng.permutation(np.resize(octaves, n_stimuli))
    target = rng.permutation(np.arange(n_stimuli) % 2)
    shared = rng.standard_normal(n_stimuli)
    other = rho * shared + math.sqrt(1 - rho**2) * rng.standard_normal(n_stimuli)
    z = 0.6745 * (2 * target - 1) * contrast / 0.1
    tables = []
    for external, gamma in zip((shared, other), gammas, strict=True):
        answered = []
        for shown in (np.arange(n_stimuli), np.arange(n_pairs)):
            internal = gamma * rng.standard_normal(len(shown))
            decision = z[shown] + (external[shown] + internal) / math.hypot(1, gamma)
            answered.append(decision > bias)
        tables.append(log(target, contrast, np.concatenate(answered), n_pairs))
    return tables


def log(target, contrast, yes, n_pairs):
    """Return a trial log whose last `n_pairs` trials show the first ones again."""
    n_stimuli = len(target)
    stimulus = np.concatenate([np.arange(n_stimuli), np.arange(n_pairs)])
    again = [pd.NA] * n_stimuli + list(range(n_pairs))
    return pd.DataFrame(
        {
            "trial": np.arange(len(stimulus)),
            "stimulus_id": stimulus,
            "target": target[stimulus],
            "response": yes.astype(np.int64),
            "contrast": np.broadcast_to(contrast, n_stimuli)[stimulus],
            "repeats": pd.array(again, dtype="Int64"),
            "block_kind": "main",
            "valid": True,
            "excluded": False,
        }
    )


def order_zero(cell: Parameters, rng: np.random.Generator) -> dict[str, Found]:
    """Find the share of responses, and what stands beside it."""
    task, rho = cell["task"], cell["rho"]
    gammas = cell["gamma a"], cell["gamma b"]
    n_pairs = cell["pairs"]
    tables = two_observers(
        rng,
        task,
        cell["contrasts"],
        gammas,
        rho,
        n_pairs,
        n=5 * n_pairs // 2,
        bias=cell["bias"],
    )
    zero = OrderZero.of(*(Responses.from_table(one, task, 2) for one in tables))
    share = zero.ratio().share(1, DISATTENUATED, TOO_NOISY)
    found = Interval.of(share, rho)
    r = [1 / (1 + gamma**2) for gamma in gammas]
    across = rho * math.sqrt(r[0] * r[1])
    assert zero.within[0] is not None
    return {
        "share": found,
        **_errors(found),
        "r": Interval(zero.within[0].r, *zero.within[0].interval(), r[0]),
        "r_ab": Interval(zero.across.r, *zero.across.interval(), across),
    }


def _errors(found: Interval | None) -> dict[str, Found]:
    """How far the value is from the truth; nothing bounds a refused one above."""
    error = None if found is None else found.value - found.truth
    return {"error": error, "all": math.inf if error is None else error}


def _cell(task, contrasts, a=1.0, b=1.0, rho=1.0, pairs=200, bias=0.0):
    return {
        "task": task,
        "contrasts": contrasts,
        "gamma a": a,
        "gamma b": b,
        "rho": rho,
        "pairs": pairs,
        "bias": bias,
    }


BOTH = ("2afc", "yes_no")
CELLS = (
    *(_cell(task, k) for task in BOTH for k in (1, 7, 28, 363)),
    *(_cell(task, 28, 0.5, 0.5) for task in BOTH),
    *(_cell(task, 28, 1.5, 1.5) for task in BOTH),
    *(_cell(task, k, 1.5, 0.5) for task, k in (("2afc", 28), ("yes_no", 7))),
    *(_cell(task, k, 1.0, 0.0) for task, k in (("2afc", 28), ("yes_no", 7))),
    *(_cell(task, 28, 1.0, 0.5, rho) for task in BOTH for rho in (0.5, 0.0)),
    *(_cell(task, 28, bias=0.5) for task in BOTH),
    *(_cell(task, 28, pairs=100) for task in BOTH),
)


def is_promised(cell: Parameters) -> bool:
    """Whether the mean must be within .03: gamma up to 1, 200 pairs."""
    return max(cell["gamma a"], cell["gamma b"]) <= 1 and cell["pairs"] >= 200


def _columns(where, *more: Column, given=lambda cell: True) -> tuple[Column, ...]:
    """Columns of a share; `where` its mean is held, and `given` where most have one."""
    return (
        Column("coverage %", "share", "held", 93, 99),
        Column("mean less rho", "error", "mean", -0.03, 0.03, where),
        Column("median less rho", "error", "median"),
        Column("the same, refused above", "all", "median", -0.05, 0.05, given),
        Column("refused %", "share", "missing"),
        *more,
    )


SHARES = Table(
    name="shares-0",
    title="Shares of responses",
    text=(
        "`tetrachoric-disattenuated/2` of two observers of 500 trials, 200 of them "
        "shown twice (of 250 and 100), correct in 75 % at the middle of contrasts that "
        "span two octaves; rho is the true share. Mean and median are of the sessions "
        "with a share; in the second median those refused count as larger, as their "
        "interval has no upper end. With gamma above 1, or 100 pairs, shares are "
        "refused where the denominator came out small, and those that are given are "
        "too small on average; their intervals cover. r_a and r_ab: of what stands "
        "beside the share."
    ),
    cells=CELLS,
    session=order_zero,
    columns=_columns(
        is_promised,
        Column("r_a, coverage %", "r", "held"),
        Column("r_ab, coverage %", "r_ab", "held"),
    ),
    n_sessions=1000,
)

# --- orders one and two --------------------------------------------------------------

N = 13
PLACES = np.arange(N)


def template(rho):
    """Return a unit kernel at this cosine to the bump in the middle."""
    bump = np.exp(-((PLACES - 6) ** 2) / 4)
    bump = bump / np.linalg.norm(bump)
    side = np.roll(bump, 3) - (np.roll(bump, 3) @ bump) * bump
    return rho * bump + math.sqrt(1 - rho**2) * side / np.linalg.norm(side)


def pooled(fields, rho, order):
    """Return what an observer makes of fields of SD 1: linear, or energy of two bars.

    Energies have mean 0 and variance 1; those of observers with one of two bars in
    common have second-order kernels at a cosine of .5.
    """
    if order == 1:
        return fields @ template(rho)
    first = {1.0: 4, 0.5: 5, 0.0: 8}[rho]
    return ((fields[..., first : first + 2] ** 2).sum(-1) - 2) / 2


def kernels(cell: Parameters, rng: np.random.Generator) -> dict[str, Found]:
    """Find the share of kernels of two observers, of one set of stimuli or of two."""
    order, rho, n = cell["order"], cell["rho"], cell["trials"]
    n_pairs, n_intervals = n // 3, 2 if cell["task"] == "2afc" else 1
    designs, shown = [], None
    for which, gamma in ((1.0, cell["gamma a"]), (rho, cell["gamma b"])):
        if shown is None or not cell["yoked"]:
            shown = rng.standard_normal((n - n_pairs, n_intervals, N))
            target = rng.permutation(np.arange(len(shown)) % 2)
        has_target = target[:, None] == (np.arange(2) if n_intervals == 2 else [1])
        signal = np.where(has_target, 1.0, 0.0) - (n_intervals == 1) / 2
        yes = []
        for row in (np.arange(len(shown)), np.arange(n_pairs)):
            decision = pooled(shown[row], which, order) + signal[row]
            decision = decision + gamma * rng.standard_normal(decision.shape)
            yes.append(decision[:, -1] > (decision[:, 0] if n_intervals == 2 else 0))
        made = Responses.from_table(
            log(target, 0.1, np.concatenate(yes), n_pairs), cell["task"], 2
        )
        noise = (0.1 * shown[:, :, None, None]).astype(np.float32)
        designs.append(TrialDesign.of(made, StoredNoise(noise)))
    found = similarity(*designs, order=order, measure="cosine")
    share = Interval.of(found.disattenuated, rho)
    reliability = found.reliability_ours.value
    return {"share": share, **_errors(share), "reliability": reliability}


def _kernel_cell(order, task, trials, rho, a=1.0, b=1.0, yoked=True):
    return {
        "order": order,
        "task": task,
        "trials": trials,
        "gamma a": a,
        "gamma b": b,
        "yoked": yoked,
        "rho": rho,
    }


KERNEL_CELLS = (
    *(_kernel_cell(1, task, 600, rho) for task in BOTH for rho in (1.0, 0.5, 0.0)),
    *(_kernel_cell(1, "2afc", 600, rho, yoked=False) for rho in (1.0, 0.5, 0.0)),
    *(_kernel_cell(1, "2afc", 600, rho, 1.0, 0.0) for rho in (1.0, 0.5)),
    *(
        _kernel_cell(1, "2afc", 300, rho, g, g)
        for g in (2.0, 4.0)
        for rho in (1.0, 0.5)
    ),
    *(_kernel_cell(2, "2afc", 2000, rho, 0.5, 0.5) for rho in (1.0, 0.5, 0.0)),
    *(_kernel_cell(2, "yes_no", 2000, rho, 0.5, 0.5) for rho in (1.0, 0.5)),
    *(_kernel_cell(2, "2afc", 600, rho, 1.0, 1.0) for rho in (1.0, 0.5)),
)


def is_reliable(cell: Parameters) -> bool:
    """Whether kernels are so good that the mean of shares is held."""
    return cell["trials"] == (600 if cell["order"] == 1 else 2000)


KERNEL_SHARES = Table(
    name="shares-kernels",
    title="Shares of kernels",
    text=(
        "`kernel-correlation-disattenuated-order-{1,2}-cosine/2` of two observers of "
        "13 elements, a third of whose trials show the first stimuli again: linear "
        "ones for order one, of the energy of two bars for order two. Yoked: both saw "
        "the same stimuli. Fewer sessions than of responses, as kernels take longer."
    ),
    cells=KERNEL_CELLS,
    session=kernels,
    columns=_columns(
        is_reliable,
        Column("reliability", "reliability", "mean"),
        given=lambda cell: cell["gamma a"] < 4,
    ),
    n_sessions=400,
    outside=(
        Outside(
            "coverage %",
            {"order": 2, "trials": 600, "rho": 1.0},
            "too wide, never too narrow: the variance keeps what groups of stimuli "
            "have only together (methods.md 6.3), without which shares of 1 are held "
            "in 73 to 82",
        ),
    ),
)

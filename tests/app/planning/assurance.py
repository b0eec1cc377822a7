"""How many sessions reach their aim, of those planned to, and with a pilot.

A session of the planned length is simulated without Yoked (an observer of NumPy's
normal deviates), and analysed as any session is. "Before" is the number of trials that
Yoked planned before it knew assurance: those with which the expected error is the
wanted one.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from tests.analysis.coverage.study import (
    Column,
    Found,
    Outside,
    Parameters,
    Table,
    key,
)
from tests.analysis.observers.linear import Linear, run, session, unit
from yoked.analysis.double_pass.smooth_thresholds import internal_noise
from yoked.analysis.kernels.weighted_sum import first_order_kernel, template_match
from yoked.analysis.sensitivity.by_task import dprime
from yoked.analysis.trials.responses import Responses
from yoked.app.planning.kernel_laws import chance_limit, trials_at_edge
from yoked.app.planning.laws import law
from yoked.app.planning.observer import bend_for, bent, signal_for
from yoked.app.planning.pilot import beliefs, read_pilot, situation_of
from yoked.app.planning.power import Aim, Wanted, aims
from yoked.app.planning.situation import Situation, situation
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import DoublePass
from yoked.experiments.protocols.protocol import Protocol

PROTOCOLS = {"2afc": "bar-in-noise", "yes_no": "bar-polarity"}
WANTED = {"kernel": 0.9, "dprime": 0.3, "gamma": 1.0, "eigenvalue": 0.66}
OPTIONS = {
    "kernel": "correlation",
    "dprime": "dprime_interval",
    "gamma": "gamma_interval",
    "eigenvalue": "eigenvalue",
}
SIGNAL = 0.2  # contrast: of the pilot's and the main study's trials


def wanted_of(cell: Parameters) -> Wanted:
    """Return the one aim of a cell."""
    options: dict[str, Any] = dict.fromkeys(OPTIONS.values())
    options[OPTIONS[cell["aim"]]] = cell.get("wanted", WANTED[cell["aim"]])
    return Wanted(**options, assurance=cell["assurance"])


def protocol_of(cell: Parameters) -> Protocol:
    """Return the protocol of a cell: bars, or more elements."""
    protocol = load_protocol(PROTOCOLS[cell["task"]])
    noise = replace(protocol.noise, grid=(1, 1, cell.get("elements", 13)))
    protocol = replace(protocol, noise=noise)
    if not cell.get("pairs", True):
        return replace(protocol, double_pass=DoublePass())
    return protocol


_PLANNED: dict[str, tuple[Situation, Aim]] = {}


def planned(cell: Parameters) -> tuple[Situation, Aim]:
    """Return what is assumed in a cell, and its plan."""
    if key(cell) not in _PLANNED:
        assumed = situation(
            protocol_of(cell),
            gamma=cell["gamma"],
            efficiency=1.0,
            proportion_correct=cell["correct"],
            lapses=cell.get("lapses", 0.0),
            criterion=cell.get("criterion", 0.0),
        )
        (aim,) = aims(assumed, wanted_of(cell))
        _PLANNED[key(cell)] = assumed, aim
    return _PLANNED[key(cell)]


def trials_of(
    assumed: Situation, n: int, rng: np.random.Generator, n_elements: int
) -> tuple[Any, Any, np.ndarray]:
    """Simulate a session: table, noise source and the observer's template."""
    template = unit(rng.normal(size=n_elements))
    gamma, middle = assumed.gamma, float(assumed.thresholds.mean())
    observer = Linear(template, gamma=gamma)
    sd = observer.sd_decision
    if assumed.is_forced_choice:
        signal, place = middle * math.sqrt(2) * sd, -assumed.criterion * sd * 2**0.5
    else:
        signal, place = 2 * middle * sd, (middle + assumed.criterion) * sd
    observer = replace(observer, criterion=place)
    task = assumed.protocol.task.kind
    n_pairs = int(n * assumed.pair_share)
    table, noise = run(observer, task, n, signal, int(rng.integers(2**31)), n_pairs)
    lapsed = rng.random(n) < assumed.lapses
    guess = rng.integers(0, 2, n)
    response = np.where(lapsed, guess, table["response"].to_numpy(np.int64))
    return table.assign(response=response), noise, template


def reaches(
    aim: str, wanted: float, assumed: Situation, n: int, rng: np.random.Generator
) -> bool:
    """Simulate a session of n trials, and say whether it reaches the aim."""
    if aim == "eigenvalue":
        return finds_eigenvalue(wanted, assumed, n, rng)
    n_elements = assumed.n_elements if aim == "kernel" else 1
    table, noise, template = trials_of(assumed, n, rng, n_elements)
    counted = Responses.from_table(table, assumed.protocol.task.kind, 2)
    if aim == "kernel":
        kernel = first_order_kernel(counted, noise).kernel
        return template_match(kernel.ravel(), template).cosine >= wanted
    found = dprime(counted) if aim == "dprime" else internal_noise(counted).gamma
    if found.low is None or found.high is None or math.isinf(found.high):
        return False
    return found.high - found.low <= wanted


@cache
def _squaring(wanted: float, gamma: float, correct: float) -> tuple[float, float]:
    bend = bend_for(wanted, gamma, correct)
    assert bend is not None
    return bend, signal_for(bend, gamma, correct)


def finds_eigenvalue(
    wanted: float, assumed: Situation, n: int, rng: np.random.Generator
) -> bool:
    """Say whether an observer's eigenvalue is beyond those of chance, in 2AFC."""
    bend, signal = _squaring(wanted, assumed.gamma, assumed.proportions[0])
    p, n_fields = assumed.n_elements, n - int(n * assumed.pair_share)
    field = np.concatenate([np.arange(n_fields), np.arange(n - n_fields)])
    target, other = rng.normal(size=(2, n_fields, p))
    d_t, d_n = bent(target[:, 0] + signal, bend), bent(other[:, 0], bend)
    sd = assumed.gamma * math.sqrt((d_t.var() + d_n.var()) / 2)
    noise = rng.normal(size=n) * math.sqrt(2) * sd
    correct = (d_t - d_n)[field] + noise > 0
    right, wrong = field[correct], field[~correct]
    matrix = (
        np.cov(target[right].T)
        - np.cov(target[wrong].T)
        + np.cov(other[wrong].T)
        - np.cov(other[right].T)
    )
    edge = math.sqrt(trials_at_edge(assumed, assumed.pair_share) / n)
    return bool(np.abs(np.linalg.eigvalsh(matrix)).max() > chance_limit(edge, p))


def assurance_session(
    cell: Parameters, rng: np.random.Generator
) -> Mapping[str, Found]:
    """Say whether a session of the planned length reaches the aim, and of before."""
    assumed, aim = planned(cell)
    assert aim.n_trials is not None
    found: dict[str, Found] = {"trials": float(aim.n_trials)}
    found["reached"] = reaches(aim.name, aim.wanted, assumed, aim.n_trials, rng)
    if "before" in cell:
        n = cell["before"]
        found["before"] = reaches(aim.name, aim.wanted, assumed, n, rng)
    return found


def pilot_session(cell: Parameters, rng: np.random.Generator) -> Mapping[str, Found]:
    """Plan from a simulated pilot, both ways, and give how often the aim is reached.

    The share of sessions of so many trials that reach the aim is that of the true
    observer, by the law that the other table holds.
    """
    protocol, wanted = protocol_of(cell), wanted_of(cell)
    where = {"contrast": SIGNAL} if cell["held"] == "contrast" else {}
    true = situation(protocol, cell["gamma"], 0.5, SIGNAL)
    table, noise, _ = trials_of(true, cell["pilot trials"], rng, 13)
    seen = session(table.assign(contrast=SIGNAL), noise, cell["task"])
    known = read_pilot(replace(seen, protocol=true.protocol))
    truth = situation(protocol, cell["gamma"], 0.5, **where)
    missing = {"as truth": None, "with error": None, "trials": None}
    try:
        assumed = situation_of(known, protocol, **where)
    except ValueError:
        return missing
    (aim,) = aims(assumed, wanted, beliefs(known, assumed))
    if aim.n_if_true is None or aim.n_trials is None:
        return missing
    reached = law(aim.name, truth)
    pairs = truth.pair_share if aim.name == "gamma" else 1.0
    return {
        "as truth": reached(aim.wanted, aim.n_if_true * pairs),
        "with error": reached(aim.wanted, aim.n_trials * pairs),
        "trials": aim.n_trials / aim.n_if_true,
    }


def _cell(aim: str, task: str, gamma: float, correct: float, **rest: Any) -> dict:
    return {"aim": aim, "task": task, "gamma": gamma, "correct": correct, **rest}


# Trials that were planned before there was an assurance stand with .8.
_KINDS = (
    _cell("kernel", "2afc", 1.35, 0.75, before=331),
    _cell("kernel", "yes_no", 1.35, 0.75, before=331),
    _cell("kernel", "2afc", 0.5, 0.75, before=178),
    _cell("kernel", "2afc", 1.0, 0.9, before=378),
    _cell("kernel", "2afc", 1.35, 0.75, elements=81, before=2062),
    _cell("kernel", "2afc", 1.0, 0.75, lapses=0.1),
    _cell("kernel", "yes_no", 1.0, 0.75, criterion=0.5),
    _cell("kernel", "2afc", 1.0, 0.75, pairs=False),
    _cell("dprime", "2afc", 1.35, 0.75, before=723),
    _cell("dprime", "yes_no", 1.35, 0.75, before=1445),
    _cell("dprime", "2afc", 0.5, 0.75, before=875),
    _cell("dprime", "2afc", 1.0, 0.9, before=1164),
    _cell("dprime", "2afc", 1.0, 0.5, before=656),
    _cell("dprime", "2afc", 1.0, 0.75, lapses=0.1),
    _cell("dprime", "yes_no", 1.0, 0.75, criterion=0.5),
    _cell("dprime", "2afc", 1.0, 0.75, pairs=False),
    _cell("gamma", "2afc", 1.35, 0.75, before=1755),
    _cell("gamma", "yes_no", 1.35, 0.75, before=1755),
    _cell("gamma", "2afc", 0.5, 0.75, wanted=0.5),
    _cell("gamma", "2afc", 1.0, 0.9, before=1785),
    _cell("gamma", "2afc", 1.0, 0.75, before=603),
    _cell("gamma", "yes_no", 1.0, 0.75, criterion=0.5),
    _cell("eigenvalue", "2afc", 1.35, 0.75, before=1451),
    _cell("eigenvalue", "2afc", 1.35, 0.75, elements=81, sessions=200),
)
_ASSURANCES = (0.5, 0.8, 0.9)


def _cells() -> tuple[Parameters, ...]:
    cells = []
    for kind in _KINDS:
        for share in _ASSURANCES:
            cell = {**kind, "assurance": share}
            if cell["aim"] == "gamma":  # its likelihood takes long
                cell["sessions"] = 400
            if share != 0.8:
                cell.pop("before", None)
            cells.append(cell)
    return tuple(cells)


def _pilot_cells() -> tuple[Parameters, ...]:
    return tuple(
        {
            "aim": aim,
            "task": "2afc",
            "gamma": 1.0,
            "assurance": 0.8,
            "pilot trials": n,
            "held": held,
            "sessions": 200,
        }
        for aim in ("kernel", "dprime", "gamma")
        for n in (600, 1500)
        for held in ("contrast", "calibration")
    )


def _promised(cell: Parameters) -> float:
    return 100 * cell["assurance"]


ASSURANCE = Table(
    name="assurance",
    title="Planning with assurance",
    text=(
        "Sessions of the length that `yoked power --assurance` plans: the share that"
        " reaches the aim (per cent), which should be the assurance of its row, up to"
        " five per cent more; and the share that reaches it with the trials that were"
        " planned before there was an assurance (the expected error being the wanted"
        " one; of gamma, its standard error with the rates held)."
    ),
    cells=_cells(),
    session=assurance_session,
    columns=(
        Column("trials", "trials", "median"),
        Column("reached", "reached", "true", _promised, lambda c: _promised(c) + 5),
        Column("reached with trials before", "before", "true"),
    ),
    n_sessions=500,
    heads={"before": "trials before"},
    outside=(
        Outside(
            "reached",
            {"aim": "kernel", "correct": 0.9, "assurance": 0.5},
            "the law holds the number of correct responses at its mean, so that "
            "kernels reach a little less than planned; at .8 and .9 it is in range",
        ),
        Outside(
            "reached",
            {"aim": "gamma", "correct": 0.9, "assurance": 0.8},
            "by a little over two errors, one of 72 cells; at .5 and .9 it is in range",
        ),
    ),
)

PILOT = Table(
    name="pilot",
    title="Planning from a pilot",
    text=(
        "A pilot of 600 or 1,500 trials, a third of them pairs, is simulated; from it a"
        " study is planned for an assurance of .8, its values taken as the truth, and"
        " with their errors. How many sessions of that length reach the aim before the"
        " true observer (mean and median over pilots); and how many times more trials"
        " the errors cost."
    ),
    cells=_pilot_cells(),
    session=pilot_session,
    columns=(
        Column("as truth: mean", "as truth", "mean"),
        Column("median", "as truth", "median"),
        Column("with error: mean", "with error", "mean", 0.75),
        Column("median", "with error", "median"),
        Column("trials, ratio", "trials", "median"),
        Column("no plan, %", "with error", "missing"),
    ),
)

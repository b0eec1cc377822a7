"""The analysis of large sessions beside one matrix product of their noise.

Both on one thread of a process of its own, by processor time, so that what else a
machine does counts little. There the peak of memory is that of the analysis.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..analysis.agreement.compare import compare
from ..analysis.sessions.depths import depths
from ..experiments.protocols.files import load_protocol
from ..experiments.protocols.protocol import Protocol
from ..experiments.session.results import SessionData
from ..experiments.stimulus.sources import GeneratedNoise
from ..experiments.store.rows import ObserverInfo, SessionRow
from ..models.registry import load as load_observer
from ..models.simulate import run
from .output import Row

N_TRIALS, SIDE, N_PERMUTATIONS = 9900, 31, 199
GOALS = {1: 10.0, 2: 40.0}  # times the product, at most, by order
GOAL_MIB = 500.0
GOAL_COMPARE, GOAL_COMPARE_MIB = 40.0, 600.0
_THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM")


def analyse_ratios(n_trials: int = N_TRIALS, side: int = SIDE) -> list[Row]:
    """Measure orders one and two of a 2AFC session, and the comparison of two.

    Each in a process of its own.

    Returns
    -------
    list of dict
        What was done; its seconds, those of one float32 product of two different
        matrices of all noise fields by elements, and their ratio, with the largest that
        is wanted; the process's peak memory in MiB (None where the system does not
        say), with its goal.
    """
    calls = [f"_analyse({order}, {n_trials}, {side})" for order in GOALS]
    return [_in_a_process(call) for call in (*calls, f"_compare({n_trials})")]


def _in_a_process(call: str) -> dict[str, Any]:
    code = f"from yoked.app.bench_analyse import _analyse, _compare; {call}"
    found = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **{f"{name}_NUM_THREADS": "1" for name in _THREADS}},
    )
    return json.loads(found.stdout)


def _analyse(order: int, n_trials: int, side: int) -> None:
    """Print the row of an analysis."""
    session = _session(n_trials, side)
    what = f"analyse {n_trials} trials of {side} x {side}, order {order}"
    goals = GOALS[order], GOAL_MIB
    _print(what, lambda: depths(session, order, N_PERMUTATIONS), n_trials, side, goals)


def _compare(n_trials: int) -> None:
    """Print the row of a comparison: a template, and one with more internal noise."""
    protocol = _protocol(SIDE)
    template = load_observer("template")
    one = run(protocol, template, seed=1, trials=n_trials, internal_noise=1.0)
    other = run(observer=template, yoke_to=one, seed=2, internal_noise=1.5)
    what = f"compare two observers of {n_trials} trials of {SIDE} x {SIDE}"
    goals = GOAL_COMPARE, GOAL_COMPARE_MIB
    _print(what, lambda: compare(one, other), n_trials, SIDE, goals)


def _print(
    what: str, work: Any, n_trials: int, side: int, goals: tuple[float, float]
) -> None:
    """Print a row; the product comes last, for its memory not to be in the peak."""
    from .bench import peak_gib

    ours = _seconds(work)
    peak = peak_gib()
    x = np.ones((2 * n_trials, side * side), np.float32)
    y = x.copy()
    product = min(_seconds(lambda: x.T @ y) for _ in range(3))
    row = {
        "what": what,
        "seconds": ours,
        "product_seconds": product,
        "ratio": ours / product,
        "goal": goals[0],
        "peak_mib": None if peak is None else 1024 * peak,
        "goal_mib": goals[1],
    }
    print(json.dumps(row))


def _seconds(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _protocol(side: int) -> Protocol:
    made = load_protocol("gabor-in-noise")
    return replace(made, noise=replace(made.noise, grid=(1, side, side)))


def _session(n_trials: int, side: int) -> SessionData:
    """Make a session whose observer is right three times in four, by chance."""
    protocol = _protocol(side)
    rng, number = np.random.default_rng(0), np.arange(n_trials)
    target = rng.integers(0, 2, n_trials)
    response = np.where(rng.random(n_trials) < 0.75, target, 1 - target)
    columns = {
        "trial": number,
        "stimulus_id": number,
        "block": number // 300,
        "block_kind": "main",
        "target": target,
        "contrast": 0.1,
        "response": pd.array(response, dtype="Int64"),
        "repeats": pd.array([None] * n_trials, dtype="Int64"),
        "valid": True,
        "excluded": False,
    }
    row = SessionRow(
        id="bench",
        protocol_hash=protocol.hash,
        protocol_name=protocol.name,
        stimulus_hash=protocol.stimulus_hash,
        observer=ObserverInfo("model", "bench"),
        presenter="model",
        seed=1,
        observer_seed=None,
        noise_source="yoked-1",
        yoked_to=None,
        status="finished",
        software="bench",
        display=None,
        device=None,
        started_at="",
        ended_at=None,
        n_trials=n_trials,
    )
    return SessionData(
        row, protocol, pd.DataFrame(columns), GeneratedNoise(protocol, 1)
    )

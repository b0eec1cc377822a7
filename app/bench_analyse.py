"""The analysis of a large session beside one matrix product of its noise.

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

from ..analysis.sessions.depths import depths
from ..experiments.protocols.files import load_protocol
from ..experiments.session.results import SessionData
from ..experiments.stimulus.sources import GeneratedNoise
from ..experiments.store.rows import ObserverInfo, SessionRow
from .output import Row

N_TRIALS, SIDE, N_PERMUTATIONS = 9900, 31, 199
GOALS = {1: 10.0, 2: 40.0}  # times the product, at most, by order
GOAL_MIB = 500.0
_THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM")


def analyse_ratios(n_trials: int = N_TRIALS, side: int = SIDE) -> list[Row]:
    """Measure orders one and two of a 2AFC session, each in a process of its own.

    Returns
    -------
    list of dict
        What was done; its seconds, those of one float32 product of two different
        matrices of all noise fields by elements, and their ratio, with the largest that
        is wanted; the process's peak memory in MiB (None where the system does not
        say), with its goal.
    """
    return [_in_a_process(order, n_trials, side) for order in GOALS]


def _in_a_process(order: int, n_trials: int, side: int) -> dict[str, Any]:
    call = f"_measure({order}, {n_trials}, {side})"
    code = f"from yoked.app.bench_analyse import _measure; {call}"
    found = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **{f"{name}_NUM_THREADS": "1" for name in _THREADS}},
    )
    return json.loads(found.stdout)


def _measure(order: int, n_trials: int, side: int) -> None:
    """Print a row; the product comes last, for its memory not to be in the peak."""
    from .bench import peak_gib

    session = _session(n_trials, side)
    ours = _seconds(lambda: depths(session, order, N_PERMUTATIONS))
    peak = peak_gib()
    x = np.ones((2 * n_trials, side * side), np.float32)
    y = x.copy()
    product = min(_seconds(lambda: x.T @ y) for _ in range(3))
    row = {
        "what": f"analyse {n_trials} trials of {side} x {side}, order {order}",
        "seconds": ours,
        "product_seconds": product,
        "ratio": ours / product,
        "goal": GOALS[order],
        "peak_mib": None if peak is None else 1024 * peak,
        "goal_mib": GOAL_MIB,
    }
    print(json.dumps(row))


def _seconds(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _session(n_trials: int, side: int) -> SessionData:
    """Make a session whose observer is right three times in four, by chance."""
    made = load_protocol("gabor-in-noise")
    protocol = replace(made, noise=replace(made.noise, grid=(1, side, side)))
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

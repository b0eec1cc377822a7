"""Benchmarks: ours beside the obvious alternative, in one process and one run.

Machines are shared and noisy, so only ratios say something; the two sides take turns
and the fastest of several rounds counts.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..analysis.second_order.kernel import both_kernels
from ..analysis.trials.exact_products import fastest, gram
from ..analysis.trials.responses import Responses
from ..experiments.protocols.files import load_protocol
from ..experiments.session.observer import Practice
from ..experiments.session.session import Session
from ..experiments.stimulus.noise import level_table, noise_levels
from ..experiments.stimulus.noise_fast import fast_levels
from ..experiments.stimulus.render import render
from ..experiments.stimulus.sources import GeneratedNoise
from ..experiments.store.rows import ObserverInfo
from ..experiments.store.sqlite import open_store
from ..experiments.store.trial import Response, TrialRecord, TrialSpec
from ..experiments.store.trial_batch import TrialColumns
from .bench_models import (
    measure_device,
    network_contests,
    session_floor,
    session_in_memory,
    session_on_disk,
)
from .contest import Contest, gpu, n_threads, one_thread, run_contest, seconds

# Elements of a field (bars, a gabor, a large field), and trials that fill .1 s or so.
SIZES = ((13, 40_000), (256, 4000), (8192, 120))
CHUNK = 8192  # trials of 32 x 32 elements that are generated at a time


def run_benchmarks(rounds: int = 7) -> dict[str, Any]:
    """Run every contest and give the rates and their ratios.

    Parameters
    ----------
    rounds
        Calls of each side; the fastest counts.
    """
    with _contests() as contests:
        rows = [run_contest(contest, rounds) for contest in contests]
    found = {"machine": _machine(), "contests": rows}
    return found if gpu() is None else {**found, "device": measure_device("cuda")}


def large_kernels(n_trials: int = 1_000_000) -> dict[str, Any]:
    """Measure kernels of many trials of 32 x 32 elements, in a process of their own.

    Returns
    -------
    dict
        Trials; seconds of both kernels, and of the same noise with one matrix product;
        their ratio; and the peak of the process's memory after the kernels, in GiB,
        None where the system does not say.
    """
    code = f"from yoked.app.bench import _measure_kernels; _measure_kernels({n_trials})"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    return json.loads(found.stdout)


def _measure_kernels(n_trials: int) -> None:
    """Print what `large_kernels` returns, but once: the noise is long enough."""
    fastest(10**15)  # starts PyTorch, where it is installed
    small, large = _kernels(2 * CHUNK), _kernels(n_trials)
    for side in (small.ours, small.theirs):
        side()
    ours = seconds(large.ours)
    peak = peak_gib()
    baseline = seconds(large.theirs)
    names = ("trials", "seconds", "baseline_seconds", "ratio", "peak_gib")
    values = (n_trials, ours, baseline, baseline / ours, peak)
    print(json.dumps(dict(zip(names, values, strict=True))))


def peak_gib() -> float | None:
    """Give the most memory that this process has held; None where nothing says so."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def _machine() -> dict[str, Any]:
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": n_threads(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "gpu": gpu(),
    }


@contextmanager
def _contests() -> Iterator[list[Contest]]:
    with tempfile.TemporaryDirectory() as folder:
        yield [
            *(_noise(*size, single) for size in SIZES for single in (False, True)),
            _noise_reference(),
            _rendering(),
            _kernels(50_000),
            _integer_product(),
            *_sessions(Path(folder)),
            *network_contests(Path(folder)),
            *_on_gpu(),
        ]


def _noise(n_elements: int, n_trials: int, single: bool) -> Contest:
    """Fields of yoked-1 against NumPy's fastest normal numbers, by element."""
    lookup, ids = level_table("gaussian", 0.1), np.arange(n_trials)
    zero, which = np.zeros((1, n_elements), np.int8), np.zeros(2 * n_trials, np.int32)
    size = 2 * n_trials * n_elements
    # The baseline writes into a buffer that stays in cache: its best case.
    rng, buffer = np.random.default_rng(0), np.empty(1 << 15, np.float32)

    def theirs() -> None:
        for _ in range(-(-size // buffer.size)):
            rng.standard_normal(dtype=np.float32, out=buffer)

    def ours() -> None:
        with one_thread() if single else nullcontext():
            fast_levels(lookup, 1, ids, (0, 1), zero, which)

    threads = ", one thread" if single else ""
    return Contest(
        f"noise, 2 fields of {n_elements} elements{threads}",
        "elements",
        size,
        ours,
        theirs,
        "numpy standard_normal(float32)",
    )


def _noise_reference() -> Contest:
    """The fast path against our own readable reference."""
    lookup, ids = level_table("gaussian", 0.1), np.arange(500)
    zero, which = np.zeros((1, 256), np.int8), np.zeros(500, np.int32)
    return Contest(
        "noise, Numba against the reference",
        "elements",
        500 * 256,
        lambda: fast_levels(lookup, 1, ids, (0,), zero, which),
        lambda: noise_levels(lookup, (1, 16, 16), 1, ids, 0),
        "our NumPy reference",
    )


def _rendering() -> Contest:
    """Whole trials as pixels, against making them from float noise as is usual."""
    protocol = load_protocol("gabor-in-noise")
    practice = Practice(protocol)
    table, rng = practice.table(500), np.random.default_rng(0)

    def theirs() -> np.ndarray:
        noise = 0.15 * rng.standard_normal((500, 2, 1, 16, 16), np.float32)
        levels = np.clip(np.rint(128 + 127 * noise), 0, 255).astype(np.uint8)
        return levels.repeat(4, axis=-2).repeat(4, axis=-1)

    return Contest(
        "trials of gabor-in-noise as pixels",
        "trials",
        500,
        lambda: render(protocol, practice.source, table),
        theirs,
        "float noise, rounded and repeated",
    )


def _kernels(n_trials: int) -> Contest:
    """Both kernels of 2AFC, against the least that any second order must do."""
    protocol = load_protocol("gabor-in-noise")
    noise = replace(protocol.noise, grid=(1, 32, 32))
    source = GeneratedNoise(replace(protocol, noise=noise), seed=1)
    responses = _responses(n_trials)

    def theirs() -> None:
        for start in range(0, n_trials, CHUNK):
            table = responses.table.iloc[start : start + CHUNK]
            for interval in (0, 1):
                shown = source.field(table, interval)
                _one_product(shown.reshape(len(table), -1))

    return Contest(
        "first- and second-order kernels, 2AFC, 32 x 32 elements",
        "trials",
        n_trials,
        lambda: both_kernels(responses, source),
        theirs,
        "generating the same noise, and one matrix product of it",
    )


def _responses(n_trials: int) -> Responses:
    """Make a log of 2AFC trials, three quarters of them correct by chance."""
    rng, number = np.random.default_rng(0), np.arange(n_trials)
    target = rng.integers(0, 2, n_trials)
    is_correct = rng.random(n_trials) < 0.75
    columns = {"trial": number, "stimulus_id": number, "target": target}
    columns |= {"response": np.where(is_correct, target, 1 - target), "contrast": 0.1}
    columns |= {"repeats": None, "block_kind": "main"}
    return Responses.from_table(pd.DataFrame(columns), "2afc", 2)


def _one_product(levels: np.ndarray) -> object:
    """Multiply X' X by the fastest product that there is here."""
    if fastest(0) == "int8":
        import torch

        x = torch.from_numpy(levels)
        return torch._int_mm(x.t(), x)  # type: ignore[attr-defined]
    x = levels.astype(np.float32)
    return x.T @ x


def _integer_product() -> Contest:
    """Second moments of noise levels, exact, against those in float32."""
    x = level_table("gaussian", 0.1)[np.random.default_rng(0).integers(0, 2**16, 2**23)]
    x = x.reshape(-1, 1024)

    def theirs() -> np.ndarray:
        single = x.astype(np.float32)
        return single.T @ single

    return Contest(
        "second moments of 1024 elements, exact",
        "trials",
        len(x),
        lambda: gram(x),
        theirs,
        "float32 BLAS, rounded",
    )


def _sessions(folder: Path) -> list[Contest]:
    """The log's bulk rate, and whole sessions of a model beside what they need."""
    log = _log(folder)
    floor, memory = session_floor(), session_in_memory()
    return [log, floor, memory, session_on_disk(folder, log)]


def _log(folder: Path) -> Contest:
    """Trials written durably in bulk, against sqlite-utils' own insert."""
    from sqlite_utils import Database

    protocol = load_protocol("bar-in-noise")
    store = open_store(folder / "ours.db")
    theirs = Database(folder / "theirs.db")
    theirs.enable_wal()
    theirs.execute("PRAGMA synchronous = FULL")
    session = Session.start(store, protocol, ObserverInfo("model", "bench"), "model")
    done = {"ours": 0, "theirs": 0}

    def batch(side: str) -> list[TrialRecord]:
        done[side] += 2000
        return [_record(done[side] + i) for i in range(2000)]

    def insert() -> None:
        cells = TrialColumns.of(batch("theirs")).cells
        rows = zip(*cells.values(), strict=True)
        table = theirs.table("trials")
        table.insert_all(dict(zip(cells, row, strict=True)) for row in rows)

    return Contest(
        "trials written to the log",
        "trials",
        2000,
        lambda: store.append_trials(session.id, batch("ours")),
        insert,
        "sqlite-utils insert_all",
    )


def _record(number: int) -> TrialRecord:
    spec = TrialSpec(number, 0, "main", "main", number, 1, None, 0.2, 1)
    at = "2026-01-01T00:00:00.000+00:00"
    return TrialRecord(spec, Response(1, 300.0), True, at)


def _on_gpu() -> list[Contest]:
    """The torch generator on the GPU against the Numba path, where there is a GPU."""
    if gpu() is None:
        return []
    import torch

    from ..experiments.stimulus.noise_torch import torch_levels

    lookup = (128 + level_table("gaussian", 0.1).astype(np.int16)).astype(np.uint8)
    ids, kinds = np.arange(2000), np.zeros((1, 8192), np.int16)
    which = np.zeros((2000, 2), np.int64)

    def make(device: str) -> None:
        torch_levels(lookup, 1, ids, (0, 1), kinds, which, device)
        torch.cuda.synchronize()

    zero, rows = np.zeros((1, 8192), np.uint8), np.zeros(4000, np.int32)
    return [
        Contest(
            "noise on the GPU, 2 fields of 8192 elements",
            "elements",
            2 * 2000 * 8192,
            lambda: make("cuda"),
            lambda: fast_levels(lookup, 1, ids, (0, 1), zero, rows),
            "our Numba path on the CPU",
        )
    ]

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
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
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
from ..experiments.store.trial_columns import trial_row

# Elements of a field (bars, a gabor, a large field), and trials that fill .1 s or so.
SIZES = ((13, 40_000), (256, 4000), (8192, 120))
CHUNK = 8192  # trials of 32 x 32 elements that are generated at a time


@dataclass(frozen=True)
class Contest:
    """Two ways to do the same work.

    Attributes
    ----------
    name, unit
        What is done, and what is counted.
    n
        How many of them one call does.
    ours, theirs
        The two ways; both are called once before the clock runs.
    """

    name: str
    unit: str
    n: int
    ours: Callable[[], object]
    theirs: Callable[[], object]
    against: str


def run_benchmarks(rounds: int = 7) -> dict[str, Any]:
    """Run every contest and give the rates and their ratios.

    Parameters
    ----------
    rounds
        Calls of each side; the fastest counts.
    """
    with _contests() as contests:
        rows = [_run(contest, rounds) for contest in contests]
    return {"machine": _machine(), "contests": rows}


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
    seconds = _seconds(large.ours)
    peak = _peak_gib()
    baseline = _seconds(large.theirs)
    names = ("trials", "seconds", "baseline_seconds", "ratio", "peak_gib")
    values = (n_trials, seconds, baseline, baseline / seconds, peak)
    print(json.dumps(dict(zip(names, values, strict=True))))


def _peak_gib() -> float | None:
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def _run(contest: Contest, rounds: int) -> dict[str, Any]:
    contest.ours()
    contest.theirs()
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_seconds(contest.ours))
        theirs.append(_seconds(contest.theirs))
    return {
        "what": contest.name,
        "unit": contest.unit,
        "ours_per_s": contest.n / min(ours),
        "against": contest.against,
        "against_per_s": contest.n / min(theirs),
        "ratio": min(theirs) / min(ours),
    }


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _machine() -> dict[str, Any]:
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": _threads(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "gpu": _gpu(),
    }


def _threads() -> int:
    """Give how many threads our noise may use."""
    import numba

    return numba.get_num_threads()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let Numba use one thread only, as NumPy's generator does."""
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def _gpu() -> str | None:
    try:
        import torch
    except ModuleNotFoundError:
        return None
    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


@contextmanager
def _contests() -> Iterator[list[Contest]]:
    with tempfile.TemporaryDirectory() as folder:
        yield [
            *(_noise(*size, single) for size in SIZES for single in (False, True)),
            _noise_reference(),
            _rendering(),
            _kernels(50_000),
            _integer_product(),
            _log(Path(folder)),
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
        with _one_thread() if single else nullcontext():
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


def _log(folder: Path) -> Contest:
    """Trials written durably in bulk, against sqlite-utils' own insert."""
    from sqlite_utils import Database

    protocol = load_protocol("bar-in-noise")
    store = open_store(folder / "ours.db")
    theirs = Database(folder / "theirs.db")
    theirs.enable_wal()
    theirs.execute("PRAGMA synchronous = FULL")
    session = Session.start(store, protocol, ObserverInfo("model", "bench"), "model")
    names = [f"column_{i}" for i in range(len(trial_row(0, _record(0))))]
    done = {"ours": 0, "theirs": 0}

    def batch(side: str) -> list[TrialRecord]:
        done[side] += 2000
        return [_record(done[side] + i) for i in range(2000)]

    def insert() -> None:
        rows = [trial_row(0, record) for record in batch("theirs")]
        table = theirs.table("trials")
        table.insert_all(dict(zip(names, row, strict=True)) for row in rows)

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
    if _gpu() is None:
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

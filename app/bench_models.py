"""Benchmarks of models: sessions, networks in batches, observers on a device."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..experiments.protocols.files import load_protocol
from ..experiments.session.observer import (
    ObserverNoise,
    Practice,
    frames_on,
    optional,
)
from ..experiments.stimulus.render import digests, render
from ..experiments.store.sqlite import Store, open_store
from ..models.decision import BATCH
from ..models.observers.template import Template
from ..models.registry import load, names
from ..models.simulate import run, teach
from .contest import Contest, one_thread, seconds

N_TRIALS = 20_000  # of a session in memory: what a session costs once is under 5 %
N_ON_DISK = 10_000
# A network as it is made, with the least read-out: its last features' first unit.
_UNTRAINED = {"size": "small", "weights": "random", "readout": "unit:0"}
_ON_CPU = 8  # trials that a network is measured with there
# Of `retina-cnn` in batches, against one trial at a time.
NETWORK_GOALS = {"bar-in-noise": 5.0, "gabor-in-noise": 2.5, "movie-bar": 2.0}


def session_in_memory() -> Contest:
    """A whole session of a template, against generating the pixels of its trials."""
    protocol = load_protocol("bar-in-noise").with_options(trials=N_TRIALS, contrast=0.2)
    n = _n_logged(protocol)
    practice = Practice(protocol)

    def theirs() -> None:
        with one_thread():
            for first in range(0, n, BATCH):
                table = practice.table(min(BATCH, n - first), first)
                render(protocol, practice.source, table)

    def ours() -> None:
        with one_thread():
            run(protocol, Template(), seed=1)

    return Contest(
        "template, whole session of bar-in-noise in memory, one thread",
        "trials",
        n,
        ours,
        theirs,
        f"rendering as many trials, {BATCH} at a time, one thread",
        goal=0.25,
    )


def session_floor() -> Contest:
    """What no session can leave out: every trial rendered, and its SHA-256."""
    protocol = load_protocol("bar-in-noise")
    practice = Practice(protocol)
    table = practice.table(BATCH)

    def theirs() -> None:
        with one_thread():
            render(protocol, practice.source, table)

    def ours() -> None:
        with one_thread():
            digests(render(protocol, practice.source, table))

    return Contest(
        "the floor of a session: bar-in-noise rendered and digested, one thread",
        "trials",
        BATCH,
        ours,
        theirs,
        "rendering alone, one thread",
    )


def session_on_disk(folder: Path, log: Contest) -> Contest:
    """A whole session of a template to a file, against the log's bulk rate."""
    protocol = load_protocol("bar-in-noise")
    protocol = protocol.with_options(trials=N_ON_DISK, contrast=0.2)
    store: Store = open_store(folder / "sessions.db")
    times = -(-_n_logged(protocol) // log.n)

    def theirs() -> None:
        for _ in range(times):
            log.ours()

    def ours() -> None:
        with one_thread():
            run(protocol, Template(), seed=1, store=store)

    return Contest(
        "template, whole session of bar-in-noise to disk, one thread",
        "trials",
        times * log.n,
        ours,
        theirs,
        f"trials written to the log, {log.n} at a time",
        goal=0.5,
    )


def network_contests(folder: Path) -> list[Contest]:
    """`retina-cnn` on a batch of trials, against one trial at a time; one thread."""
    return [_network(name, goal, folder) for name, goal in NETWORK_GOALS.items()]


def _network(name: str, goal: float, folder: Path) -> Contest:
    from ..models.networks.batches import Batches
    from ..models.networks.retina_cnn import RetinaCNN
    from ..models.training.practice import TrainingPlan

    practice = Practice(load_protocol(name))
    observer = RetinaCNN(seed=1, plan=TrainingPlan(n_steps=1, batch=8))
    with _cache_in(folder):
        teach(observer, practice)  # one step: what it has learned costs no time
    table, frames = practice.draw(BATCH, device=observer.device)
    alone = Batches(observer.name, observer.scores, observer.device, 1, threads=1)

    def noise() -> ObserverNoise:
        return ObserverNoise(1, table["trial"])

    return Contest(
        f"retina-cnn, {BATCH} trials of {name}, one thread",
        "trials",
        BATCH,
        lambda: observer.decide(frames, noise()),
        lambda: alone.decide(frames, noise()),
        "one trial at a time",
        goal=goal,
    )


@contextmanager
def _cache_in(folder: Path) -> Iterator[None]:
    """Keep weights in a folder for a while, not in the user's cache."""
    before = os.environ.get("YOKED_CACHE")
    os.environ["YOKED_CACHE"] = str(folder)
    try:
        yield
    finally:
        del os.environ["YOKED_CACHE"]
        if before is not None:
            os.environ["YOKED_CACHE"] = before


def _n_logged(protocol: Any) -> int:
    """Give how many trials a session of main blocks has, catch trials included."""
    n_blocks = sum(block.n_blocks for block in protocol.blocks)
    return protocol.n_main_trials + n_blocks * protocol.catch.n_per_block


# --- on a device ---------------------------------------------------------------------


def measure_device(device: str, rounds: int = 5) -> dict[str, Any]:
    """Measure the generator and every observer that needs no training on a device.

    Parameters
    ----------
    device
        Such as 'cuda' or 'cpu'.
    rounds
        Of each measurement; the fastest counts.

    Returns
    -------
    dict
        The device and its name; bytes per second that a copy within its memory reads
        and writes; bytes of pixels per second that the generator writes there, and
        their share of the copy's; and of each observer where it computes, trials per
        second, frames included, and the share of that time in which the frames are
        made.

    Raises
    ------
    ValueError
        If there is no such device.
    """
    import torch

    on_gpu = device.split(":")[0] == "cuda"
    if device.split(":")[0] not in ("cpu", "cuda"):
        raise ValueError(f"device must be cpu or cuda, got {device!r}")
    index = int(device.partition(":")[2] or 0)
    if on_gpu and index >= torch.cuda.device_count():
        raise ValueError(f"device must be available, got {device!r}")
    name = torch.cuda.get_device_name(device) if on_gpu else "cpu"
    copied, written = _copy_rate(device, rounds), _pixel_rate(device, rounds)
    return {
        "device": device,
        "name": name,
        "torch": torch.__version__,
        "copy_bytes_per_s": copied,
        "generator_bytes_per_s": written,
        "generator_share": written / copied,
        "observers": [
            _observer_row(name, options, device, rounds)
            for name, options in _measured(device)
        ],
    }


def _measured(device: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give names and options of what is measured: nothing has to be trained for it."""
    from ..models.networks.named import NAMES

    made: dict[str, Any] = {**_UNTRAINED, "device": device}
    if device == "cpu":
        made["batch"] = _ON_CPU
    for name in names():
        if name in NAMES:
            yield name, made
        elif not hasattr(load(name), "weights_hash"):
            yield name, {}
    if device != "cpu":  # as published
        yield "resnet-18", {**made, "size": "full"}


def _observer_row(
    name: str, options: dict[str, Any], device: str, rounds: int
) -> dict[str, Any]:
    observer = load(name, **options)
    protocol = load_protocol("bar-in-noise")
    practice = Practice(protocol)
    teach(observer, practice)
    place = optional(observer, "device")
    n = {"cpu": _ON_CPU, None: 512}.get(place, 1024)
    table = practice.table(n)
    frames = frames_on(place, protocol, practice.source, table)
    decide = _waited(
        place, lambda: observer.decide(frames, ObserverNoise(1, table["trial"]))
    )
    make = _waited(place, lambda: frames_on(place, protocol, practice.source, table))
    making, deciding = _best(make, rounds), _best(decide, rounds)
    size = f" ({options['size']})" if "size" in options else ""
    return {
        "observer": f"{name}{size}",
        "device": str(place or "cpu"),
        "trials_per_s": n / (making + deciding),
        "generation_share": making / (making + deciding),
    }


def _copy_rate(device: str, rounds: int) -> float:
    """Give the bytes that a copy within a device's memory reads and writes a second."""
    import torch

    source = torch.zeros(2**28 if device != "cpu" else 2**26, dtype=torch.uint8)
    source = source.to(device)
    target = torch.empty_like(source)
    copy = _waited(device, lambda: target.copy_(source))
    return 2 * source.numel() / _best(copy, rounds)


def _pixel_rate(device: str, rounds: int) -> float:
    """Give the bytes of pixels that the generator writes a second."""
    protocol = load_protocol("gabor-in-noise")
    practice = Practice(protocol)
    n = 8192 if device != "cpu" else 1024
    table = practice.table(n)
    make = _waited(device, lambda: frames_on(device, protocol, practice.source, table))
    size = frames_on(device, protocol, practice.source, practice.table(1)).numel()
    return n * size / _best(make, rounds)


def _waited(device: str | None, work: Callable[[], object]) -> Callable[[], object]:
    """Let work on a graphics card be over when the call is."""
    if not str(device).startswith("cuda"):
        return work
    import torch

    def whole() -> None:
        work()
        torch.cuda.synchronize(device)

    return whole


def _best(work: Callable[[], object], rounds: int) -> float:
    work()
    return min(seconds(work) for _ in range(rounds))

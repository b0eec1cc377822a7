"""Sessions of any design in a real trial log: rare contrasts, empty classes."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from yoked.experiments.protocols.parts import (
    Block,
    Contrast,
    Display,
    DoublePass,
    Noise,
    Signal,
    Task,
    Timing,
)
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.signal import plain_signal
from yoked.experiments.session.scoring import scored
from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import Store, open_store
from yoked.experiments.store.trial import Response, TrialSpec
from yoked.models.simulate import run

SD = 0.1


@dataclass(frozen=True)
class Design:
    """What two observers were shown, and how they responded.

    Attributes
    ----------
    sizes
        Trials at each contrast, repeats not counted.
    targets
        'even'; 'one' target always; the other a 'single' time.
    responds
        'noisy', or without any doubt 'constant', 'right' or 'wrong'.
    missing
        Share of trials without a response; 1: all but the first.
    n_pairs, second
        Trials shown twice, and the response then: its 'own', or 'reversed'.
    block
        Trials of a block.
    noise
        'own', the 'same' in all trials, or with an element that is 'still'.
    """

    task: str = "2afc"
    sizes: tuple[int, ...] = (40,)
    n_elements: int = 4
    targets: str = "even"
    responds: str = "noisy"
    missing: float = 0.0
    n_pairs: int = 0
    second: str = "own"
    block: int = 1000
    noise: str = "own"

    @property
    def n_responses(self) -> int:
        return {"mafc": 3, "rating": 4}.get(self.task, 2)

    @property
    def n_targets(self) -> int:
        return 3 if self.task == "mafc" else 2

    @property
    def n_intervals(self) -> int:
        return self.n_targets if "afc" in self.task else 1


def table(design: Design, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the trials of two observers, and the noise (stimulus, interval, element).

    The columns are those of `yoked import table`.
    """
    rng = np.random.default_rng(seed)
    n, n_intervals, e = sum(design.sizes), design.n_intervals, design.n_elements
    contrasts = np.round(np.linspace(0.1, 0.4, len(design.sizes) + 1)[1:], 9)
    order = rng.permutation(n)
    contrast = np.repeat(contrasts, design.sizes)[order]
    target = np.concatenate([np.arange(k) % design.n_targets for k in design.sizes])
    if design.targets != "even":
        target[:] = 1
        target[0] = 0 if design.targets == "single" else 1
    field = np.append(np.arange(n), rng.permutation(n)[: design.n_pairs])
    noise = rng.normal(0, SD, (n, n_intervals, e)).astype(np.float32)
    if design.noise == "same":
        noise[:] = noise[:1]
    if design.noise == "still":
        noise[..., 0] = 0.05
    trials = pd.DataFrame(
        {
            "trial": np.arange(len(field)),
            "stimulus_id": field,
            "target": target[order][field],
            "contrast": contrast[field],
            "repeats": pd.array([None] * n + field[n:].tolist(), dtype="Int64"),
            "block": np.arange(len(field)) // design.block,
        }
    )
    both = [
        trials.assign(observer=name, response=_responses(design, trials, noise, rng))
        for name in ("ann", "bob")
    ]
    return pd.concat(both, ignore_index=True), noise


def _responses(design: Design, trials: pd.DataFrame, noise: np.ndarray, rng):
    field, target = trials["stimulus_id"].to_numpy(), trials["target"].to_numpy()
    drive = noise[field, :, design.n_elements // 2]
    drive = drive + rng.normal(0, SD, drive.shape)
    signal = 0.4 * trials["contrast"].to_numpy()
    top = design.n_responses - 1
    if design.n_intervals > 1:
        drive[np.arange(len(field)), target] += signal
        given, right = drive.argmax(1), target
    else:
        drive = drive[:, 0] + signal * (target == 1) - signal / 2
        given = np.digitize(drive, np.linspace(-SD, SD, top + 2)[1:-1])
        right = target * top
    if design.responds == "constant":
        given = np.zeros_like(given)
    if design.responds in ("right", "wrong"):
        given = right if design.responds == "right" else (right + 1) % (top + 1)
    n, given = len(noise), given.copy()
    if design.second == "reversed":
        given[n:] = top - given[field[n:]]
    silent = rng.random(len(field)) < design.missing
    silent[0] = False
    return pd.array(np.where(silent, np.nan, given), dtype="Int64")


def recorded(design: Design, folder: Path, seed: int = 1) -> tuple[Path, list[str]]:
    """Write two observers and a model that is yoked to the first; give their ids."""
    rows, noise = table(design, seed)
    store = open_store(folder / "results.db")
    sha256 = store.add_noise(noise[:, :, None, None, :])
    ids = [
        _record(store, design, name, own, sha256)
        for name, own in rows.groupby("observer", sort=False)
    ]
    # By default its own noise follows the session's id, which differs at every run.
    seeds = {"seed": 2, "observer_seed": 3}
    model = run(None, Middle(design.n_elements), store=store, yoke_to=ids[0], **seeds)
    store.close()
    return folder / "results.db", [*ids, model.id]


def _record(
    store: Store, design: Design, name: str, own: pd.DataFrame, sha256: str
) -> str:
    e = design.n_elements
    shape = tuple(float(i == e // 2) for i in range(e))
    signal = Signal("array", (0.0, 1.0), values=shape)
    keys = tuple(str(key) for key in range(design.n_responses))
    protocol = Protocol(
        name="any",
        title="any",
        task=Task(design.task, keys),
        display=Display(1.0),
        noise=Noise("gaussian", SD, (1, 1, e), "stored"),
        signal=signal,
        contrast=Contrast(
            tuple(np.unique(own["contrast"]).tolist()), keep_correct=(0.0, 1.0)
        ),
        blocks=tuple(Block("main", n) for n in Counter(own["block"]).values()),
        timing=Timing(),
        double_pass=DoublePass(design.n_pairs, min_gap=1),
    )
    shown = {"name": name, "kind": "person"}
    session = Session.start(
        store, protocol, ObserverInfo(**shown), "import", noise_sha256=sha256
    )
    records = []
    for row in own.to_dict("records"):
        repeats = None if pd.isna(row["repeats"]) else int(row["repeats"])
        response = None if pd.isna(row["response"]) else int(row["response"])
        spec = TrialSpec(
            trial=int(row["trial"]),
            block=int(row["block"]),
            block_kind="main",
            condition=f"contrast-{row['contrast']:g}",
            stimulus_id=int(row["stimulus_id"]),
            pass_=1 if repeats is None else 2,
            repeats=repeats,
            contrast=float(row["contrast"]),
            target=int(row["target"]),
            signal=plain_signal(signal),
        )
        records.append(scored(session.protocol, spec, Response(response)))
    store.append_trials(session.id, records)
    store.finish(session.id)
    return session.id


class Middle:
    """A model that looks at the element in the middle, with noise of its own."""

    name = "middle"

    def __init__(self, n_elements: int) -> None:
        self.n_elements = n_elements

    def prepare(self, viewing) -> None:
        """Nothing is to be prepared."""

    def decide(self, frames, noise):
        """Give the level of the middle element, within its own noise."""
        width = frames.shape[-1] // self.n_elements
        level = frames[:, :, 0, 0, width * (self.n_elements // 2)].astype(float)
        return level + 127 * 2 * SD * noise.normal(frames.shape[1])


def without(rows: pd.DataFrame, contrast: float) -> pd.DataFrame:
    """Return the trials at other contrasts, numbered anew."""
    kept = rows[rows["contrast"] != contrast].copy()
    for _, own in kept.groupby("observer"):
        number = {trial: at for at, trial in enumerate(own["trial"])}
        kept.loc[own.index, "repeats"] = own["repeats"].map(number).astype("Int64")
        kept.loc[own.index, "trial"] = np.arange(len(own))
    return kept


def plain(design: Design) -> str:
    """Name a design by what differs from the plainest one."""
    base = Design()
    parts = {
        name: value
        for name, value in vars(design).items()
        if value != getattr(base, name)
    }
    return " ".join(f"{name}={value}" for name, value in parts.items()) or "plain"


__all__ = ["Design", "plain", "recorded", "replace", "table", "without"]

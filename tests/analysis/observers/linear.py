"""Observers of known properties, simulated without Yoked, for the tests of analysis.

A linear observer: decision variable w . noise + signal + internal noise, |w| = 1.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from yoked.analysis.trials.responses import Responses
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Task
from yoked.experiments.session.results import SessionData
from yoked.experiments.stimulus.sources import StoredNoise
from yoked.experiments.store.rows import ObserverInfo, SessionRow


@dataclass(frozen=True)
class Linear:
    """A linear observer in noise of SD `sd`; `signal` is the signal's part of w . x.

    The response is "yes" (in 2AFC, the second interval) above `criterion`, in units of
    the decision variable.
    """

    template: np.ndarray
    sd: float = 0.1
    gamma: float = 1.0
    criterion: float = 0.0

    @property
    def sd_decision(self) -> float:
        return self.sd * float(np.sqrt(1 + self.gamma**2))

    def decision_variables(self, noise, signal, rng):
        """Return (trial, interval); noise is (trial, interval, element)."""
        internal = rng.normal(0, self.gamma * self.sd, noise.shape[:2])
        return noise @ self.template + signal + internal

    def choose(self, decision_variables):
        d = decision_variables
        if d.shape[1] == 1:
            return (d[:, 0] > self.criterion).astype(np.int64)
        if d.shape[1] == 2:
            return (d[:, 1] - d[:, 0] > self.criterion).astype(np.int64)
        return d.argmax(1)


def unit(values) -> np.ndarray:
    values = np.asarray(values, np.float64)
    return values / np.linalg.norm(values)


def run(observer, task, n, signal, seed, n_pairs=0, n_alternatives=2, gains=(0, 1)):
    """Return (table, noise source) of n trials, the last `n_pairs` of them repeats.

    `signal` is one strength or several, shown equally often; the contrast counts them.
    """
    rng = np.random.default_rng(seed)
    strengths = np.atleast_1d(np.asarray(signal, np.float64))
    n_fields, n_intervals = n - n_pairs, n_alternatives if "afc" in task else 1
    shape = (n_fields, n_intervals, 1, 1, len(observer.template))
    noise = rng.normal(0, observer.sd, shape).astype(np.float32)
    field = np.concatenate([np.arange(n_fields), np.arange(n_pairs)])
    target = rng.permutation(np.arange(n_fields) % n_alternatives)[field]
    contrast = rng.permutation(np.arange(n_fields) % len(strengths))[field]
    has_target = target[:, None] == (np.arange(n_intervals) if n_intervals > 1 else [1])
    added = np.where(has_target, gains[1], gains[0]) * strengths[contrast][:, None]
    decision = observer.decision_variables(noise[field, :, 0, 0], added, rng)
    repeats = pd.array([pd.NA] * n_fields + list(range(n_pairs)), dtype="Int64")
    table = pd.DataFrame(
        {
            "trial": np.arange(n),
            "stimulus_id": field,
            "target": target,
            "response": observer.choose(decision),
            "contrast": contrast + 1.0,
            "repeats": repeats,
            "block_kind": "main",
            "valid": True,
            "excluded": False,
        }
    )
    return table, StoredNoise(noise)


def linear_responses(*arguments, **options):
    """Return (responses, noise source) of `run`."""
    table, source = run(*arguments, **options)
    task, n_responses = arguments[1], options.get("n_alternatives", 2)
    return Responses.from_table(table, task, n_responses), source


def session(table, source, task="2afc", id="human-1", observer="ann", yoked_to=None):
    """Return a session as the trial log would give it."""
    n_keys = {"rating": 6, "mafc": 4}.get(task, 2)
    protocol = load_protocol("bar-in-noise" if "afc" in task else "bar-polarity")
    protocol = protocol.with_options(contrast=protocol.contrast.values[0])
    protocol = replace(protocol, task=Task(task, tuple("abcdef"[:n_keys])))
    row = SessionRow(
        id=id,
        protocol_hash=protocol.hash,
        protocol_name=protocol.name,
        stimulus_hash=protocol.stimulus_hash,
        observer=ObserverInfo("person", observer),
        presenter="web",
        seed=1,
        observer_seed=None,
        noise_source="stored",
        yoked_to=yoked_to,
        status="finished",
        software="test",
        display=None,
        device=None,
        started_at="",
        ended_at=None,
        n_trials=len(table),
    )
    table = table.assign(response=table["response"].astype("Int64"))
    return SessionData(row, protocol, table, source)

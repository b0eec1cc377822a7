"""Sessions of circuits whose answers are known, with internal noise, in a trial log."""

import tempfile
from collections.abc import Hashable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ...experiments.protocols.files import load_protocol

GAMMA = 0.5
SESSION_SEED = 20_261_130  # of all of them, so that they have the same noise fields
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class Asked:
    """What a circuit is put before.

    Attributes
    ----------
    circuit, protocol
        Names.
    contrast
        Of all main trials.
    seed
        Of its internal noise.
    """

    circuit: str
    protocol: str
    contrast: float
    seed: int


def circuit_sessions(
    log: Path, wanted: Mapping[_Key, Asked], trials: int
) -> dict[_Key, str]:
    """Let circuits do their tasks, unless they have; give the sessions' ids.

    Each is a log of its own until it is whole: what was interrupted leaves nothing.

    Parameters
    ----------
    log
        The trial log's file, in a folder that is there.
    wanted
        By what they are called in the answer.
    trials
        Main trials of each.
    """
    from ...experiments.store.merge import merge
    from ...experiments.store.sqlite import open_store
    from ...models.registry import load
    from ...models.simulate import run

    found: dict[_Key, str] = {}
    with closing(open_store(log)) as store:
        done = {
            (row.observer.name, row.protocol_hash): row.id for row in store.sessions()
        }
    with tempfile.TemporaryDirectory(prefix="yoked-") as scratch:
        for number, (name, asked) in enumerate(wanted.items()):
            given = {"trials": trials, "contrast": asked.contrast}
            protocol = load_protocol(asked.protocol)
            key = asked.circuit, protocol.with_options(**given).hash
            if key not in done:
                alone = Path(scratch) / f"{number}.db"
                done[key] = run(
                    protocol,
                    load(asked.circuit),
                    store=alone,
                    seed=SESSION_SEED,
                    observer_seed=asked.seed,
                    internal_noise=GAMMA,
                    **given,
                ).id
                merge(log, [alone])
            found[name] = done[key]
    return found

"""What observers made of trials, kept in a folder: an interrupted score goes on.

To show trials to a network is what takes long; all else follows in seconds. A file is
of one observer, as it is (name, parameters, weights), of trials and of its noise; a
network that learns before it sees is asked when it has learnt.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...experiments.session.observer import Observer, Practice, optional
from ...models.asked import Asked
from ...models.decision import Calibration
from ...models.simulate import Progress, teach
from ..files import whole_file

if TYPE_CHECKING:
    from ...experiments.session.results import SessionData

_VERSION = 1  # raise it when the same observer would be asked otherwise


@dataclass(frozen=True)
class KeptAnswers:
    """Shows trials to observers, and reads what was shown before.

    Attributes
    ----------
    folder
        Where the files are; it is made.
    progress
        As in `yoked.run`.
    """

    folder: Path
    progress: Progress | None = None

    def __call__(self, session: "SessionData", observer: Observer, seed: int) -> Asked:
        """Show an observer a session's trials, unless that was done."""
        practice = Practice(session.protocol, session.row.noise_source)
        teach(observer, practice, self.progress)  # its weights are known then
        path = self.folder / f"{_key(session, observer, seed)}.npz"
        if path.is_file():
            with np.load(path) as kept:
                found = {name: kept[name] for name in kept.files}
            calibration = Calibration(
                session.protocol.task, found["reserved"], float(found["external_sd"])
            )
            n_used = int(found["n_used"])
            return Asked(
                session, observer, calibration, found["variables"], seed, n_used
            )
        made = Asked.of(session, observer, seed, self.progress)
        self.folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path, "wb") as file:
            np.savez(
                file,
                variables=made.variables,
                reserved=made.calibration.variables,
                external_sd=made.calibration.external_sd,
                n_used=made.n_used,
            )
        return made


def _key(session: "SessionData", observer: Observer, seed: int) -> str:
    """Name what an answer is a function of."""
    trials = session.counted[["trial", "stimulus_id", "contrast", "target"]]
    of: dict[str, Any] = {
        "version": _VERSION,
        "observer": observer.name,
        "parameters": optional(observer, "parameters"),
        "weights": optional(observer, "weights_hash"),
        "class": type(observer).__qualname__,
        "stimulus": session.protocol.stimulus_hash,
        "noise": session.row.noise_source,
        "of": session.row.seed,
        "trials": hashlib.sha256(trials.to_csv().encode()).hexdigest(),
        "seed": seed,
    }
    text = json.dumps(of, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]

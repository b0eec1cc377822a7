"""A folder that follows Psych-DS, the standard of behavioural data sets.

Written to Psych-DS 1.5.1: `dataset_description.json` with name, description and every
column in `variableMeasured`, in the vocabulary of schema.org; data files under `data/`
that are named by keywords; https://psychds-docs.readthedocs.io, "Rules and
Conventions", and schema_model/versions/jsons/1.5.1/schema.json of psych-ds/psych-DS.
"""

import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...experiments.protocols.contents import PICTURE, contents_of, kept
from ..files import whole_file
from .column_meanings import COLUMN_MEANINGS, STUDY_MEANINGS
from .sink import Sink
from .trial_table import Beside
from .trials_csv import csv_pieces

if TYPE_CHECKING:
    from ...experiments.store.rows import SessionRow
    from ...experiments.store.sqlite import Store

SCHEMA_VERSION = "Psych-DS 1.5.1"


def write_psych_ds(
    folder: str | Path, store: "Store", sessions: Sequence["SessionRow"]
) -> int:
    """Write sessions as a Psych-DS data set and return how many trials.

    A data file a session; the protocols, with which every stimulus can be made again,
    in `materials/`. Of a participant there is the code, of a computer nothing.
    Withdrawn sessions are left out.

    Parameters
    ----------
    folder
        Where the data set will be, whole or not at all; must not exist, or be empty.
    store, sessions
        What to write, a row at a time.

    Raises
    ------
    FileExistsError
        If there is something in the folder.
    FileNotFoundError
        If the folder that it is to be in does not exist.
    ValueError
        If there is no session to write.
    """
    made = DataSet(store, sessions)
    with _whole_folder(Path(folder)) as part:
        for name, pieces in made.files():
            path = part / name
            path.parent.mkdir(exist_ok=True)
            with whole_file(path, "wb") as file:
                file.writelines(pieces)
    return made.n_trials


def zip_pieces(made: "DataSet") -> Iterator[bytes]:
    """Give a data set as a ZIP file in pieces, of which one is in memory."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        for name, pieces in made.files():
            with archive.open(name, "w") as file:
                for piece in pieces:
                    file.write(piece)
                    yield sink.taken()
    yield sink.taken()


class DataSet:
    """A Psych-DS data set of sessions, a file after the other.

    Parameters
    ----------
    store, sessions
        What is in it, but for what was withdrawn.
    beside
        Columns of the trials besides the log's.

    Raises
    ------
    ValueError
        If there is no session to write.

    Attributes
    ----------
    n_trials
        Of the files so far.
    """

    def __init__(
        self,
        store: "Store",
        sessions: Sequence["SessionRow"],
        beside: Beside | None = None,
    ) -> None:
        self._sessions = [each for each in sessions if each.status != "withdrawn"]
        if not self._sessions:
            rule = "a session that was not withdrawn, to export"
            raise ValueError(f"the database must have {rule}, got none")
        self._store, self._beside = store, beside or Beside()
        self.n_trials = 0

    def files(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Give name and content of each file, in pieces that are read in this order."""
        kept = self._sessions
        for session, name in zip(kept, data_names(kept), strict=True):
            yield f"data/{name}", self._data(session)
        yield from _materials(self._store, kept)
        described = _description(kept, self.n_trials, self._beside.columns)
        text = json.dumps(described, indent=2) + "\n"
        yield "dataset_description.json", [text.encode()]
        yield "README.md", [_README.encode()]
        yield "CHANGES.md", [b"# Changes\n\n- 1.0.0: first export.\n"]

    def _data(self, session: "SessionRow") -> Iterator[bytes]:
        return csv_pieces(self._store, [session], self._beside, self._count)

    def _count(self, n: int) -> None:
        self.n_trials += n


def data_names(sessions: Sequence["SessionRow"]) -> list[str]:
    """Name a data file for each session, by Psych-DS's own keywords.

    A value has letters and digits only; where two codes become one by that, the
    session's still tells them apart.
    """
    taken: set[str] = set()
    names = []
    for number, session in enumerate(sessions):
        subject = _value(session.observer.name) or "unnamed"
        task = _value(session.protocol_name) or "unnamed"
        identity = _value(session.id) or f"number{number}"
        while identity.lower() in taken:  # some disks know no upper case
            identity += "again"
        taken.add(identity.lower())
        names.append(f"subject-{subject}_session-{identity}_task-{task}_data.csv")
    return names


def _value(text: str) -> str:
    return re.sub("[^A-Za-z0-9]", "", text)[:60]


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill that takes its place only when all has been written."""
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"the folder of {str(folder)!r} must exist")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise FileExistsError(f"{str(folder)!r} must not exist, or be an empty folder")
    folder = folder.resolve()
    part = folder.with_name(f".{folder.name}-{os.getpid()}")
    part.mkdir()
    try:
        yield part
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _materials(
    store: "Store", sessions: Sequence["SessionRow"]
) -> Iterator[tuple[str, list[bytes]]]:
    for digest in dict.fromkeys(session.protocol_hash for session in sessions):
        protocol = store.protocol(digest)
        name = f"protocol-{_value(protocol.name)}-{digest[:12]}.json"
        text = json.dumps(protocol.to_dict(), indent=2, ensure_ascii=False) + "\n"
        yield f"materials/{name}", [text.encode()]
        for sha256, what in contents_of(protocol.to_dict()).items():
            images = kept(sha256, what).dense()
            name = f"{'picture' if what == PICTURE else 'images'}-{sha256[:12]}.npy"
            file = io.BytesIO()
            np.save(file, images[0] if what == PICTURE else images)
            yield f"materials/{name}", [file.getvalue()]


def _description(
    sessions: Sequence["SessionRow"], n_trials: int, more: Sequence[str]
) -> dict[str, object]:
    """Give the metadata, in schema.org's words alone."""
    protocols = ", ".join(dict.fromkeys(row.protocol_name for row in sessions))
    n_people = len({r.observer.name for r in sessions if r.observer.kind == "person"})
    begun = sorted(row.started_at[:10] for row in sessions)
    return {
        "@context": "http://schema.org/",
        "@type": "Dataset",
        "name": f"Trials of {protocols}",
        "description": (
            f"{n_trials} trials of {len(sessions)} sessions, {n_people} participants "
            f"(by code), of the Yoked protocols {protocols}. One row a trial; `session`"
            " and `trial` together name a row. materials/ has the protocols, from which"
            " every stimulus can be made again."
        ),
        "schemaVersion": SCHEMA_VERSION,
        "temporalCoverage": f"{begun[0]}/{begun[-1]}",
        "keywords": ["psychophysics", "perception", "noise", "yoked observers"],
        "variableMeasured": [
            {"@type": "PropertyValue", "name": name, **meaning}
            for name, meaning in _meanings(more).items()
        ],
    }


def _meanings(more: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give what each column means; those of a study where they are there."""
    return COLUMN_MEANINGS | {name: STUDY_MEANINGS[name] for name in more}


_README = """\
# A Psych-DS data set, exported by Yoked

- `data/`: one CSV a session, one row a trial. `session` and `trial` name a row.
- `dataset_description.json`: the data set, and every column under `variableMeasured`.
- `materials/`: the protocols, and images and pictures that they name by SHA-256. With
  `protocol_hash`, `seed`, `stimulus_id`, `contrast`, `signal` and `target`, Yoked makes
  the frames of every trial again, bit for bit.

People are named by their participant code only; the key that leads from a code to a
person must stay where it is. Before you publish, add what only you know to
`dataset_description.json`: `author`, `license`, `citation`, `funder`, `url`,
`identifier` and `privacyPolicy`.
"""

"""A folder that follows Psych-DS, the standard of behavioural data sets.

Written to Psych-DS 1.5.1: `dataset_description.json` with name, description and every
column in `variableMeasured`, in the vocabulary of schema.org; data files under `data/`
that are named by keywords; https://psychds-docs.readthedocs.io, "Rules and
Conventions", and schema_model/versions/jsons/1.5.1/schema.json of psych-ds/psych-DS.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...experiments.protocols.contents import PICTURE, contents_of, kept
from ..files import whole_file, write_text
from .column_meanings import COLUMN_MEANINGS
from .trials_csv import write_trials

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
    kept = [session for session in sessions if session.status != "withdrawn"]
    if not kept:
        rule = "a session that was not withdrawn, to export"
        raise ValueError(f"the database must have {rule}, got none")
    with _whole_folder(Path(folder)) as part:
        (part / "data").mkdir()
        n_trials = 0
        for session, name in zip(kept, data_names(kept), strict=True):
            with whole_file(part / "data" / name) as file:
                n_trials += write_trials(file, store, [session])
        _write_materials(part / "materials", store, kept)
        described = json.dumps(_description(kept, n_trials), indent=2) + "\n"
        write_text(part / "dataset_description.json", described)
        write_text(part / "README.md", _README)
        write_text(part / "CHANGES.md", "# Changes\n\n- 1.0.0: first export.\n")
    return n_trials


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


def _write_materials(
    folder: Path, store: "Store", sessions: Sequence["SessionRow"]
) -> None:
    folder.mkdir()
    for digest in dict.fromkeys(session.protocol_hash for session in sessions):
        protocol = store.protocol(digest)
        name = f"protocol-{_value(protocol.name)}-{digest[:12]}.json"
        text = json.dumps(protocol.to_dict(), indent=2, ensure_ascii=False)
        write_text(folder / name, text + "\n")
        for sha256, what in contents_of(protocol.to_dict()).items():
            images = kept(sha256, what).dense()
            name = f"{'picture' if what == PICTURE else 'images'}-{sha256[:12]}.npy"
            np.save(folder / name, images[0] if what == PICTURE else images)


def _description(sessions: Sequence["SessionRow"], n_trials: int) -> dict[str, object]:
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
            for name, meaning in COLUMN_MEANINGS.items()
        ],
    }


_README = """\
# A Psych-DS data set, exported by Yoked

- `data/`: one CSV a session, one row a trial. `session` and `trial` name a row.
- `dataset_description.json`: the data set, and every column under `variableMeasured`.
- `materials/`: the protocols, and images and pictures that they name by SHA-256. With `protocol_hash`, `seed`, `stimulus_id`, `contrast`,
  `signal` and `target`, Yoked makes the frames of every trial again, bit for bit.

People are named by their participant code only; the key that leads from a code to a
person must stay where it is. Before you publish, add what only you know to
`dataset_description.json`: `author`, `license`, `citation`, `funder`, `url`,
`identifier` and `privacyPolicy`.
"""

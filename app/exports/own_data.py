"""One person's data as a file for them: JSON with its meanings, trials, consent."""

import io
import json
import zipfile
from typing import TYPE_CHECKING

from ...experiments.clock import utc_now
from ..studies.inventory import TABLES
from ..studies.own_data import rows_about, study_and_arm
from .trials_csv import csv_pieces

if TYPE_CHECKING:
    from ...experiments.store.trial_log import Store

FILE = "my-data.zip"
_README = """\
What is kept of you in this study, as of {at}.

data.json     every row of the server's database that is about you, by table: why it
              is kept, what each column means, and the rows. Times are in UTC.
trials.csv    your responses once more, for a spreadsheet.
consent.txt   what you agreed to.

Hashes (SHA-256, or made with a key that only the server has) stand where the server
keeps no name, code or address itself.
"""


def own_data(store: "Store", token_hash: str) -> bytes:
    """Give all that is kept of somebody, as a ZIP file.

    Parameters
    ----------
    store
        The trial log, with the tables beside it.
    token_hash
        Of their link.
    """
    rows = rows_about(store, token_hash)
    told = study_and_arm(store, rows)
    at = utc_now()
    described = {
        "made_at": at,
        "study": told and told[0],
        "arm": told and told[1],
        "tables": {
            name: {"why": table.why, "columns": table.columns, "rows": rows[name]}
            for name, table in TABLES.items()
        },
    }
    sessions = [store.session(row["id"]) for row in rows["sessions"]]
    texts = [row["text"] for row in rows["consents"]]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _README.format(at=at))
        archive.writestr("data.json", json.dumps(described, indent=1))
        archive.writestr("trials.csv", b"".join(csv_pieces(store, sessions)))
        archive.writestr("consent.txt", "\n\n".join(texts))
    return file.getvalue()

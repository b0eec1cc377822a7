"""What researchers take home: a study's log and trials, payments, one person's data."""

import csv
import io
import shutil
import tempfile
from pathlib import Path

from flask import Blueprint, abort, request, send_file
from werkzeug.wrappers import Response

from ....experiments.store.sqlite import open_store
from ...accounts import audit
from ...accounts.roles import OWNER, VIEWER
from ...exports.study_files import KINDS, study_pieces
from ...studies.answers_csv import answers_csv, safe_cell
from ...studies.enrolments import find_enrolment
from ...studies.exports import payable, write_log
from ..own_data import sent
from ..participate import the_host
from .blueprints import protected
from .entry import desk, signed_in
from .named import study_named

blueprint = protected(
    Blueprint(
        "researchers_downloads", __name__, url_prefix="/researchers/studies/<name>"
    )
)


LOG_KIND = "application/vnd.sqlite3"


@blueprint.get("/log.db")
def log(name: str) -> Response:
    """Send the trial log of a study: its tables alone, and nothing of other studies."""
    kept = study_named(name, VIEWER)
    host, file = the_host(), f"{kept.study.name}.db"
    sent = tempfile.TemporaryFile()  # noqa: SIM115 - gone when the reply is closed
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, file)
        pilots, models = asked("pilots"), asked("models")
        write_log(host.reader, host.db_path, kept.study.name, out, pilots, models)
        with out.open("rb") as written:
            shutil.copyfileobj(written, sent)
    sent.seek(0)
    return send_file(sent, LOG_KIND, as_attachment=True, download_name=file)


@blueprint.get("/trials.csv")
def trials_csv(name: str) -> Response:
    """Send the trials of a study as CSV."""
    return _streamed(name, "csv")


@blueprint.get("/trials.parquet")
def trials_parquet(name: str) -> Response:
    """Send the trials of a study as Parquet."""
    return _streamed(name, "parquet")


@blueprint.get("/psych-ds.zip")
def psych_ds(name: str) -> Response:
    """Send a study as a Psych-DS data set."""
    return _streamed(name, "psych-ds")


# By the kind of file, as `study_pieces` takes it.
OF_KIND = {"csv": trials_csv, "parquet": trials_parquet, "psych-ds": psych_ds}


def _streamed(name: str, kind: str) -> Response:
    """Send a file as it is made, from a reading that no writer waits for."""
    kept = study_named(name, VIEWER)
    store = open_store(the_host().db_path, create=False, to_read=True)
    try:
        pieces = study_pieces(store, kept, kind, asked("pilots"), asked("models"))
    except (ValueError, ModuleNotFoundError) as error:
        store.close()
        abort(409, f"{error}.")
    ending, mimetype = KINDS[kind]
    reply = Response(pieces, mimetype=mimetype)
    reply.call_on_close(store.close)
    file = f"attachment; filename={kept.study.name}-{ending}"
    reply.headers["Content-Disposition"] = file
    return reply


def asked(what: str) -> bool:
    """Whether pilot runs or models are asked for, too."""
    return request.args.get(what) == "yes"


@blueprint.get("/payments.csv")
def payments(name: str) -> Response:
    """Send codes and recruiters' names: for whoever pays."""
    kept = study_named(name, OWNER)
    by, at = signed_in(), desk().now()
    host = the_host()
    host.write(lambda db: audit.note(db, by, "read payments", at, study=kept.key))
    with host.reader.beside() as connection:
        rows = payable(connection, kept)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["session", "sitting", "code", "outcome", "external_id"])
    for row in rows:
        known = safe_cell(row.external_id or "")  # which anybody can write into a link
        writer.writerow([row.session, row.sitting, row.code, row.outcome, known])
    reply = Response(text.getvalue(), mimetype="text/csv")
    reply.headers["Content-Disposition"] = f"attachment; filename={name}-payments.csv"
    return reply


@blueprint.get("/answers.csv")
def answers(name: str) -> Response:
    """Send what people answered in questionnaires."""
    kept = study_named(name, VIEWER)
    by, at, host = signed_in(), desk().now(), the_host()
    host.write(lambda db: audit.note(db, by, "read answers", at, study=kept.key))
    with host.store.beside() as connection:
        text = answers_csv(connection, kept, asked("pilots"))
    reply = Response(text, mimetype="text/csv")
    reply.headers["Content-Disposition"] = f"attachment; filename={name}-answers.csv"
    return reply


@blueprint.post("/person")
def person(name: str) -> Response:
    """Send all that is kept of one person, who gave their withdrawal code for it."""
    kept = study_named(name, OWNER)
    by, at, host = signed_in(), desk().now(), the_host()
    whose = host.whose_code(request.form.get("code", "")[:100])
    with host.store.beside() as connection:
        place = None if whose is None else find_enrolment(connection, whose)
    if whose is None or place is None or place.study != kept.key:
        abort(404, "This code belongs to nobody in this study.")
    done = "read the data of one person"
    host.write(lambda db: audit.note(db, by, done, at, study=kept.key))
    return sent(whose)

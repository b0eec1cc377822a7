"""What the server keeps about a participant: every table and column, why, how long.

One list for the ethics board's page and for the export of one person's own data, held
against the schema by a test: a new table or column has to be told of here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ...experiments.store.trial_columns import TRIAL
from .description import DETAILS, Study

_OF_LINK = "token_hash = ?"
_OF_SESSION = "(SELECT session FROM participations WHERE token_hash = ?)"
_OF_KEY = f"session IN (SELECT key FROM sessions WHERE id IN {_OF_SESSION})"

VIEWERS = "whoever has a role in the study, and administrators"
OWNERS = "the study's owners, and administrators"
NOBODY = "nobody on a page or in an export: whoever can read the file on the server"

FOR_GOOD = "until the person withdraws, or the database is deleted"
AS_PROOF = "as long as the database: a withdrawal leaves it"


@dataclass(frozen=True)
class Table:
    """A table that has rows about a participant.

    Attributes
    ----------
    why
        What it is needed for.
    how_long
        When its rows go; `{keep_ids_days}` is the study's.
    seen_by
        Who sees it on a page or in an export.
    whose
        Condition of SQL on its rows: of whose link the SHA-256 is the parameter.
    columns
        What each is.
    """

    why: str
    how_long: str
    seen_by: str
    whose: str
    columns: Mapping[str, str]


TABLES: Mapping[str, Table] = {
    "enrolments": Table(
        "A place in the study: quota, arms, nobody twice, withdrawal by code",
        f"{AS_PROOF}, so that nobody takes part twice",
        f"{VIEWERS}: arm, pilot run and outcome; the hashes: {NOBODY}",
        _OF_LINK,
        {
            "key": "Number of the row",
            "token_hash": "SHA-256 of the secret in the address of the session",
            "study": "Which study",
            "arm": "Which of its arms",
            "is_pilot": "Whether it is a pilot run, which counts for nothing",
            "link": "Number of the personal link that it began by",
            "external_hash": "Keyed hash of the recruiter's name for the person; the "
            "key is not in the database",
            "begun_at": "When the person agreed, in UTC",
            "ended_at": "When their part ended, in UTC",
            "outcome": "How it ended: complete, screened out, withdrawn",
            "withdrawal_hash": "Keyed hash of the withdrawal code",
        },
    ),
    "external_ids": Table(
        "To refuse a second participation, and to pay or credit",
        "{keep_ids_days} days after the person's part ended, or began where it never "
        "ended; at once when the person withdraws",
        f"{OWNERS}, in the list of payments alone; reading it is in the audit log",
        "enrolment IN (SELECT key FROM enrolments WHERE token_hash = ?)",
        {
            "enrolment": "Number of the enrolment",
            "id": "The recruiter's name for the person: the one thing here that names",
            "detail": "What else the recruiter's link said, such as numbers of its "
            "study and submission",
        },
    ),
    "links": Table(
        "Personal links let one person in once",
        AS_PROOF,
        "the study's editors and owners: number, label and whether it was used",
        "key IN (SELECT link FROM enrolments WHERE token_hash = ?)",
        {
            "key": "Number of the link",
            "token_hash": "SHA-256 of the secret in its address",
            "study": "Which study",
            "label": "The researchers' own word for it, which should name nobody",
            "is_pilot": "Whether it is for pilot runs",
            "made_at": "When it was made, in UTC",
            "revoked_at": "When it was revoked, in UTC",
            "model": "Empty for a person",
        },
    ),
    "answers": Table(
        "What the person answers in questionnaires before and after the task",
        f"{FOR_GOOD}; what they wrote goes {{keep_ids_days}} days after their part "
        "ended, but where the study says that it names nobody",
        VIEWERS,
        f"session IN {_OF_SESSION}",
        {
            "session": "Id of the session",
            "questionnaire": "Which questionnaire",
            "question": "Which question",
            "answer": "The answer, as JSON; none where it was taken back or erased",
            "step": "Count of the changes of the answer",
            "language": "In which it was asked",
            "answered_at": "When, in UTC",
            "erased_at": "When what was written was erased, in UTC",
        },
    ),
    "questionnaires_done": Table(
        "So that a questionnaire is asked once",
        FOR_GOOD,
        NOBODY,
        f"session IN {_OF_SESSION}",
        {
            "session": "Id of the session",
            "questionnaire": "Which questionnaire",
            "done_at": "When it was handed in, in UTC",
        },
    ),
    "participations": Table(
        "What was agreed to, in which language, and the code that proves the end",
        AS_PROOF,
        f"{VIEWERS}: sitting, language, time of day; {OWNERS}: completion code, in the "
        "list of payments",
        _OF_LINK,
        {
            "session": "Which session",
            "token_hash": "SHA-256 of the secret in its address",
            "sitting": "Which sitting it is, from 1",
            "language": "Of the texts that were read",
            "consent_version": "SHA-256 of the text that was agreed to",
            "consented_at": "When, in UTC",
            "completion_code": "Shown at the end, to be handed to whoever pays",
            "outcome": "How the session ended: complete, screened out",
            "utc_offset_min": "By how many minutes the browser's clock was before UTC, "
            "for the time of day; none after a withdrawal",
        },
    ),
    "consents": Table(
        "To prove what was agreed to",
        "as long as the database; it is the same for everybody",
        "everybody whom the study asks",
        "version IN (SELECT consent_version FROM participations WHERE token_hash = ?)",
        {"version": "SHA-256 of the text", "text": "The text itself"},
    ),
    "observers": Table(
        "A code by which the sessions of one person belong together",
        AS_PROOF,
        f"{VIEWERS}; it is in every export of trials",
        f"id IN (SELECT observer FROM sessions WHERE id IN {_OF_SESSION})",
        {
            "id": "Number of the row",
            "kind": "A person or a model",
            "name": "'participant-' and eight random letters and digits",
            "parameters": "Empty for a person",
            "weights_hash": "Empty for a person",
        },
    ),
    "sessions": Table(
        "To make every stimulus again, and to know what it was shown on",
        "screen and device: until the person withdraws; the rest as long as the "
        "database, as the proof that a session was there",
        f"{VIEWERS}; it is in the trial log",
        f"id IN {_OF_SESSION}",
        {
            "key": "Number of the row",
            "id": "Name of the session: its day and eight letters and digits",
            "protocol": "What was shown",
            "observer": "Whose it is",
            "presenter": "What showed it: the browser",
            "seed": "From which the noise and the order of the trials follow",
            "observer_seed": "Empty for a person",
            "noise_source": "How the noise follows from the seed",
            "yoked_to": "Empty for a person",
            "status": "unfinished, finished, withdrawn",
            "software": "Our version",
            "display": "Of the screen: size, zoom, refresh rate as the browser says, "
            "full screen or not, the size of a degree, our correction of brightness",
            "device": "Empty for a person in a browser: neither its name nor its kind",
            "started_at": "When it began, in UTC",
            "ended_at": "When it ended, in UTC",
        },
    ),
    "trials": Table(
        "The data of the study",
        FOR_GOOD,
        f"{VIEWERS}; it is what the exports are of",
        _OF_KEY,
        {
            "session": "Number of the session",
            **{column.name: column.meaning for column in TRIAL},
        },
    ),
    "events": Table(
        "To tell a trial that was seen from one that was not, and why a session ended",
        FOR_GOOD,
        f"{VIEWERS}; it is in the trial log",
        _OF_KEY,
        {
            "session": "Number of the session",
            "at": "When it was stored, in UTC",
            "kind": "Such as another key, a touch, a page left, another screen",
            "detail": "To which trial it belongs, and when in it; never which other "
            "key was pressed",
        },
    ),
    "exclusions": Table(
        "Trials that enter no statistic, by whom and why",
        FOR_GOOD,
        f"{VIEWERS}; it is in the trial log",
        _OF_KEY,
        {
            "session": "Number of the session",
            "trial": "Number of the trial",
            "by": "The researcher, or 'protocol'",
            "reason": "Why",
            "at": "When, in UTC",
        },
    ),
    "tombstones": Table(
        "So that a backup from before a withdrawal forgets the session, too",
        AS_PROOF,
        NOBODY,
        f"session IN {_OF_SESSION}",
        {"session": "Name of the session", "at": "When it was withdrawn, in UTC"},
    ),
}

# Tables without a row about a participant, and what they are of.
NOT_OF_PEOPLE: Mapping[str, str] = {
    "studies": "What each study asks of whom",
    "arms": "What each arm does",
    "protocols": "What is shown",
    "noise": "Noise of data that were imported",
    "health": "Whether the server can write",
    "accounts": "Researchers: names and hashes of passwords",
    "account_links": "Researchers: one-time links to set a password",
    "account_settings": "Researchers: whether all need an authenticator app",
    "api_tokens": "Researchers: hashes of their programs' tokens",
    "audit": "Researchers: who did what about which account or study",
    "recovery_codes": "Researchers: hashes of their codes",
    "sign_ins": "Researchers: their browsers' sign-ins",
    "study_roles": "Researchers: who may what in which study",
    "_sqlite_migrations": "Which versions of the tables the file has",
    "sqlite_sequence": "Numbers that were given",
}


@dataclass(frozen=True)
class Elsewhere:
    """What is kept besides the database, or leaves the server.

    Attributes
    ----------
    where, what, how_long
        In words.
    """

    where: str
    what: str
    how_long: str


def elsewhere(study: Study, db_name: str) -> list[Elsewhere]:
    """List what is beside the database, in browsers, in logs, and at the recruiter.

    Parameters
    ----------
    study
        Says who recruits.
    db_name
        Of the database's file.
    """
    found = [
        Elsewhere(
            f"{db_name}.key, beside the database and in no copy of it",
            "The key of all keyed hashes. With it, whoever knows a person's name at "
            "the recruiter can find out whether they were here; without it nobody",
            "as long as the database",
        ),
        Elsewhere(
            f"{db_name}.withdrawn, beside the database",
            "Names of sessions that were withdrawn, and nothing else",
            "as long as there are backups",
        ),
        Elsewhere(
            "Backups and copies, wherever they were put",
            "All that the database had then; restoring one forgets who withdrew since",
            "as the lab decides; this server does not know of them",
        ),
        Elsewhere(
            "The server's log",
            "Times and faults: no address of a computer, no link, no name",
            "as the system keeps its logs",
        ),
        Elsewhere(
            "The participant's own browser",
            "The secret of the link; responses until the server has confirmed them; "
            "how often the trial that is due was shown. No cookie",
            "until the session is done; the link also until its tab is closed",
        ),
    ]
    return [*found, *_at_recruiter(study)]


def _at_recruiter(study: Study) -> list[Elsewhere]:
    """Say what goes to whoever recruits, and what comes from there."""
    recruitment, source = study.recruitment, study.recruitment.source
    if recruitment.id_parameter is None:
        what = "Nothing: this study knows no recruiter"
        if recruitment.complete or recruitment.screened_out or recruitment.no_consent:
            what = "Only that somebody came back, by the address for each ending"
        return [Elsewhere("Recruiters", what, "–")]
    came = ", ".join((recruitment.id_parameter, *DETAILS[source]))
    sent = "The participant is sent back by the address for each ending"
    endings = (recruitment.complete, recruitment.screened_out)
    sent += (
        ", with the name that they came with in it"
        if any("{id}" in address for address in endings)
        else ", in which no name stands"
    )
    return [
        Elsewhere(
            f"{source}, which recruits",
            f"It sends, in the link: {came}. {sent}. It is told how the part ended, by "
            "that address or the completion code, and no response",
            f"as {source} keeps it",
        )
    ]

"""What a program with a token, or a page's script, may ask and do: `/api/v1`."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, abort, jsonify, url_for

from ...accounts.roles import EDITOR, VIEWER
from ...exports.study_files import KINDS
from ...studies.counts import counts_of
from ...studies.exports import sessions_of
from ...studies.kept import KeptStudy
from ...studies.links import Link, links_of
from ...studies.monitor import Attending, attending
from ..described import body_as, described
from ..participate import the_host
from ..trial_api import json_body
from . import downloads
from .blueprints import protected
from .deeds import (
    make_invitations,
    make_study,
    put_into,
    revoke_invitation,
    studies_of,
)
from .entry import signed_in
from .named import role_of, study_named
from .results import found_so_far, is_current, look_at, session_named
from .rows import (
    SESSION_QUERY,
    ArmRow,
    LinkRow,
    Links,
    MadeLinks,
    NewLinks,
    NewState,
    NewStudy,
    OneSession,
    OneStudy,
    People,
    Person,
    ResultRow,
    Results,
    Sessions,
    Studies,
    StudyRow,
    Whose,
)

ROOT = "/api/v1"
blueprint = protected(
    Blueprint("researchers_api", __name__, url_prefix=ROOT), by_token=True
)
_OF_STUDY = "/studies/<name>"


@blueprint.get("/account")
@described(Whose, errors=(403,))
def account() -> Response:
    """Say whose token or sign-in it is."""
    who = signed_in()
    return jsonify(Whose(who.name, who.is_administrator))


@blueprint.get("/studies")
@described(Studies, errors=(403,))
def studies() -> Response:
    """List the studies in which whoever asks has a role."""
    found = studies_of(signed_in())
    return jsonify(Studies([_study_row(*each) for each in found]))


@blueprint.post("/studies")
@described(OneStudy, status=201, body=NewStudy, errors=(400, 403, 409, 413))
def create() -> tuple[Response, int, dict[str, str]]:
    """Make a study, as a draft; whoever makes it is its owner."""
    signed_in()
    given = body_as(NewStudy, json_body())
    try:
        kept = make_study(given.text)
    except ValueError as error:
        abort(409, f"{error}.")
    where = url_for(".one", name=kept.study.name)
    return jsonify(_one_study(kept)), 201, {"Location": where}


@blueprint.get(_OF_STUDY)
@described(OneStudy, errors=(403, 404))
def one(name: str) -> Response:
    """Give a study."""
    return jsonify(_one_study(study_named(name, VIEWER)))


@blueprint.post(f"{_OF_STUDY}/state")
@described(OneStudy, body=NewState, errors=(400, 403, 404, 409, 413))
def change_state(name: str) -> Response:
    """Open, pause or close a study."""
    kept = study_named(name, EDITOR)
    given = body_as(NewState, json_body())
    try:
        put_into(kept, given.state)
    except ValueError as error:
        abort(409, f"{error}.")
    return jsonify(_one_study(study_named(name, VIEWER)))


@blueprint.get(f"{_OF_STUDY}/links")
@described(Links, errors=(403, 404))
def links(name: str) -> Response:
    """List the personal links of a study, without their addresses; for editors."""
    return jsonify(Links(_links(study_named(name, EDITOR))))


@blueprint.post(f"{_OF_STUDY}/links")
@described(MadeLinks, status=201, body=NewLinks, errors=(400, 403, 404, 413))
def invite(name: str) -> tuple[Response, int]:
    """Make personal links, and tell their addresses this once; for editors."""
    kept = study_named(name, EDITOR)
    given = body_as(NewLinks, json_body())
    made = make_invitations(kept, given.n, given.label, given.is_pilot)
    return jsonify(MadeLinks(made)), 201


@blueprint.post(f"{_OF_STUDY}/links/<int:number>/revoke")
@described(LinkRow, errors=(403, 404))
def revoke(name: str, number: int) -> Response:
    """Let a link lead nowhere; who has begun by it goes on. For editors."""
    kept = study_named(name, EDITOR)
    revoke_invitation(kept, number)
    (row,) = [each for each in _links(kept) if each.number == number]
    return jsonify(row)


@blueprint.get(f"{_OF_STUDY}/people")
@described(People, errors=(403, 404))
def people(name: str) -> Response:
    """Say who is where in a study: what its page shows, and looks at again."""
    kept, store = study_named(name, VIEWER), the_host().reader
    with store.beside() as connection:
        sessions = [_person(each) for each in attending(store, connection, kept)]
        counts = counts_of(connection, kept)
    return jsonify(People(kept.study.quota, counts, sessions))


@blueprint.get(f"{_OF_STUDY}/results")
@described(Results, errors=(403, 404))
def results(name: str) -> Response:
    """Say what was found so far; what is new is computed meanwhile: ask again."""
    kept = study_named(name, VIEWER)
    found = found_so_far(kept)
    at_work = the_host().models.of(kept.study.name)
    rows = [
        ResultRow(
            **{field: getattr(each.session, field) for field in _OF_SESSION},
            table=each.table,
            is_current=each.is_current,
        )
        for each in found.rows
    ]
    return jsonify(
        Results(found.is_computing, found.n_more, rows, found.pictures, at_work)
    )


_OF_SESSION = (
    "session",
    "arm",
    "sitting",
    "observer",
    "is_pilot",
    "is_model",
    "status",
    "outcome",
)


@blueprint.get(f"{_OF_STUDY}/sessions")
@described(Sessions, query=SESSION_QUERY, errors=(403, 404))
def sessions(name: str) -> Response:
    """List the sessions that the files of a study have, in the order of their begin."""
    kept, asked = study_named(name, VIEWER), downloads.asked
    with the_host().reader.beside() as connection:
        found = sessions_of(connection, kept, asked("pilots"), asked("models"))
    return jsonify(Sessions(found))


@blueprint.get(f"{_OF_STUDY}/sessions/<session>")
@described(OneSession, errors=(403, 404))
def one_session(name: str, session: str) -> Response:
    """Give a session, with what was found of it so far."""
    found = session_named(study_named(name, VIEWER), session)
    look, row = look_at(found), the_host().reader.session(session)
    return jsonify(
        OneSession(
            session=_person(found),
            protocol_hash=row.protocol_hash,
            display=None if row.display is None else dict(row.display),
            found=None if look is None else look.answer,
            is_current=is_current(look, found),
        )
    )


# The files of the pages themselves: each with what is said of it.
for path, view, kind, query, errors in (
    *(
        (KINDS[name].ending, of_kind, KINDS[name].mimetype, SESSION_QUERY, (409,))
        for name, of_kind in downloads.OF_KIND.items()
    ),
    ("log.db", downloads.log, downloads.LOG_KIND, SESSION_QUERY, ()),
    (
        "answers.csv",
        downloads.answers,
        "text/csv",
        {"pilots": SESSION_QUERY["pilots"]},
        (),
    ),
    ("payments.csv", downloads.payments, "text/csv", {}, ()),
):
    described(kind, query=query, errors=(403, 404, *errors))(view)
    blueprint.add_url_rule(f"{_OF_STUDY}/{path}", view_func=view)


def _study_row(kept: KeptStudy, counts: Any, role: str) -> StudyRow:
    asked = kept.study
    return StudyRow(
        asked.name,
        asked.shown_title,
        kept.state,
        kept.made_at,
        role,
        asked.quota,
        counts,
    )


def _one_study(kept: KeptStudy) -> OneStudy:
    asked, role = kept.study, role_of(kept)
    assert role is not None, "whoever has none is told of no study"
    with the_host().reader.beside() as connection:
        counts = counts_of(connection, kept)
    return OneStudy(
        study=_study_row(kept, counts, role),
        address=url_for("participate.one_of_many", name=asked.name, _external=True),
        source=asked.recruitment.source,
        id_parameter=asked.recruitment.id_parameter,
        arms=[
            ArmRow(arm.name, arm.weight, [each.name for each in arm.protocols])
            for arm in asked.arms
        ],
        questionnaires=[each.id for each in asked.questionnaires],
    )


def _links(kept: KeptStudy) -> list[LinkRow]:
    with the_host().reader.beside() as connection:
        return [_link(*each) for each in links_of(connection, kept.key)]


def _link(link: Link, is_used: bool) -> LinkRow:
    return LinkRow(
        link.key, link.label, link.is_pilot, is_used, link.made_at, link.revoked_at
    )


def _person(each: Attending) -> Person:
    return Person(**asdict(each), last_seen_there=each.seen_there)

"""What is done with a study, by a form of a page or by a program: one code for both."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from flask import abort, url_for

from ....experiments.store.connection import Connection
from ...accounts import audit, roles
from ...accounts.accounts import Account
from ...accounts.roles import OWNER
from ...studies.counts import Counts, counts_of
from ...studies.description import load_study
from ...studies.kept import KeptStudy, add_study, every_study, key_of, set_state
from ...studies.links import make_links, revoke_link
from ..participate import the_host
from .entry import desk, signed_in

MOST_LINKS = 500  # at once
LONGEST_LABEL = 60


@dataclass(frozen=True)
class Invitation:
    """A link that was just made.

    Attributes
    ----------
    label
        The researchers' own word for it.
    address
        Where it leads; it is shown once, and stored nowhere.
    """

    label: str
    address: str


def studies_of(account: Account) -> list[tuple[KeptStudy, Counts, str]]:
    """List the studies in which an account has a role, with that role."""
    store = the_host().reader

    def role(kept: KeptStudy) -> str | None:
        return desk().accounts.read(lambda db: roles.role_in(db, account, kept.key))

    with store.beside() as connection:
        return [
            (kept, counts_of(connection, kept), found)
            for kept in every_study(store)
            if (found := role(kept)) is not None
        ]


def make_study(text: str) -> KeptStudy:
    """Make a study from the text of its file; whoever makes it is its owner.

    Raises
    ------
    ValueError
        If the text breaks a rule, or names a file.
    """
    by, at, store = signed_in(), desk().now(), the_host().store
    try:
        with tempfile.TemporaryDirectory() as folder:
            # Alone in its folder: it can name shipped protocols, and no other file.
            path = Path(folder, "study.toml")
            path.write_text(text, encoding="utf-8")
            study = load_study(path)
    except (LookupError, OSError) as error:
        raise ValueError(str(error)) from error

    def make(db: Connection) -> None:
        add_study(store, study)
        key = key_of(db, study.name)
        assert key is not None, "it was added"
        roles.give(db, by, by, key, OWNER, at)

    the_host().write(make)
    kept = the_host().study(study.name)
    assert kept is not None, "it was added"
    return kept


def put_into(kept: KeptStudy, state: str) -> None:
    """Open, pause or close a study.

    Raises
    ------
    ValueError
        If there is no such state, or it cannot go there.
    """
    by, at, store = signed_in(), desk().now(), the_host().store

    def change(db: Connection) -> None:
        set_state(store, kept.study.name, state)
        audit.note(db, by, f"made a study {state}", at, study=kept.key)

    the_host().write(change)


def make_invitations(
    kept: KeptStudy, n: int, label: str, is_pilot: bool
) -> list[Invitation]:
    """Make links; their addresses can be shown this once.

    Raises
    ------
    ValueError
        If these are too many at once.
    """
    by, at = signed_in(), desk().now()
    if not 1 <= n <= MOST_LINKS:
        rule = f"from 1 to {MOST_LINKS}"
        raise ValueError(f"the number of links must be {rule}, got {n}")
    labels = [f"{label} {number}".strip() for number in range(1, n + 1)]

    def make(db: Connection) -> list[str]:
        audit.note(db, by, "made links", at, study=kept.key, detail=str(n))
        return make_links(db, kept.key, labels, is_pilot)

    return [
        Invitation(each, url_for("participate.join", link=token, _external=True))
        for each, token in zip(labels, the_host().write(make), strict=True)
    ]


def revoke_invitation(kept: KeptStudy, number: int) -> None:
    """Let a link lead nowhere; a page says so where there is none."""
    by, at = signed_in(), desk().now()

    def change(db: Connection) -> None:
        revoke_link(db, kept.key, number)
        audit.note(db, by, "revoked a link", at, study=kept.key, detail=str(number))

    try:
        the_host().write(change)
    except LookupError:
        abort(404, "The study has no such link.")

"""The study that an address names, for whoever has a role in it."""

from flask import abort

from ...accounts import roles
from ...studies.kept import KeptStudy
from ..participate import the_host
from .entry import desk, require_role, signed_in


def study_named(name: str, role: str) -> KeptStudy:
    """Give a study in which whoever asks has a role, or a higher one.

    Whoever has none is told the same as where there is no such study.
    """
    signed_in()  # whoever is nobody is not told which studies there are
    kept = the_host().study(name)
    if kept is None:
        abort(404, "There is no such study, or you have no part in it.")
    require_role(kept.key, role)
    return kept


def role_of(kept: KeptStudy) -> str | None:
    """Give the role in a study of whoever asks; None without one."""
    account = signed_in()
    return desk().accounts.read(lambda db: roles.role_in(db, account, kept.key))

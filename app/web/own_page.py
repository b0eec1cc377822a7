"""Nothing is done in a visitor's name because another site's page asks for it."""

from urllib.parse import urlsplit

from flask import abort, request

from .phrases import say


def require_own_page(otherwise: str | None = None) -> None:
    """Refuse what another site sends in a visitor's name.

    Parameters
    ----------
    otherwise
        The sentence of the refusal; a participant's unless told otherwise.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        is_own = site in ("same-origin", "none")
    else:
        is_own = origin in (None, "null") or _host_of(origin) == request.host
    if not is_own:
        abort(403, otherwise or say("complaint.other_site"))


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None

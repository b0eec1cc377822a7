"""Nothing is done in a visitor's name because another site's page asks for it."""

from urllib.parse import urlsplit

from flask import abort, request

OF_A_STUDY = "Sessions begin on the study's own page. Please open it first."


def require_own_page(otherwise: str = OF_A_STUDY) -> None:
    """Refuse what another site sends in a visitor's name.

    Parameters
    ----------
    otherwise
        The sentence of the refusal.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        is_own = site in ("same-origin", "none")
    else:
        is_own = origin in (None, "null") or _host_of(origin) == request.host
    if not is_own:
        abort(403, otherwise)


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None

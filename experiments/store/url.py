"""Databases on a PostgreSQL server are named by their URL, as libpq takes it."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

SCHEMES = ("postgresql", "postgres")


def is_url(place: object) -> bool:
    """Say whether a database is named by the URL of a PostgreSQL server.

    Examples
    --------
    >>> is_url("postgresql://yoked@db.example.org/studies"), is_url("results.db")
    (True, False)
    """
    return isinstance(place, str) and place.partition("://")[0] in SCHEMES


def absolute(place: str | Path) -> str:
    """Give the place of a database as another process finds it, from its own folder.

    Examples
    --------
    >>> absolute("postgresql://yoked@db.example.org/studies")
    'postgresql://yoked@db.example.org/studies'
    """
    return str(place) if is_url(place) else str(Path(place).resolve())


def name_of(place: str | Path) -> str:
    """Give the name of a database: of its file, or on its server.

    Examples
    --------
    >>> name_of("postgresql://yoked@db.example.org/studies?sslmode=require")
    'studies'
    """
    if not is_url(place):
        return Path(place).name
    return urlsplit(str(place)).path.strip("/") or "postgres"


def without_password(url: str) -> str:
    """Give a URL as it may be shown.

    Examples
    --------
    >>> without_password("postgresql://yoked:secret@localhost:5432/lab?sslmode=require")
    'postgresql://yoked@localhost:5432/lab'
    """
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    shown = parts._replace(netloc=user.partition(":")[0] + at + host, query="")
    return urlunsplit(shown)

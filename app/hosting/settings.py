"""How a server is told what it needs to know: command line, environment, file."""

import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...experiments.protocols.checks import suggestion

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOG_LEVELS = ("debug", "info", "warning", "error")
ENVIRONMENT = "YOKED_"  # then the name of a setting, in capitals
_HEADER = re.compile("[A-Za-z][A-Za-z0-9-]*")
_PATH = re.compile(r"/(?:[A-Za-z0-9._~-]+/)*")


@dataclass(frozen=True)
class Settings:
    """What a server is told.

    Attributes
    ----------
    host, port
        Where it listens; port 0 takes any that is free.
    prefix
        Path of all its pages, with a slash at both ends; by default that of `url`.
    trusted_proxies
        Addresses and networks whose forwarded headers are believed.
    url
        Address by which the public reaches it, for links; None where that is where it
        listens.
    sign_on_header
        Header in which a trusted proxy says who has signed on; None where none does.
    log_level
        The least that is logged: one of `LOG_LEVELS`.

    Raises
    ------
    ValueError
        If a value is none of these, or two of them do not agree.

    Examples
    --------
    >>> Settings(url="https://lab.example.org/psych/yoked").prefix
    '/psych/yoked/'
    """

    host: str = "127.0.0.1"
    port: int = 8000
    prefix: str | None = None
    trusted_proxies: tuple[Network, ...] = ()
    url: str | None = None
    sign_on_header: str | None = None
    log_level: str = "info"

    def __post_init__(self) -> None:
        for name, cleaned in _CLEANED.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, cleaned(value))
        path = "/" if self.url is None else urlsplit(self.url).path
        if self.prefix is None:
            object.__setattr__(self, "prefix", path)
        if self.url is not None and path != self.prefix:
            rule = f"the path of the url, {path}"
            raise ValueError(f"prefix must be {rule}, got {self.prefix}")
        if self.sign_on_header and not self.trusted_proxies:
            rule = "given together with trusted_proxies"
            raise ValueError(
                f"sign_on_header must be {rule}; anybody else could send it as well"
            )

    @property
    def root(self) -> str:
        """The prefix; never None."""
        return self.prefix or "/"


def read_settings(
    given: Mapping[str, object],
    file: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Put settings together: what was given first, then environment, then the file.

    Parameters
    ----------
    given
        Of the command line, by field; what is None was not given.
    file
        TOML, with the fields of `Settings`.
    environ
        Where YOKED_PORT is the field `port`. An empty text is none.

    Raises
    ------
    ValueError
        If a value is not what it should be; the sentence says where it came from.
    OSError
        If the file cannot be read.
    """
    names = [field.name for field in fields(Settings)]
    found: dict[str, object] = {}
    from_file = {} if file is None else _file(file, names)
    for name in names:
        variable = ENVIRONMENT + name.upper()
        for value, source in (
            (given.get(name), "--" + name.replace("_", "-")),
            (environ.get(variable) or None, variable),
            (from_file.get(name), str(file)),
        ):
            if value is not None:
                found[name] = _cleaned(name, value, source)
                break
    return Settings(**found)  # pyright: ignore[reportArgumentType]


def _cleaned(name: str, value: object, source: str) -> object:
    try:
        return _CLEANED[name](value)
    except ValueError as error:
        raise ValueError(f"{error} (from {source})") from None


def _file(path: Path, names: list[str]) -> dict[str, object]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of TOML and of UTF-8
        raise ValueError(f"{str(path)!r} must be a TOML file: {error}") from None
    for name in found:
        if name not in names:
            rule = f"one of {', '.join(names)}, got {name!r}{suggestion(name, names)}"
            raise ValueError(f"a setting must be {rule} (from {path})")
    return found


def _host(value: Any) -> str:
    if not isinstance(value, str) or not value or re.search(r"[\s/]", value):
        rule = "an address or a name of this machine"
        raise ValueError(f"host must be {rule}, got {value!r}")
    return value


def _port(value: Any) -> int:
    text = str(value) if type(value) in (int, str) else ""
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError(f"port must be a number from 0 to 65535, got {value!r}")
    return int(text)


def _prefix(value: Any) -> str:
    path = f"/{value.strip('/')}/".replace("//", "/") if isinstance(value, str) else ""
    if not _PATH.fullmatch(path) or re.search(r"/\.{1,2}/", path):
        raise ValueError(f"prefix must be a path such as /psych/yoked/, got {value!r}")
    return path


def _trusted_proxies(value: Any) -> tuple[Network, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    rule = "addresses or networks, such as 127.0.0.1 or 10.1.0.0/16"
    if not isinstance(parts, list | tuple):
        raise ValueError(f"trusted_proxies must be {rule}, got {value!r}")
    found = []
    for part in parts:
        text = part.strip() if isinstance(part, str) else part
        if text == "":
            continue
        if isinstance(text, bool | int):  # ipaddress reads numbers as addresses
            raise ValueError(f"trusted_proxies must be {rule}, got {part!r}")
        try:
            found.append(ipaddress.ip_network(text))
        except ValueError:
            raise ValueError(f"trusted_proxies must be {rule}, got {part!r}") from None
    return tuple(found)


def _url(value: Any) -> str:
    rule = "an address such as https://lab.example.org/psych/yoked/"
    wrong = ValueError(f"url must be {rule}, got {value!r}")
    if not isinstance(value, str):
        raise wrong
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    is_plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in ("http", "https") or not host or not is_plain:
        raise wrong
    try:
        path = _prefix(parts.path)
    except ValueError:
        raise wrong from None
    return f"{parts.scheme}://{parts.netloc}{path}"


def _sign_on_header(value: Any) -> str:
    if not isinstance(value, str) or not _HEADER.fullmatch(value):
        rule = "the name of a header, such as X-Remote-User: letters, digits and -"
        raise ValueError(f"sign_on_header must be {rule}, got {value!r}")
    return value


def _log_level(value: Any) -> str:
    level = value.lower() if isinstance(value, str) else value
    if level not in LOG_LEVELS:
        rule = f"one of {', '.join(LOG_LEVELS)}"
        raise ValueError(f"log_level must be {rule}, got {value!r}")
    return level


# By field: what makes a checked value of what somebody wrote.
_CLEANED: dict[str, Callable[[Any], Any]] = {
    "host": _host,
    "port": _port,
    "prefix": _prefix,
    "trusted_proxies": _trusted_proxies,
    "url": _url,
    "sign_on_header": _sign_on_header,
    "log_level": _log_level,
}

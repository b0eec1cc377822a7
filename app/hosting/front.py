"""What stands before the pages: the prefix of their addresses, and what a proxy says.

A proxy's word about who asks, by which scheme and under which name is taken from the
named ones only: anybody can send the same headers.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from .settings import Settings

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# What proxies say by convention; none of it reaches the application as a header.
_FORWARDED = tuple(
    f"HTTP_{name}"
    for name in (
        "FORWARDED", "X_FORWARDED_BY", "X_FORWARDED_FOR", "X_FORWARDED_HOST",
        "X_FORWARDED_PORT", "X_FORWARDED_PREFIX", "X_FORWARDED_PROTO", "X_REAL_IP",
    )
)  # fmt: skip
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def put_behind(app: Flask, settings: Settings) -> None:
    """Let an application be reached as the settings say, and no other way.

    Its cookies go to its own pages alone, and over TLS alone where the public does.
    """
    app.wsgi_app = Front(app.wsgi_app, settings)
    app.config["SESSION_COOKIE_PATH"] = settings.root
    app.config["SESSION_COOKIE_SECURE"] = (settings.url or "").startswith("https:")


class Front:
    """A WSGI application in front of another.

    It takes the prefix off the path, into SCRIPT_NAME; REMOTE_ADDR, the scheme,
    HTTP_HOST and REMOTE_USER are those that a trusted proxy forwards. What anybody else
    sends in their place is dropped.

    Parameters
    ----------
    app
        The application behind.
    settings
        Its prefix, trusted proxies and sign-on header.
    """

    def __init__(self, app: Wsgi, settings: Settings) -> None:
        self._app = app
        self._prefix = settings.root
        self._trusted = settings.trusted_proxies
        name = settings.sign_on_header
        self._sign_on = name and f"HTTP_{name.upper().replace('-', '_')}"

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass a request on; what is not below the prefix is not found."""
        self._hear(environ)
        path = environ.get("PATH_INFO", "")
        if path.startswith(self._prefix):
            environ["SCRIPT_NAME"] = self._prefix.rstrip("/")
            environ["PATH_INFO"] = path[len(self._prefix) - 1 :]
            return self._app(environ, start_response)
        if f"{path}/" == self._prefix:
            start_response("308 Permanent Redirect", [("Location", self._prefix)])
            return []
        # An empty path of a server at the root is that of its first page.
        if self._prefix == "/" and not path:
            return self._app(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [f"The pages of this server begin with {self._prefix}\n".encode()]

    def _hear(self, environ: dict[str, Any]) -> None:
        said = {name: environ.pop(name, "") for name in _FORWARDED}
        user = environ.pop(self._sign_on, "") if self._sign_on else ""
        environ.pop("REMOTE_USER", None)
        # As werkzeug's own middleware keeps it: who sent us the request.
        peer = {"REMOTE_ADDR": environ.get("REMOTE_ADDR", "")}
        environ["werkzeug.proxy_fix.orig"] = peer
        if not self._is_trusted(environ.get("REMOTE_ADDR", "")):
            return
        environ["REMOTE_ADDR"] = self._client(
            environ["REMOTE_ADDR"], said["HTTP_X_FORWARDED_FOR"]
        )
        environ.pop("REMOTE_HOST", None)
        # Of several the last is what the nearest proxy said.
        scheme = said["HTTP_X_FORWARDED_PROTO"].rpartition(",")[2].strip().lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        host = said["HTTP_X_FORWARDED_HOST"].rpartition(",")[2].strip()
        if _HOST.fullmatch(host):
            environ["HTTP_HOST"] = host
        if user:
            environ["REMOTE_USER"] = user

    def _client(self, nearest: str, forwarded_for: str) -> str:
        """Give the first address, seen from here, that is no trusted proxy's."""
        for hop in reversed(forwarded_for.split(",")):
            address = _address(hop.strip())
            if address is None:
                return nearest
            nearest = str(address)
            if not self._is_trusted(nearest):
                return nearest
        return nearest

    def _is_trusted(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in net for net in self._trusted)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address, as sockets and proxies write it; None for anything else."""
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

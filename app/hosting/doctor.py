"""What stands in the way of a server, and what helps: one finding for each thing.

Nothing is changed, and nothing but a port is held for a moment.
"""

import os
import re
import shutil
import sqlite3
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from ...experiments.clock import utc_now
from ...experiments.store.connection import DatabaseFault
from ...experiments.store.file import open_to_read
from ...experiments.store.local_disk import require_local_disk
from ...experiments.store.schema import VERSION
from ...experiments.store.sqlite import open_store
from ...experiments.store.trial_log import StoreError
from ...experiments.store.url import is_url
from ..keyfile import key_path
from .process import listening, most_connections
from .settings import Settings
from .static_files import STATIC

OK, PROBLEM = "ok", "problem"
LEAST_FREE_BYTES = 200 * 10**6  # beside room for a copy of the database
FEW_CONNECTIONS = 1_000  # a browser holds six
_WAIT_S = 10
_LONGEST_CLOCK_JUMP = timedelta(minutes=5)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what helps where it is a problem.

    Attributes
    ----------
    check
        What was looked at.
    status
        `OK` or `PROBLEM`.
    says
        How it is.
    helps
        What to do; None where there is nothing to be done.
    """

    check: str
    status: str
    says: str
    helps: str | None = None


Check = Iterator[Finding]


def examine(
    db_path: Path | str | None, settings: Settings, ask: bool = False
) -> list[Finding]:
    """Look at everything that a server needs.

    Parameters
    ----------
    db_path
        Its database, which need not be there yet; None to leave that out.
    settings
        What it is told.
    ask
        Whether to ask at its public address whether it is well.

    Returns
    -------
    list of Finding
        In the order in which problems are best solved.
    """
    found = [*_python(), *_browser_files(), *_connections()]
    file = None
    if isinstance(db_path, str) and is_url(db_path):
        found += [*_on_server(db_path), *_key(db_path)]
    elif db_path is not None:
        file = Path(db_path)
        found += [*_database(file), *_room(file), *_key(file)]
    found += [*_clock(file), *_port(settings), *_told(settings)]
    if ask and settings.url is not None:
        found += _public(settings.url)
    return found


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] <= (3, 12)
    helps = None if fits else "make a virtual environment with Python 3.11 or 3.12"
    yield Finding("python", OK if fits else PROBLEM, version, helps)
    wrong = list(_wrong_packages())
    if wrong:
        helps = "pip install --upgrade yoked, in the environment of the server"
        yield Finding("packages", PROBLEM, "; ".join(wrong), helps)
    else:
        says = f"yoked {metadata.version('yoked')} and what it needs"
        yield Finding("packages", OK, says)


def _wrong_packages() -> Iterator[str]:
    """Name what yoked requires and is missing, or is too old."""
    for requirement in metadata.requires("yoked") or []:
        found = re.match(r"([\w.-]+)(?:\[[^]]*])? *(?:>= *([\d.]+))?", requirement)
        if found is None or "extra ==" in requirement:
            continue
        name, least = found.groups()
        try:
            has = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield f"{name} is missing"
            continue
        if least and _numbers(has) < _numbers(least):
            yield f"{name} must be {least} or newer, got {has}"


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]


def _browser_files() -> Check:
    if (STATIC / "vendor" / "jspsych.js").is_file():
        yield Finding("browser files", OK, "jsPsych is there")
    else:
        helps = "npm ci && npm run vendor, in the checkout"
        yield Finding("browser files", PROBLEM, "jsPsych is missing", helps)


def _connections() -> Check:
    most = most_connections()
    few = most < FEW_CONNECTIONS and sys.platform != "win32"
    helps = "raise the limit of open files: LimitNOFILE=16640 in a unit, or ulimit -n"
    says = f"up to {most} at once"
    yield Finding("connections", *((PROBLEM, says, helps) if few else (OK, says)))


def _database(path: Path) -> Check:
    try:
        require_local_disk(path)
    except StoreError as error:
        yield Finding("database", PROBLEM, str(error))
        return
    if not path.exists():
        yield _new_database(path)
        return
    try:
        with closing(open_to_read(path)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            faults = connection.execute("PRAGMA integrity_check").fetchall()
            strays = connection.execute("PRAGMA foreign_key_check").fetchall()
    except (OSError, StoreError, sqlite3.Error) as error:
        helps = "bring it back from a backup, or name another file"
        yield Finding("database", PROBLEM, str(error), helps)
        return
    wrong = [text for (text,) in faults if text != "ok"][:1]
    wrong += [f"{len(strays)} rows refer to none"] if strays else []
    if wrong:
        says = f"damaged: {'; '.join(wrong)}"
        helps = "stop the server, keep the file, and bring back the last backup"
        yield Finding("database", PROBLEM, says, helps)
    elif not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        helps = f"let the server's user own {path} and {path.parent}"
        yield Finding("database", PROBLEM, "it may only be read", helps)
    else:
        is_old = version < VERSION
        then = "; it is copied and brought up to date at the start" if is_old else ""
        yield Finding("database", OK, f"whole, of schema version {version}{then}")


def _on_server(url: str) -> Check:
    """Look at a database on a PostgreSQL server, which is there before the tables."""
    try:
        with closing(open_store(url, to_read=True)) as store, store.beside() as db:
            (version,) = db.execute("SHOW server_version").fetchone()
            commit = db.execute("SHOW fsync").fetchone()[0]
    except DatabaseFault as error:
        helps = "start PostgreSQL, make the database, and check user and password"
        yield Finding("database", PROBLEM, str(error), helps)
        return
    except StoreError as error:
        is_new = "got none" in str(error)
        says = "none yet; its tables are made at the start" if is_new else str(error)
        yield Finding("database", OK if is_new else PROBLEM, says)
        return
    if commit != "on":
        helps = "set fsync = on: what is acknowledged must be on the disk"
        yield Finding("database", PROBLEM, "PostgreSQL does not wait for disks", helps)
    else:
        yield Finding("database", OK, f"reached, on PostgreSQL {version}")


def _new_database(path: Path) -> Finding:
    folder = path.absolute().parent
    if not folder.is_dir():
        return Finding("database", PROBLEM, f"no folder {folder}", "make the folder")
    if not os.access(folder, os.W_OK):
        helps = "let the server's user own the folder"
        return Finding("database", PROBLEM, f"{folder} cannot be written", helps)
    return Finding("database", OK, "none yet; it is made at the start")


def _room(path: Path) -> Check:
    folder = path.absolute().parent
    if not folder.is_dir():
        return
    needed = LEAST_FREE_BYTES + (path.stat().st_size if path.exists() else 0)
    free = shutil.disk_usage(folder).free
    says = f"{free // 10**6} MB free"
    if free >= needed:
        yield Finding("disk", OK, says)
    else:
        says += f", {needed // 10**6} MB are wanted: an upgrade copies the database"
        yield Finding("disk", PROBLEM, says, "free some space, or use another disk")


def _key(db_path: str | Path) -> Check:
    try:
        key = key_path(db_path)
    except ValueError as error:
        yield Finding("key", PROBLEM, str(error), "make the folder, and name it")
        return
    if not key.exists():
        yield Finding("key", OK, "none yet")
        return
    others = stat.S_IMODE(key.stat().st_mode) & 0o077
    if others and os.name == "posix":
        says = f"{key.name} can be read by others"
        yield Finding("key", PROBLEM, says, f"chmod 600 {key}")
    else:
        yield Finding("key", OK, f"{key.name} is for its owner alone")


def _clock(path: Path | None) -> Check:
    """Hold the clock against the latest session of the log."""
    now, latest = utc_now(), None
    if path is not None and path.exists():
        try:
            with closing(open_to_read(path)) as connection:
                query = "SELECT max(started_at) FROM sessions"
                latest = connection.execute(query).fetchone()[0]
        except (OSError, StoreError, sqlite3.Error):
            pass  # which is said of the database
    helps = "let the system keep its time: timedatectl set-ntp true"
    if latest is not None and _time(latest) > _time(now) + _LONGEST_CLOCK_JUMP:
        says = f"it is {now}, and a session began at {latest}"
        yield Finding("clock", PROBLEM, says, helps)
    else:
        yield Finding("clock", OK, now)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _port(settings: Settings) -> Check:
    """Listen for a moment; where somebody does already, ask whether it is us."""
    try:
        listening(settings.host, settings.port).close()
    except OSError as error:
        host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
        host = f"[{host}]" if ":" in host else host
        address = f"http://{host}:{settings.port}{settings.root}"
        if _health(address)[0] == OK:
            yield Finding("port", OK, "a server of ours listens there, and is well")
            return
        helps = "stop what listens there, or choose another with --port"
        yield Finding("port", PROBLEM, str(error), helps)
    else:
        yield Finding("port", OK, f"port {settings.port} is free")


def _told(settings: Settings) -> Check:
    """Look for settings that do not go together."""
    parts = urlsplit(settings.url or "")
    is_here = parts.hostname in _LOOPBACK
    if settings.url is None and settings.trusted_proxies:
        says = "there is a trusted proxy and no url"
        helps = "say the public address, url, so that links lead there"
    elif parts.scheme == "http" and not is_here:
        says = "the public address is not secure"
        helps = "let a proxy speak https: browsers are less exact without"
    elif parts.scheme == "https" and not settings.trusted_proxies:
        says = "the public address is https, which a proxy must speak; none is trusted"
        helps = "name the proxy's address, trusted_proxies, such as 127.0.0.1"
    else:
        says = f"pages begin with {settings.url or settings.root}"
        yield Finding("settings", OK, says)
        return
    yield Finding("settings", PROBLEM, says, helps)


def _public(url: str) -> Check:
    yield Finding("public address", *_health(url))


def _health(address: str) -> tuple[str, str, str | None]:
    """Ask a server whether it is well: status, what it says, what helps."""
    place = f"{address}healthz"
    try:
        # Its scheme is that of a checked setting.
        with urllib.request.urlopen(place, timeout=_WAIT_S) as reply:
            text = reply.read(100).decode("utf-8", "replace").strip()
    except urllib.error.HTTPError as error:
        with error:
            helps = _HELPS_BY_STATUS.get(error.code, "look into the log of the proxy")
            return PROBLEM, f"{place} replies with status {error.code}", helps
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        helps = "start the server and the proxy; look at name, firewall, certificate"
        return PROBLEM, f"{place} cannot be reached: {reason}", helps
    if text != "ok":
        helps = "let the proxy pass these addresses on to this server"
        return PROBLEM, f"{place} is of another program", helps
    return OK, f"{place} is well", None


_HELPS_BY_STATUS = {
    404: "let the proxy pass on the whole path, with the prefix that the server has",
    502: "the proxy is there; start the server behind it, at the port it passes on to",
    503: "the server cannot store or show a trial: its log says why",
}

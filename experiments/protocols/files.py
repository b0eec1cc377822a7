"""Protocols as TOML files: the shipped ones by name, anybody's by path."""

from importlib.resources import files
from pathlib import Path

from .checks import read_toml, suggestion
from .keys import require_keys
from .own_files import with_own_files
from .protocol import Protocol

_FOLDER = Path(str(files(__package__ or "")))


def protocol_names() -> list[str]:
    """List the shipped protocols.

    Examples
    --------
    >>> "bar-in-noise" in protocol_names()
    True
    """
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_protocol(name: str | Path) -> Protocol:
    """Load a protocol by its shipped name, or from a TOML file.

    Parameters
    ----------
    name
        A name from `protocol_names`, or the path of a file ending in .toml.

    Raises
    ------
    LookupError
        If no shipped protocol has that name.
    FileNotFoundError
        If there is no such file, or none that it names.
    ProtocolError
        If the file is no TOML, or breaks rules; one sentence per fault.

    Examples
    --------
    >>> load_protocol("bar-in-noise").task.kind
    '2afc'
    """
    path = Path(name)
    if path.suffix != ".toml":
        path = _shipped(str(name))
    if not path.is_file():
        raise FileNotFoundError(f"a protocol file must exist, got {str(path)!r}")
    protocol = Protocol.from_dict(with_own_files(read_toml(path), path.parent))
    require_keys(protocol)
    return protocol


def protocol_text(like: str, name: str) -> str:
    """Give the file of a shipped protocol as text, under another name.

    Raises
    ------
    LookupError
        If no shipped protocol is called `like`.
    """
    text = _shipped(like).read_text(encoding="utf-8")
    return text.replace(f'name = "{like}"', f'name = "{name}"', 1)


def skeleton_text(name: str) -> str:
    """Give a commented protocol of that name, to be changed; it runs as it is."""
    text = (_FOLDER / "skeleton.txt").read_text(encoding="utf-8")
    return text.replace("NAME", name)


def _shipped(name: str) -> Path:
    path = _FOLDER / f"{name}.toml"
    if not path.is_file():
        raise LookupError(f"no protocol named {name!r}{_hint(name, protocol_names())}")
    return path


def _hint(name: str, names: list[str]) -> str:
    return suggestion(name, names) or f"; there are {', '.join(names)}"

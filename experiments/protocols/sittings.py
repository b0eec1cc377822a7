"""A plan of sittings: the protocols that one participant runs, in order, days apart.

Kernels need thousands of trials, which nobody gives in one sitting. The plan is a TOML
file of its own; its protocols stay what they are.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from .checks import Faults, ProtocolError, build, read_toml
from .files import load_protocol
from .parts import BLOCK_KINDS
from .protocol import Protocol

MOST_SITTINGS = 100
_YEAR_H = 24.0 * 366


@dataclass(frozen=True)
class Entry:
    """One protocol of a plan, as its file says it: run `n` times in a row.

    `without` names the kinds of blocks that are left out, such as practice that a
    participant no longer needs.
    """

    protocol: str
    n: int = 1
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults = Faults()
        rule = f"from 1 to {MOST_SITTINGS}"
        faults.unless(1 <= self.n <= MOST_SITTINGS, "n", rule, self.n)
        optional = tuple(kind for kind in BLOCK_KINDS if kind != "main")
        rule = f"a list of {' and '.join(optional)}"
        fits = all(kind in optional for kind in self.without)
        faults.unless(fits, "without", rule, list(self.without))
        faults.raise_any()


@dataclass(frozen=True)
class _File:
    """What the file of a plan holds."""

    name: str
    sittings: tuple[Entry, ...]
    min_gap_hours: float = 0.0


@dataclass(frozen=True)
class SittingPlan:
    """The protocols of a participant's sittings, in order.

    Attributes
    ----------
    name
        By which the trial log knows the plan.
    protocols
        One for each sitting.
    min_gap_hours
        From the end of a sitting to the start of the next, at least.

    Raises
    ------
    ProtocolError
        If a rule is broken; one sentence each.
    """

    name: str
    protocols: tuple[Protocol, ...]
    min_gap_hours: float = 0.0

    def __post_init__(self) -> None:
        faults = Faults()
        faults.unless(bool(self.name.strip()), "name", "a text", self.name)
        n, rule = len(self.protocols), f"from 1 to {MOST_SITTINGS} in all"
        faults.unless(1 <= n <= MOST_SITTINGS, "sittings", rule, n)
        fits = 0 <= self.min_gap_hours <= _YEAR_H
        rule = f"from 0 to {_YEAR_H:g}, a year"
        faults.unless(fits, "min_gap_hours", rule, self.min_gap_hours)
        faults.raise_any()

    @property
    def n_sittings(self) -> int:
        """Sittings in all."""
        return len(self.protocols)


def load_sittings(path: str | Path) -> SittingPlan:
    """Load a plan of sittings from its TOML file.

    Parameters
    ----------
    path
        The file. Protocols that it names by file lie beside it.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or one of its protocols is missing.
    LookupError
        If no shipped protocol has a name that it gives.
    ProtocolError
        If the file is no TOML, or breaks rules; one sentence per fault.

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... name = "bar-kernel"
    ... min_gap_hours = 12
    ... [[sittings]]
    ... protocol = "bar-in-noise"
    ... [[sittings]]
    ... protocol = "bar-in-noise"
    ... n = 2
    ... without = ["practice"]
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "plan.toml")
    ...     _ = path.write_text(text)
    ...     plan = load_sittings(path)
    >>> plan.n_sittings, [len(protocol.blocks) for protocol in plan.protocols]
    (3, [3, 2, 2])
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"a plan of sittings must exist, got {str(path)!r}")
    given = build(_File, read_toml(path))
    protocols = [_protocol(entry, path.parent) for entry in given.sittings]
    numbers = [entry.n for entry in given.sittings]
    every = (p for p, n in zip(protocols, numbers, strict=True) for _ in range(n))
    return SittingPlan(given.name, tuple(every), given.min_gap_hours)


def _protocol(entry: Entry, folder: Path) -> Protocol:
    """Load an entry's protocol, without the blocks that it leaves out."""
    name = entry.protocol
    protocol = load_protocol(folder / name if name.endswith(".toml") else name)
    kinds = Counter(block.kind for block in protocol.blocks)
    absent = [kind for kind in entry.without if not kinds[kind]]
    if absent:
        rule = f"blocks that {protocol.name} has"
        raise ProtocolError([f"without must name {rule}, got {absent[0]!r}"])
    if not entry.without:
        return protocol
    kept = [block for block in protocol.blocks if block.kind not in entry.without]
    return replace(protocol, blocks=tuple(kept))

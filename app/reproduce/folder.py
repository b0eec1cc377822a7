"""The folder of a figure: what it is of, what is made in it once, what it collects."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ..files import write_text
from ..sweeps.cell import RECORD


@runtime_checkable
class Named(Protocol):
    """A cell that says which network it is."""

    @property
    def id(self) -> str:
        """Name of its folder."""
        ...

    @property
    def which(self) -> dict[str, Any]:
        """Which network, as rows of tables have it."""
        ...


def make_once(folder: Path, make: Callable[[Path], None]) -> None:
    """Make a folder unless it is there; it is there whole or not at all."""
    if folder.is_dir():
        return
    half = folder.with_name(f".{folder.name}")
    shutil.rmtree(half, ignore_errors=True)  # it was interrupted
    make(half)
    half.rename(folder)


def records_of(
    folder: Path, cells: Sequence[Named], failed: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Read all that a folder of cells holds: these in their order, others after them.

    Those that failed come last, with the sentence.
    """
    order = {cell.id: number for number, cell in enumerate(cells)}
    files = sorted(
        folder.glob(f"*/{RECORD}"),
        key=lambda file: (order.get(file.parent.name, len(order)), file.parent.name),
    )
    found = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    lost = [
        {**cell.which, "error": failed[cell.id]} for cell in cells if cell.id in failed
    ]
    return found + lost


def require_same(
    file: Path, wanted: dict[str, Any], is_begun: bool = True
) -> dict[str, Any]:
    """Keep what all that a folder collects has in common; refuse what has not.

    Raises
    ------
    ValueError
        If the folder is of something else, and anything is begun in it.
    """
    if file.is_file() and is_begun:
        kept = json.loads(file.read_text(encoding="utf-8"))
        for name, value in wanted.items():
            if kept.get(name) != value:
                rule = f"a new folder, or one with the same {name.replace('_', ' ')}"
                got = f"{kept.get(name)} in {str(file.parent)!r}, for {value}"
                raise ValueError(f"the folder of a figure must be {rule}, got {got}")
    write_text(file, json.dumps(wanted, indent=1))
    return wanted

"""The header of a table: where it is, and which of its names are meant.

A name that is written otherwise (capitals, spaces, dots) is taken where it can be only
one; columns without a name are left out where they hold nothing, or only count rows.
"""

from collections.abc import Collection, Sequence

INDEX_NOTE = "the first column has no name: left out, as an index"


def plain(name: str) -> str:
    """Give a name without capitals, spaces and signs.

    Examples
    --------
    >>> plain("Stimulus ID"), plain("stimulus.id"), plain("RT_ms")
    ('stimulusid', 'stimulusid', 'rtms')
    """
    return "".join(c for c in name.casefold() if c.isalnum())


def n_known(cells: Sequence[str], wanted: Collection[str]) -> int:
    """Count the wanted names among cells, however they are written.

    Examples
    --------
    >>> n_known(["Trial", "Response", "note"], {"trial", "response", "target"})
    2
    """
    return len({plain(cell) for cell in cells} & {plain(name) for name in wanted})


def header_place(rows: Sequence[Sequence[str]], wanted: Collection[str]) -> int:
    """Find the header: the first of the rows that have most of the wanted names.

    Examples
    --------
    >>> header_place([["made in", "Lyon"], [], ["trial", "key"], ["1", "0"]], {"trial"})
    2
    """
    counts = [n_known(row, wanted) for row in rows]
    most = max(counts, default=0)
    first = next((i for i, row in enumerate(rows) if any(row)), 0)
    return counts.index(most) if most else first


def above_note(n_lines: int) -> list[str]:
    """Say how many lines stand above the header.

    Examples
    --------
    >>> above_note(0), above_note(2)
    ([], ['2 lines above the header were left out'])
    """
    lines = "1 line" if n_lines == 1 else f"{n_lines} lines"
    was = "was" if n_lines == 1 else "were"
    return [f"{lines} above the header {was} left out"] if n_lines else []


def required_names(file: str, names: Sequence[str]) -> None:
    """Refuse names that come twice, or are none.

    Raises
    ------
    ValueError
        With the first of them.
    """
    for name in names:
        if names.count(name) > 1 or not name:
            got = f"{name!r} twice" if name else "one without a name"
            raise ValueError(
                f"columns of {file} must have names of their own, got {got}"
            )


def meant_names(
    file: str, names: Sequence[str], wanted: Collection[str]
) -> tuple[list[str], list[str]]:
    """Give each column the wanted name that it must mean, and say which those are.

    Raises
    ------
    ValueError
        If two columns may be meant.

    Examples
    --------
    >>> meant_names("t.csv", ["Trial", "resp"], {"trial", "response"})
    (['trial', 'resp'], ["read by its meaning: 'Trial' as trial"])
    """
    found, notes = list(names), []
    for name in sorted(set(wanted) - set(names)):
        same = [i for i, n in enumerate(names) if plain(n) == plain(name)]
        same = [i for i in same if names[i] not in wanted and plain(name)]
        if len(same) > 1:
            both = " and ".join(repr(names[i]) for i in same)
            hint = f"--column {name}={names[same[0]]!r}"
            raise ValueError(
                f"the column {name} of {file} must be one, got {both}; {hint}"
            )
        for place in same:
            found[place] = name
            notes.append(f"{names[place]!r} as {name}")
    return found, [f"read by its meaning: {', '.join(notes)}"] if notes else []

"""`python -m tests.analysis.coverage [TABLE ...]`: run the study, write the page.

Goes on where it was; `--all` also runs the cells outside the named subset, `--sessions`
stops each cell earlier, `--minutes` all of it, and `--write` only writes the page
from the last results.
"""

import argparse
import time

from .page import write_page
from .study import run
from .tables import TABLES


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.analysis.coverage")
    names = [table.name for table in TABLES]
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(names))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--sessions", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if unknown := set(given.tables) - set(names):
        parser.error(f"TABLE must be one of {', '.join(names)}, got {unknown.pop()}")
    ends = time.monotonic() + 60 * given.minutes
    for table in TABLES if not given.write else ():
        if given.tables and table.name not in given.tables:
            continue
        cells = [cell for cell in table.cells if given.all or table.in_subset(cell)]
        seconds = ends - time.monotonic()
        if seconds > 0:
            run(table, cells, given.sessions, given.workers, seconds)
    write_page()


if __name__ == "__main__":
    main()

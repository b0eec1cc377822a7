"""All tables of the study, in the order of docs/coverage.md."""

from .study import Table

TABLES: tuple[Table, ...] = ()

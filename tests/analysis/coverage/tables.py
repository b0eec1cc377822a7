"""All tables of the study, in the order of docs/coverage.md."""

from .decision_law import LAW
from .study import Table

TABLES: tuple[Table, ...] = (LAW,)

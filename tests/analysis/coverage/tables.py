"""All tables of the study, in the order of docs/coverage.md."""

from . import cascades
from .study import Table

TABLES: tuple[Table, ...] = (cascades.NAMING,)

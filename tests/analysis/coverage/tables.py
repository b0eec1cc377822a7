"""All tables of the study, in the order of docs/coverage.md."""

from tests.app.planning.assurance import ASSURANCE, PILOT

from .study import Table

TABLES: tuple[Table, ...] = (ASSURANCE, PILOT)

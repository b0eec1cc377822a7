"""All tables of the study, in the order of docs/coverage.md."""

from .second_order import TABLE as SECOND_ORDER
from .study import Table

TABLES: tuple[Table, ...] = (SECOND_ORDER,)

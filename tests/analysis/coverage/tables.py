"""All tables of the study, in the order of docs/coverage.md."""

from .shares import KERNEL_SHARES, SHARES
from .study import Table

TABLES: tuple[Table, ...] = (SHARES, KERNEL_SHARES)

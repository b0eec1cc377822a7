"""All tables of the study, in the order of docs/coverage.md."""

from .kernels import EQUALITY, KERNELS
from .study import Table

TABLES: tuple[Table, ...] = (KERNELS, EQUALITY)

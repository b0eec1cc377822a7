"""All tables of the study, in the order of docs/coverage.md."""

from . import gamma_by_accuracy, order_zero
from .study import Table

TABLES: tuple[Table, ...] = (
    order_zero.TABLE,
    order_zero.CEILING_TABLE,
    gamma_by_accuracy.TABLE,
)

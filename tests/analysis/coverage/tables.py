"""All tables of the study, in the order of docs/coverage.md."""

from .drift import DRIFT
from .lapses import LAPSES
from .learning import LEARNING
from .study import Table

TABLES: tuple[Table, ...] = (DRIFT, LAPSES, LEARNING)

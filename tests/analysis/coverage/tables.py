"""All tables of the study, in the order of docs/coverage.md."""

from tests.app.planning.assurance import ASSURANCE, PILOT

from .decision_law import TABLE as DECISION_LAW
from .internal_noise import TABLE as INTERNAL_NOISE
from .second_order import TABLE as SECOND_ORDER
from .shares import KERNEL_SHARES, SHARES
from .study import Table

TABLES: tuple[Table, ...] = (
    INTERNAL_NOISE,
    SHARES,
    KERNEL_SHARES,
    DECISION_LAW,
    SECOND_ORDER,
    ASSURANCE,
    PILOT,
)

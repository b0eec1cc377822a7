"""All tables of the study, in the order of docs/coverage.md."""

from tests.app.planning.assurance import ASSURANCE, PILOT

from .cascades import NAMING as CASCADES
from .closer import CLOSER
from .decision_law import LAW as DECISION_LAW
from .drift import DRIFT
from .gamma_by_accuracy import TABLE as GAMMA_BY_ACCURACY
from .given_few import GIVEN_FEW
from .internal_noise import TABLE as INTERNAL_NOISE
from .kernels import EQUALITY, KERNELS
from .lapses import LAPSES
from .learning import LEARNING
from .order_zero import CEILING_TABLE as CEILING
from .order_zero import TABLE as ORDER_ZERO
from .second_order import TABLE as SECOND_ORDER
from .shares import KERNEL_SHARES, SHARES
from .study import Table

TABLES: tuple[Table, ...] = (
    ORDER_ZERO,
    CEILING,
    INTERNAL_NOISE,
    GAMMA_BY_ACCURACY,
    DRIFT,
    LAPSES,
    LEARNING,
    SHARES,
    KERNEL_SHARES,
    CLOSER,
    KERNELS,
    EQUALITY,
    DECISION_LAW,
    GIVEN_FEW,
    SECOND_ORDER,
    CASCADES,
    ASSURANCE,
    PILOT,
)

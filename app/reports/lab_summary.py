"""What the operator sees after a session: a few numbers, and the kernel so far."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ...analysis.kernels.weighted_sum import first_order_kernel
from ...analysis.sessions.conditions import Conditions, conditions
from ...analysis.sessions.quality import session_quality
from ...analysis.sessions.summary import ConditionSummary, summarise
from ...analysis.trials.estimate import CannotTell
from ...analysis.trials.responses import responses
from ...analysis.trials.result import Cells, Result
from ...experiments.protocols.condition_kinds import differ_in
from ...experiments.session.results import SessionData, by_condition

BARS = "▁▂▃▄▅▆▇█"
MOST_COLUMNS = 64


@dataclass(frozen=True, eq=False)
class LabSummary(Result):
    """A session of the lab in a few numbers.

    Attributes
    ----------
    session, participant, protocol, status
        Id and names, and whether it is finished.
    trials, invalid, invalid_reasons
        How many there are, how many of them are invalid, and why.
    responses, anticipations
        How many trials have one, and how many of these came too soon to count.
    screened_out
        A sentence for each rule of the protocol's screening that is broken.
    pooled
        The numbers of all trials; None where there are none yet, or its conditions must
        not be pooled, as `note` says.
    conditions
        Those conditions, without kernels; None where all trials are pooled.
    kernel, kernel_z
        The weighted sum so far, and the same over its standard error; or None. In noise
        on a basis, its classification image.
    kernel_note
        Where it is largest, or why it is not there.
    """

    session: str
    participant: str
    protocol: str
    status: str
    trials: int
    invalid: int
    invalid_reasons: dict[str, int]
    responses: int
    anticipations: int
    screened_out: tuple[str, ...]
    pooled: ConditionSummary | None
    conditions: Conditions | None
    note: str | None
    kernel: Float[np.ndarray, " frame row column"] | None
    kernel_z: Float[np.ndarray, " frame row column"] | None
    kernel_note: str

    def table(self) -> list[Cells]:
        """Give one row: the numbers, and the kernel drawn in the terminal."""
        names = ("session", "participant", "protocol", "status", "trials", "invalid")
        row: Cells = {name: getattr(self, name) for name in names}
        row |= {f"  {why}": n for why, n in self.invalid_reasons.items()}
        row |= {"responses": self.responses, "too soon": self.anticipations}
        row |= {f"screened out {i}": why for i, why in enumerate(self.screened_out, 1)}
        if self.pooled is not None:
            row |= {
                "d'": self.pooled.dprime.short(),
                "criterion": self.pooled.criterion.short(),
                "internal noise": self.pooled.internal_noise.gamma.short(),
            }
        elif self.conditions is not None:
            row |= {
                f"d' {one.condition}": f"{one.dprime.short()}, {one.n_trials} trials"
                for one in self.conditions.conditions
            }
        else:
            row["d'"] = self.note or "-"
        if self.kernel is not None:
            drawn = sketch(self.kernel)
            many = len(drawn) > 1
            row |= {
                f"kernel {number}" if many else "kernel so far": line
                for number, line in enumerate(drawn)
            }
        row["kernel"] = self.kernel_note
        return [row]


def session_summary(session: SessionData) -> LabSummary:
    """Sum a session up, finished or not.

    What the data cannot tell yet is None, and `note` or `kernel_note` says why.
    """
    row, apart = session.row, None
    quality = session_quality(session)
    pooled, note = _numbers(session)
    if differ_in(session.protocol):
        apart = conditions(by_condition(session), kernels=False)
    kernel, z, kernel_note = _kernel(session)
    return LabSummary(
        session=row.id,
        participant=row.observer.name,
        protocol=row.protocol_name,
        status=row.status,
        trials=quality.n_trials,
        invalid=quality.n_invalid,
        invalid_reasons=quality.invalid_by_reason,
        responses=row.n_responses,
        anticipations=quality.n_anticipations,
        screened_out=quality.screened_out,
        pooled=pooled,
        conditions=apart,
        note=note,
        kernel=kernel,
        kernel_z=z,
        kernel_note=kernel_note,
    )


def _numbers(session: SessionData) -> tuple[ConditionSummary | None, str | None]:
    try:
        return summarise(session).pooled, None
    except CannotTell as error:
        return None, str(error)


def _kernel(
    session: SessionData,
) -> tuple[np.ndarray | None, np.ndarray | None, str]:
    try:
        kernel = first_order_kernel(responses(session), session.noise)
    except CannotTell as error:
        return None, None, str(error)
    shown, se, name = kernel.kernel, kernel.se, ""
    if kernel.basis is not None:
        shown, se = kernel.basis.image(shown), kernel.basis.image_se(se)
        name = "classification image, "
    z = shown / np.where(se > 0, se, np.inf)
    return shown, z, name + _peak(shown)


def _peak(kernel: np.ndarray) -> str:
    place = np.unravel_index(int(np.abs(kernel).argmax()), kernel.shape)
    frame, row, column = (int(at) for at in place)
    return f"largest in frame {frame}, row {row}, column {column}"


def sketch(kernel: np.ndarray) -> list[str]:
    """Draw a kernel in the terminal: a line for each row, bars for its values.

    A movie's frames stand beside each other where a row is all that they have, one
    line each; of several frames with rows, only the one with the largest value.

    Examples
    --------
    >>> sketch(np.array([[[-1.0, 0.0, 1.0]]]))
    ['▁▅█']
    """
    frames = np.asarray(kernel, float)
    if frames.shape[1] > 1:
        frames = frames[[np.abs(frames).max(axis=(1, 2)).argmax()]]
    lines = frames.reshape(-1, frames.shape[-1])[:, :MOST_COLUMNS]
    span = np.abs(lines).max() or 1.0
    steps = np.rint((lines / span + 1) / 2 * (len(BARS) - 1) + 1e-9).astype(int)
    return ["".join(BARS[step] for step in line) for line in steps]

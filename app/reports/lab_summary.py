"""What the operator sees after a session: a few numbers, and the kernel so far."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.kernels.weighted_sum import Kernel, session_kernel
from ...analysis.sessions.summary import summarise
from ..output import with_interval

if TYPE_CHECKING:
    from ...experiments.session.results import SessionData

BARS = "▁▂▃▄▅▆▇█"
MOST_COLUMNS = 64


def session_summary(session: "SessionData") -> dict[str, Any]:
    """Sum a session up, finished or not, as JSON can hold it.

    What the data cannot tell yet is None, and `note` or `kernel_note` says why.
    """
    row, trials = session.row, session.trials
    return {
        "session": row.id,
        "participant": row.observer.name,
        "protocol": row.protocol_name,
        "status": row.status,
        "trials": len(trials),
        "invalid": int((~trials["valid"].to_numpy(bool)).sum()),
        "invalid_reasons": dict(Counter(trials["invalid_reason"].dropna())),
        **_numbers(session),
        **_kernel(session),
    }


def _numbers(session: "SessionData") -> dict[str, Any]:
    try:
        pooled = summarise(session).to_dict()["pooled"]
    except ValueError as error:
        return {"pooled": None, "note": str(error)}
    return {"pooled": pooled, "note": None}


def _kernel(session: "SessionData") -> dict[str, Any]:
    try:
        kernel = session_kernel(session)
    except (ValueError, np.linalg.LinAlgError) as error:
        return {"kernel": None, "kernel_z": None, "kernel_note": str(error)}
    z = kernel.kernel / np.where(kernel.se > 0, kernel.se, np.inf)
    return {"kernel": kernel.kernel, "kernel_z": z, "kernel_note": _peak(kernel)}


def _peak(kernel: Kernel) -> str:
    frame, row, column = np.unravel_index(
        int(np.abs(kernel.kernel).argmax()), kernel.kernel.shape
    )
    return f"largest in frame {frame}, row {row}, column {column}"


def brief(summary: Mapping[str, Any]) -> dict[str, object]:
    """Return what a table shows of the summary."""
    names = ("session", "participant", "protocol", "status", "trials", "invalid")
    lines: dict[str, object] = {name: summary[name] for name in names}
    lines |= {f"  {why}": n for why, n in summary["invalid_reasons"].items()}
    pooled = summary["pooled"]
    if pooled is not None:
        lines |= {
            "d'": with_interval(pooled["dprime"]),
            "criterion": with_interval(pooled["criterion"]),
            "internal noise": with_interval(pooled["internal_noise"]["gamma"]),
        }
    else:
        lines["d'"] = summary["note"]
    if summary["kernel"] is not None:
        drawn = sketch(summary["kernel"])
        many = len(drawn) > 1
        lines |= {
            f"kernel {number}" if many else "kernel so far": line
            for number, line in enumerate(drawn)
        }
    lines["kernel"] = summary["kernel_note"]
    return lines


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

"""How well a session was shown and sat: what was not as asked, and by which cause.

No statistic of the observer: of the screen, the browser, and of whoever sat there.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..trials.responses import SessionLike
from ..trials.result import Result

_COUNT_BEFORE = re.compile(r"^\d+ ")


@dataclass(frozen=True)
class SessionQuality(Result):
    """What was not as it should be, in all trials of a session, of any kind.

    Attributes
    ----------
    n_trials
        In the log, repeated ones included.
    n_invalid, invalid_share
        Not shown as they should be, and the share of all.
    invalid_by_reason
        How many for each reason; a trial with two reasons is in both.
    n_shown_again
        Shown more than once, as after a reload, until there was a response.
    n_anticipations
        Excluded by the protocol: with a response sooner than its `timing.earliest_ms`.
    n_early_keys, n_other_keys
        Presses before the onset that counts, and of none of the task's keys.
    screened_out
        A sentence for each rule of the protocol's screening that is broken.
    """

    n_trials: int
    n_invalid: int
    invalid_share: float | None
    invalid_by_reason: dict[str, int]
    n_shown_again: int
    n_anticipations: int
    n_early_keys: int
    n_other_keys: int
    screened_out: tuple[str, ...]

    def short(self) -> str:
        """Give the share of invalid trials with their reasons, in a line."""
        if not self.n_invalid:
            return "0"
        reasons = sorted(self.invalid_by_reason.items(), key=lambda item: -item[1])
        listed = "; ".join(f"{reason} {n}" for reason, n in reasons)
        return f"{self.n_invalid} ({self.invalid_share:.1%}): {listed}"


def session_quality(session: SessionLike) -> SessionQuality:
    """Count what was not as it should be in a session.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> model = yoked.run(protocol, yoked.load_observer("template"), seed=1, trials=60)
    >>> session_quality(model).n_invalid
    0
    """
    trials, n = session.trials, len(session.trials)
    invalid = ~trials["valid"].to_numpy(bool)
    early = _numbers(trials, "rt_ms") < session.protocol.timing.earliest_ms
    reasons: Any = trials.loc[invalid].get("invalid_reason", ())
    return SessionQuality(
        n_trials=n,
        n_invalid=int(invalid.sum()),
        invalid_share=float(invalid.mean()) if n else None,
        invalid_by_reason=_by_reason(reasons),
        n_shown_again=int((_numbers(trials, "n_shown") > 1).sum()),
        n_anticipations=int((early & trials["excluded"].to_numpy(bool)).sum()),
        n_early_keys=session.n_events.get("early_key", 0),
        n_other_keys=session.n_events.get("other_key", 0),
        screened_out=session.screened_out,
    )


def _numbers(trials: pd.DataFrame, name: str) -> Float[np.ndarray, " trial"]:
    """Give a column as numbers: NaN where there is none, or no column."""
    if name not in trials:
        return np.full(len(trials), np.nan)
    return trials[name].to_numpy(float, na_value=np.nan)


def _by_reason(reasons: Iterable[str | None]) -> dict[str, int]:
    """Count reasons without their numbers: what is before a colon, after a count."""
    counts = Counter(
        _COUNT_BEFORE.sub("", one.partition(":")[0].strip())
        for reason in reasons
        for one in (reason or "no reason was stored").split("; ")
    )
    return dict(counts.most_common())

"""Thresholds against external noise, with the linear amplifier model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..sessions.equivalent_noise import (
    SessionEquivalentNoise,
    session_equivalent_noise,
)
from ..trials.estimate import Z95, CannotTell
from ..trials.responses import SessionLike
from .chosen import Sessions, listed_sessions
from .curves import SERIES
from .style import CARD, GRAY, STYLE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS = 200


def equivalent_noise(sessions: Sessions) -> "Figure":
    """Draw thresholds against noise SD, with the model and its equivalent noise.

    Parameters
    ----------
    sessions
        Conditions of one session or several, as `yoked.by_condition` gives each.

    Raises
    ------
    CannotTell
        If a session has too few conditions with a threshold.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("equivalent-noise")
    >>> template = yoked.load_observer("template")
    >>> session = yoked.run(protocol, template, seed=1, internal_noise=1.0)
    >>> parts = yoked.by_condition(session)
    >>> yoked.plot.equivalent_noise(list(parts.values())).axes[0].get_xlabel()
    'SD of the external noise, contrast'
    """
    every = _by_session(listed_sessions(sessions))
    return draw_equivalent_noise([session_equivalent_noise(parts) for parts in every])


def draw_equivalent_noise(found: Sequence[SessionEquivalentNoise]) -> "Figure":
    """Draw what was found of each session."""
    figure, matplotlib = new_figure((CARD, 3.4))
    with matplotlib.rc_context(STYLE):
        axis = figure.subplots()
        for number, each in enumerate(found):
            _draw(axis, each, *SERIES[number % len(SERIES)])
        axis.set(xlabel="SD of the external noise, contrast")
        axis.set(ylabel=f"threshold contrast ({found[0].threshold_at:.0%} correct)")
        axis.set_ylim(bottom=0)
        axis.legend(frameon=False, fontsize=7.5, loc="best")
    return figure


def _by_session(sessions: Sequence[SessionLike]) -> list[dict[str, SessionLike]]:
    parts: dict[str, dict[str, SessionLike]] = {}
    for each in sessions:
        session, _, condition = each.id.partition("/")
        if not condition:
            rule = "a condition of a session, SESSION/CONDITION"
            raise CannotTell(f"each must be {rule}, got {each.id}")
        parts.setdefault(session, {})[condition] = each
    return list(parts.values())


def _draw(axis: "Axes", found: SessionEquivalentNoise, color: str, marker: str) -> None:
    axis.errorbar(
        found.noise_sd,
        found.threshold,
        Z95 * found.se,
        fmt=marker,
        color=color,
        ms=5,
        label=f"{found.observer}: {found.model.noise_sd.short()}",
    )
    noise, gain = found.model.noise_sd.value, found.model.gain.value
    if noise is None or gain is None:
        return
    sd = np.linspace(0, 1.1 * found.noise_sd.max(), _POINTS)
    model = found.dprime_at / gain * np.sqrt(sd**2 + noise**2)
    axis.plot(sd, model, color=color, lw=1.4)
    if noise <= sd[-1]:
        axis.axvline(noise, color=GRAY, lw=0.8, ls=":")

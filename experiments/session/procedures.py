"""Adaptive procedures: what is asked for the next contrast, and told what came of it.

All stand behind one interface of two methods, `ask` and `tell`. A session is replayed
from its log after a crash, so what a procedure asks for may depend on its setting
(contrasts, target, seed, options) and on what it was told before, and on nothing else.
"""

import importlib.metadata
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, runtime_checkable
from typing import Protocol as Interface

from ..protocols.checks import suggestion
from ..protocols.contrast import QUEST_PLUS, STAIRCASE
from ..protocols.protocol import Protocol
from ..protocols.staircase import RULES, Staircase
from ..stimulus.seeds import derived_seed
from .quest import QuestPlus

GROUP = "yoked.procedures"  # entry points of other packages


@dataclass(frozen=True)
class ProcedureSetting:
    """What a procedure has to choose from, and what it is to find.

    Attributes
    ----------
    contrasts
        What can be shown, rising: an answer between two of them is shown as the nearer
        one.
    target_correct
        Proportion correct whose contrast is looked for.
    n_alternatives
        Of the task: a guess is correct in one of so many.
    seed
        For a procedure that draws at random: another for every session and condition.
    options
        The protocol's `contrast.options`.
    staircase
        The protocol's `contrast.staircase`.

    Examples
    --------
    >>> setting = ProcedureSetting((0.1, 0.2, 0.4))
    >>> setting.nearest(0.3)
    0.4
    """

    contrasts: tuple[float, ...]
    target_correct: float = 0.75
    n_alternatives: int = 2
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    staircase: Staircase = field(default_factory=Staircase)

    @classmethod
    def of(cls, protocol: Protocol, *seed: object) -> "ProcedureSetting":
        """Give the setting of a protocol; its seed is derived from the parts given."""
        contrast = protocol.contrast
        return cls(
            contrast.grid,
            contrast.target_correct,
            protocol.task.n_targets,
            derived_seed("procedure", *seed),
            contrast.options,
            contrast.staircase,
        )

    def nearest(self, contrast: float) -> float:
        """Give the contrast that can be shown and has the nearest ratio."""
        if contrast in self.contrasts:
            return contrast
        log = math.log(contrast)
        return min(self.contrasts, key=lambda each: abs(math.log(each) - log))


@runtime_checkable
class Procedure(Interface):
    """Chooses contrast after contrast.

    Two members may be there besides:

    is_done
        Whether no trial is needed any more: those left in the plan then fall away.
    estimate()
        The contrast at the target, for the main blocks after a calibration; without
        it they get what would be asked next.

    Examples
    --------
    >>> class Halving:
    ...     def __init__(self, setting):
    ...         self.contrast = setting.contrasts[-1]
    ...     def ask(self):
    ...         return self.contrast
    ...     def tell(self, contrast, correct):
    ...         self.contrast = contrast / 2 if correct else contrast * 2
    >>> procedure = Halving(ProcedureSetting((0.1, 0.2, 0.4)))
    >>> isinstance(procedure, Procedure), procedure.ask()
    (True, 0.4)
    """

    def ask(self) -> float:
        """Give the contrast of the next trial; called once between two `tell`."""
        ...

    def tell(self, contrast: float, correct: bool) -> None:
        """Take in a trial: the contrast that was shown, and whether it was correct."""
        ...


class QuestProcedure:
    """QUEST+ of a contrast threshold; see `quest.py`."""

    def __init__(self, setting: ProcedureSetting) -> None:
        self._setting = setting
        self.state = QuestPlus.for_2afc(setting.contrasts).start()

    def ask(self) -> float:
        """Give the contrast that leaves the least entropy."""
        return self.state.next()

    def tell(self, contrast: float, correct: bool) -> None:
        """Take in a trial."""
        self.state = self.state.update(contrast, int(correct))

    def estimate(self) -> float:
        """Give the contrast whose expected proportion correct is nearest the target."""
        setting = self._setting
        return self.state.contrast_at(setting.target_correct, setting.contrasts)


class WeightedStaircase:
    """A weighted up-down staircase [1]_ on contrast in dB.

    Its place moves by whole steps between the lowest and the highest contrast; what is
    shown is the nearest contrast that can be. A step up is larger than a step down, so
    that the expected step is 0 at the target.

    References
    ----------
    .. [1] Kaernbach (1991), Simple adaptive testing with the weighted up-down method.
       Perception & Psychophysics 49, 227-229.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> setting = ProcedureSetting(load_protocol("bar-in-noise").contrast.grid)
    >>> staircase = WeightedStaircase(setting)
    >>> first = staircase.ask()
    >>> staircase.tell(first, True)
    >>> round(20 * math.log10(first / staircase.ask()))
    4
    """

    def __init__(self, setting: ProcedureSetting) -> None:
        self._setting = setting
        self._rule = setting.staircase
        lowest, highest = setting.contrasts[0], setting.contrasts[-1]
        self._ends = _db(lowest), _db(highest)
        self._place = _db(self._rule.start or highest)
        self._in_a_row = 0
        self._went_down: bool | None = None
        self.n_reversals = 0
        self._settled: list[float] = []  # of steps of the last size

    @property
    def is_done(self) -> bool:
        """Whether it has reversed as often as the protocol asks."""
        return 0 < self._rule.reversals <= self.n_reversals

    def ask(self) -> float:
        """Give the nearest contrast that can be shown."""
        return self._setting.nearest(10 ** (self._place / 20))

    def tell(self, contrast: float, correct: bool) -> None:
        """Take in a trial; one at another contrast moves the staircase there."""
        if contrast != self.ask():
            self._place = _db(contrast)
        self._in_a_row = self._in_a_row + 1 if correct else 0
        if not correct:
            self._move(down=False)
        elif self._in_a_row >= RULES[self._rule.rule]:
            self._in_a_row = 0
            self._move(down=True)

    def estimate(self) -> float:
        """Give the mean place, in dB, of all steps since their size changed last.

        The expected step is 0 at the target, so that they scatter about it.
        """
        places = self._settled or [self._place]
        return self._setting.nearest(10 ** (sum(places) / len(places) / 20))

    def _move(self, down: bool) -> None:
        if self.n_reversals >= len(self._rule.steps_db) - 1:
            self._settled.append(self._place)
        if self._went_down not in (None, down):
            self.n_reversals += 1
        self._went_down = down
        steps = self._rule.steps_db
        step = steps[min(self.n_reversals, len(steps) - 1)]
        if down:
            step = -step
        else:
            step = self._rule.step_up_db(step, self._setting.target_correct)
        lowest, highest = self._ends
        self._place = min(max(self._place + step, lowest), highest)


def _db(contrast: float) -> float:
    return 20 * math.log10(contrast)


_SHIPPED: dict[str, Callable[[ProcedureSetting], Procedure]] = {
    QUEST_PLUS: QuestProcedure,
    STAIRCASE: WeightedStaircase,
}


def procedure_names() -> list[str]:
    """List the procedures that a protocol can name here.

    Examples
    --------
    >>> {"quest+", "staircase"} <= set(procedure_names())
    True
    """
    return sorted({*_SHIPPED, *_installed()})


def make_procedure(name: str, setting: ProcedureSetting) -> "AskTell":
    """Make a procedure by its name, ready to be asked.

    Raises
    ------
    LookupError
        If there is none of that name.
    ValueError
        If an installed one lacks `ask` or `tell`.

    Examples
    --------
    >>> make_procedure("staircase", ProcedureSetting((0.1, 0.2, 0.4))).ask()
    0.4
    """
    return AskTell(name, find_procedure(name)(setting), setting)


def find_procedure(name: str) -> Callable[[ProcedureSetting], Any]:
    """Give what makes a procedure; errors as for `make_procedure`."""
    if name in _SHIPPED:
        return _SHIPPED[name]
    if name in _installed():
        return _installed()[name].load()
    names = procedure_names()
    known = suggestion(name, names) or f"; there are {', '.join(names)}"
    raise LookupError(f"no procedure named {name!r}{known}")


class AskTell:
    """A procedure with its answers checked, and asked once for each trial it is told.

    Parameters
    ----------
    name
        For what is said of it.
    procedure
        Made of the setting.
    setting
        Says which contrasts can be shown.

    Raises
    ------
    ValueError
        If the procedure has no `ask` or no `tell`.
    """

    def __init__(self, name: str, procedure: Any, setting: ProcedureSetting) -> None:
        for method in ("ask", "tell"):
            if not callable(getattr(procedure, method, None)):
                raise ValueError(f"{name} must have ask and tell, got no {method}")
        self._name, self._procedure, self._setting = name, procedure, setting
        self._asked: float | None = None

    def ask(self) -> float:
        """Give the contrast of the next trial, the same until one is told."""
        if self._asked is None:
            self._asked = self._shown("ask for", self._procedure.ask())
        return self._asked

    def tell(self, contrast: float, correct: bool) -> None:
        """Take in a trial."""
        self._procedure.tell(float(contrast), bool(correct))
        self._asked = None

    @property
    def is_done(self) -> bool:
        """Whether no trial is needed any more."""
        return bool(getattr(self._procedure, "is_done", False))

    def estimate(self) -> float:
        """Give the contrast at the target, of those that can be shown."""
        own = getattr(self._procedure, "estimate", None)
        return self.ask() if own is None else self._shown("estimate", own())

    def _shown(self, what: str, contrast: Any) -> float:
        try:
            value = float(contrast)
        except (TypeError, ValueError):
            value = math.nan
        if not 0 < value < math.inf:
            rule = f"must {what} a contrast above 0"
            raise ValueError(f"{self._name} {rule}, got {contrast!r}")
        return self._setting.nearest(value)


def require_procedures(protocol: Protocol) -> None:
    """Raise LookupError if a session needs a procedure that is not installed."""
    calibrates = any(block.kind == "calibration" for block in protocol.blocks)
    if calibrates or protocol.contrast.is_adaptive:
        find_procedure(protocol.contrast.procedure)


def _installed() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=GROUP)}

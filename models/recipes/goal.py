"""What a recipe's network learns: the task, somebody's responses, or a kernel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...experiments.protocols.checks import Faults
from ...experiments.protocols.files import load_protocol
from ...experiments.protocols.protocol import Protocol

GOALS = ("task", "shadow", "kernel")


@dataclass(frozen=True)
class SessionPart:
    """Which session's responses are learnt: the trial log's file, and the id."""

    db: str
    id: str


@dataclass(frozen=True)
class Goal:
    """What is learnt.

    Attributes
    ----------
    kind
        'task' (which alternative had the signal), 'shadow' (another's responses) or
        'kernel' (what moves another's responses).
    protocol
        A shipped protocol, or the path of a file ending in .toml; a session has its
        own.
    observer, options, internal_noise
        Whose responses to new trials, or whose kernel, is learnt: a name, what it can
        be told, and its internal / external SD ratio.
    session
        Whose responses, to the trials that they were given to, or whose kernel.
    contrasts
        Of the new trials. By default those at which an ideal observer has d' 1, 2, 3
        and 4 for a task, and else the one that models are measured at. A kernel is of
        one contrast.
    file
        A kernel, in place of an observer: .npy or .csv (a list is order one, a square
        order two) or .json, a table with `first` and `second`.
    orders
        Of the kernel: [1], [2] or [1, 2].
    shuffled
        Whether the kernel's elements change places, as the seed says: a control.
    task_weight
        What the task's loss counts beside the kernel's.
    target_trials
        New trials that an observer's kernel is measured on.
    """

    kind: str
    protocol: str = ""
    observer: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    internal_noise: float = 0.0
    session: SessionPart | None = None
    contrasts: tuple[float, ...] = ()
    file: str = ""
    orders: tuple[int, ...] = (1,)
    shuffled: bool = False
    task_weight: float = 0.0
    target_trials: int = 50_000

    def __post_init__(self) -> None:
        faults = Faults()
        rule = f"one of {', '.join(GOALS)}"
        if not faults.unless(self.kind in GOALS, "kind", rule, self.kind):
            faults.raise_any()
        self._check_whose(faults)
        self._check_session(faults)
        self._check_kernel(faults)
        rule = "left out without an observer"
        told = bool(self.observer) or not (self.options or self.internal_noise)
        faults.unless(told, "options and internal_noise", rule, "some")
        rule, gamma = "0 or more", self.internal_noise
        faults.unless(0 <= gamma < float("inf"), "internal_noise", rule, gamma)
        fits = all(0 < each <= 1 for each in self.contrasts)
        faults.unless(fits, "contrasts", "in (0, 1]", list(self.contrasts))
        faults.raise_any()

    @property
    def learns_session(self) -> bool:
        """Whether the trials are a session's own, and not new ones."""
        return self.kind == "shadow" and self.session is not None

    @property
    def whose(self) -> str:
        """Name of the observer, session or file; empty where the goal is the task."""
        if self.session is not None:
            return self.session.id
        return self.observer or self.file

    def _check_whose(self, faults: Faults) -> None:
        """Refuse what does not say, once, whose responses or kernel it is."""
        is_session = self.session is not None
        if self.kind == "task":
            rule = "left out where the goal is the task"
            faults.unless(not self.observer, "observer", rule, self.observer)
            faults.unless(not is_session, "session", rule, self.session)
            return
        given = [bool(self.observer), is_session]
        which, one = "observer or session", "one of the two"
        if self.kind == "kernel":
            which, one = "observer, session or file", "one of the three"
            given.append(bool(self.file))
        many = "both" if len(given) == 2 else "several"
        got = many if sum(given) > 1 else "neither" if len(given) == 2 else "none"
        faults.unless(sum(given) == 1, which, one, got)

    def _check_session(self, faults: Faults) -> None:
        is_session = self.session is not None
        rule = "left out with a session, which has its own"
        own: list[tuple[str, Any]] = [("protocol", ""), ("options", {})]
        if self.kind != "kernel":
            own.append(("contrasts", ()))
        for name, default in own if is_session else ():
            value = getattr(self, name)
            faults.unless(value == default, name, rule, value)
        rule = "a shipped protocol or a file of one"
        has = bool(self.protocol) or is_session
        faults.unless(has, "protocol", rule, self.protocol)

    def _check_kernel(self, faults: Faults) -> None:
        if self.kind != "kernel":
            rule = "left out where the goal is no kernel"
            for name, default in (
                ("file", ""),
                ("orders", (1,)),
                ("shuffled", False),
                ("task_weight", 0.0),
                ("target_trials", 50_000),
            ):
                value = getattr(self, name)
                faults.unless(value == default, name, rule, value)
            return
        known = self.orders in ((1,), (2,), (1, 2))
        faults.unless(known, "orders", "[1], [2] or [1, 2]", list(self.orders))
        n = len(self.contrasts)
        faults.unless(n <= 1, "contrasts", "one at most for a kernel", n)
        weight = self.task_weight
        fits = 0 <= weight < float("inf")
        faults.unless(fits, "task_weight", "0 or more", weight)
        n = self.target_trials
        faults.unless(n >= 1000, "target_trials", "1000 or more", n)


def protocol_of(goal: Goal, base: Path) -> Protocol:
    """Load the protocol of a goal without session; a file's path is from `base` on."""
    is_file = Path(goal.protocol).suffix == ".toml"
    return load_protocol(base / goal.protocol if is_file else goal.protocol)

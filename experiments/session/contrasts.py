"""The contrasts of a session as it goes: constant, stepped, or asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int64

from ..protocols.protocol import Protocol
from .procedures import AskTell, ProcedureSetting, make_procedure


class Course:
    """The contrasts of one condition, from the responses so far.

    Parameters
    ----------
    protocol
        What the condition shows.
    seed
        The session's.
    name
        The condition's, so that no two procedures have one seed.
    carried
        What the course of an earlier sitting `knows`: main blocks begin at its last
        contrasts, and a calibration is told of its responses first.
    """

    def __init__(
        self,
        protocol: Protocol,
        seed: int,
        name: str = "",
        carried: Mapping[str, Any] | None = None,
    ) -> None:
        self._contrast = protocol.contrast
        self._protocol, self._seed, self.name = protocol, seed, name
        before = carried or {"contrasts": protocol.contrast.values, "told": []}
        self.values = list(before["contrasts"])
        self._before = [(one, bool(was)) for one, was in before["told"]]
        self._told: list[tuple[float, bool]] = []
        self._practice = _easy(protocol)
        self._calibration: AskTell | None = None
        self._main: AskTell | None = None
        self._correct: list[bool] = []

    def begin(self, number: int, kind: str) -> None:
        """Make ready for a block."""
        if kind == "calibration":
            self._calibration = self._new(number)
            for one, was in self._before:
                self._calibration.tell(one, was)
        elif kind == "main" and self._contrast.is_adaptive and self._main is None:
            self._main = self._new(number)

    def end(self, kind: str) -> None:
        """Set the contrasts of the blocks to come from the one that ended."""
        contrast = self._contrast
        if kind == "calibration" and self._calibration is not None:
            self.values = [self._calibration.estimate()]
            self._calibration = None
        elif kind == "main" and self._correct and contrast.grid:
            share = sum(self._correct) / len(self._correct)
            low, high = contrast.keep_correct
            step = 1 if share < low else -1 if share > high else 0
            self.values = [_step(contrast.grid, c, step) for c in self.values]
        self._correct = []

    @property
    def steps(self) -> bool:
        """Whether a main block can move the contrasts of the next one."""
        keeps = self._contrast.keep_correct == (0.0, 1.0)
        return bool(self._contrast.grid) and not keeps and not self.is_adaptive

    @property
    def is_asked(self) -> bool:
        """Whether a procedure is running."""
        return self._calibration is not None or self._main is not None

    @property
    def is_adaptive(self) -> bool:
        """Whether a procedure chooses the contrast of every main trial."""
        return self._contrast.is_adaptive

    def procedure(self, kind: str) -> AskTell | None:
        """Give the procedure that chooses in blocks of a kind, if one does."""
        if kind == "calibration":
            return self._calibration
        return self._main if kind == "main" else None

    def is_done(self, kind: str) -> bool:
        """Whether trials of a kind are no longer needed."""
        procedure = self.procedure(kind)
        return procedure is not None and procedure.is_done

    def contrasts(
        self, kind: str, values: Int64[np.ndarray, " trial"]
    ) -> Float[np.ndarray, " trial"]:
        """Give contrasts of trials of a kind: which of the main contrasts is said."""
        procedure = self.procedure(kind)
        if procedure is not None:
            return np.full(len(values), procedure.ask())
        if kind == "practice":
            return np.full(len(values), self._practice)
        return np.array(self.values)[values]

    def replay(self, value: int, contrast: float) -> None:
        """Take a contrast of the main blocks as it was logged."""
        if not self.is_adaptive:
            self.values[value] = contrast

    def learn(
        self,
        kind: str,
        contrast: Float[np.ndarray, " trial"],
        correct: Bool[np.ndarray, " trial"],
        is_first: Bool[np.ndarray, " trial"],
    ) -> None:
        """Take in whether responses to trials of a kind were correct.

        A procedure is told of first passes: a stimulus that is shown again says
        nothing new of the threshold.
        """
        procedure = self.procedure(kind)
        if procedure is not None:
            first = correct[is_first].tolist()
            told = zip(contrast[is_first].tolist(), first, strict=True)
            for one, was in told:
                procedure.tell(one, was)
                if kind == "calibration":
                    self._told.append((one, was))
        elif kind == "main":
            self._correct += correct.tolist()

    def knows(self) -> dict[str, Any]:
        """Give what a later sitting may begin with; nothing where all is constant."""
        if not self._contrast.grid:
            return {}
        told = [[one, int(was)] for one, was in self._before + self._told]
        return {"contrasts": list(self.values), "told": told}

    def _new(self, number: int) -> AskTell:
        parts = (self._seed, self.name, number)
        setting = ProcedureSetting.of(self._protocol, *parts)
        return make_procedure(self._contrast.procedure, setting)


def _easy(protocol: Protocol) -> float:
    """Contrast of practice: half-way, in steps of the grid, from usual to highest."""
    grid, value = protocol.contrast.grid, protocol.contrast.values[0]
    above = [step for step in grid if step > value]
    return above[len(above) // 2] if above else value


def _step(grid: Sequence[float], contrast: float, step: int) -> float:
    """Move a contrast by whole steps of the grid, from the nearest one."""
    if step == 0:
        return contrast
    nearest = min(range(len(grid)), key=lambda i: abs(grid[i] - contrast))
    return grid[min(max(nearest + step, 0), len(grid) - 1)]

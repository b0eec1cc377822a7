"""A training's state on disk: there whole, or not at all."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..whole_files import whole

_KEYS = {"recipe", "step", "network", "optimiser", "schedule", "best", "rng", "history"}


@dataclass(frozen=True)
class Checkpoint:
    """Where a training writes its state, and for which recipe.

    Attributes
    ----------
    path
        The file.
    recipe
        SHA-256 of all that the weights are a function of: a state of another recipe is
        refused.
    """

    path: Path
    recipe: str

    @classmethod
    def beside(cls, weights: Path, recipe: str) -> "Checkpoint":
        """Give the checkpoint that stands beside a file of weights."""
        return cls(weights.with_name(f"{weights.name}.checkpoint"), recipe)

    def write(self, state: dict[str, Any]) -> None:
        """Write a state in place of the last one.

        Raises
        ------
        OSError
            If it cannot be written; the last one stays.
        """
        with whole(self.path) as file:
            torch.save({"recipe": self.recipe, **state}, file)

    def read(self) -> dict[str, Any] | None:
        """Read the state; None where there is none.

        Raises
        ------
        ValueError
            If it is of another recipe, damaged, or another file.
        """
        if not self.path.is_file():
            return None
        with self.path.open("rb") as file:
            try:
                found = torch.load(file, map_location="cpu", weights_only=True)
            except Exception as error:  # torch raises many kinds on damaged files
                rule = "a checkpoint that Yoked wrote, got a damaged or other file"
                raise ValueError(f"{str(self.path)!r} must be {rule}") from error
        if not isinstance(found, dict) or not found.keys() >= _KEYS:
            rule = "a checkpoint that Yoked wrote, got another file"
            raise ValueError(f"{str(self.path)!r} must be {rule}")
        if found["recipe"] != self.recipe:
            rule = "of this recipe, protocol and session"
            got = f"one of another ({found['recipe'][:8]})"
            hint = "remove it to begin anew"
            raise ValueError(f"{str(self.path)!r} must be {rule}, got {got}; {hint}")
        return found

    def require_resumed(self, resume: bool) -> None:
        """Refuse to begin anew over a state that somebody may want.

        Raises
        ------
        ValueError
            If there is one, and it is not to be resumed.
        """
        if self.path.is_file() and not resume:
            rule = "resumed (--resume) or removed"
            raise ValueError(f"a checkpoint must be {rule}, got {str(self.path)!r}")

    def remove(self) -> None:
        """Remove it: the weights are written."""
        self.path.unlink(missing_ok=True)

"""An observer whose responses, or whose kernel, a network learns."""

from typing import Any

import numpy as np
import torch

from ...experiments.protocols.protocol import Protocol
from ...experiments.session.observer import ObserverNoise, Practice, optional
from ...experiments.stimulus.seeds import derived_seed
from ..decision import Decision, calibrate, checked_variables, rehearse
from ..registry import load
from ..simulate import teach
from .recipe import Recipe
from .shown import Frames


class Shadowed:
    """An observer that responds to new trials.

    Parameters
    ----------
    recipe
        Names it.
    protocol
        What it does.
    """

    def __init__(self, recipe: Recipe, protocol: Protocol) -> None:
        goal, seed = recipe.goal, recipe.network.seed
        self._observer = load(goal.observer, **goal.options)
        self._task = protocol.task
        self._seed = derived_seed("shadowed", goal.observer, seed)
        practice = Practice(protocol)
        teach(self._observer, practice)
        rehearse(self._observer, practice, self._seed)
        self._decision = calibrate(
            self._observer, practice, self._seed, goal.internal_noise
        )

    def respond(
        self, frames: Frames, numbers: np.ndarray, held_out: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give its responses, and those that it would give without internal noise."""
        device: Any = optional(self._observer, "device")
        shown = frames if device is None else torch.from_numpy(frames).to(device)
        seed = derived_seed("held-out", self._seed) if held_out else self._seed
        noise = ObserverNoise(seed, numbers)
        variables = checked_variables(self._observer, shown, noise, self._task)
        responses, _ = self._decision.respond(variables, noise)
        plain = Decision(self._task, 0.0, self._decision.criteria)
        return responses, plain.respond(variables, noise)[0]

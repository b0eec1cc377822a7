"""Further observers for `simulated.run`: quadratic, energy, common nonlinear parts."""

from dataclasses import dataclass

import numpy as np

from .linear import Linear


@dataclass(frozen=True)
class Quadratic(Linear):
    """A linear observer with squares of some filters' outputs added, weak or strong.

    Decision variable: w . x + strength x sum of ((f . x)^2 / sd - sd) over filters f,
    so that the quadratic part has SD strength x sqrt(2 n_filters) x sd.
    """

    filters: np.ndarray = None  # (filter, element), rows of length 1
    strength: float = 1.0

    def decision_variables(self, noise, signal, rng):
        linear = super().decision_variables(noise, signal, rng)
        out = noise @ self.filters.T
        return linear + self.strength * (out**2 / self.sd - self.sd).sum(-1)

"""The guesser: an observer that does not look. Chance, for comparison."""

import numpy as np
from jaxtyping import Float, UInt8

from ...experiments.session.observer import ObserverNoise, Practice, Viewing


class Guesser:
    """Responses at random, from its own noise alone.

    Examples
    --------
    >>> frames = np.full((1, 2, 1, 4, 4), 128, np.uint8)
    >>> Guesser().decide(frames, ObserverNoise(7, np.array([0]))).shape
    (1, 2)
    """

    name = "guesser"

    def __init__(self) -> None:
        self._n: int | None = None

    def prepare(self, viewing: Viewing) -> None:
        """Take nothing in."""

    def learn(self, practice: Practice) -> None:
        """Take in how many decision variables are asked for."""
        self._n = practice.protocol.task.n_variables

    def decide(
        self,
        frames: UInt8[np.ndarray, " trial alternative frame y x"],
        noise: ObserverNoise,
    ) -> Float[np.ndarray, " trial variable"]:
        """Give standard normal noise for every alternative of every trial."""
        return noise.normal(self._n or frames.shape[1])

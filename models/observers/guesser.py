"""The guesser: an observer that does not look. Chance, for comparison."""

import numpy as np
from jaxtyping import Float, UInt8

from ...experiments.session.observer import ObserverNoise, Viewing


class Guesser:
    """Responses at random, from its own noise alone.

    Examples
    --------
    >>> frames = np.full((1, 2, 1, 4, 4), 128, np.uint8)
    >>> Guesser().decide(frames, ObserverNoise(7, np.array([0]))).shape
    (1, 2)
    """

    name = "guesser"

    def prepare(self, viewing: Viewing) -> None:
        """Take nothing in."""

    def decide(
        self,
        frames: UInt8[np.ndarray, " trial alternative frame y x"],
        noise: ObserverNoise,
    ) -> Float[np.ndarray, " trial alternative"]:
        """Give standard normal noise for every alternative of every trial."""
        return noise.normal(frames.shape[1])

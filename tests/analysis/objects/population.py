"""People and models of known d' by image and distractor, simulated without Yoked.

An image i of object o and distractor d have a difficulty t[i, d]: a person chooses d
in Phi(-t[i, d]) of trials. Difficulty is a part of the pair of objects, which both have
in common, and a part of the image, whose correlation between people and model is rho.
"""

import numpy as np
import pandas as pd
from scipy.stats import norm

OBJECTS = ("ape", "bus", "cup", "dog", "elk")


class Population:
    """Difficulties of people and of a model, and what they answer."""

    def __init__(self, rho, n_images=30, sd=0.5, seed=0):
        self.rng = np.random.default_rng(seed)
        n = len(OBJECTS)
        self.target = np.repeat(np.arange(n), n_images)
        self.images = [f"{OBJECTS[o]}{i}.png" for i, o in enumerate(self.target)]
        pair = self.rng.normal(1.0, 0.3, (n, n))
        shape = len(self.target), n
        shared, own = self.rng.normal(size=(2, *shape))
        base = (pair + pair.T)[self.target] / 2
        self.people = base + sd * shared
        self.model = base + sd * (rho * shared + np.sqrt(1 - rho**2) * own)

    def probabilities(self):
        """Give the model's, as a table: P(d) / (P(d) + P(o)) is Phi(-t[i, d])."""
        p = norm.cdf(-self.model)
        odds = p / (1 - p)
        odds[np.arange(len(odds)), self.target] = 1.0
        p = odds / odds.sum(axis=1, keepdims=True)
        columns = {f"probability_{o}": p[:, j] for j, o in enumerate(OBJECTS)}
        return pd.DataFrame({"image": self.images, **columns})

    def trials(self, n_each):
        """Give people's trials, n of each image and distractor, in random order."""
        rows = []
        for i, o in enumerate(self.target):
            for d in range(len(OBJECTS)):
                if d == o:
                    continue
                wrong = self.rng.random(n_each) < norm.cdf(-self.people[i, d])
                names = self.images[i], OBJECTS[o], OBJECTS[d]
                rows += [(*names, OBJECTS[d if w else o]) for w in wrong]
        rows = [rows[k] for k in self.rng.permutation(len(rows))]
        return pd.DataFrame(rows, columns=["image", "target", "distractor", "choice"])

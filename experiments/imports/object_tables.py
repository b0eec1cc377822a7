"""Which object, of two: people's trials, and a model's probabilities.

A trial shows a picture of one object, then that object's name and a distractor's. A
model names no object of two: it gives each picture a probability for every object.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class ObjectTrials:
    """Trials with two objects to choose from, in the order in which they were given.

    Attributes
    ----------
    image
        Of each trial, its name.
    target, distractor
        The object that the image shows, and the other that could be chosen.
    choice
        One of the two.
    notes
        What was understood, a sentence each.

    Raises
    ------
    ValueError
        If a choice was none of the two, the two are one, or an image has two targets.
    """

    image: tuple[str, ...]
    target: tuple[str, ...]
    distractor: tuple[str, ...]
    choice: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known: dict[str, str] = {}
        for row, (image, target, other, said) in enumerate(
            zip(self.image, self.target, self.distractor, self.choice, strict=True), 1
        ):
            if target == other:
                rule = f"another object than the target in row {row}"
                raise ValueError(f"distractor must be {rule}, got {other!r} twice")
            if said not in (target, other):
                rule = f"{target!r} or {other!r} in row {row}"
                raise ValueError(f"choice must be {rule}, got {said!r}")
            if known.setdefault(image, target) != target:
                got = f"{known[image]} and {target}"
                raise ValueError(f"target of {image} must be one, got {got}")

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True, eq=False)
class ObjectProbabilities:
    """Probabilities of objects that one model gave to images.

    Attributes
    ----------
    observer
        The model's name.
    image, object
        Names.
    probability
        Of each object for each image, 0 or more; they need not add up to 1.

    Raises
    ------
    ValueError
        If a name comes twice, or a probability is below 0 or no number.
    """

    observer: str
    image: tuple[str, ...]
    object: tuple[str, ...]
    probability: Float[np.ndarray, " image object"]

    def __post_init__(self) -> None:
        for what, names in (("image", self.image), ("object", self.object)):
            twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
            if twice:
                rule = f"there once for each {what}"
                raise ValueError(
                    f"probabilities must be {rule}, got {twice[0]!r} twice"
                )
        shape = len(self.image), len(self.object)
        if self.probability.shape != shape:
            got = self.probability.shape
            raise ValueError(f"probability must be of shape {shape}, got {got}")
        if not (self.probability >= 0).all():  # NaN too
            got = float(self.probability.min())
            raise ValueError(f"probability must be a number >= 0, got {got}")

"""How often an image of one object is taken for each other object, of the two.

Of trials it is the share of those with distractor d in which d was chosen; of a model's
probabilities P(d) / (P(d) + P(o)), o being what the image shows [1]_.

References
----------
.. [1] Rajalingham, Issa, Bashivan, Kar, Schmidt & DiCarlo (2018), J. Neurosci. 38,
   7255-7269, as Brain-Score's metric `i2n` has it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from ...experiments.imports.object_tables import ObjectProbabilities, ObjectTrials
from ..trials.estimate import CannotTell


@dataclass(frozen=True, eq=False)
class Panel:
    """The images that people and a model have in common, and people's trials of them.

    Attributes
    ----------
    image, object
        Names, in alphabetical order.
    target
        The number of the object that each image shows.
    model
        Of each image and object, how often the model takes the one for the other; NaN
        at the target.
    shown, distractor, chose_distractor
        Of each trial: the number of its image and of its distractor, and whether that
        was chosen.
    """

    image: tuple[str, ...]
    object: tuple[str, ...]
    target: Int[np.ndarray, " image"]
    model: Float[np.ndarray, " image object"]
    shown: Int[np.ndarray, " trial"]
    distractor: Int[np.ndarray, " trial"]
    chose_distractor: Int[np.ndarray, " trial"]

    @cached_property
    def size(self) -> tuple[int, int]:
        """How many images and objects."""
        return len(self.image), len(self.object)

    def people(
        self, trials: Int[np.ndarray, " some"]
    ) -> Float[np.ndarray, "image object"]:
        """Give how often some of the trials took an image for each other object.

        NaN at the target, and where an image had no trial with this distractor.
        """
        where = self.shown[trials], self.distractor[trials]
        asked, chosen = np.zeros(self.size), np.zeros(self.size)
        np.add.at(asked, where, 1)
        np.add.at(chosen, where, self.chose_distractor[trials])
        return np.divide(chosen, asked, out=np.full(self.size, np.nan), where=asked > 0)


def panel(trials: ObjectTrials, model: ObjectProbabilities) -> Panel:
    """Put people's trials and a model's probabilities on the same images and objects.

    Trials keep their order; those of images or objects that the model lacks are left
    out.

    Raises
    ------
    CannotTell
        If they have fewer than two objects, or no trial, in common.
    """
    objects = sorted({*trials.target, *trials.distractor} & set(model.object))
    number = {name: i for i, name in enumerate(objects)}
    target = dict(zip(trials.image, trials.target, strict=True))
    images = sorted(
        name for name in set(model.image) & target.keys() if target[name] in number
    )
    place = {name: i for i, name in enumerate(images)}
    rows = [
        (place[image], number[other], int(said == other))
        for image, other, said in zip(
            trials.image, trials.distractor, trials.choice, strict=True
        )
        if image in place and other in number
    ]
    if len(objects) < 2 or not rows:
        got = f"{len(objects)} objects and {len(rows)} trials"
        rule = "2 or more objects and a trial in common"
        raise CannotTell(f"people and {model.observer} must have {rule}, got {got}")
    of = np.array([number[target[name]] for name in images], np.int64)
    shown, distractor, chose = np.array(rows, np.int64).T
    p = _of_probabilities(model, images, objects, of)
    return Panel(tuple(images), tuple(objects), of, p, shown, distractor, chose)


def _of_probabilities(
    model: ObjectProbabilities,
    images: list[str],
    objects: list[str],
    target: Int[np.ndarray, " image"],
) -> Float[np.ndarray, "image object"]:
    rows = {name: i for i, name in enumerate(model.image)}
    columns = [model.object.index(name) for name in objects]
    p = model.probability[[rows[name] for name in images]][:, columns]
    own = np.take_along_axis(p, target[:, None], axis=1)
    both = p + own
    taken = np.divide(p, both, out=np.full(p.shape, np.nan), where=both > 0)
    taken[np.arange(len(target)), target] = np.nan
    return taken

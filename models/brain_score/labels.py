"""Which label a network's own classes say: the task 'label'."""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxtyping import Float
from numpy import ndarray

from ...experiments.protocols.checks import suggestion
from ..probing.readout import OwnClasses

LABEL = "label-largest-mean-softmax/1"
IMAGENET = "imagenet"
Classes = Sequence[str] | Mapping[str, Sequence[int]]


class Labels:
    """Some labels, among which a network's outputs choose.

    Parameters
    ----------
    classes
        Names of the network's outputs in their order, or of each label the numbers of
        its outputs.
    labels
        Those to choose from; 'imagenet' for all.

    Raises
    ------
    ValueError
        If there are no classes, or fewer than two labels.
    LookupError
        If a label is none of the classes.

    Examples
    --------
    >>> import numpy as np
    >>> of_two = Labels({"cat": [0], "dog": [1, 2]}, ["dog", "cat"])
    >>> of_two.choose(np.log([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]))
    ['cat', 'dog']
    """

    def __init__(self, classes: Classes | None, labels: Any) -> None:
        if classes is None:
            rule = "given to as_brain_model for the task label"
            raise ValueError(f"classes must be {rule}, got none")
        if isinstance(labels, str) and labels != IMAGENET:
            rule = f"{IMAGENET!r} or a list of labels"
            raise ValueError(f"labels must be {rule}, got {labels!r}")
        self._classes, known = classes, list(classes)
        given = known if isinstance(labels, str) else labels
        self.labels = [str(each) for each in ([] if given is None else given)]
        if len(self.labels) < 2:
            got = ", ".join(self.labels) or "none"
            raise ValueError(f"labels must be 2 or more, got {got}")
        for each in self.labels:
            if each not in known:
                near = suggestion(each, known)
                listed = "" if near else f"; there are {', '.join(known[:20])}"
                raise LookupError(f"no class is called {each!r}{near}{listed}")

    def choose(self, outputs: Float[ndarray, " picture output"]) -> list[str]:
        """Give of each picture the label whose outputs have the largest mean softmax.

        The softmax is over all outputs; of equal labels the first is chosen.

        Raises
        ------
        ValueError
            If there are not as many names as outputs, or a number is beyond them.
        """
        own = OwnClasses(self._indices(outputs.shape[1]))
        return [self.labels[k] for k in own.probabilities(outputs).argmax(axis=1)]

    def _indices(self, width: int) -> dict[str, Sequence[int]]:
        """Give of each label the numbers of the network's outputs."""
        classes = self._classes
        if isinstance(classes, Mapping):
            return {each: list(classes[each]) for each in self.labels}
        if len(classes) != width:
            rule = f"{width} names, one for each output of the network"
            raise ValueError(f"classes must be {rule}, got {len(classes)}")
        place = {name: k for k, name in enumerate(classes)}
        return {each: [place[each]] for each in self.labels}

"""A network that attends to a category: gains of channels that are tuned to it.

References
----------
.. [1] Martinez-Trujillo & Treue (2004), Feature-based attention increases the
   selectivity of population responses in primate visual cortex, Current Biology 14,
   744-751: the gain of a cell follows how alike its preference is to what is attended.
.. [2] Lindsay & Miller (2018), How biological attention mechanisms improve task
   performance in a large-scale visual system model, eLife 7, e38105: the same of
   channels of a network and categories of pictures.
"""

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from ...experiments.protocols.checks import suggestion
from ...experiments.session.observer import Observer, Practice, Viewing, optional
from .batches import BatchedObserver
from .inputs import InputMaker
from .layers import named_module
from .sight import SeesPictures, Sight
from .trainable import TrainableNetwork

FORMULA = "feature-tuning/1"


@dataclass(frozen=True, eq=False)
class FeatureTuning:
    """How the channels of a layer are tuned to categories; `yoked.feature_tuning`.

    Attributes
    ----------
    layer
        Of the network.
    categories
        By name.
    values
        In [-1, 1]: of a category and a channel; 0 where it responds as to all pictures.
    n_pictures
        Of each category.
    formula
        What the values are.
    """

    layer: str
    categories: tuple[str, ...]
    values: Float64[np.ndarray, " category channel"]
    n_pictures: tuple[int, ...]
    formula: str = FORMULA

    def __post_init__(self) -> None:
        if self.values.shape[0] != len(self.categories):
            rule = f"a row for each of {len(self.categories)} categories"
            raise ValueError(f"values must be {rule}, got {self.values.shape}")
        if not (np.abs(self.values) <= 1).all():
            raise ValueError("values must be in [-1, 1], got others")

    def of(self, category: str) -> Float64[np.ndarray, " channel"]:
        """Give the values of a category.

        Raises
        ------
        LookupError
            If there is none of that name.
        """
        if category not in self.categories:
            near = suggestion(category, self.categories)
            there = "" if near else f"; there are {', '.join(self.categories)}"
            raise LookupError(f"no category named {category!r}{near}{there}")
        return self.values[self.categories.index(category)]

    def shuffled(self, seed: int = 0) -> "FeatureTuning":
        """Give a control: the channels change places, the same for all categories."""
        order = np.random.default_rng(seed).permutation(self.values.shape[1])
        return replace(self, values=self.values[:, order])


def attend(
    observer: Observer, tuning: FeatureTuning, category: str, strength: float
) -> "AttendingNetwork":
    """Let a network attend to a category: an observer like any other.

    What each channel c of the layer puts out is multiplied by 1 + strength * f_c, at
    least 0, with f_c its tuning to the category. A read-out is learnt without
    attention, as in [2]_. Controls are strength 0, which changes nothing, and
    `tuning.shuffled()`.

    Parameters
    ----------
    observer
        `retina-cnn`, a network by name, one of `yoked.from_torch` or of a file that
        `yoked train` wrote. It is not changed, and shared: it learns once.
    tuning
        Of one of its layers.
    category
        One of the tuning's.
    strength
        0 or more; at 1 the least tuned channel can be silent, the best has gain 2.

    Raises
    ------
    LookupError
        If there is no such category, or in use no such layer.
    ValueError
        If the strength is out of range, the observer is no network, or in use the layer
        has other channels.

    Examples
    --------
    >>> import yoked
    >>> values = np.array([[1.0, -0.5, *[0.0] * 14], [-1.0, 0.5, *[0.0] * 14]])
    >>> tuning = FeatureTuning("stage1", ("bar", "disk"), values, (10, 10))
    >>> network = yoked.load_observer("plain-cnn", fit_trials=128)
    >>> observer = yoked.attend(network, tuning, "bar", strength=0.5)
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> session = yoked.run(protocol, observer, seed=1, trials=20, contrast=0.3)
    >>> session.row.observer.parameters["attention"]["category"]
    'bar'

    On the command line it is a function of your own file, `mine.py:attending`.
    """
    if not isinstance(observer, BatchedObserver) or not isinstance(
        observer, SeesPictures
    ):
        rule = "a network that can be shown any picture"
        got = getattr(observer, "name", type(observer).__name__)
        raise ValueError(f"observer must be {rule}, got {got!r}")
    if not 0 <= strength < math.inf:
        raise ValueError(f"strength must be 0 or more, got {strength}")
    gains = np.maximum(0, 1 + strength * tuning.of(category))
    told = {
        "layer": tuning.layer,
        "category": category,
        "strength": float(strength),
        "gains": gains.round(6).tolist(),
    }
    return AttendingNetwork(observer, Gain(tuning.layer, torch.tensor(gains)), told)


@dataclass(frozen=True, eq=False)
class Gain:
    """The hook that multiplies; an object, so that a network with it can be copied."""

    layer: str
    gains: Float[Tensor, " channel"]

    def __call__(self, module: nn.Module, inputs: object, output: object) -> object:
        """Give the output with its gains."""
        if isinstance(output, tuple | list) and output:
            return type(output)((self(module, inputs, output[0]), *output[1:]))
        axis = 1 if isinstance(output, Tensor) and output.dim() > 1 else 0
        n = output.shape[axis] if isinstance(output, Tensor) and output.dim() else 0
        if n != len(self.gains):
            rule = f"of {len(self.gains)} channels, as its tuning is"
            raise ValueError(f"layer {self.layer!r} must be {rule}, got {n}")
        assert isinstance(output, Tensor)
        others = [1] * (output.dim() - axis - 1)
        return output * self.gains.to(output).view(-1, *others)


class AttendingNetwork(BatchedObserver):
    """A network observer whose channels have gains; made by `attend`."""

    def __init__(
        self, observer: BatchedObserver, gain: Gain, told: dict[str, Any]
    ) -> None:
        self._observer: Any = observer
        self._gain = gain
        self._told = told
        self.name = observer.name
        self.device = observer.device

    @property
    def parameters(self) -> dict[str, Any]:
        """What the trial log keeps: the network's own, and what it attends to."""
        return {**optional(self._observer, "parameters"), "attention": self._told}

    @property
    def weights_hash(self) -> str | None:
        """Of the network's weights."""
        return optional(self._observer, "weights_hash")

    @property
    def n_reserved(self) -> int:
        """How many reserved trials it is calibrated on."""
        return optional(self._observer, "n_reserved")

    @property
    def network(self) -> nn.Module:
        """The module, without attention."""
        return self._observer.network

    def prepare(self, viewing: Viewing) -> None:
        """Take in what the stimulus is seen like."""
        self._observer.prepare(viewing)

    def learn(self, practice: Practice) -> None:
        """Let the network learn, without attention.

        Raises
        ------
        LookupError
            If it has no such layer.
        """
        self._observer.learn(practice)
        named_module(_own(self.network), self._gain.layer)
        batches = self._observer.batches
        self._set_batch(batches.size, batches.threads)

    def scores(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative"]:
        """Give decision variables, with attention."""
        with self._attending():
            return self._observer.scores(contrast)

    def features(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative feature"]:
        """Give what is read, with attention."""
        with self._attending():
            return self._observer.features(contrast)

    def input_of(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Tensor:
        """Give what the network takes."""
        return self._observer.input_of(contrast)

    def sight(self) -> Sight:
        """Say what it takes to show it pictures, to which it attends too."""
        given = self._observer.sight()

        def build(inputs: InputMaker, viewing: Viewing) -> nn.Module:
            network = copy.deepcopy(given.build(inputs, viewing))
            named_module(network, self._gain.layer).register_forward_hook(self._gain)
            return network

        return replace(given, build=build)

    @contextmanager
    def _attending(self) -> Iterator[None]:
        """Attend for a while: for one pass."""
        module = named_module(_own(self.network), self._gain.layer)
        handle = module.register_forward_hook(self._gain)
        try:
            yield
        finally:
            handle.remove()


def _own(network: nn.Module) -> nn.Module:
    """Give the network itself, where it was trained with its input and read-out."""
    return network.network if isinstance(network, TrainableNetwork) else network

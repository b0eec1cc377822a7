"""A network observer with noise at a chosen place inside it: `yoked.noisy`."""

import inspect
import math
from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor

from ...experiments.session.observer import Observer, Practice, Viewing, optional
from ..decision import measured, reference_contrast, rehearse
from ..noise import noise_like
from .batches import BatchedObserver
from .noise_places import LayerNoise, Place, element_noise, unit_sds_of

Progress = Callable[[int, int], None]


class NoisyNetwork(BatchedObserver):
    """A network observer whose every showing of a trial has noise of its own inside.

    Make one with `noisy`, which has the parameters.

    Attributes
    ----------
    place
        Where the noise is.
    """

    def __init__(self, observer: BatchedObserver, at: str, sd: float) -> None:
        self._observer: Any = observer
        self.place = Place.parse(at)
        self.sd = sd
        self.name = observer.name
        self.device = observer.device
        self._viewing: Viewing | None = None
        self._layer_noise: LayerNoise | None = None
        self._external_sd = 1.0
        self._measured_for: tuple[object, ...] | None = None

    @property
    def sd(self) -> float:
        """SD of the noise; it may be set, and the next decision has it."""
        return self._sd

    @sd.setter
    def sd(self, value: float) -> None:
        if not 0 <= value < math.inf:
            raise ValueError(f"sd must be 0 or more, got {value}")
        self._sd = float(value)

    @property
    def at(self) -> str:
        """The place, as `noisy` takes it."""
        layer = self.place.layer
        return f"{self.place.kind}:{layer}" if layer else self.place.kind

    @property
    def parameters(self) -> dict[str, Any]:
        """What the trial log keeps: the network's own, and the noise."""
        added = {"at": self.at, "sd": self.sd}
        return {**optional(self._observer, "parameters"), "added_noise": added}

    @property
    def weights_hash(self) -> str | None:
        """Of the network's weights."""
        return optional(self._observer, "weights_hash")

    @property
    def n_reserved(self) -> int:
        """How many reserved trials it is calibrated on."""
        return optional(self._observer, "n_reserved")

    @property
    def trained_on(self) -> dict[str, Any]:
        """Session and trials that the network learnt, if it did from a session."""
        return getattr(self._observer, "trained_on", None) or {}

    def prepare(self, viewing: Viewing) -> None:
        """Take in what the stimulus's elements are."""
        self._viewing = viewing
        self._observer.prepare(viewing)

    def learn(self, practice: Practice, progress: Progress | None = None) -> None:
        """Let the network learn, and measure what the noise is in units of.

        Raises
        ------
        LookupError
            If there is no such layer.
        ValueError
            If there is no front, or the layer is of no use; see `unit_sds_of`.
        """
        learn = self._observer.learn
        if "progress" in inspect.signature(learn).parameters:
            learn(practice, progress=progress)
        else:
            learn(practice)
        protocol = practice.protocol
        key = (
            protocol.stimulus_hash,
            reference_contrast(protocol),
            practice.source.name,
            id(self._observer.network),
        )
        if key == self._measured_for:
            return
        name = ""
        if self.place.kind in ("front", "layer"):
            name = self.place.module(self._observer.network)
        rehearse(self._observer, practice, 0)  # so that its batch fits
        if self.place.kind == "decision":
            self._external_sd = measured(self._observer, practice, 0).external_sd
        elif self.place.kind != "input":
            module = self._observer.network.get_submodule(name)
            unit_sds = unit_sds_of(self._observer, module, name, practice)
            self._layer_noise = LayerNoise(module, name, unit_sds)
        batches = self._observer.batches
        self._set_batch(batches.size, batches.threads)
        self._measured_for = key

    def scores(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative"]:
        """Give decision variables, with noise."""
        found = self._noisily(self._observer.scores, contrast)
        if self.place.kind == "decision" and self.sd > 0:
            return found + self.sd * self._external_sd * noise_like(found)
        return found

    def features(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative feature"]:
        """Give what is read, with the noise that has come by then."""
        return self._noisily(self._observer.features, contrast)

    def _noisily(
        self, function: Callable[[Tensor], Tensor], contrast: Tensor
    ) -> Tensor:
        if self.sd == 0 or self.place.kind == "decision":
            return function(contrast)
        if self.place.kind == "input":
            assert self._viewing is not None
            return function(contrast + self.sd * element_noise(contrast, self._viewing))
        assert self._layer_noise is not None
        with self._layer_noise.added(self.sd):
            return function(contrast)


def noisy(observer: Observer, *, at: str, sd: float) -> NoisyNetwork:
    """Give a network observer Gaussian noise at one place inside it.

    Each showing of a trial draws its own, a function of the session's observer seed and
    the trial's number as `yoked.noise_like` has it: a session repeats exactly, results
    do not depend on batches, and the second pass draws new noise. In yes/no the
    criterion is unbiased with the noise, which the reserved trials have too.

    Parameters
    ----------
    observer
        `retina-cnn`, any network by name, one of `yoked.from_torch` or of a file that
        `yoked train` wrote. It is not changed, and shared: it learns once.
    at
        'input', each element of the stimulus in each frame, before anything is made of
        it; 'front', what a retina or a VOneBlock puts out; 'layer:NAME', what the
        module of that name puts out, at each of its calls (names as in
        `observer.network.named_modules()`); 'decision', each decision variable.
    sd
        At the input in contrast: of a linear network, noise of the SD of the stimulus's
        own is a gamma of 1, if that is white. In a layer or the front each unit's noise
        has `sd` times the SD that the stimulus's noise gives this unit, within targets
        over 256 reserved trials at the reference contrast: then it is the same whatever
        scale a unit's response has, which the next layer's weights can undo, and a unit
        that never varies stays so. At the decision it is gamma.

    Raises
    ------
    ValueError
        If the place or SD is none, or the observer is no network.

    Examples
    --------
    >>> import yoked
    >>> network = yoked.load_observer("element-mlp", fit_trials=128)
    >>> observer = yoked.noisy(network, at="layer:layers.1", sd=0.5)
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> session = yoked.run(protocol, observer, seed=1, trials=100, contrast=0.3)
    >>> session.row.observer.parameters["added_noise"]
    {'at': 'layer:layers.1', 'sd': 0.5}
    """
    if not isinstance(observer, BatchedObserver):
        rule = "a network, such as retina-cnn, to have noise inside"
        also = "at any observer's decision it is internal_noise"
        got = getattr(observer, "name", type(observer).__name__)
        raise ValueError(f"the observer must be {rule}, got {got}; {also}")
    if isinstance(observer, NoisyNetwork):
        rule = "one that has noise at no other place"
        raise ValueError(f"the observer must be {rule}, got noise at {observer.at}")
    return NoisyNetwork(observer, at, sd)

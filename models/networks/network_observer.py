"""A network with an input and a read-out: an observer."""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...experiments.protocols.protocol import Protocol
from ...experiments.session.observer import ObserverNoise, Practice, Viewing
from ..retina.mosaic import as_contrast_tensor
from ..training.practice import TrainingPlan, practice_batches
from .batches import BatchedObserver, require_device
from .inputs import InputMaker, Preprocess, as_preprocess
from .layers import Layer, named_module, settings_of
from .readouts import LinearReadout, Readout, fit_linear
from .sight import Sight
from .trainable import TrainableNetwork
from .weights import weights_hash

# Numbers in a batch's input, unless the batch is given: a GPU is filled by more.
_INPUT_NUMBERS = {"cpu": 1 << 21, "cuda": 1 << 25}
_MOST_TRIALS = {"cpu": 64, "cuda": 1024}
_FITTED_AT_A_TIME = 64  # trials of a step of practice, four contrasts in it
# From what the network will get, and how it is viewed, to the network.
Builder = Callable[[InputMaker, Viewing], nn.Module]


class NetworkObserver(BatchedObserver):
    """A network with an input and a read-out: an observer.

    Make one with `from_torch`, which has the parameters.

    Attributes
    ----------
    network
        The module that responds; once learnt, frozen and on the device.
    readout
        What is read.
    fitted
        The linear read-out, once it is learnt; else None.
    """

    n_reserved = 1024  # trials that its internal noise and criteria are measured on

    def __init__(
        self,
        network: nn.Module | Builder,
        name: str,
        layer: str = "",
        readout: str | None = None,
        field_deg: float | None = None,
        size_px: int | Sequence[int] | None = None,
        preprocess: Preprocess | str | Mapping[str, Any] = "imagenet",
        device: str = "cpu",
        step: int = -1,
        share_pass: bool = True,
        batch: int | None = None,
        threads: int | None = None,
        fit_trials: int = 1024,
        seed: int = 1,
        described: Mapping[str, Any] | None = None,
    ) -> None:
        if fit_trials < _FITTED_AT_A_TIME or fit_trials % _FITTED_AT_A_TIME:
            rule = f"a multiple of {_FITTED_AT_A_TIME}"
            raise ValueError(f"fit_trials must be {rule}, got {fit_trials}")
        for option, value in (("batch", batch), ("threads", threads)):
            if value is not None and not (isinstance(value, int) and value >= 1):
                rule = "a whole number, 1 or more"
                raise ValueError(f"{option} must be {rule}, got {value!r}")
        if field_deg is not None and not isinstance(field_deg, int | float):
            raise ValueError(f"field_deg must be a number, got {field_deg!r}")
        self.name = name
        self.device = require_device(device)
        self.layer = layer
        self.step = step
        self.preprocess = as_preprocess(preprocess)
        self.weights_hash: str | None = None
        self.fitted: LinearReadout | None = None
        self._given = network
        self._readout = None if readout is None else Readout.parse(readout)
        self._size_px = size_px
        self._field_deg = field_deg
        self._share_pass = share_pass
        self._asked = batch
        self._threads = threads
        self._plan = TrainingPlan(fit_trials // _FITTED_AT_A_TIME, _FITTED_AT_A_TIME)
        self._seed = seed
        self._described = dict(described or {})
        self._viewing: Viewing | None = None
        self._input: InputMaker | None = None
        self._layer: Layer | None = None
        self._learnt_for: str | None = None
        if isinstance(network, nn.Module):
            named_module(network, layer)  # what can be refused at once

    @property
    def network(self) -> nn.Module:
        """The module, once it is learnt."""
        if self._layer is None:
            raise ValueError(
                f"{self.name} must learn before it sees, got no learn call"
            )
        return self._layer.network

    @property
    def readout(self) -> Readout:
        """What is read; unless told, the one number there is, or a linear read-out."""
        assert self._readout is not None
        return self._readout

    @property
    def parameters(self) -> dict[str, Any]:
        """What the trial log keeps of it, besides the hash of its weights."""
        found = {
            **self._described,
            "layer": self.layer,
            "step": self.step,
            "share_pass": self._share_pass,
            "seed": self._seed,
        }
        if self._readout is not None:
            units = list(self._readout.units)
            found["readout"] = {"kind": self._readout.kind, "units": units}
        if self.fitted is not None:
            found["readout"] |= self.fitted.described
        if self._input is not None:
            found |= self._input.described
        return found

    def prepare(self, viewing: Viewing) -> None:
        """Take in degrees per pixel, which the field of view is made of."""
        self._viewing = viewing

    def learn(
        self, practice: Practice, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Set input and read-out up for a protocol; fit a linear read-out.

        Parameters
        ----------
        practice
            Trials that a linear read-out is fitted on.
        progress
            Called with the trials whose features are taken, and all there are.

        Raises
        ------
        ValueError
            If the stimulus is larger than the field of view, the network's output has a
            wrong shape or is not finite, or `prepare` was not called.
        """
        if self._viewing is None:
            rule = "prepared before it learns"
            raise ValueError(f"{self.name} must be {rule}, got no viewing")
        protocol = practice.protocol
        if self._learnt_for == protocol.stimulus_hash:
            return
        self._input = self._inputs(self._viewing, protocol.frame_shape)
        network = self._frozen(self._input, self._viewing)
        self._layer = Layer(network, self.layer, self.step)
        self._set_batch(self._batch_for(protocol), self._threads)
        self._settle_readout(practice)
        if self.readout.kind == "linear":
            self.fitted = self._fit(practice, progress)
        state = dict(network.state_dict())
        if self.fitted is not None:
            state["readout.weights"] = self.fitted.weights
            state["readout.offset"] = torch.tensor(self.fitted.offset)
        self.weights_hash = weights_hash(state)
        self._learnt_for = protocol.stimulus_hash

    def trainable(
        self, viewing: Viewing, frame_shape: tuple[int, int, int], n_alternatives: int
    ) -> TrainableNetwork:
        """Give the network to be trained whole, its read-out too, for a stimulus."""
        inputs = self._inputs(viewing, frame_shape)
        network = self._frozen(inputs, viewing).requires_grad_(True)
        read = (self.layer, self.step, self._readout)
        return TrainableNetwork(network, inputs, *read, n_alternatives, self._seed)

    def sight(self) -> Sight:
        """Say what it takes to show it pictures of any size."""
        seen = (self._field_deg, self._size_px)
        return Sight(self._frozen, self.preprocess, *seen, self.device)

    def scores(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative"]:
        """Give decision variables that can be differentiated by the contrast."""
        return torch.cat([self._scores(part) for part in self._passes(contrast)], dim=1)

    def input_of(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Tensor:
        """Give what the network takes; the rows of a trial stand beside each other."""
        if self._input is None:
            raise ValueError(
                f"{self.name} must learn before it sees, got no learn call"
            )
        return self._input(contrast)

    def features(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative feature"]:
        """Give all units of the layer that is read, of all frames."""
        parts = self._passes(contrast)
        found = [self._features(part).reshape(*part.shape[:2], -1) for part in parts]
        return torch.cat(found, dim=1)

    def _passes(self, contrast: Tensor) -> tuple[Tensor, ...]:
        """Give what goes through the network together."""
        return contrast.split(contrast.shape[1] if self._share_pass else 1, dim=1)

    def _scores(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative"]:
        features = self._features(contrast)  # (trial * alternative * part, …)
        n = math.prod(contrast.shape[:2])
        if (read := self.fitted) is not None:
            values = features.reshape(n, -1) @ read.weights.to(features) + read.offset
        else:
            values = self.readout.read(features).view(n, -1).mean(1)
        return values.view(contrast.shape[:2])

    def _features(self, contrast: Tensor) -> Tensor:
        assert self._layer is not None
        x = self.input_of(contrast)
        features = self._layer.read(x)
        if features.dim() == 0 or len(features) != len(x):
            rule = f"one row for each of the {len(x)} images"
            where = f"layer {self.layer!r}" if self.layer else "the output"
            got = tuple(features.shape)
            raise ValueError(f"{where} of {self.name} must have {rule}, got {got}")
        return features

    def _first_features(self, contrast: Tensor) -> Tensor:
        """Give features for the first time, when the network may not take its input."""
        try:
            return self._features(contrast)
        except (RuntimeError, IndexError, TypeError) as error:
            x = self.input_of(contrast)
            rule = f"one that takes {tuple(x.shape)} images"
            words = str(error).splitlines()[0]
            raise ValueError(f"{self.name} must be {rule}, got: {words}") from error

    def _inputs(self, viewing: Viewing, shape: tuple[int, int, int]) -> InputMaker:
        size = (self._field_deg, self._size_px)
        return InputMaker(self.preprocess, viewing, shape, *size, self.device)

    def _frozen(self, inputs: InputMaker, viewing: Viewing) -> nn.Module:
        """Build or copy the network: nobody's own module is changed."""
        if isinstance(self._given, nn.Module):
            network = copy.deepcopy(self._given)
        else:
            network = self._given(inputs, viewing)
        self._described.setdefault(
            "n_parameters", sum(p.numel() for p in network.parameters())
        )
        self._described.setdefault("configs", settings_of(network))
        return network.to(self.device).eval().requires_grad_(False)

    def _batch_for(self, protocol: Protocol) -> int:
        """Say how many trials a batch has, where nobody said it."""
        if self._asked is not None:
            return self._asked
        assert self._input is not None
        pixels = math.prod(self._input.size_px) * self.preprocess.channels
        numbers = pixels * protocol.n_intervals * protocol.frame_shape[0]
        kind = torch.device(self.device).type
        fitting = max(1, _INPUT_NUMBERS[kind] // numbers)
        return min(_MOST_TRIALS[kind], 1 << (fitting.bit_length() - 1))

    def _settle_readout(self, practice: Practice) -> None:
        """Try one trial, and read the one number there is unless told otherwise."""
        _, frames = practice.draw(1)
        contrast = as_contrast_tensor(torch.from_numpy(frames), self.device)
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            features = self._first_features(contrast)
            if self._readout is None:
                is_one = features[0].numel() == 1
                self._readout = Readout("output" if is_one else "linear")
            if self._readout.kind != "linear":
                self._readout.read(features)

    def _fit(
        self, practice: Practice, progress: Callable[[int, int], None] | None
    ) -> LinearReadout:
        rows, labels, done = [], [], 0
        n_trials = self._plan.n_steps * self._plan.batch
        task = practice.protocol.task
        for frames, targets in practice_batches(practice, self._seed, self._plan):
            noise = ObserverNoise(self._seed, np.arange(done, done + len(frames)))
            found = self.batches.each(self.features, frames, noise)
            rows.append(found.flatten(0, 1))
            of = np.arange(frames.shape[1]) if task.is_forced_choice else np.array([1])
            labels.append((targets[:, None] == of).ravel())
            done += len(frames)
            if progress is not None:
                progress(done, n_trials)
        is_target = torch.from_numpy(np.concatenate(labels))
        return fit_linear(torch.cat(rows), is_target)

"""`retina-cnn`: a fixed retina in front of a small convolutional network.

The whole model in one file: config, network, and the observer that trains or loads it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...experiments.protocols.checks import build
from ...experiments.session.observer import Practice, Viewing
from ...experiments.stimulus.seeds import require_seed
from ..retina.mosaic import Retina, RetinaConfig
from ..training.practice import VERSION, TrainingPlan, train
from .batches import BatchedObserver, require_device
from .weights import (
    Origin,
    json_hash,
    keep_in_cache,
    load_weights,
    read_cache,
    require_origin,
    save_weights,
    weights_hash,
)

_BATCH = 32  # trials: more are no faster on a CPU


@dataclass(frozen=True)
class RetinaCNNConfig:
    """The network's architecture.

    Attributes
    ----------
    retina
        The fixed front end.
    n_channels
        Channels of both convolutions.
    kernel, stride
        Of the first convolution, in ganglion cells.
    gain
        Fixed factor between ganglion cells and network: it brings responses to
        contrasts of .1 near 1.
    """

    retina: RetinaConfig = field(default_factory=RetinaConfig)
    n_channels: int = 8
    kernel: int = 5
    stride: int = 2
    gain: float = 20.0

    def __post_init__(self) -> None:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, got {self.kernel}")
        for name in ("n_channels", "kernel", "stride", "gain"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(
                    f"{name} must be more than 0, got {getattr(self, name)}"
                )


class RetinaNetwork(nn.Module):
    """From contrast to one decision variable per alternative.

    All alternatives and all frames of a movie share the weights up to the readout,
    which weighs every place in every frame.

    Parameters
    ----------
    config
        The architecture.
    deg_per_px
        Degrees of visual angle across a pixel.
    frame_shape
        Frames, height and width in px of an alternative.
    """

    def __init__(
        self,
        config: RetinaCNNConfig,
        deg_per_px: float,
        frame_shape: tuple[int, int, int],
    ) -> None:
        super().__init__()
        n_frames, *size_px = frame_shape
        n, kernel, stride = config.n_channels, config.kernel, config.stride
        self.gain = config.gain
        self.retina = Retina(config.retina, deg_per_px, (size_px[0], size_px[1]))
        self.first = nn.Conv2d(2, n, kernel, stride, padding=kernel // 2)
        self.first_rates = nn.ReLU()  # modules, so that noise can be put behind them
        self.second = nn.Conv2d(n, n, 3, padding=1)
        self.second_rates = nn.ReLU()
        rows, columns = (-(-cells // stride) for cells in self.retina.n_cells)
        self.readout = nn.Linear(n_frames * n * rows * columns, 1)

    def forward(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative"]:
        """Give the decision variables."""
        x = self.features(contrast).flatten(0, 1)  # (trial * alternative, feature)
        x = self.readout(x)  # (trial * alternative, 1)
        return x.view(contrast.shape[:2])  # (trial, alternative)

    def features(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative feature"]:
        """Give what the readout weighs."""
        trial, alternative = contrast.shape[:2]
        x = contrast.flatten(0, 2)  # (trial * alternative * frame, y, x)
        x = self.gain * self.retina(x)  # (…, 2, row, column), ON and OFF
        x = self.first_rates(self.first(x))  # (…, channel, row / stride, …)
        x = self.second_rates(self.second(x))  # the same shape
        return x.reshape(trial, alternative, -1)  # (trial, alternative, feature)


class RetinaCNN(BatchedObserver):
    """An observer with a fixed retina and a trained network.

    It learns once for given stimuli: trained weights are kept in the user's cache (or
    in the folder YOKED_CACHE), and found there the next time.

    Parameters
    ----------
    seed
        Of the first weights and the training trials: another seed is another
        individual.
    device
        'cpu' or 'cuda'.
    weights
        A file written by `save`, in place of training.
    config, plan
        Architecture (or a table of its fields) and training, in place of the usual.

    Raises
    ------
    ValueError
        If the device is not there, or the seed is out of range.

    Examples
    --------
    >>> RetinaCNN(seed=1).parameters["seed"]
    1
    """

    name = "retina-cnn"

    def __init__(
        self,
        seed: int = 1,
        device: str = "cpu",
        weights: str | Path | None = None,
        config: RetinaCNNConfig | Mapping[str, Any] | None = None,
        plan: TrainingPlan | None = None,
    ) -> None:
        self.seed = require_seed("seed", seed)
        self.device = require_device(device)
        self.config = build(RetinaCNNConfig, config or {})
        self.plan = plan or TrainingPlan()
        self.weights_hash: str | None = None
        self._file = None if weights is None else Path(weights)
        self._viewing: Viewing | None = None
        self._network: RetinaNetwork | None = None
        self._origin: Origin | None = None

    @property
    def parameters(self) -> dict[str, object]:
        """What the trial log keeps of it, besides the hash of its weights."""
        return {"seed": self.seed, "config": asdict(self.config)}

    def prepare(self, viewing: Viewing) -> None:
        """Take in degrees per pixel, which set the size of the receptive fields."""
        self._viewing = viewing

    def learn(
        self, practice: Practice, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Load the weights for these stimuli, or train and keep them.

        Parameters
        ----------
        practice
            Trials to train on.
        progress
            Called with steps done and steps in all while it trains.

        Raises
        ------
        ValueError
            If `prepare` was not called, or a given file holds weights of another
            network or of other stimuli.
        """
        if self._viewing is None:
            rule = "prepared before it learns"
            raise ValueError(f"{self.name} must be {rule}, got no viewing")
        deg_per_px = self._viewing.deg_per_px
        wanted = self._wanted(practice, deg_per_px)
        if self._origin is not None and self._origin.fits(wanted):
            return
        network = self._untrained(practice.protocol.frame_shape, deg_per_px)
        found = self._read(wanted)
        if found is None:
            train(network, practice, self.seed, self.plan, self.device, progress)
            keep_in_cache(self.name, network.state_dict(), wanted)
            self._origin = wanted
        else:
            state, self._origin = found
            self.seed = self._origin.seed
            network.load_state_dict(state)
        self._network = network.eval().requires_grad_(False)
        self._set_batch(_BATCH, threads=1)
        self.weights_hash = weights_hash(network.state_dict())

    def trainable(
        self, viewing: Viewing, frame_shape: tuple[int, int, int], n_alternatives: int
    ) -> RetinaNetwork:
        """Give the network with first weights for a stimulus; it takes any number."""
        return self._untrained(frame_shape, viewing.deg_per_px)

    def scores(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative"]:
        """Give decision variables that can be differentiated by the contrast."""
        return self.network(contrast)

    def features(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative feature"]:
        """Give what the readout weighs."""
        return self.network.features(contrast)

    @property
    def network(self) -> RetinaNetwork:
        """The module, once it has its weights."""
        if self._network is None:
            raise ValueError(
                f"{self.name} must learn before it decides, got no weights"
            )
        return self._network

    def input_of(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative frame y x"]:
        """Give what the network takes: contrast itself."""
        return contrast

    def save(self, path: str | Path) -> None:
        """Write the weights to a file that `weights` takes."""
        if self._network is None or self._origin is None:
            raise ValueError(f"{self.name} must learn before it saves, got no weights")
        save_weights(Path(path), self._network.state_dict(), self._origin)

    def _wanted(self, practice: Practice, deg_per_px: float) -> Origin:
        """Say what the weights must have been trained as."""
        protocol = practice.protocol
        shape = {"network": asdict(self.config), "deg_per_px": deg_per_px}
        training = {"plan": asdict(self.plan), "noise": practice.source.name}
        return Origin(
            architecture=json_hash(shape),
            stimulus_hash=protocol.stimulus_hash,
            protocol=protocol.name,
            training=json_hash({**training, "version": VERSION}),
            seed=self.seed,
            device=self.device.split(":")[0],
        )

    def _read(self, wanted: Origin) -> tuple[dict[str, Tensor], Origin] | None:
        """Read the given file, or what the cache has; None if that is nothing."""
        if self._file is None:
            return read_cache(self.name, wanted)
        state, found = load_weights(self._file)
        require_origin(self._file, found, wanted)
        return state, found

    def _untrained(
        self, frame_shape: tuple[int, int, int], deg_per_px: float
    ) -> RetinaNetwork:
        """Make a network with first weights; torch's own generator stays as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = RetinaNetwork(self.config, deg_per_px, frame_shape)
        return network.to(self.device)

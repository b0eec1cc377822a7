"""A network that a recipe trained, as an observer."""

from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from ...experiments.session.observer import Practice, Viewing
from ..networks.batches import BatchedObserver, require_device
from ..networks.foreign import load_into
from ..networks.inputs import Preprocess
from ..networks.named import NAMES
from ..networks.sight import Sight
from ..networks.trainable import TrainableNetwork
from ..networks.weights import weights_hash
from ..registry import kind, load, names
from .recipe import Recipe
from .weights_file import read_trained

_BATCH = 64  # trials of a decision


def network_of(
    recipe: Recipe,
    viewing: Viewing,
    frame_shape: tuple[int, int, int],
    n_alternatives: int,
    is_to_be_filled: bool = False,
) -> nn.Module:
    """Make a recipe's network with first weights.

    Parameters
    ----------
    recipe
        Names it, and its options.
    viewing, frame_shape, n_alternatives
        What it will see.
    is_to_be_filled
        Whether weights are loaded into it, so that pretrained ones are not needed.

    Raises
    ------
    ValueError
        If it is no network, or an option is out of range.
    LookupError
        If there is none of that name.
    """
    part = recipe.network
    options = dict(part.options)
    if is_to_be_filled and part.name in NAMES:
        if options.pop("file", None) is not None:  # such a one is small by default
            options.setdefault("size", "small")
            options.pop("sha256", None)
        options["weights"] = "random"
    if part.name in names() and kind(part.name) != "network":
        raise ValueError(f"network.name must be a network's, got {part.name!r}")
    observer: Any = load(part.name, seed=part.seed, device=part.device, **options)
    make = getattr(observer, "trainable", None)
    if make is None:
        raise ValueError(f"network.name must be a network's, got {part.name!r}")
    return make(viewing, frame_shape, n_alternatives)


class Trained(BatchedObserver):
    """An observer from a file that `yoked train` wrote.

    Parameters
    ----------
    path
        The file.
    device
        'cpu' or 'cuda'.

    Attributes
    ----------
    told
        What it was trained as.
    weights_hash
        Of its weights.
    """

    n_reserved = 1024  # trials that its internal noise and criteria are measured on

    def __init__(self, path: str | Path, device: str = "cpu") -> None:
        self._path = Path(path)
        self.device = require_device(device)
        state, self.told = read_trained(self._path)
        self.name = self.told.recipe.called
        self.weights_hash = weights_hash(state)
        recipe = self.told.recipe.with_options(device=device)
        shown = (self.told.viewing, self.told.frame_shape, self.told.n_alternatives)
        network = network_of(recipe, *shown, is_to_be_filled=True)
        load_into(network, state)
        self.network: Any = network.to(device).eval().requires_grad_(False)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the trial log keeps of it, besides the hash of its weights."""
        return {
            "recipe": self.told.recipe.to_dict(),
            "protocol_hash": self.told.protocol_hash,
        }

    @property
    def trained_on(self) -> dict[str, Any]:
        """Session and trials that it learnt; empty where it learnt from new ones."""
        return dict(self.told.trained_on)

    def prepare(self, viewing: Viewing) -> None:
        """Nothing: the network was made for the viewing of its training."""

    def learn(self, practice: Practice) -> None:
        """Refuse stimuli that it was not trained on.

        Raises
        ------
        ValueError
            If the protocol's stimuli are others.
        """
        protocol = practice.protocol
        if protocol.stimulus_hash != self.told.stimulus_hash:
            rule = f"trained on the stimuli of {protocol.name}"
            got = f"{self.told.protocol} ({self.told.stimulus_hash[:8]})"
            raise ValueError(
                f"weights in {str(self._path)!r} must be {rule}, got {got}"
            )
        if self._batches is None:
            self._set_batch(_BATCH, threads=1)

    def sight(self) -> Sight:
        """Say what it takes to show it pictures: in the field of its training."""
        network, device = self.network, self.device
        if isinstance(network, TrainableNetwork):
            seen, inner = network.inputs, network.network
            preprocess = seen.preprocess
            n_frames = seen.n_frames if preprocess.frames == "channels" else 1
            field, size = seen.field_deg, seen.size_px
            return Sight(
                lambda inputs, viewing: inner, preprocess, field, size, device, n_frames
            )
        n_frames, *size = self.told.frame_shape
        field = max(size) * self.told.viewing.deg_per_px
        given = Preprocess("contrast", 1, "none", frames="channels")
        return Sight(
            lambda inputs, viewing: network, given, field, size, device, n_frames, True
        )

    def scores(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative"]:
        """Give decision variables that can be differentiated by the contrast."""
        return self.network(contrast)

    def features(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative feature"]:
        """Give what the trained read-out weighs."""
        return self.network.features(contrast)

    def input_of(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative frame y x"]:
        """Give what the network takes: contrast itself."""
        return contrast

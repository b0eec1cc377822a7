"""Every network by its name as an observer: front, size, weights, controls."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ...experiments.protocols.checks import build
from ...experiments.session.observer import Viewing
from ..backbones.fronted import Fronted
from ..backbones.vone_block import VOneBlock, VOneConfig
from ..ganglion_cells.fitted_file import FittedModel, load_fitted
from ..ganglion_cells.learned_config import LearnedConfig
from ..ganglion_cells.learned_front import learned_front
from ..retina.staged import retina_front
from .controls import Controls, apply
from .foreign import load_into, read_weights
from .inputs import InputMaker, Preprocess, as_preprocess
from .named import Named, known, make, n_classes_of
from .network_observer import NetworkObserver

FRONTS = ("none", "retina", "vone-block")
OVER_TIME = ("mean", "channels")
LEARNED = "learned:"  # and the file that `yoked fit-retina` wrote
_CONTRAST = Preprocess("contrast", 1, "none", frames="channels")  # what a front takes


def network_observer(
    name: str,
    *,
    front: str = "none",
    size: str | None = None,
    weights: str | None = None,
    file: str | None = None,
    sha256: str | None = None,
    activation: str | None = None,
    pooling: str | None = None,
    lesions: Sequence[str] | str = (),
    seed: int = 1,
    layer: str | None = None,
    readout: str | None = None,
    field_deg: float | None = None,
    size_px: int | Sequence[int] | None = None,
    preprocess: Preprocess | str | Mapping[str, Any] | None = None,
    device: str = "cpu",
    step: int = -1,
    share_pass: bool = True,
    learned: LearnedConfig | Mapping[str, Any] | None = None,
    n_classes: int | None = None,
    over_time: str = "mean",
    batch: int | None = None,
    threads: int | None = None,
    fit_trials: int = 1024,
) -> NetworkObserver:
    """Make an observer of a network that has a name here.

    Parameters
    ----------
    name
        One of `networks.named.NAMES`.
    front
        What stands before it: 'none', 'retina' (then it sees ganglion cells),
        'vone-block', or 'learned:FILE', the cells of a model that `yoked fit-retina`
        fitted to a recording.
    size
        'small', for 28 to 64 px, or 'full', as published; by default 'full' for a
        network with pretrained weights, else 'small'.
    weights
        'trained' (the pretrained ones that `yoked weights` fetches, or those of
        `file`), 'random', or 'shuffled' (trained or random ones, within each layer).
    file, sha256
        A state dict or safetensors file to load, from a path or a URL, and its hash,
        which a URL needs.
    activation, pooling, lesions
        Controls: 'relu', 'tanh', 'elu' or 'linear'; 'max', 'average' or 'none'; layers
        ('v2') or their units ('it:17') that give 0.
    seed
        Of random weights, of the shuffling and of the trials that a linear read-out is
        fitted on: another seed is another individual.
    learned
        Scales, lesions and whether it goes on learning, of a learned front; see
        `LearnedConfig`.
    n_classes
        Of its own output; by default those of the file, else 1000 at full size and 2
        in small.
    over_time
        What a network that takes no steps gets of those of a front: their 'mean', which
        knows nothing of when, or all of them as 'channels'; without a front the frames
        of a movie one by one, or as channels.
    layer, readout, field_deg, size_px, preprocess
        As for `from_torch`. By default a linear read-out of the last features before
        the classifier, the normalisation that the network was published with, and its
        field of view: 224 px (of 'bl' and 'blt' 128) over 8 degrees at full size, 64 px
        over 4 degrees in small; behind a front the stimulus's own size.

    Raises
    ------
    LookupError
        If there is no such network, layer or pretrained weights.
    ValueError
        If an option is out of range, or weights are of another architecture.
    FileNotFoundError
        If pretrained weights were not fetched, or the file is not there.

    Examples
    --------
    >>> observer = network_observer("cornet-z", front="retina", pooling="average")
    >>> observer.name, observer.layer
    ('cornet-z', 'backbone.decoder.average')
    """
    row = known(name)
    _require_time(name, over_time)
    if n_classes is not None and not (isinstance(n_classes, int) and n_classes >= 1):
        rule = "a whole number, 1 or more"
        raise ValueError(f"n_classes must be {rule}, got {n_classes!r}")
    retina = _learned(front, learned)
    if retina is None and front not in FRONTS:
        rule = f"one of {', '.join(FRONTS)} or {LEARNED}FILE"
        raise ValueError(f"front must be {rule}, got {front!r}")
    is_packed = row.package is not None and front == "none" and file is None
    weights = weights or ("trained" if is_packed or file else "random")
    if weights == "trained" and not (is_packed or file):
        rule = f"random or shuffled for {name} without a file of trained ones"
        raise ValueError(f"weights must be {rule}, got 'trained'")
    size = size or ("full" if is_packed else "small")
    controls = Controls(
        weights=weights,
        activation=activation or "relu",
        pooling=pooling or "max",
        lesions=(lesions,) if isinstance(lesions, str) else tuple(lesions),
        seed=seed,
    )
    build = _Build(
        name,
        front,
        size,
        is_packed and weights != "random",
        None if file is None else read_weights(file, sha256),
        controls,
        retina,
        over_time,
        n_classes,
    )
    usual = (None, None) if front != "none" else row.shown(size)
    inner = "" if front == "none" else "backbone."
    return NetworkObserver(
        build,
        name,
        inner + row.layer if layer is None else str(layer),
        "linear" if readout is None else readout,
        usual[1] if field_deg is None else field_deg,
        usual[0] if size_px is None else size_px,
        _CONTRAST if front != "none" else _preprocess(row, preprocess, over_time),
        device,
        step,
        share_pass,
        batch,
        threads,
        fit_trials,
        seed,
        described={
            "network": name,
            "front": front if retina is None else LEARNED + Path(front).name,
            "size": size,
            "over_time": over_time,
            "controls": asdict(controls),
        },
    )


@dataclass(frozen=True)
class _Build:
    """Builds the network once it is known what it will see."""

    name: str
    front: str
    size: str
    is_packed: bool
    state: Mapping[str, Tensor] | None
    controls: Controls
    learned: tuple[FittedModel, LearnedConfig] | None
    over_time: str
    n_classes: int | None

    def __call__(self, inputs: InputMaker, viewing: Viewing) -> nn.Module:
        before = self._front(inputs, viewing)
        in_channels = self._n_channels(before, inputs)
        network = make(
            self.name,
            in_channels=in_channels,
            n_classes=self._n_classes(in_channels),
            size=self.size,
            seed=self.controls.seed,
            pretrained=self.is_packed,
        )
        if self.state is not None:
            load_into(network, self.state)
        apply(network, replace(self.controls, lesions=()))
        whole = network
        if before is not None:
            whole = Fronted(before, network, self.over_time)
        return apply(whole, Controls(lesions=self.controls.lesions))

    def _n_classes(self, in_channels: int) -> int:
        """Give the number that is asked for, that weights have, or the usual one."""
        if self.n_classes is not None:
            return self.n_classes
        usual = 1000 if self.size == "full" else 2
        if self.state is None:
            return usual
        found = n_classes_of(self.name, self.state, in_channels, self.size)
        return usual if found is None else found

    def _n_channels(self, front: Any, inputs: InputMaker) -> int:
        """Count the channels that the network takes."""
        n_frames = inputs.n_frames
        if front is None:
            together = inputs.preprocess.frames == "channels"
            return inputs.preprocess.channels * (n_frames if together else 1)
        if self.over_time == "mean":
            return front.n_channels
        is_by_frame = getattr(front, "takes_pictures", False)
        n_steps = n_frames if is_by_frame else front.n_steps(n_frames)
        return front.n_channels * n_steps

    def _front(self, inputs: InputMaker, viewing: Viewing) -> Any:
        if self.front == "none":
            return None
        if self.learned is not None:
            size, deg_per_px = inputs.size_px, inputs.deg_per_px
            return learned_front(*self.learned, deg_per_px, size, _frame_ms(viewing))
        if self.front == "retina":
            return retina_front(
                inputs.deg_per_px,
                inputs.size_px,
                viewing.frame_ms,
                viewing.luminance_cd_m2,
            )
        config = VOneConfig() if self.size == "full" else VOneConfig.small()
        return VOneBlock(1, replace(config, px_per_deg=1 / inputs.deg_per_px))


def _learned(
    front: str, config: LearnedConfig | Mapping[str, Any] | None
) -> tuple[FittedModel, LearnedConfig] | None:
    """Give a learned front's model and config; None where the front is another."""
    if not front.startswith(LEARNED):
        if config is not None:
            raise ValueError(f"learned must come with {LEARNED}FILE, got {front!r}")
        return None
    if config is not None and not isinstance(config, LearnedConfig | Mapping):
        rule = 'a table of settings, such as {"contrast_of_sd": 0.2}'
        raise ValueError(f"learned must be {rule}, got {config!r}")
    fitted = load_fitted(Path(front.removeprefix(LEARNED)))
    if not isinstance(config, LearnedConfig):
        config = build(LearnedConfig, dict(config or {}))
    return fitted, config


def _frame_ms(viewing: Viewing) -> float:
    """Give how long every frame stays."""
    if len(set(viewing.times_ms)) > 1:
        rule = "equally long for a learned front"
        got = f"{min(viewing.times_ms):g} to {max(viewing.times_ms):g} ms"
        raise ValueError(f"frames must be {rule}, got {got}")
    return viewing.frame_ms


def _preprocess(
    row: Named, given: Preprocess | str | Mapping[str, Any] | None, over_time: str
) -> Preprocess:
    """Give what was asked for, or what the network was published with."""
    if given is not None:
        chosen = as_preprocess(given)
    else:
        frames = "steps" if row.takes_steps else "one-by-one"
        chosen = Preprocess(normalise=row.normalisation, frames=frames)
    return replace(chosen, frames="channels") if over_time == "channels" else chosen


def _require_time(name: str, over_time: str) -> None:
    if over_time not in OVER_TIME:
        rule = f"one of {', '.join(OVER_TIME)}"
        raise ValueError(f"over_time must be {rule}, got {over_time!r}")
    if over_time != "mean" and known(name).takes_steps:
        rule = f"left out for {name}, which takes steps"
        raise ValueError(f"over_time must be {rule}, got {over_time!r}")

"""Every network by its name as an observer: front, size, weights, controls."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from torch import Tensor, nn

from ...experiments.session.observer import Viewing
from ..backbones.unrolled import in_time
from ..ganglion_cells.learned_config import LearnedConfig
from .controls import Controls, apply
from .foreign import load_into, read_weights
from .fronts import Front, front_of
from .inputs import InputMaker, Preprocess, as_preprocess
from .named import Named, known, make, n_classes_of
from .network_observer import NetworkObserver

OVER_TIME = ("mean", "channels")
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
    front_settings: Mapping[str, Any] | None = None,
    over_time: str = "mean",
    steps: int | None = None,
    recurrent: bool = True,
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
        'vone-block', 'learned:FILE' (the cells of a model that `yoked fit-retina`
        fitted to a recording), or an eye that is fixed on places: 'retinal-fixation'
        (dense near the gaze), its control 'coarse-fixation' (even), or
        'cortical-fixation' (maps at several scales). In training these look at a place
        drawn anew, later at five, and the answer is the mean over them; see `Gazing`.
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
    front_settings
        Of a front: fields of `VOneConfig` (controls are {"noise": "none"} and
        {"is_shuffled": true}), `RetinalConfig` or `CorticalConfig`.
    over_time
        What a network that takes no steps gets of those of a front: their 'mean', which
        knows nothing of when, or all of them as 'channels'; without a front the frames
        of a movie one by one, or as channels.
    steps
        How long a network in time is shown a picture, with the same weights: 1 makes
        'bl' and 'blt' feedforward. By default as it was made.
    recurrent
        False for a network in time without recurrence: nothing comes back in 'bl',
        'blt' and 'cornet-rt', and no cell of 'ssn' hears another.
    layer, readout, field_deg, size_px, preprocess
        As for `from_torch`. By default a linear read-out of the last features before
        the classifier, the normalisation that the network was published with, and its
        field of view: 224 px (of 'bl' and 'blt' 128) over 8 degrees at full size, 64 px
        over 4 degrees in small; behind a front the stimulus's own size. Behind an eye
        the mean of those features over its gazes, `over_gazes`; any other layer is
        read at the last gaze, which is the middle.

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
    _require_time(name, over_time, steps, recurrent)
    if n_classes is not None and not (isinstance(n_classes, int) and n_classes >= 1):
        rule = "a whole number, 1 or more"
        raise ValueError(f"n_classes must be {rule}, got {n_classes!r}")
    is_packed = row.package is not None and front == "none" and file is None
    weights = weights or ("trained" if is_packed or file else "random")
    if weights == "trained" and not (is_packed or file):
        rule = f"random or shuffled for {name} without a file of trained ones"
        raise ValueError(f"weights must be {rule}, got 'trained'")
    size = size or ("full" if is_packed else "small")
    stands = front_of(front, size, front_settings, learned)
    controls = Controls(
        weights=weights,
        activation=activation or "relu",
        pooling=pooling or "max",
        lesions=(lesions,) if isinstance(lesions, str) else tuple(lesions),
        seed=seed,
    )
    build = _Build(
        name,
        stands,
        size,
        is_packed and weights != "random",
        None if file is None else read_weights(file, sha256),
        controls,
        over_time,
        n_classes,
        steps,
        recurrent,
    )
    usual = (None, None) if front != "none" else row.shown(size)
    return NetworkObserver(
        build,
        name,
        stands.layer(row.layer) if layer is None else str(layer),
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
            "front": stands.described,
            "size": size,
            "over_time": over_time,
            "steps": steps,
            "recurrent": recurrent,
            "controls": asdict(controls),
        },
    )


@dataclass(frozen=True)
class _Build:
    """Builds the network once it is known what it will see."""

    name: str
    front: Front
    size: str
    is_packed: bool
    state: Mapping[str, Tensor] | None
    controls: Controls
    over_time: str
    n_classes: int | None
    steps: int | None
    recurrent: bool

    def __call__(self, inputs: InputMaker, viewing: Viewing) -> nn.Module:
        before = self.front.make(inputs, viewing)
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
        in_time(network, self.steps, self.recurrent)
        read = known(self.name).layer
        whole = self.front.before(before, network, self.over_time, read)
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


def _require_time(
    name: str, over_time: str, steps: int | None, recurrent: bool
) -> None:
    if over_time not in OVER_TIME:
        rule = f"one of {', '.join(OVER_TIME)}"
        raise ValueError(f"over_time must be {rule}, got {over_time!r}")
    takes_steps = known(name).takes_steps
    if over_time != "mean" and takes_steps:
        rule = f"left out for {name}, which takes steps"
        raise ValueError(f"over_time must be {rule}, got {over_time!r}")
    for option, value, usual in (
        ("steps", steps, None),
        ("recurrent", recurrent, True),
    ):
        if value != usual and not takes_steps:
            rule = f"left out for {name}, which takes no steps"
            raise ValueError(f"{option} must be {rule}, got {value}")
    if steps is not None and (type(steps) is not int or steps < 1):
        raise ValueError(f"steps must be a whole number, 1 or more, got {steps!r}")
    if not isinstance(recurrent, bool):
        raise ValueError(f"recurrent must be true or false, got {recurrent!r}")

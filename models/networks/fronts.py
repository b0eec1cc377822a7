"""What can stand before a network by name: its kind, its settings, how it is made."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from ...experiments.protocols.checks import build, suggestion
from ...experiments.session.observer import Viewing
from ..backbones.fixation import (
    CorticalConfig,
    CorticalFixation,
    RetinalConfig,
    RetinalFixation,
)
from ..backbones.fronted import Fronted
from ..backbones.gazing import Gazing
from ..backbones.vone_block import VOneBlock, VOneConfig
from ..ganglion_cells.fitted_file import load_fitted
from ..ganglion_cells.learned_config import LearnedConfig
from ..ganglion_cells.learned_front import learned_front
from ..retina.staged import retina_front
from .inputs import InputMaker

LEARNED = "learned:"  # and the file that `yoked fit-retina` wrote
# Settings of fronts that have some, as published and in small.
_SETTINGS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "retinal-fixation": (RetinalConfig, RetinalConfig),
    "coarse-fixation": (RetinalConfig.coarse, RetinalConfig.coarse),
    "cortical-fixation": (CorticalConfig, CorticalConfig.small),
    "vone-block": (VOneConfig, VOneConfig.small),
}
FRONTS = ("none", "retina", *_SETTINGS)
# Px to a degree follow from what is seen, and even sampling makes a fixation coarse.
_FIXED = {"vone-block": "px_per_deg", "coarse-fixation": "density"}


@dataclass(frozen=True)
class Front:
    """What stands before a network.

    Attributes
    ----------
    kind
        One of `FRONTS`, or 'learned:FILE'.
    config
        Its settings; None where it has none.
    model
        What was fitted to a recording, of a learned front.
    """

    kind: str
    config: Any = None
    model: Any = None

    @property
    def is_there(self) -> bool:
        """Whether anything stands there."""
        return self.kind != "none"

    @property
    def takes_gaze(self) -> bool:
        """Whether the network looks at places."""
        return isinstance(self.config, RetinalConfig | CorticalConfig)

    @property
    def described(self) -> str:
        """What the trial log calls it."""
        if self.model is None:
            return self.kind
        return LEARNED + Path(self.kind).name

    def layer(self, layer: str) -> str:
        """Give where a read-out reads by default, for a layer of the network itself."""
        if self.takes_gaze:
            return "over_gazes"
        return f"backbone.{layer}" if self.is_there else layer

    def make(self, inputs: InputMaker, viewing: Viewing) -> Any:
        """Make it for an input; None where nothing stands there."""
        size, deg_per_px = inputs.size_px, inputs.deg_per_px
        if not self.is_there:
            return None
        if self.model is not None:
            each_ms = _frame_ms(viewing)
            return learned_front(self.model, self.config, deg_per_px, size, each_ms)
        if self.kind == "retina":
            light = viewing.luminance_cd_m2
            return retina_front(deg_per_px, size, viewing.frame_ms, light)
        if isinstance(self.config, RetinalConfig):
            return RetinalFixation(size, self.config)
        if isinstance(self.config, CorticalConfig):
            return CorticalFixation(size, self.config)
        return VOneBlock(1, replace(self.config, px_per_deg=1 / deg_per_px))

    def before(
        self, front: Any, network: nn.Module, over_time: str, layer: str
    ) -> nn.Module:
        """Put what was made before a network, of which `layer` is read by default."""
        if front is None:
            return network
        if self.takes_gaze:
            return Gazing(front, network, over_time, layer)
        return Fronted(front, network, over_time)


def front_of(
    kind: str,
    size: str,
    settings: Mapping[str, Any] | None = None,
    learned: LearnedConfig | Mapping[str, Any] | None = None,
) -> Front:
    """Give a front by its name.

    Parameters
    ----------
    kind
        One of `FRONTS`, or 'learned:FILE'.
    size
        'small' or 'full': which settings are the usual ones.
    settings
        Others, by name.
    learned
        Those of a learned front.

    Raises
    ------
    ValueError
        If there is no such front, or it has no such settings.

    Examples
    --------
    >>> front_of("vone-block", "small", {"noise": "none"}).config.noise
    'none'
    """
    is_learned = kind.startswith(LEARNED)
    if not is_learned and kind not in FRONTS:
        rule = f"one of {', '.join(FRONTS)} or {LEARNED}FILE"
        raise ValueError(
            f"front must be {rule}, got {kind!r}{suggestion(kind, FRONTS)}"
        )
    if learned is not None and not is_learned:
        raise ValueError(f"learned must come with {LEARNED}FILE, got {kind!r}")
    if settings is not None and kind not in _SETTINGS:
        rule = f"with one of {', '.join(_SETTINGS)}"
        raise ValueError(f"front_settings must come {rule}, got {kind!r}")
    if is_learned:
        config = _learned_config(learned)
        return Front(kind, config, load_fitted(Path(kind.removeprefix(LEARNED))))
    if kind not in _SETTINGS:
        return Front(kind)
    full, small = _SETTINGS[kind]
    usual = full() if size == "full" else small()
    return Front(kind, usual if settings is None else _told(kind, usual, settings))


def _told(kind: str, usual: Any, settings: Mapping[str, Any]) -> Any:
    """Give the usual settings with others in their place."""
    if not isinstance(settings, Mapping):
        rule = 'a table of settings, such as {"reach": 0.2}'
        raise ValueError(f"front_settings must be {rule}, got {settings!r}")
    fixed = _FIXED.get(kind)
    if fixed in settings:
        rule = f"without {fixed}, which is no choice with {kind}"
        raise ValueError(f"front_settings must be {rule}, got {dict(settings)}")
    plain = {**asdict(usual), **settings}
    lists = {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}
    return build(type(usual), lists)


def _learned_config(given: LearnedConfig | Mapping[str, Any] | None) -> LearnedConfig:
    if given is not None and not isinstance(given, LearnedConfig | Mapping):
        rule = 'a table of settings, such as {"contrast_of_sd": 0.2}'
        raise ValueError(f"learned must be {rule}, got {given!r}")
    if isinstance(given, LearnedConfig):
        return given
    return build(LearnedConfig, dict(given or {}))


def _frame_ms(viewing: Viewing) -> float:
    """Give how long every frame stays."""
    if len(set(viewing.times_ms)) > 1:
        rule = "equally long for a learned front"
        got = f"{min(viewing.times_ms):g} to {max(viewing.times_ms):g} ms"
        raise ValueError(f"frames must be {rule}, got {got}")
    return viewing.frame_ms

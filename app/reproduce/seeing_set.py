"""Families of networks and regimes for the question whether brain-like is to see alike.

Each family has an early layer, which is compared with V1 and aligned with a simulated
one. What is compared with people is a linear read-out of its last features.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .regime_set import NETWORKS, Trained

UNTRAINED, PLAIN, ALIGNED = "untrained", "plain", "alignment"
# Of 4 degrees: a training takes minutes, and 14 units or more of each early layer have
# receptive fields where the battery's gratings are.
_SMALL, _LARGER = {"size_px": 32}, {"size_px": 64}
# Without the cells' noise, behind which a network is less consistent than people.
_V1_IN_FRONT = {
    **_LARGER,
    "field_deg": 4.0,
    "front": "vone-block",
    "front_settings": {"noise": "none"},
}


@dataclass(frozen=True)
class Family:
    """A kind of network.

    Attributes
    ----------
    name
        In tables.
    network, options
        Name, and what it is told.
    layer
        The early one: the first that learns, of a network with a V1 in front too.
    """

    name: str
    network: str
    layer: str
    options: Mapping[str, Any] = field(default_factory=lambda: dict(_SMALL))


FAMILIES = {
    each.name: each
    for each in (
        Family("plain-cnn", "plain-cnn", "stage1"),
        Family("alexnet", "alexnet", "features.2", _LARGER),
        Family("resnet-18", "resnet-18", "layer1"),
        Family("cornet-z", "cornet-z", "v1"),
        Family("cornet-s", "cornet-s", "v1", _LARGER),
        Family("cornet-rt", "cornet-rt", "v1"),
        Family("vone-block", "plain-cnn", "backbone.stage1", _V1_IN_FRONT),
        Family("ssn", "ssn", "ssn"),
    )
}
# Without `ssn`, whose training takes ten times as long.
USUAL_FAMILIES = tuple(name for name in FAMILIES if name != "ssn")
REGIMES: tuple[str, ...] = (UNTRAINED, PLAIN, ALIGNED, "harmonizer", "adversarial")


def trained_of(family: str, regime: str) -> Trained:
    """Give a network of the figure; regimes are as in the figure of regimes."""
    own = FAMILIES[family]
    told = {} if regime == UNTRAINED else dict(NETWORKS[regime].regime)
    if regime == ALIGNED:
        told["layers"] = [own.layer]
    return Trained(
        f"{family}--{regime}", own.network, dict(own.options), own.layer, told
    )

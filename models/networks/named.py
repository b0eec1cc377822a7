"""Every network by its name: how to make it, and what an observer must know of it."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ...experiments.protocols.checks import suggestion
from .controls import Controls, apply
from .foreign import load_into, read_state
from .pretrained import PACKAGES, Package, fetched_weights

SIZES = ("small", "full")
# Of small variants: as many px to a degree as VOneConfig.small() has.
SMALL_PX, SMALL_DEG = 64, 4.0


@dataclass(frozen=True)
class Named:
    """What is to be known of a network.

    Attributes
    ----------
    home, config
        'module:class' of the network and of its sizes, in models.
    layer
        Where a linear read-out reads by default: its last map or features before the
        classifier.
    size_px, field_deg
        Side of the full network's picture, and of the field that we take it to cover:
        8 degrees where a network says nothing, as VOneNet and Brain-Score have it.
    normalisation
        A key of `inputs.NORMALISATIONS`.
    takes_steps
        Whether it runs in time and takes a movie's frames as steps.
    package
        What carries pretrained weights of it.
    """

    home: str
    config: str
    layer: str
    size_px: int = 224
    field_deg: float = 8.0
    normalisation: str = "half"
    takes_steps: bool = False
    package: Package | None = None

    def shown(self, size: str) -> tuple[int, float]:
        """Give the side of its picture in px and in degrees, 'small' or 'full'.

        Examples
        --------
        >>> known("bl").shown("full"), known("bl").shown("small")
        ((128, 8.0), (64, 4.0))
        """
        small = (SMALL_PX, SMALL_DEG)
        return small if size == "small" else (self.size_px, self.field_deg)


NETWORKS = {
    "plain-cnn": Named(
        "backbones.plain_cnn:PlainCNN",
        "backbones.plain_cnn:PlainCNNConfig",
        "decoder.average",
    ),
    "alexnet": Named(
        "backbones.alexnet:AlexNet",
        "backbones.alexnet:AlexNetConfig",
        "classifier.5",
        normalisation="imagenet",
    ),
    "resnet-18": Named(
        "backbones.resnet18:ResNet18",
        "backbones.resnet18:ResNet18Config",
        "avgpool",
        normalisation="imagenet",
    ),
    "cornet-z": Named(
        "backbones.cornet_z:CORnetZ",
        "backbones.cornet_z:CORnetZConfig",
        "decoder.average",
        normalisation="imagenet",
    ),
    "cornet-rt": Named(
        "backbones.cornet_rt:CORnetRT",
        "backbones.cornet_rt:CORnetRTConfig",
        "decoder.average",
        normalisation="imagenet",
        takes_steps=True,
    ),
    "cornet-s": Named(
        "backbones.cornet_s:CORnetS",
        "backbones.cornet_s:CORnetSConfig",
        "decoder.average",
        normalisation="imagenet",
    ),
    "bl": Named(
        "backbones.bl_net:BLNet",
        "backbones.bl_net:BLConfig",
        "decoder.average",
        size_px=128,
        takes_steps=True,
    ),
    "blt": Named(
        "backbones.bl_net:BLNet",
        "backbones.bl_net:BLTConfig",
        "decoder.average",
        size_px=128,
        takes_steps=True,
    ),
    "vonenet": Named(
        "backbones.vonenet:VOneNet",
        "backbones.vonenet:VOneNetConfig",
        "decoder.average",
    ),
    "hmax": Named("backbones.hmax:HMAX", "backbones.hmax:HMAXConfig", "c2"),
    "ssn": Named(
        "backbones.ssn:SSN",
        "backbones.ssn:SSNConfig",
        "decoder.average",
        takes_steps=True,
    ),
    "mobilenet-v2": Named(
        "backbones.mobilenet_v2:MobileNetV2",
        "backbones.mobilenet_v2:MobileNetV2Config",
        "pool",
        normalisation="imagenet",
        package=PACKAGES["mobilenet-v2"],
    ),
    "efficientnet-lite0": Named(
        "backbones.efficientnet_lite0:EfficientNetLite0",
        "backbones.efficientnet_lite0:EfficientNetLite0Config",
        "pool",
        package=PACKAGES["efficientnet-lite0"],
    ),
}
NAMES = tuple(NETWORKS)


def make(
    name: str,
    *,
    in_channels: int,
    n_classes: int,
    size: str = "small",
    seed: int = 1,
    controls: Controls | None = None,
    pretrained: bool = False,
) -> nn.Module:
    """Make a network by name.

    Parameters
    ----------
    name
        One of `NAMES`.
    in_channels, n_classes
        Of the input, and of the output.
    size
        'small' for 28 to 64 px, or 'full', as published.
    seed
        Of the first weights; torch's own generator is not touched.
    controls
        What is done to it; nothing by default.
    pretrained
        Take the published weights, of 3 channels and 1000 classes at full size.

    Returns
    -------
    nn.Module
        In evaluation mode.

    Raises
    ------
    LookupError
        If there is no such network, or no pretrained weights of it.
    ValueError
        If the size is not one, or pretrained weights are of another shape.
    FileNotFoundError
        If pretrained weights were not fetched.

    Examples
    --------
    >>> network = make("cornet-z", in_channels=1, n_classes=2)
    >>> network(torch.zeros(3, 1, 28, 28)).shape
    torch.Size([3, 2])
    """
    asked = (in_channels, n_classes, size)
    if pretrained and known(name) and asked != (3, 1000, "full"):
        rule = "of 3 channels and 1000 classes at full size"
        raise ValueError(f"pretrained weights of {name} are {rule}, got {asked}")
    network = build(name, in_channels, n_classes, size, seed)
    if pretrained:
        load_into(network, read_state(fetched_weights(name)))
    return apply(network, controls or Controls()).eval()


def build(
    name: str, in_channels: int, n_classes: int, size: str, seed: int
) -> nn.Module:
    """Build a network with first weights of a seed; errors as in `make`."""
    told = known(name)
    if size not in SIZES:
        near = suggestion(size, SIZES)
        rule = f"one of {', '.join(SIZES)}"
        raise ValueError(f"size must be {rule}, got {size!r}{near}")
    kind, config = _member(told.home), _member(told.config)
    chosen = config.small() if size == "small" else config()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind(in_channels, n_classes, chosen)


def n_classes_of(
    name: str, state: Mapping[str, Tensor], in_channels: int, size: str
) -> int | None:
    """Say how many classes weights of a network have; None where they do not tell.

    Examples
    --------
    >>> ten = make("cornet-z", in_channels=1, n_classes=10)
    >>> n_classes_of("cornet-z", ten.state_dict(), 1, "small")
    10
    """
    with torch.device("meta"):  # shapes alone
        one, two = (build(name, in_channels, n, size, 0).state_dict() for n in (1, 2))
    ends = (each for each in one if one[each].shape != two[each].shape)
    last = state.get(next(ends, ""))
    return None if last is None or not last.dim() else len(last)


def _member(home: str) -> Any:
    """Import what a table names."""
    module, name = home.split(":")
    return getattr(importlib.import_module(f"...{module}", __name__), name)


def known(name: str) -> Named:
    """Give what is known of a network.

    Raises
    ------
    LookupError
        If there is none of that name.

    Examples
    --------
    >>> known("cornet-rt").takes_steps
    True
    """
    if name not in NETWORKS:
        near = suggestion(name, NAMES)
        there = "" if near else f"; there are {', '.join(NAMES)}"
        raise LookupError(f"no network named {name!r}{near}{there}")
    return NETWORKS[name]

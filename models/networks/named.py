"""Every network by its name: how to make it, and what an observer must know of it."""

import importlib
from dataclasses import dataclass

import torch
from torch import nn

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
    home
        'module:class:config' in models/backbones.
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
    layer: str
    size_px: int = 224
    field_deg: float = 8.0
    normalisation: str = "half"
    takes_steps: bool = False
    package: Package | None = None

    @property
    def module(self) -> str:
        """The module under models/backbones."""
        return self.home.split(":")[0]


NETWORKS = {
    "plain-cnn": Named("plain_cnn:PlainCNN:PlainCNNConfig", "decoder.average"),
    "alexnet": Named(
        "alexnet:AlexNet:AlexNetConfig", "classifier.5", normalisation="imagenet"
    ),
    "resnet-18": Named(
        "resnet18:ResNet18:ResNet18Config", "avgpool", normalisation="imagenet"
    ),
    "cornet-z": Named(
        "cornet_z:CORnetZ:CORnetZConfig", "decoder.average", normalisation="imagenet"
    ),
    "cornet-rt": Named(
        "cornet_rt:CORnetRT:CORnetRTConfig",
        "decoder.average",
        normalisation="imagenet",
        takes_steps=True,
    ),
    "cornet-s": Named(
        "cornet_s:CORnetS:CORnetSConfig", "decoder.average", normalisation="imagenet"
    ),
    "bl": Named(
        "bl_net:BLNet:BLConfig", "decoder.average", size_px=128, takes_steps=True
    ),
    "blt": Named(
        "bl_net:BLNet:BLTConfig", "decoder.average", size_px=128, takes_steps=True
    ),
    "vonenet": Named("vonenet:VOneNet:VOneNetConfig", "decoder.average"),
    "hmax": Named("hmax:HMAX:HMAXConfig", "c2"),
    "ssn": Named("ssn:SSN:SSNConfig", "decoder.average", takes_steps=True),
    "mobilenet-v2": Named(
        "mobilenet_v2:MobileNetV2:MobileNetV2Config",
        "pool",
        normalisation="imagenet",
        package=PACKAGES["mobilenet-v2"],
    ),
    "efficientnet-lite0": Named(
        "efficientnet_lite0:EfficientNetLite0:EfficientNetLite0Config",
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
    module, kind, config = known(name).home.split(":")
    if size not in SIZES:
        near = suggestion(size, SIZES)
        rule = f"one of {', '.join(SIZES)}"
        raise ValueError(f"size must be {rule}, got {size!r}{near}")
    home = importlib.import_module(f"...backbones.{module}", __name__)
    configured = getattr(home, config)
    chosen = configured.small() if size == "small" else configured()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return getattr(home, kind)(in_channels, n_classes, chosen)


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

"""Networks of timm, where a user has it, as observers."""

from importlib import import_module
from typing import Any

from .from_torch import from_torch
from .inputs import NORMALISATIONS, Preprocess
from .network_observer import NetworkObserver


def from_timm(name: str, pretrained: bool = True, **options: Any) -> NetworkObserver:
    """Make an observer of a network of timm.

    Parameters
    ----------
    name
        As `timm.list_models()` has it.
    pretrained
        Whether timm fetches its trained weights.
    **options
        As for `from_torch`; by default size, channels and normalisation are what timm
        says that the network was trained with.

    Raises
    ------
    ModuleNotFoundError
        If timm is not installed.
    ValueError
        If timm, or the torchvision that it needs, cannot be imported here, timm knows
        no such network, or an option is none of `from_torch`'s.
    """
    timm = _import_timm(name)
    if not timm.is_model(name):
        near = timm.list_models(f"*{name}*")[:5]
        hint = f"; there are {', '.join(near)}" if near else ""
        raise ValueError(f"a network of timm must be one it knows, got {name!r}{hint}")
    network = timm.create_model(name, pretrained=pretrained)
    config = timm.data.resolve_data_config({}, model=network)
    channels, *size = config["input_size"]
    preprocess = Preprocess(
        channels=channels,
        normalise=_normalisation(name, config["mean"], config["std"]),
        interpolation="bicubic" if config["interpolation"] == "bicubic" else "bilinear",
    )
    usual = {"size_px": tuple(size), "preprocess": preprocess, "name": f"timm:{name}"}
    return from_torch(network, **{**usual, **options})


def _import_timm(name: str) -> Any:
    try:
        timm = import_module("timm")
        import_module("timm.data")
    except ModuleNotFoundError as error:
        if error.name != "timm":
            raise
        message = f"timm:{name} needs timm: pip install timm"
        raise ModuleNotFoundError(message, name="timm") from error
    except (
        Exception
    ) as error:  # a torchvision that does not fit torch raises many kinds
        rule = "importable"
        raise ValueError(f"timm must be {rule} here, got {error}") from error
    return timm


def _normalisation(name: str, mean: tuple[float, ...], sd: tuple[float, ...]) -> str:
    """Give the name of a network's normalisation."""
    for known, (means, sds) in NORMALISATIONS.items():
        if set(means) == set(mean) and set(sds) == set(sd):
            return known
    rule = f"one of {', '.join(NORMALISATIONS)}"
    raise ValueError(f"the normalisation of {name} must be {rule}, got {mean}, {sd}")

"""Which models can take part: shipped ones, installed ones, and a user's own file.

The list is made without importing a model, so that it costs no torch.
"""

import importlib
import importlib.machinery
import importlib.metadata
import inspect
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from ..experiments.protocols.checks import suggestion
from ..experiments.session.observer import Observer

GROUP = "yoked.observers"  # entry points of other packages
_SHIPPED = {
    "element-mlp": "networks.element_mlp:element_mlp",
    "energy": "observers.circuits:Energy",
    "gain-control": "observers.circuits:GainControl",
    "guesser": "observers.guesser:Guesser",
    "hammerstein": "observers.circuits:Hammerstein",
    "ideal": "observers.ideal:Ideal",
    "linear": "observers.circuits:Linear",
    "ln": "observers.circuits:LN",
    "max": "observers.circuits:Max",
    "retina-cnn": "networks.retina_cnn:RetinaCNN",
    "template": "observers.template:Template",
}
# Those of `networks.named`, which is not imported to list them.
_NETWORKS = (
    "alexnet",
    "bl",
    "blt",
    "cornet-rt",
    "cornet-s",
    "cornet-z",
    "efficientnet-lite0",
    "hmax",
    "mobilenet-v2",
    "plain-cnn",
    "resnet-18",
    "ssn",
    "vonenet",
)
_NEEDS = {"torch": "PyTorch"}
_registered: dict[str, Callable[..., Observer]] = {}


def register(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a class or function that makes an observer, so that it has a name here.

    Parameters
    ----------
    name
        What `load_observer` and the commands will know it by, in this process.

    Raises
    ------
    ValueError
        If the name is taken.

    Examples
    --------
    >>> @register("flat")
    ... class Flat:
    ...     name = "flat"
    ...     def prepare(self, viewing): ...
    ...     def decide(self, frames, noise):
    ...         return frames.mean(axis=(2, 3, 4))
    >>> load("flat").name
    'flat'
    """
    if name in names():
        raise ValueError(f"an observer's name must be free, got {name!r}")

    def note(factory: Callable[..., Any]) -> Callable[..., Any]:
        _registered[name] = factory
        return factory

    return note


def names() -> list[str]:
    """List the observers that have a name here.

    Examples
    --------
    >>> "retina-cnn" in names()
    True
    """
    return sorted({*_SHIPPED, *_NETWORKS, *_registered, *_installed()})


def kind(name: str) -> str:
    """Say what an observer is: 'network', 'circuit' or 'other'.

    Examples
    --------
    >>> kind("retina-cnn"), kind("energy"), kind("template")
    ('network', 'circuit', 'other')
    """
    home = _SHIPPED.get(name, "")
    if name in _NETWORKS or home.startswith("networks."):
        return "network"
    return "circuit" if home.startswith("observers.circuits") else "other"


def takes(name: str, option: str) -> bool:
    """Say whether the observer of a name has an option of its own, such as `seed`.

    Of a file's class or function its signature decides; a network has all of
    `from_torch`'s.

    Examples
    --------
    >>> takes("retina-cnn", "seed"), takes("template", "seed")
    (True, False)
    """
    if name.startswith("timm:"):
        factory = _import_shipped("networks.from_torch:from_torch", name)
    elif name.endswith(".safetensors"):
        factory = _import_shipped("recipes.trained:Trained", name)
    else:
        factory = _find(name)
    if _is_network(factory) or _makes_networks_here(factory):
        factory = _import_shipped("networks.from_torch:from_torch", name)
    return callable(factory) and option in inspect.signature(factory).parameters


def load(name: str, **options: Any) -> Observer:
    """Make an observer.

    Parameters
    ----------
    name
        One of `names`; 'path/to/file.py:Name' for a user's own, an observer or a
        network (`torch.nn.Module`), or a function that makes one; 'timm:NAME' for a
        network of timm; or a file that `yoked train` wrote, ending in .safetensors.
    **options
        What the observer can be told, such as `seed` or `device`. For a network of
        one's own: what its class or function takes, and what `yoked.from_torch` takes.

    Raises
    ------
    LookupError
        If there is no such observer.
    ValueError
        If it knows no such option, or lacks what an observer must have.
    ModuleNotFoundError
        If it needs an extra that is not installed.

    Examples
    --------
    >>> load("template", efficiency=0.5).parameters
    {'efficiency': 0.5}
    """
    if name.startswith("timm:"):
        from_timm = _import_shipped("networks.from_timm:from_timm", name)
        return from_timm(name.removeprefix("timm:"), **options)
    if name.endswith(".safetensors"):
        trained = partial(_import_shipped("recipes.trained:Trained", name), name)
        _require_options(name, trained, options)
        return trained(**options)
    factory = _find(name)
    if not callable(factory):
        return _checked(name, factory)
    if _is_network(factory):
        return _observer_of(name, factory, options)
    own = _own_options(name, factory, options)
    if own is options:
        _require_options(name, factory, own)
    try:
        made = factory(**own)
    except (TypeError, AttributeError) as error:
        given = ", ".join(f"{k}={v!r}" for k, v in options.items()) or "no options"
        rule = "made with options that it can use"
        raise ValueError(f"{name} must be {rule}, got {given}: {error}") from error
    rest = {each: options[each] for each in options.keys() - own.keys()}
    return _observer_of(name, made, rest) if _is_network(made) else _checked(name, made)


def _find(name: str) -> Any:
    """Give what makes the observer, importing no other."""
    file, colon, attribute = name.rpartition(":")
    if colon and file.endswith(".py"):
        return _member(_import_file(Path(file)), attribute, file)
    if name in _registered:
        return _registered[name]
    if name in _SHIPPED:
        return _import_shipped(_SHIPPED[name], name)
    if name in _NETWORKS:
        return partial(_import_shipped("networks.by_name:network_observer", name), name)
    if name in _installed():
        return _installed()[name].load()
    near = suggestion(name, names())
    known = "" if near else f"; there are {', '.join(names())}"
    raise LookupError(f"no observer named {name!r}{near}{known}")


def _installed() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=GROUP)}


def _import_shipped(home: str, name: str) -> Any:
    """Import 'room.module:attribute' of ours, for the observer of a name."""
    module, attribute = home.split(":")
    try:
        return getattr(importlib.import_module(f".{module}", __package__), attribute)
    except ModuleNotFoundError as error:
        if error.name not in _NEEDS:
            raise
        message = f'{name} needs {_NEEDS[error.name]}: pip install "yoked[models]"'
        raise ModuleNotFoundError(message, name=error.name) from error


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise LookupError(f"an observer's file must exist, got {str(path)!r}")
    name = f"yoked_observer_file_{path.stem}"
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses look their own module up
    try:
        loader.exec_module(module)
    except Exception as error:  # whatever somebody's own file can raise
        del sys.modules[name]
        kind = type(error).__name__
        rule = "a Python file that can be imported"
        raise ValueError(
            f"{str(path)!r} must be {rule}, got {kind}: {error}"
        ) from error
    return module


def _member(module: ModuleType, name: str, file: str) -> Any:
    if not hasattr(module, name):
        public = [each for each in vars(module) if not each.startswith("_")]
        near = suggestion(name, public)
        raise LookupError(f"no observer named {name!r} in {file!r}{near}")
    return getattr(module, name)


def _require_options(
    name: str, factory: Callable[..., Any], options: dict[str, Any]
) -> None:
    known = inspect.signature(factory).parameters
    if any(each.kind is each.VAR_KEYWORD for each in known.values()):
        return
    for option in options:
        if option not in known:
            rule = f"one of {', '.join(known) or 'none'}"
            near = suggestion(option, known)
            raise ValueError(
                f"an option of {name} must be {rule}, got {option!r}{near}"
            )


def _is_network(thing: Any) -> bool:
    """Whether something is a torch module; torch is not imported to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(thing, torch.nn.Module)


def _own_options(
    name: str, factory: Callable[..., Any], options: dict[str, Any]
) -> dict[str, Any]:
    """Give the options that are the factory's, where others may be `from_torch`'s.

    What makes a network and what makes an observer look alike until it is called: only
    of a user's file can it be a network.
    """
    if ".py:" not in name or "torch" not in sys.modules:
        return options
    from .networks.from_torch import from_torch

    known = inspect.signature(factory).parameters
    takes_any = any(each.kind is each.VAR_KEYWORD for each in known.values())
    if takes_any and not _makes_networks(factory):
        return options
    mine = {each: value for each, value in options.items() if each in known}
    wrapped = inspect.signature(from_torch).parameters
    for option in options.keys() - mine.keys() - wrapped.keys():
        near = suggestion(option, [*known, *wrapped])
        rule = f"{', '.join(known) or 'none'}, or one of from_torch's for a network"
        raise ValueError(f"an option of {name} must be {rule}, got {option!r}{near}")
    return mine


def _makes_networks_here(factory: Any) -> bool:
    """Whether it is a class of torch modules; torch is not imported to find out."""
    return "torch" in sys.modules and _makes_networks(factory)


def _makes_networks(factory: Any) -> bool:
    """Whether it is a class of torch modules."""
    module = sys.modules["torch"].nn.Module
    return isinstance(factory, type) and issubclass(factory, module)


def _observer_of(name: str, network: Any, options: dict[str, Any]) -> Observer:
    """Make an observer of a network, named after where it is from."""
    from .networks.from_torch import from_torch

    _require_options(name, from_torch, options)
    given = {"name": name.rpartition(":")[2], **options}
    return from_torch(network, **given)


def _checked(name: str, observer: Any) -> Observer:
    missing = [
        each for each in ("name", "prepare", "decide") if not hasattr(observer, each)
    ]
    if missing:
        rule = "name, prepare and decide"
        raise ValueError(f"{name} must have {rule}, got no {' and no '.join(missing)}")
    return observer

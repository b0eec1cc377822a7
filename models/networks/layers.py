"""Layers of any network: what there is, and what one of them gives."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import Any

from torch import Tensor, nn

from ...experiments.protocols.checks import suggestion


class _Reached(Exception):
    """The wanted call of a layer has come: nothing after it is needed."""


class Layer:
    """Reads the output of a module inside a network.

    Parameters
    ----------
    network
        Any module.
    name
        Of the module, as in `network.named_modules()`; '' for the network's own output.
    step
        Which of the module's calls, in a network that calls it several times in one
        pass: 0 is the first, -1 the last.

    Raises
    ------
    LookupError
        If there is no such module.

    Examples
    --------
    >>> import torch
    >>> network = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> Layer(network, "1").read(torch.zeros(5, 4)).shape
    torch.Size([5, 3])
    """

    def __init__(self, network: nn.Module, name: str = "", step: int = -1) -> None:
        self.network = network
        self.name = name
        self.step = step
        self._module = named_module(network, name)
        # In training and out of it: a network that looks does so once, or five times.
        self._n_calls: dict[bool, int] = {}

    def read(self, x: Tensor) -> Tensor:
        """Give what the layer gives for an input.

        What comes after the layer is not computed, once it is known how often a pass
        calls it.

        Raises
        ------
        ValueError
            If the layer gives no tensor, or is not called so often.
        """
        if not self.name:
            return self._tensor(self.network(x))
        outputs: list[object] = []
        wanted = self.step
        if wanted < 0:
            wanted += self._n_calls.get(self.network.training, 0)

        with self._kept(outputs, wanted):
            self.network(x)
            self._n_calls[self.network.training] = len(outputs)
            return self.output_of(outputs)
        return self._tensor(outputs[wanted])

    @contextmanager
    def all_calls(self) -> Iterator[list[object]]:
        """Collect what the layer gives, call by call, while the network runs."""
        outputs: list[object] = []
        with self._kept(outputs, None):
            yield outputs

    def output_of(self, outputs: list[object]) -> Tensor:
        """Give the output of the wanted call, of all in a pass; errors as of `read`."""
        if not outputs:
            inside = [f"{self.name}.{n}" for n, _ in self._module.named_children()]
            rule = "one that the network calls"
            got = f"one that holds {', '.join(inside) or 'nothing'}"
            raise LookupError(f"layer {self.name!r} must be {rule}, got {got}")
        if not -len(outputs) <= self.step < len(outputs):
            rule = f"one of the layer's {len(outputs)} in a pass"
            raise ValueError(
                f"the step of layer {self.name!r} must be {rule}, got {self.step}"
            )
        return self._tensor(outputs[self.step])

    @contextmanager
    def _kept(self, outputs: list[object], wanted: int | None) -> Iterator[None]:
        """Keep each output of the layer; stop the pass after number `wanted`."""

        def keep(module: nn.Module, inputs: object, output: object) -> None:
            outputs.append(output)
            if wanted is not None and len(outputs) == wanted + 1:
                raise _Reached

        handle = self._module.register_forward_hook(keep)
        try:
            yield
        except _Reached:
            pass
        finally:
            handle.remove()

    def _tensor(self, output: object) -> Tensor:
        if isinstance(output, tuple | list) and output:
            output = output[0]  # a recurrent module gives its states besides
        if not isinstance(output, Tensor):
            kind = type(output).__name__
            where = f"layer {self.name!r}" if self.name else "the network"
            raise ValueError(f"{where} must give a tensor, got {kind}")
        return output


def named_module(network: nn.Module, name: str) -> nn.Module:
    """Give a module inside a network by its name.

    Raises
    ------
    LookupError
        If there is none; the nearest name is suggested.
    """
    modules = dict(network.named_modules())
    if name not in modules:
        known = [each for each in modules if each]
        near = suggestion(name, known)
        listed = "" if near else f"; there are {', '.join(known[:20]) or 'none'}"
        raise LookupError(f"no layer named {name!r}{near}{listed}")
    return modules[name]


def settings_of(network: nn.Module) -> dict[str, Any]:
    """Give, by module, the settings that no weight shows: what has a `described`.

    Of any other module those of its `config`, where that is a dataclass. What is
    endless, such as the half contrast of cells without gain control, is None: the trial
    log keeps them as JSON, which has no such number.

    Examples
    --------
    >>> settings_of(nn.ReLU())
    {}
    """
    found = {}
    for name, module in network.named_modules():
        config = getattr(module, "config", None)
        settings = getattr(module, "described", None)
        if settings is None and is_dataclass(config) and not isinstance(config, type):
            settings = asdict(config)
        if isinstance(settings, Mapping):
            found[name or "network"] = _without_endless(dict(settings))
    return found


def _without_endless(value: Any) -> Any:
    """Put None for what is endless, in plain data of any depth."""
    if isinstance(value, Mapping):
        return {key: _without_endless(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_endless(each) for each in value]
    return None if isinstance(value, float) and math.isinf(value) else value

"""What white-box kernels need of an observer: its scores, its network, its layers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

Scores = Callable[[Tensor], Tensor]


def scores_of(observer: Any) -> Scores:
    """Give an observer's `scores`.

    Raises
    ------
    ValueError
        If it has none, or a module whose gradient is not that of what it computes.
    """
    scores = getattr(observer, "scores", None)
    if scores is None:
        rule = "scores(contrast) that can be differentiated"
        raise ValueError(f"{observer.name} must have {rule}, got none")
    require_true_gradients(observer)
    return scores


def network_of(observer: Any) -> tuple[nn.Module, Callable[[Tensor], Tensor]]:
    """Give an observer's network and what makes its input of contrast.

    Raises
    ------
    ValueError
        If it lacks either, or has surrogate gradients.
    """
    network = getattr(observer, "network", None)
    input_of = getattr(observer, "input_of", None)
    if not isinstance(network, nn.Module) or input_of is None:
        rule = "a network and input_of(contrast) for kernels of its layers"
        raise ValueError(f"{observer.name} must have {rule}, got no such network")
    require_true_gradients(observer)
    return network, input_of


def require_true_gradients(observer: Any) -> None:
    """Raise ValueError if a module of the observer says its gradient is a surrogate."""
    for root in _modules(observer):
        for name, module in root.named_modules():
            if getattr(module, "has_surrogate_gradient", False):
                where = name or type(module).__name__
                rule = "true gradients everywhere for white-box kernels"
                got = f"a surrogate gradient in {where!r}"
                raise ValueError(f"{observer.name} must have {rule}, got {got}")


def _modules(observer: Any) -> Iterator[nn.Module]:
    if isinstance(observer, nn.Module):
        yield observer
    named = [getattr(observer, "network", None), getattr(observer, "__dict__", {})]
    for each in (named[0], *named[1].values()):
        if isinstance(each, nn.Module):
            yield each


@contextmanager
def outputs_of(module: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what a module gives while this lasts, call by call.

    Raises
    ------
    ValueError
        If it gives no tensor.
    """
    found: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: object) -> None:
        first = output[0] if isinstance(output, tuple | list) else output
        if not isinstance(first, Tensor):
            got = type(first).__name__
            raise ValueError(f"a layer's output must be a tensor, got {got}")
        found.append(first)

    handle = module.register_forward_hook(keep)
    try:
        yield found
    finally:
        handle.remove()


def checked_scores(
    scores: Scores, name: str, pixels: Float[Tensor, " trial alternative frame y x"]
) -> Float[Tensor, " trial alternative"]:
    """Ask an observer for its scores, and check what it gives back.

    Raises
    ------
    ValueError
        If they are not finite, not (trial, alternative), or without a gradient where
        one is wanted.
    """
    found = scores(pixels)
    if tuple(found.shape) != tuple(pixels.shape[:2]):
        rule = f"(trial, alternative) = {tuple(pixels.shape[:2])}"
        raise ValueError(f"scores of {name} must be {rule}, got {tuple(found.shape)}")
    if not bool(torch.isfinite(found).all()):
        raise ValueError(f"scores of {name} must be finite, got nan or inf")
    if pixels.requires_grad and not found.requires_grad:
        rule = "differentiable by the contrast"
        raise ValueError(f"scores of {name} must be {rule}, got no gradient")
    return found


def gradient(
    total: Float[Tensor, ""], inputs: Float[Tensor, " *shape"], keep: bool = False
) -> Float[Tensor, " *shape"]:
    """Give the gradient of a sum; nought where it does not depend on the inputs."""
    (found,) = torch.autograd.grad(total, inputs, retain_graph=keep, allow_unused=True)
    return torch.zeros_like(inputs) if found is None else found

"""A training step's passes, compiled by torch: the same code each time, or a refusal.

What torch compiles depends on what it met before in a process: shapes that changed,
networks of the same class. Here it begins with nothing, takes each shape as it is, and
stops where it would go on without compiling; so a training that is killed and resumed
computes each step with the same code.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

_DRAWS: dict[str, Any] = {"fallback_random": True}  # as without compiling


def require_compiler() -> None:
    """Refuse a machine where torch finds no C++ compiler.

    Raises
    ------
    ValueError
        If there is none, neither by CXX nor by its usual name.
    """
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler as error:
        rule = "left out where there is no C++ compiler"
        raise ValueError(f"training.compile must be {rule}, got true") from error


def compiled(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """Give a network's pass to be compiled at its first call; the network stays plain.

    Its weights, their names and its modules are the network's own.
    """
    return torch.compile(network, dynamic=False, options=_DRAWS)


@contextmanager
def compiling() -> Iterator[None]:
    """Let torch compile from nothing on, for a while, and never do without.

    Raises
    ------
    ValueError
        If torch cannot compile the network, or would have to at every step.
    """
    from torch._dynamo import config, exc, reset

    reset()
    try:
        with config.patch(fail_on_recompile_limit_hit=True):
            yield
    except (exc.TorchDynamoException, exc.FailOnRecompileLimitHit) as error:
        rule = "left out for a network that torch cannot compile"
        told = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"training.compile must be {rule}, got true: {told}"
        ) from error

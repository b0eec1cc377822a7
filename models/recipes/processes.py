"""Several processes that train one network, as `torchrun` starts them.

Each has its share of every batch, gradients are averaged, and the first process alone
looks at held-out trials, writes and speaks. Sums over processes come in one order, so
that as many processes give the same weights.
"""

import atexit
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import distributed, nn

T = TypeVar("T")


@dataclass(frozen=True)
class Share:
    """Which process this is.

    Attributes
    ----------
    number, count
        From 0, and how many there are.

    Examples
    --------
    >>> Share(1, 2).of(np.arange(6)).tolist(), Share().of(np.arange(2)).tolist()
    ([3, 4, 5], [0, 1])
    """

    number: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether it is the one that looks, writes and speaks."""
        return self.number == 0

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Give this process's part."""
        return np.array_split(rows, self.count)[self.number]

    def mean(self, value: float) -> float:
        """Give the mean over processes; what is no number in one is none in all."""
        if self.count == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64)
        distributed.all_reduce(total)
        return total.item() / self.count

    def average_gradients(self, network: nn.Module) -> None:
        """Let all processes take the same step."""
        if self.count == 1:
            return
        given = [p.grad for p in network.parameters() if p.grad is not None]
        flat = torch.cat([each.flatten() for each in given])
        distributed.all_reduce(flat)
        flat /= self.count
        parts = flat.split([each.numel() for each in given])
        for each, part in zip(given, parts, strict=True):
            each.copy_(part.view_as(each))

    def level(self, network: nn.Module) -> None:
        """Give all processes the first one's buffers, such as running means."""
        if self.count > 1:
            for each in network.buffers():
                distributed.broadcast(each, 0)

    def told(self, make: Callable[[], T]) -> T:
        """Give what the first process makes."""
        if self.count == 1:
            return make()
        box: list[Any] = [make() if self.is_first else None]
        distributed.broadcast_object_list(box, 0, device=torch.device("cpu"))
        return box[0]

    def all_of(self, value: T) -> list[T]:
        """Give what every process has, in order."""
        if self.count == 1:
            return [value]
        found: list[Any] = [None] * self.count
        distributed.all_gather_object(found, value)
        return found


def is_first_process() -> bool:
    """Say whether this process may write and speak; known before they are joined."""
    return not _is_launched() or os.environ.get("RANK", "0") == "0"


def join(device: str) -> tuple[Share, str]:
    """Join the other processes, if `torchrun` started this one.

    Parameters
    ----------
    device
        'cpu' or 'cuda'.

    Returns
    -------
    share
        Of this process: all of it where there is no other.
    device
        'cuda' becomes a card of this process's own.
    """
    if not distributed.is_available():
        return Share(), device
    if not distributed.is_initialized():
        if not _is_launched():
            return Share(), device
        backend = "gloo" if device == "cpu" else "cpu:gloo,cuda:nccl"
        distributed.init_process_group(backend)
        atexit.register(_leave)
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
        torch.cuda.set_device(device)
    return Share(distributed.get_rank(), distributed.get_world_size()), device


def _is_launched() -> bool:
    return "TORCHELASTIC_RUN_ID" in os.environ and "RANK" in os.environ


def _leave() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()

"""Noise and frames of `yoked-1` in torch, for any device: integer all the way.

With `basis_torch.py` all of `experiments` that imports torch. `noise.py` is the
reference that it equals bit for bit. 32-bit words are kept in int64, since torch has no
32-bit unsigned multiplication on every device.
"""

import typing
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from ..protocols.deviates import normal_table
from .noise import FIRST_NOISE_STREAM
from .philox import KEY_STEPS, MULTIPLIERS, N_ROUNDS, WORD, key_of


@typing.no_type_check
def _multiply(words, constant):
    """Give the high and low 32 bits of words * constant, without overflow.

    The product needs 64 unsigned bits and int64 has 63: the constant is taken in two
    halves of 16 bits.
    """
    upper = words * (constant >> 16)  # below 2^48
    lower = words * (constant & 0xFFFF)  # below 2^48
    low_sum = lower + ((upper & 0xFFFF) << 16)
    return ((upper >> 16) + (low_sum >> 32)) & WORD, low_sum & WORD


@typing.no_type_check
def philox4x32_torch(a, b, c, d, key0, key1):
    """Encrypt counter words with Philox4x32-10; int64 tensors that hold 32 bits."""
    for _ in range(N_ROUNDS):
        first_high, first_low = _multiply(a, MULTIPLIERS[0])
        second_high, second_low = _multiply(c, MULTIPLIERS[1])
        a, b = second_high ^ b ^ key0, second_low
        c, d = first_high ^ d ^ key1, first_low
        key0, key1 = (key0 + KEY_STEPS[0]) & WORD, (key1 + KEY_STEPS[1]) & WORD
    return a, b, c, d


@typing.no_type_check
def torch_draws(seed, ids, streams, n, first=0):
    """Give 16-bit draws as int64, (trial, stream, draw), on the device of `ids`.

    The first draw is number `first`, which begins a block.
    """
    blocks = torch.arange(-(-n // 8), device=ids.device) + first // 8
    shape = (ids.numel(), streams.numel(), blocks.numel())
    words = philox4x32_torch(
        blocks.expand(shape),
        streams[None, :, None].expand(shape),
        (ids & WORD)[:, None, None].expand(shape),
        (ids >> 32)[:, None, None].expand(shape),
        *key_of(seed),
    )
    halves = [half for word in words for half in (word & 0xFFFF, word >> 16)]
    return torch.stack(halves, dim=-1).flatten(2)[..., :n]


@typing.no_type_check
def torch_levels(
    lookup: np.ndarray,
    seed: int,
    ids: np.ndarray,
    intervals: Sequence[int],
    kinds: np.ndarray,
    which: np.ndarray,
    device: str | torch.device = "cpu",
) -> torch.Tensor:
    """Look up draws and add signals, (trial, interval, element), on a device.

    Parameters
    ----------
    lookup
        uint8 level of each draw, background included.
    seed, ids
        Key and counter of the draws.
    intervals
        The intervals wanted.
    kinds
        (kind, element) signal levels.
    which
        (trial, interval), the kind that each interval holds.
    device
        Where the result lies.

    Returns
    -------
    Tensor
        uint8.
    """
    table = torch.as_tensor(lookup.copy(), device=device)
    trials = torch.as_tensor(np.ascontiguousarray(ids), device=device)
    streams = torch.as_tensor(list(intervals), device=device) + FIRST_NOISE_STREAM
    draws = torch_draws(seed, trials, streams, kinds.shape[1])
    signals = torch.as_tensor(kinds, device=device).to(torch.uint8)
    return table[draws] + signals[torch.as_tensor(which, device=device)]


def as_tensor(frames: np.ndarray, device: str | torch.device) -> torch.Tensor:
    """Give frames as a tensor on a device; on the CPU it shares their memory."""
    return torch.from_numpy(frames).to(device)


@typing.no_type_check
def repeat_on_device(levels, element_px):
    """Repeat every grid element to its size in pixels, (rows, columns).

    Rows last, and by `expand`: its gradient is a sum, several times as fast as that of
    `repeat_interleave`.
    """
    rows, columns = element_px
    return _repeated(_repeated(levels, columns, -1), rows, -2)


@typing.no_type_check
def _repeated(x, times, dim):
    """Repeat every value along a dimension, counted from the last."""
    dim += x.dim()
    sizes = [-1] * (dim + 1) + [times] + [-1] * (x.dim() - dim - 1)
    return x.unsqueeze(dim + 1).expand(sizes).flatten(dim, dim + 1)


@typing.no_type_check
def in_order(parts, places):
    """Join parts of a table's trials, and put them at their places."""
    if len(parts) == 1:
        return parts[0]
    order = torch.as_tensor(np.argsort(places), device=parts[0].device)
    return torch.cat(parts)[order]


def stacked(intervals: list[list[torch.Tensor]]) -> torch.Tensor:
    """Put the trials of every interval together, (trial, interval, ...)."""
    return torch.stack([torch.cat(parts) for parts in intervals], dim=1)


@lru_cache(maxsize=8)
def normal_table_on(device: torch.device) -> torch.Tensor:
    """Give `deviates.normal_table` in single precision on a device."""
    return torch.from_numpy(normal_table().astype(np.float32)).to(device)

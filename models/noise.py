"""An observer's own noise on the device of its network, keyed by trial."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from jaxtyping import Float
from torch import Tensor

from ..experiments.session.observer import ObserverNoise
from ..experiments.stimulus.noise import OBSERVER_STREAM
from ..experiments.stimulus.noise_torch import normal_table_on, torch_draws

_trials: ContextVar[ObserverNoise | None] = ContextVar("_trials", default=None)
_is_silent: ContextVar[bool] = ContextVar("_is_silent", default=False)


def noise_like(x: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
    """Draw standard normal noise of the shape, on the device, of `x`.

    Where a network responds to the trials of a session, the noise is a function of the
    session's observer seed and of each trial's number (Philox, stream 1): it does not
    depend on a trial's place in a batch nor on its neighbours, and a session repeats
    exactly. Elsewhere, such as in training, it comes from torch's own generator.

    Parameters
    ----------
    x
        Its first axis is that of the network's input: trials, or what a trial has
        several of (alternatives, frames) with those of a trial beside each other.

    Raises
    ------
    ValueError
        If the first axis does not hold equally many rows for every trial.

    Examples
    --------
    A stage that adds noise to its input:

    >>> class Noisy(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x + 0.1 * noise_like(x)
    >>> Noisy()(torch.zeros(4, 3)).shape
    torch.Size([4, 3])
    """
    if _is_silent.get():
        return torch.zeros_like(x)
    noise = _trials.get()
    if noise is None:
        return torch.randn_like(x)
    n_trials = len(noise.trials)
    if x.dim() == 0 or x.shape[0] % n_trials or not x.numel():
        rule = f"a multiple of the {n_trials} trials along its first axis"
        raise ValueError(f"x of noise_like must be {rule}, got {tuple(x.shape)}")
    n = x.numel() // n_trials
    if x.device.type == "cpu":
        return torch.from_numpy(noise.normal(n)).view(x.shape).to(x.dtype)
    first = noise.take(n)
    return normal_on(x.device, noise, n, first).view(x.shape).to(x.dtype)


def normal_on(
    device: torch.device, noise: ObserverNoise, n: int, first: int
) -> Float[Tensor, " trial draw"]:
    """Draw with torch alone what `ObserverNoise.normal` gives, on a device."""
    ids = torch.as_tensor(noise.trials, device=device)
    stream = torch.tensor([OBSERVER_STREAM], device=device)
    draws = torch_draws(noise.seed, ids, stream, n, first)  # (trial, 1, draw)
    return normal_table_on(device)[draws][:, 0]


def is_drawn_for_trials() -> bool:
    """Say whether `noise_like` draws for the trials of a session now."""
    return _trials.get() is not None


@contextmanager
def drawn_for(noise: ObserverNoise) -> Iterator[None]:
    """Let `noise_like` draw for the trials of `noise`, in this thread, for a while."""
    token = _trials.set(noise)
    try:
        yield
    finally:
        _trials.reset(token)


@contextmanager
def without_noise() -> Iterator[None]:
    """Let `noise_like` give 0, in this thread, for a while."""
    token = _is_silent.set(True)
    try:
        yield
    finally:
        _is_silent.reset(token)

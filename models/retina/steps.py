"""Time in steps: frames become steps, and filters are matrices over steps.

A step holds the value at its middle. Before the first step everything has rested at
the background for ever, which is exact for a filter of the deviation from it: no step
is spent on adapting.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def n_steps(n_frames: int, frame_ms: float, step_ms: float, tail_ms: float) -> int:
    """Count the steps from the onset of the first frame to the end of the tail.

    Examples
    --------
    >>> n_steps(1, frame_ms=100.0, step_ms=10.0, tail_ms=50.0)
    15
    """
    return max(1, math.ceil((n_frames * frame_ms + tail_ms) / step_ms - 1e-9))


def shown_in_steps(
    n_frames: int, frame_ms: float, step_ms: float, tail_ms: float
) -> Float[Tensor, " step frame"]:
    """Give what share of every step each frame fills; the rest is background.

    Examples
    --------
    >>> shown_in_steps(2, frame_ms=15.0, step_ms=10.0, tail_ms=0.0).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    steps = torch.arange(n_steps(n_frames, frame_ms, step_ms, tail_ms)) * step_ms
    frames = torch.arange(n_frames) * frame_ms
    ends = torch.minimum(steps[:, None] + step_ms, frames[None] + frame_ms)
    begins = torch.maximum(steps[:, None], frames[None])
    return (ends - begins).clamp(min=0) / step_ms


def filtered(
    kernel: Float[Tensor, " step step"], signal: Float[Tensor, " image step *cell"]
) -> Float[Tensor, " image step *cell"]:
    """Filter a signal over its steps by one matrix product."""
    return (kernel @ signal.flatten(2)).view(signal.shape)


def gamma_kernel(n: int, step_ms: float, tau_ms: Tensor, order: float) -> Tensor:
    """Give the filter t^order exp(-t / tau) of unit area: (step, step).

    A step counts what the filter has between half a step before and half a step after
    the lag, so that a signal which is constant within steps is filtered exactly. The
    mean delay is (order + 1) tau.

    Examples
    --------
    >>> gamma_kernel(200, 1.0, torch.tensor(5.0), order=2)[-1].sum().round(decimals=4)
    tensor(1.)
    """
    lags = (torch.arange(n, device=tau_ms.device) * step_ms).to(tau_ms.dtype)
    edges = (
        torch.cat([lags[:1], lags + step_ms / 2]) / tau_ms
    )  # 0, then the steps' ends
    if order == 0:
        below = -torch.expm1(-edges)
    else:
        below = torch.special.gammainc(torch.full_like(edges, order + 1), edges)
    return _by_lag(below.diff())


def delay_kernel(n: int, step_ms: float, delay_ms: Tensor) -> Tensor:
    """Give a pure delay, between steps by linear interpolation: (step, step).

    Examples
    --------
    >>> delay_kernel(3, 10.0, torch.tensor(15.0))[-1]
    tensor([0.5000, 0.5000, 0.0000])
    """
    lags = (torch.arange(n, device=delay_ms.device) * step_ms).to(delay_ms.dtype)
    return _by_lag((1 - (lags - delay_ms).abs() / step_ms).clamp(min=0))


def _by_lag(weights: Float[Tensor, " step"]) -> Float[Tensor, " step step"]:
    """Lay out a filter's weights so that row t weighs steps t, t - 1, ..., 0."""
    n = len(weights)
    steps = torch.arange(n, device=weights.device)
    lag = steps[:, None] - steps
    return torch.where(lag >= 0, weights[lag.clamp(min=0)], weights.new_zeros(()))

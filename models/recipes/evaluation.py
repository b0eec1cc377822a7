"""From decision variables on held-out trials to figures."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.signal import signal_template
from ..training.losses import kernel_moments
from .figures import (
    HeldOutFigures,
    KernelFigures,
    Likeness,
    chosen,
    dprime_of,
    implied_correct,
    likeness,
)
from .kernel_target import cosines
from .shown import HeldOut, Lesson, Trials


def figures_of(
    trials: Trials,
    held_out: HeldOut,
    variables: Tensor,
    answered: Tensor | None = None,
) -> HeldOutFigures:
    """Say how good a network is by its decision variables, on the CPU.

    Parameters
    ----------
    trials
        Of the recipe.
    held_out
        Those that the variables are of.
    variables
        (trial, alternative).
    answered
        Decision variables on `trials.answered`, where there are such.

    Raises
    ------
    ValueError
        If the loss is not finite.
    """
    task, lesson = trials.protocol.task, held_out.lesson()
    loss = trials.loss(variables, lesson).item()
    if not math.isfinite(loss):
        raise ValueError(f"the held-out loss must be finite, got {loss}")
    choices, targets = chosen(task, variables.numpy()), held_out.targets
    correct = None if targets is None else float((choices == targets).mean())
    dprime = None if targets is None else dprime_of(task, choices, targets)
    likenesses = _likenesses(choices, held_out)
    if answered is not None and trials.answered is not None:
        likenesses = _likenesses(chosen(task, answered.numpy()), trials.answered)
    kernel = None
    if trials.kernel is not None:
        contrast = float(held_out.contrast[0])  # the same of all trials
        kernel = _of_kernel(trials, variables, lesson, contrast)
    found = (len(choices), loss, correct, dprime)
    return HeldOutFigures(*found, *likenesses, kernel=kernel)


def _likenesses(choices: np.ndarray, held_out: HeldOut) -> list[Likeness | None]:
    """Give how like the observer's are choices, right ones, and its own plain ones."""
    if held_out.choices is None:
        return []
    targets = held_out.targets
    return [
        None
        if each is None
        else likeness(each, held_out.choices, targets, held_out.contrast)
        for each in (choices, targets, held_out.ceiling)
    ]


def _of_kernel(
    trials: Trials, variables: Tensor, lesson: Lesson, contrast: float
) -> KernelFigures:
    kernel, protocol = trials.kernel, trials.protocol
    assert kernel is not None
    assert lesson.noise is not None
    assert lesson.classes is not None
    second = kernel.true.second is not None
    own = kernel_moments(protocol.task, variables, lesson.noise, lesson.classes, second)
    shuffled = (None, None)
    if kernel.is_shuffled:
        shuffled = cosines(own, kernel.wanted)
    signal, implied = signal_in_sds(protocol, contrast), None
    cosine = None
    if signal is not None:
        cosine = functional.cosine_similarity(
            own.first, signal.to(own.first), dim=0
        ).item()
        if protocol.task.has_target:
            ideal = float(signal.norm())
            implied = implied_correct(protocol.task, ideal * cosine)
    return KernelFigures(*cosines(own, kernel.true), *shuffled, cosine, implied)


def signal_in_sds(protocol: Protocol, contrast: float) -> Tensor | None:
    """Give what the target adds to an interval, in SDs of the noise.

    None where noise is not white, or the signal has variants or is none.
    """
    if protocol.noise.basis is not None or len(protocol.variants) > 1:
        return None
    without, with_target = protocol.signal.gains
    template = signal_template(protocol) * (with_target - without)
    if not template.any():
        return None
    return torch.from_numpy(contrast / protocol.noise.sd * template.ravel())

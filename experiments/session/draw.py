"""Trials without a session: frames and targets, for a loop of one's own."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..protocols.protocol import Protocol
from ..stimulus.seeds import require_session_seed
from ..stimulus.sources import noise_source
from .observer import Frames, frames_on, places_and_cues
from .runnable import require_own_noise


class DrawnTrials(NamedTuple):
    """Some trials, unpacked as `frames, targets, rows`.

    Attributes
    ----------
    frames
        uint8, (trial, alternative, frame, y, x), 128 + 127 x contrast: an array, or a
        tensor.
    targets
        The correct alternative of each, from 0 (yes/no and rating: 1 is signal): an
        array of int64, or a tensor beside the frames.
    rows
        A row for each trial, with columns as the trial log has them.
    """

    frames: Frames
    targets: Any
    rows: pd.DataFrame


def trials(
    protocol: Protocol,
    n: int,
    seed: int,
    contrast: float | None = None,
    *,
    first: int = 0,
    device: str | None = None,
    as_tensor: bool = False,
) -> DrawnTrials:
    """Draw trials of a protocol: the pixels that a person would see.

    Trial i is a function of protocol, seed, contrast and i alone, so that a loop that
    moves `first` on never shows a noise field twice, and one that does not shows the
    same ones again. Targets come in turn.

    Parameters
    ----------
    protocol
        With noise of its own; a protocol with conditions is taken one by one
        (`protocol.of_condition`).
    n
        How many.
    seed
        Of the noise.
    contrast
        Of the signal; by default the protocol's first.
    first
        Number of the first trial.
    device
        Where frames and targets are made as tensors, such as 'cuda'.
    as_tensor
        Whether they are tensors, on the CPU unless `device` says else.

    Raises
    ------
    ValueError
        If the noise cannot be made, the protocol has conditions, or a number is out of
        range.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> frames, targets, rows = yoked.trials(protocol, 4, seed=7, contrast=0.3)
    >>> frames.shape, targets.tolist(), rows["stimulus_id"].tolist()
    ((4, 2, 1, 52, 52), [0, 1, 0, 1], [0, 1, 2, 3])
    """
    require_own_noise(protocol)
    require_session_seed("seed", seed)
    if protocol.conditions:
        rule = "one condition of it, protocol.of_condition(name)"
        raise ValueError(f"protocol must be {rule}, got {protocol.name} with all")
    for name, value, least in (("n", n, 1), ("first", first, 0)):
        if value < least:
            raise ValueError(f"{name} must be {least} or more, got {value}")
    value = protocol.contrast.values[0] if contrast is None else contrast
    protocol = protocol.with_options(contrast=value)
    numbers = np.arange(first, first + n, dtype=np.int64)
    rows = pd.DataFrame(
        {
            "trial": numbers,
            "stimulus_id": numbers,
            "contrast": np.full(n, value, np.float64),
            "target": numbers % protocol.task.n_targets,
            "block_kind": "main",
            **places_and_cues(protocol, seed, numbers),
        }
    )
    source = noise_source(protocol.noise.generator, protocol, seed)
    targets = rows["target"].to_numpy(np.int64, copy=True)
    if device is None and not as_tensor:
        return DrawnTrials(frames_on(None, protocol, source, rows), targets, rows)
    from ..stimulus.noise_torch import as_tensor as to_tensor

    device = device or "cpu"
    frames = frames_on(device, protocol, source, rows)
    return DrawnTrials(frames, to_tensor(targets, device), rows)

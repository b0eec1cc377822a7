"""Trials changed within eps so that an observer decides them wrongly."""

from dataclasses import replace

import numpy as np
import torch

from ...experiments.session.observer import optional
from ...experiments.stimulus.seeds import derived_seed
from ..noise import drawn_for
from .ascent import Ascent, ascend
from .shown import HIGHEST, LOWEST, Contrast, Shown


def attacked(shown: Shown, eps: float, how: Ascent) -> Contrast:
    """Give the contrast of every trial under attack.

    What rises is the margin of the best other alternative over the right one, or in
    yes/no the score's distance from the criterion: decision variables have a scale of
    their own, on which a cross-entropy of them may be flat.

    Parameters
    ----------
    shown
        The observer, which must have `scores(contrast)`, and the trials. An observer
        without noise is asked once a step whatever `how.noise_draws` says.
    eps
        In contrast: of one pixel ('linf'), or of all alternatives together ('l2').
    how
        Norm, steps, draws.

    Returns
    -------
    Tensor
        (trial, alternative, frame, y, x), within [-1, 1].

    Raises
    ------
    ValueError
        If the observer has no scores that can be differentiated, or eps is negative.
    ModuleNotFoundError
        If foolbox is not installed.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> shown = Shown(protocol, yoked.load_observer("linear"), trials=100, contrast=0.3)
    >>> changed = attacked(shown, 0.1, Ascent("linf", steps=4))
    >>> float((changed - shown.clean).abs().max()) <= 0.1 + 1e-6
    True
    >>> bool(shown.correct(changed).mean() < shown.correct(shown.clean).mean())
    True
    """
    if not shown.has_noise:
        how = replace(how, noise_draws=1)
    return torch.cat([_batch(shown, rows, eps, how) for rows in shown.batches()])


def _batch(shown: Shown, rows: np.ndarray, eps: float, how: Ascent) -> Contrast:
    device = torch.device(optional(shown.observer, "device") or "cpu")
    start = shown.clean[rows].to(device)
    with torch.random.fork_rng(devices=[]), drawn_for(shown.noise_to_attack(rows)):
        torch.manual_seed(derived_seed("start", shown.seed, int(rows[0])))
        found = ascend(
            lambda x: shown.margin(x, rows), start, eps, how, (LOWEST, HIGHEST)
        )
    return found.cpu()

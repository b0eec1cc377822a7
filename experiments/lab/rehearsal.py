"""A short session of a protocol, all of it in proportion: to try out, or to teach."""

import math
from dataclasses import replace

from ..protocols.parts import Block
from ..protocols.protocol import Protocol

# Fewer would show nobody what to do, or calibrate nothing.
LEAST = {"practice": 4, "calibration": 10}


def shortened(protocol: Protocol, trials: int) -> Protocol:
    """Give a protocol with other main trials; practice and calibration shrink too.

    `Protocol.with_options` leaves practice and calibration as they are: a model needs
    its calibration, and what it ran by `--trials` in earlier versions keeps its hash.
    Nobody who tries a protocol out on 20 trials wants to sit through 70 before them.
    Stimuli are the same, so the sessions of both may be compared, pooled and yoked.

    Parameters
    ----------
    trials
        Main trials in all. More than the protocol's leave the rest as it is.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> short = shortened(load_protocol("bar-in-noise"), trials=20)
    >>> [block.n_trials for block in short.blocks]
    [4, 10, 20]
    """
    variant = protocol.with_options(trials=trials)
    share = min(1.0, trials / protocol.n_main_trials)
    blocks = (
        _shrunk(block, share, protocol.task.n_targets) for block in variant.blocks
    )
    return replace(variant, blocks=tuple(blocks))


def _shrunk(block: Block, share: float, n_targets: int) -> Block:
    """Give a block with its share of trials, each target equally often."""
    if block.kind not in LEAST:
        return block
    wanted = n_targets * math.ceil(share * block.n_trials / n_targets)
    n_trials = min(block.n_trials, max(LEAST[block.kind], wanted))
    return replace(block, n_trials=n_trials)

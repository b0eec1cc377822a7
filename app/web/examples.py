"""Examples for the instructions: the signal, strong, in hardly any noise.

They are drawn as a trial's pixels are, and are no trial's: no session has their seed.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from ...experiments.protocols.checks import ProtocolError
from ...experiments.protocols.parts import Signal
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.signal import signal_template
from ...experiments.protocols.template import contrasts_of_patterns
from ...experiments.stimulus.render import render
from ...experiments.stimulus.seeds import RESERVED_SEEDS
from ...experiments.stimulus.sources import noise_source

MOST_PATCHES = 16
_SEED = RESERVED_SEEDS[-1]
_CONTRASTS = (0.5, 0.35, 0.25, 0.15, 0.1)  # the first that has room
_MOST_KNOWN = 64
_known: dict[str, "Examples | None"] = {}


@dataclass(frozen=True, eq=False)
class Examples:
    """One example for each target.

    Attributes
    ----------
    levels
        Contrast levels; of a movie the frame that shows most of the signal.
    responses
        For each target the numbers of the keys that are right.
    """

    levels: UInt8[np.ndarray, " target interval y x"]
    responses: tuple[tuple[int, ...], ...]


def examples_of(protocol: Protocol) -> Examples | None:
    """Give a protocol's examples; None where they would say too much, or too little.

    That is where no response is right; where participants are not told what exactly to
    look for (variants of the signal, places), or conditions differ in it; where the
    noise is not ours; and where the patches would be more than `MOST_PATCHES`.

    Examples
    --------
    >>> import yoked
    >>> examples = examples_of(yoked.load_protocol("bar-in-noise"))
    >>> examples.levels.shape, examples.responses
    ((2, 2, 52, 52), ((0,), (1,)))
    >>> examples_of(yoked.load_protocol("phase-unknown")) is None
    True
    """
    if protocol.hash not in _known:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[protocol.hash] = _made(protocol) if _may_be_shown(protocol) else None
    return _known[protocol.hash]


def _may_be_shown(protocol: Protocol) -> bool:
    task, signal = protocol.task, protocol.signal
    return (
        task.has_target
        and (task.identifies or len(signal.drawn_from) == 1)
        and not protocol.places.count
        and all(each.signal == signal for each in protocol.resolved)
        and protocol.noise.source == "yoked-1"
        and task.n_targets * task.n_intervals <= MOST_PATCHES
    )


def _made(protocol: Protocol) -> Examples | None:
    clear = _clear(protocol)
    if clear is None:
        return None
    n = protocol.task.n_targets
    table = {
        "stimulus_id": [0] * n,  # the noise is one, and only the signal moves
        "contrast": [clear.catch.contrast] * n,
        "target": list(range(n)),
        "block_kind": ["catch"] * n,
    }
    source = noise_source(clear.noise.generator, clear, _SEED)
    frames = render(clear, source, table)[:, :, _frame(clear)]
    return Examples(np.ascontiguousarray(frames), _responses(protocol))


def _clear(protocol: Protocol) -> Protocol | None:
    """Give the protocol with catch trials as clear as its headroom allows."""
    plain = {"conditions": (), "design": type(protocol.design)()}
    for contrast in _CONTRASTS:
        signal, shown = _at(protocol, contrast)
        catch = replace(protocol.catch, n_per_block=1, sd=0.02, contrast=shown)
        try:
            return replace(protocol, signal=signal, catch=catch, **plain)
        except ProtocolError:
            continue
    return None


def _at(protocol: Protocol, contrast: float) -> tuple[Signal, float]:
    """Give the signal and its own contrast; of patterns each whole, as it is drawn.

    Raised without their mean, what tells patterns apart would look like neither.
    """
    signal = protocol.signal
    if not signal.pedestal or signal.kind != "patterns":
        return signal, contrast
    mean, difference = contrasts_of_patterns(signal, protocol.noise)
    return replace(signal, pedestal=contrast * mean), contrast * difference


def _frame(protocol: Protocol) -> int:
    """Give the frame that shows most of the signal."""
    energy = [
        np.square(signal_template(each)).sum(axis=(1, 2)) for each in protocol.variants
    ]
    return int(np.sum(energy, axis=0).argmax())


def _responses(protocol: Protocol) -> tuple[tuple[int, ...], ...]:
    if protocol.task.kind == "rating":
        half = protocol.n_responses // 2
        return tuple(range(half)), tuple(range(half, 2 * half))
    return tuple((target,) for target in range(protocol.task.n_targets))

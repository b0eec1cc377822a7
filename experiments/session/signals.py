"""What the log has of each trial's signal: its parameters, as they are resolved."""

from typing import Any

import numpy as np
from jaxtyping import Int64, Shaped

from ..protocols.protocol import Protocol
from ..protocols.signal import catch_parameters, signal_parameters
from ..stimulus.by_condition import without_conditions
from ..stimulus.variants import drawn_variants


def logged_signal(protocol: Protocol, seed: int, stimulus_id: int) -> dict[str, Any]:
    """Give what the log has of the signal of one stimulus of no condition.

    Of a signal with variants it is the one that is drawn, with its number.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> logged_signal(load_protocol("bar-in-noise"), 1, 0)["columns"]
    [6, 6]
    """
    every = _of_variants(protocol, signal_parameters)
    return every[int(drawn_variants(seed, [stimulus_id], len(every))[0])]


class LoggedSignals:
    """Gives the logged signals of a session's trials.

    Parameters
    ----------
    protocol, seed
        Of the session.
    """

    def __init__(self, protocol: Protocol, seed: int) -> None:
        self._seed = seed
        self._own = [_of_variants(own, signal_parameters) for own in protocol.resolved]
        if protocol.conditions:
            base = without_conditions(protocol)
            self._catch = _of_variants(base, catch_parameters)
        else:
            (self._catch,) = self._own

    def of(
        self,
        kinds: Shaped[np.ndarray, " trial"],
        conditions: Int64[np.ndarray, " trial"],
        stimulus_ids: Int64[np.ndarray, " trial"],
    ) -> list[dict[str, Any]]:
        """Give the signal of each trial: block kind, number of its condition, id."""
        if self._own == [self._catch] and len(self._catch) == 1:
            return self._catch * len(kinds)
        every = [
            self._catch if kind == "catch" else self._own[number]
            for kind, number in zip(kinds, conditions, strict=True)
        ]
        sizes = np.array([len(variants) for variants in every], np.int64)
        drawn = np.zeros(len(every), np.int64)
        for n in np.unique(sizes).tolist():
            rows = sizes == n
            drawn[rows] = drawn_variants(self._seed, stimulus_ids[rows], n)
        return [own[k] for own, k in zip(every, drawn.tolist(), strict=True)]


def _of_variants(protocol: Protocol, parameters: Any) -> list[dict[str, Any]]:
    """Give the parameters of each variant of a protocol's signal."""
    if not protocol.signal.variants:
        return [parameters(protocol)]  # of patterns the target says which it is
    every = [parameters(own) for own in protocol.variants]
    return [{**own, "variant": number} for number, own in enumerate(every)]

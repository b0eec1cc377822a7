"""By what a stimulus is recognised, whichever session showed it, and when.

A stimulus is its noise, in every interval, with its target, signal and contrast, and in
a scene with place and cue. Noise is compared in contrast, float32: levels are the
contrasts that they show. Seeds, ids and trial numbers are no part of it, so that what
two sessions have in common is found in the trials, wherever they were recorded.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from ...experiments.stimulus.sources import NoiseSource
from .design import ROWS
from .responses import Responses
from .shown import as_numbers, noise_of, unit_of

ALSO = ("signal", "place", "cue")  # columns of the log that change what is seen

Fields = Callable[[slice], list[Float32[np.ndarray, " row element"]]]
"""Gives the noise of each interval of some trials, in contrast."""


def stimulus_keys(responses: Responses, fields: Fields) -> Int64[np.ndarray, " trial"]:
    """Return a digest of each trial's stimulus.

    Parameters
    ----------
    responses
        The trials.
    fields
        Gives their noise, a few at a time.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.trials.design import TrialDesign
    >>> from yoked.analysis.trials.responses import responses
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> guesser = yoked.load_observer("guesser")
    >>> one = yoked.run(protocol, guesser, seed=1, trials=100, contrast=0.15)
    >>> other = yoked.run(protocol, guesser, seed=1, trials=100, contrast=0.2)
    >>> shown = [TrialDesign.of(responses(each), each.noise) for each in (one, other)]
    >>> both = zip((one, other), shown)
    >>> keys = [stimulus_keys(responses(each), its.fields) for each, its in both]
    >>> len(np.unique(keys[0])), len(np.intersect1d(*keys))  # 25 came twice
    (75, 0)
    """
    table = responses.table
    seen = np.column_stack([responses.target, responses.contrast]).astype(np.float64)
    also = [_texts(table[name].tolist()) for name in ALSO if name in table.columns]
    found: list[bytes] = []
    for start in range(0, len(responses), ROWS):
        # -0 is 0
        shown = [each + np.float32(0) for each in fields(slice(start, start + ROWS))]
        for row, noise in enumerate(zip(*shown, strict=True), start):
            digest = hashlib.blake2b(seen[row].tobytes(), digest_size=8)
            for field in noise:
                digest.update(field.tobytes())
            digest.update("\n".join(column[row] for column in also).encode())
            found.append(digest.digest())
    return np.frombuffer(b"".join(found), np.int64)


def _texts(column: list[Any]) -> list[str]:
    """Give a column as texts; what is missing is one text, however it is."""
    return ["" if pd.isna(value) else str(value) for value in column]


def fields_of(responses: Responses, source: NoiseSource, n_intervals: int) -> Fields:
    """Give what makes the noise of some trials, and holds none of it."""

    def fields(rows: slice) -> list[Float32[np.ndarray, " row element"]]:
        part = responses.table.iloc[rows]
        made = [noise_of(source, part, interval) for interval in range(n_intervals)]
        unit = unit_of(source)
        return [as_numbers(noise.reshape(len(noise), -1), unit) for noise in made]

    return fields


def silent_keys(responses: Responses) -> Int64[np.ndarray, " trial"]:
    """Return what stands for the stimuli of a condition without noise: their ids.

    All its trials look alike, so only a session that was shown these very trials has
    them in common.
    """
    return responses.table["stimulus_id"].to_numpy(np.int64)

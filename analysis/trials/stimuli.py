"""By what a stimulus is recognised, whichever session showed it, and when.

A stimulus is its noise, in every interval, with its target, signal and contrast, and in
a scene with place and cue. Noise is compared in contrast, float32: levels are the
contrasts that they show. Seeds, ids and trial numbers are no part of it, so that what
two sessions have in common is found in the trials, wherever they were recorded.
"""

import hashlib
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int64

from ...experiments.stimulus.sources import NoiseSource
from .design import ROWS
from .responses import Responses
from .shown import as_numbers, noise_of, unit_of

ALSO = ("signal", "place", "cue")  # columns of the log that change what is seen


def stimulus_keys(
    responses: Responses, source: NoiseSource, n_intervals: int
) -> Int64[np.ndarray, " trial"]:
    """Return a digest of each trial's stimulus.

    Parameters
    ----------
    responses
        The trials.
    source
        Gives their noise.
    n_intervals
        Noise fields of a trial.

    Examples
    --------
    >>> import yoked
    >>> from yoked.analysis.trials.responses import responses
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> guesser = yoked.load_observer("guesser")
    >>> one = yoked.run(protocol, guesser, seed=1, trials=100, contrast=0.15)
    >>> other = yoked.run(protocol, guesser, seed=1, trials=100, contrast=0.2)
    >>> keys = [stimulus_keys(responses(each), each.noise, 2) for each in (one, other)]
    >>> len(np.unique(keys[0])), len(np.intersect1d(*keys))  # 25 came twice
    (75, 0)
    """
    table = responses.table
    seen = np.column_stack([responses.target, responses.contrast]).astype(np.float64)
    also = [_texts(table[name].tolist()) for name in ALSO if name in table.columns]
    found: list[bytes] = []
    for start in range(0, len(responses), ROWS):
        rows = slice(start, start + ROWS)
        part = table.iloc[rows]
        fields = [_in_contrast(source, part, k) for k in range(n_intervals)]
        for row, noise in enumerate(zip(*fields, strict=True), start):
            digest = hashlib.blake2b(seen[row].tobytes(), digest_size=8)
            for field in noise:
                digest.update(field.tobytes())
            digest.update("\n".join(column[row] for column in also).encode())
            found.append(digest.digest())
    return np.frombuffer(b"".join(found), np.int64)


def _texts(column: list[Any]) -> list[str]:
    """Give a column as texts; what is missing is one text, however it is."""
    return ["" if pd.isna(value) else str(value) for value in column]


def _in_contrast(source: NoiseSource, part: object, interval: int) -> np.ndarray:
    noise = noise_of(source, part, interval)
    flat = as_numbers(noise.reshape(len(noise), -1), unit_of(source))
    return flat + np.float32(0)  # -0 is 0


def silent_keys(responses: Responses) -> Int64[np.ndarray, " trial"]:
    """Return what stands for the stimuli of a condition without noise: their ids.

    All its trials look alike, so only a session that was shown these very trials has
    them in common.
    """
    return responses.table["stimulus_id"].to_numpy(np.int64)

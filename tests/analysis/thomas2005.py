"""The human yes/no session of Thomas & Knoblauch (2005), from R's package MPDiR.

Temporal luminance modulations of 32 samples in uniform noise; the signal is a Gabor in
sine phase. Every noise field was shown twice, 448 trials apart, with or without signal
both times: a double pass, which the published table does not say.
"""

import warnings

import numpy as np
import pandas as pd

from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.responses import Responses
from yoked.experiments.stimulus.sources import StoredNoise

N_SAMPLES = 32
_PLACES = np.arange(1, N_SAMPLES + 1) - 16
SIGNAL = np.sin(2 * np.pi * _PLACES / 16) * np.exp(-0.5 * (_PLACES / 8) ** 2)


def gabor_trials(path):
    """Return the 3,584 trials, second showings as repeats of the first."""
    import rdata

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        long = rdata.read_rda(path)["Gabor"]
    noise = long["N"].to_numpy(np.float32).reshape(-1, N_SAMPLES)
    outcome = long["resp"].astype(str).to_numpy()[::N_SAMPLES]
    n = len(noise)
    _, first, field = np.unique(noise, axis=0, return_index=True, return_inverse=True)
    shown = first[field.ravel()]
    repeats = np.where(shown == np.arange(n), -1, shown)
    table = pd.DataFrame(
        {
            "trial": np.arange(n),
            "stimulus_id": shown,
            "target": np.isin(outcome, ["H", "M"]).astype(np.int64),
            "response": np.isin(outcome, ["H", "FA"]).astype(np.int64),
            "contrast": 1.0,
            "repeats": pd.array(repeats, dtype="Int64"),
        }
    )
    table["repeats"] = table["repeats"].mask(table["repeats"] < 0)
    # A field of the source is that of its stimulus id.
    stored = StoredNoise(noise[:, None, None, None, :])
    return TrialDesign.of(Responses.from_table(table, "yes_no", 2), stored)

"""The responses of Murray, Patel & Yee (2015), read without our own importer."""

import numpy as np
import pandas as pd

from yoked.analysis.trials.responses import Responses


def murray2015(path):
    """Return the responses of a file of experiment 1: 33 blocks of 300 rows."""
    data = np.loadtxt(path, comments="%")
    block_start = np.arange(len(data)) // 300 * 300
    match = data[:, 1]  # the trial of the same block that is repeated, or -1
    first = np.where(match > 0, block_start + match - 1, np.nan)
    table = pd.DataFrame(
        {
            "trial": np.arange(len(data)),
            "stimulus_id": data[:, 3].astype(np.int64),
            "target": data[:, 2].astype(np.int64) - 1,
            "response": data[:, 6].astype(np.int64) - 1,
            "contrast": data[:, 5],
            "repeats": pd.array(first).astype("Int64"),
            "block_kind": "main",
        }
    )
    return Responses.from_table(table, "2afc", 2)

"""Orientation tuning of 308 cells of macaque V1: Ringach, Shapley & Hawken (2002) [1]_.

The table is read from the file of a public repository, neuroailab/TDANN, that states no
licence: it is fetched or given, used and cited, never passed on.

References
----------
.. [1] Ringach, Shapley & Hawken (2002), Orientation selectivity in macaque V1:
   diversity and laminar dependence. Journal of Neuroscience 22, 5639-5651.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from .recording import RecordingError

FILE = "ringach_2002_db.mat"
SHA256 = "2fd5279bc2b9a2605f14ee314605612efafdef9e798a4faf4820a7af427053f1"
URL = (
    "https://raw.githubusercontent.com/neuroailab/TDANN/"
    "26fe5a2e1a10d831a3227792415d6c32674e8589/spacetorch/datasets/" + FILE
)
_FIELDS = {
    "baseline": "spont",
    "max_dc": "maxdc",
    "min_dc": "mindc",
    "max_f1": "maxfirst",
    "circular_variance": "orivar",
    "bandwidth": "bw",
    "orthogonal_ratio": "po",
}


@dataclass(frozen=True, eq=False)
class OrientationTuning:
    """Tuning of cells, one value a cell.

    Attributes
    ----------
    baseline, max_dc, min_dc, max_f1
        Spikes/s: without a stimulus; the largest and smallest mean over orientations;
        the modulation at the largest.
    circular_variance
        0 for a cell that responds to one orientation, 1 for one that does not care.
    bandwidth
        Half width in degrees at .707 of the peak; NaN where it is never reached.
    orthogonal_ratio
        Response at 90 degrees from the preferred orientation over that to it.
    """

    baseline: Float[np.ndarray, " cell"]
    max_dc: Float[np.ndarray, " cell"]
    min_dc: Float[np.ndarray, " cell"]
    max_f1: Float[np.ndarray, " cell"]
    circular_variance: Float[np.ndarray, " cell"]
    bandwidth: Float[np.ndarray, " cell"]
    orthogonal_ratio: Float[np.ndarray, " cell"]


def load_ringach2002(path: Path) -> OrientationTuning:
    """Read the table from its file, or from the folder that has it.

    Raises
    ------
    RecordingError
        If the file is not there, is no MATLAB file, or is not as published.
    """
    from scipy.io import loadmat

    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        rule = f"a file, or a folder that has {FILE}"
        raise RecordingError(
            f"the table of ringach2002 must be {rule}, got {str(path)!r}"
        )
    try:
        found: Any = loadmat(file, squeeze_me=True, struct_as_record=False).get("db")
    except Exception as error:  # scipy raises many kinds on damaged files
        raise RecordingError(
            f"{file.name} must be a whole MATLAB file, got {error}"
        ) from error
    missing = [field for field in _FIELDS.values() if not hasattr(found, field)]
    if missing:
        rule = "the table of ringach2002, with db." + ", db.".join(_FIELDS.values())
        raise RecordingError(f"{file.name} must be {rule}, got none of {missing[0]}")
    values = {
        name: np.asarray(getattr(found, field), float).ravel()
        for name, field in _FIELDS.items()
    }
    if len({len(each) for each in values.values()}) != 1:
        raise RecordingError(f"{file.name} must have one value a cell in every column")
    return OrientationTuning(**values)

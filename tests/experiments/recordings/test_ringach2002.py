"""The table of Ringach et al. (2002): what is no such table is told."""

import pytest
from scipy.io import savemat

from yoked.experiments.recordings.recording import RecordingError
from yoked.experiments.recordings.ringach2002 import FILE, load_ringach2002


def test_what_is_no_such_table_is_told(tmp_path):
    with pytest.raises(RecordingError, match=f"a folder that has {FILE}, got"):
        load_ringach2002(tmp_path)
    path = tmp_path / FILE
    path.write_text("no", encoding="utf-8")
    with pytest.raises(RecordingError, match="must be a whole MATLAB file"):
        load_ringach2002(path)
    savemat(path, {"db": {"spont": [1.0, 2.0]}})
    with pytest.raises(RecordingError, match=r"with db.spont, .* got none of"):
        load_ringach2002(path)
    names = ("spont", "maxdc", "mindc", "maxfirst", "orivar", "bw", "po")
    savemat(path, {"db": {**{name: [1.0, 2.0] for name in names}, "po": [1.0]}})
    with pytest.raises(RecordingError, match="one value a cell in every column"):
        load_ringach2002(path)

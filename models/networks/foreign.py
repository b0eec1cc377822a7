"""Other people's weights: read from a file or a URL, checked, and loaded whole."""

import hashlib
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import unquote, urlsplit

import torch
from torch import Tensor, nn

from ..whole_files import cache_folder, file_sha256, is_file_with, whole

TIMEOUT_S = 60.0
_CHUNK = 1 << 20
_UNREACHABLE = (URLError, HTTPException, TimeoutError, ConnectionError)
_NESTED = ("state_dict", "state", "model")  # under which others keep a state dictionary
_COUNTS = "num_batches_tracked"  # files from before torch 1.0 lack them


def read_weights(
    path_or_url: str | Path, sha256: str | None = None
) -> dict[str, Tensor]:
    """Read a state dictionary from a file, or fetch it once and keep it.

    Parameters
    ----------
    path_or_url
        A file of safetensors (`.safetensors`), or one that `torch.save` wrote, of
        tensors alone; or an address (http, https or file) of one.
    sha256
        Of the file, in hexadecimal. An address needs it.

    Returns
    -------
    dict
        Names and tensors, on the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not the one with this hash, an address comes without a hash, or
        the file holds anything but tensors.
    OSError
        If it cannot be fetched or kept; nothing is then left behind.
    ModuleNotFoundError
        If safetensors are to be read and the extra is not installed.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "mine.pt"
    >>> torch.save(nn.Linear(2, 1).state_dict(), file)
    >>> sorted(read_weights(file))
    ['bias', 'weight']
    """
    text = str(path_or_url)
    if sha256 is not None:
        sha256 = require_sha256(sha256)
    if text.lower().startswith(("http://", "https://", "file://")):
        if sha256 is None:
            raise ValueError(f"weights from {text} must come with their SHA-256")
        return read_state(fetch(text, sha256))
    path = Path(path_or_url)
    if not path.is_file():
        raise FileNotFoundError(f"weights must be a file, got {text!r}")
    if sha256 is not None and (got := file_sha256(path)) != sha256:
        raise ValueError(f"{text!r} must have SHA-256 {sha256}, got {got}")
    return read_state(path)


def load_into(network: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """Load weights into a network, all of them or none, and return it.

    Parameters
    ----------
    network
        Any module.
    state
        Exactly its tensors, by name.

    Raises
    ------
    ValueError
        If a name is missing or unknown, a shape differs, or a value is not finite;
        the network is then as it was.

    Examples
    --------
    >>> load_into(nn.Linear(2, 1), nn.Linear(3, 1).state_dict())
    Traceback (most recent call last):
    ValueError: weights must be of this Linear, got 'weight' of shape (1, 3) ...
    """
    faults = list(_differences(network.state_dict(), state))
    if faults:
        others = f" and {len(faults) - 1} more like it" if len(faults) > 1 else ""
        kind = type(network).__name__
        raise ValueError(f"weights must be of this {kind}, got {faults[0]}{others}")
    broken = [n for n, v in state.items() if not v.isfinite().all()]
    if broken:
        raise ValueError(f"weights must be finite, got NaN or more in {broken[0]!r}")
    network.load_state_dict(dict(state))
    return network


def _differences(
    own: Mapping[str, Tensor], given: Mapping[str, Tensor]
) -> Iterator[str]:
    """Yield what is missing, unknown or of another shape, one phrase each."""
    for name, values in own.items():
        if name not in given:
            if not name.endswith(_COUNTS):
                yield f"no {name!r}"
        elif given[name].shape != values.shape:
            wanted, got = tuple(values.shape), tuple(given[name].shape)
            yield f"{name!r} of shape {got} instead of {wanted}"
    for name in given:
        if name not in own:
            yield f"{name!r}, which it does not have,"


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a state dictionary; what others wrap around it is taken off.

    Raises
    ------
    ValueError
        If the file is damaged or holds anything but tensors.
    """
    found = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    for name in _NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    tensors = found if isinstance(found, Mapping) else {}
    if not tensors or not all(isinstance(v, Tensor) for v in tensors.values()):
        rule = "a state dictionary, names and tensors alone"
        raise ValueError(f"{str(path)!r} must hold {rule}, got {type(found).__name__}")
    names = [str(name) for name in tensors]
    parallel = "module."  # DataParallel puts it before every name
    cut = len(parallel) if all(name.startswith(parallel) for name in names) else 0
    return {str(name)[cut:]: value for name, value in tensors.items()}


def _pickled(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds on damaged files
        rule = "weights that torch.save wrote, tensors alone"
        raise ValueError(
            f"{str(path)!r} must be {rule}, got a damaged or other file"
        ) from error


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        message = f'{path.name} needs safetensors: pip install "yoked[models]"'
        raise ModuleNotFoundError(message, name=error.name) from error
    try:
        return load_file(path)
    except SafetensorError as error:
        rule = "safetensors"
        raise ValueError(
            f"{str(path)!r} must be {rule}, got a damaged or other file"
        ) from error


def fetch(url: str, sha256: str) -> Path:
    """Fetch a file into the cache, unless it is there; give where it is."""
    name = Path(unquote(urlsplit(url).path)).name or "weights"
    path = cache_folder() / "fetched" / f"{sha256[:16]}-{name}"
    if is_file_with(path, sha256):
        return path
    with whole(path) as file:
        got = _download(url, file)
        if got != sha256:
            raise ValueError(f"{url} must have SHA-256 {sha256}, got {got}")
    return path


def _download(url: str, file: IO[bytes]) -> str:
    """Write what an address gives to a file; give its SHA-256."""
    sha = hashlib.sha256()
    try:
        # Its scheme was looked at: http, https or file.
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            while chunk := response.read(_CHUNK):
                sha.update(chunk)
                file.write(chunk)
    except _UNREACHABLE as error:
        reason = getattr(error, "reason", error)
        raise OSError(f"{url} could not be fetched: {reason}") from error
    return sha.hexdigest()


def require_sha256(text: str) -> str:
    """Give a SHA-256 in small letters, or refuse it."""
    lower = text.lower()
    if len(lower) != 64 or not set(lower) <= set("0123456789abcdef"):
        raise ValueError(f"sha256 must be 64 hexadecimal digits, got {text!r}")
    return lower

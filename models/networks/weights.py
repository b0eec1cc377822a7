"""Trained weights on disk: state dictionaries, never a pickled model."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..whole_files import cache_folder, whole


@dataclass(frozen=True)
class Origin:
    """What a set of weights was trained as; two with the same origin are the same.

    Attributes
    ----------
    architecture
        SHA-256 of the network's config and of what follows from the viewing.
    stimulus_hash
        Of the protocol it was trained on.
    protocol
        That protocol's name, for sentences.
    training
        The training plan, with the version of the training code.
    seed
        Of the first weights and of the trials.
    device
        'cpu' or 'cuda': their arithmetic differs in the last digits.
    """

    architecture: str
    stimulus_hash: str
    protocol: str
    training: str
    seed: int
    device: str

    @property
    def hash(self) -> str:
        """SHA-256 of all of it."""
        return json_hash(asdict(self))

    def fits(self, wanted: "Origin") -> bool:
        """Whether these weights can take the place of others."""
        same_network = self.architecture == wanted.architecture
        return same_network and self.stimulus_hash == wanted.stimulus_hash


def json_hash(data: Mapping[str, Any]) -> str:
    """Give the SHA-256 of plain data's canonical JSON.

    Examples
    --------
    >>> json_hash({"a": 1, "b": 2}) == json_hash({"b": 2, "a": 1})
    True
    """
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def weights_hash(state: Mapping[str, Tensor]) -> str:
    """Give the SHA-256 of a state dictionary: names, types, shapes and bytes.

    Examples
    --------
    >>> weights_hash({"w": torch.zeros(2)}) == weights_hash({"w": torch.ones(2)})
    False
    """
    sha = hashlib.sha256()
    for name in sorted(state):
        values = state[name].detach().cpu().contiguous()
        sha.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
        sha.update(values.numpy().tobytes())
    return sha.hexdigest()


def cached_file(name: str, origin: Origin) -> Path:
    """Give where weights of an origin are kept."""
    return cache_folder() / f"{name}-{origin.hash[:24]}.pt"


def keep_in_cache(name: str, state: Mapping[str, Tensor], origin: Origin) -> None:
    """Keep trained weights; a cache that cannot be written is a warning, no error."""
    path = cached_file(name, origin)
    try:
        save_weights(path, state, origin)
    except OSError as error:
        message = f"{name} must be trained again next time: {error}"
        warnings.warn(message, stacklevel=2)


def read_cache(name: str, origin: Origin) -> tuple[dict[str, Tensor], Origin] | None:
    """Give weights of an origin; None if there are none that can be read."""
    try:
        state, found = load_weights(cached_file(name, origin))
    except (OSError, ValueError):
        return None
    return (state, found) if found == origin else None


def save_weights(path: Path, state: Mapping[str, Tensor], origin: Origin) -> None:
    """Write weights; the file is there whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written; what was there before stays.
    """
    kept = {name: values.detach().cpu() for name, values in state.items()}
    with whole(path) as file:
        torch.save({"state": kept, "origin": asdict(origin)}, file)


def load_weights(path: Path) -> tuple[dict[str, Tensor], Origin]:
    """Read weights and what they were trained as.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a file of ours, or damaged.
    """
    with path.open("rb") as file:
        try:
            found = torch.load(file, map_location="cpu", weights_only=True)
            return found["state"], Origin(**found["origin"])
        except Exception as error:  # torch raises many kinds on damaged files
            rule = "weights that Yoked wrote, got a damaged or other file"
            raise ValueError(f"{str(path)!r} must be {rule}") from error


def require_origin(path: Path, found: Origin, wanted: Origin) -> None:
    """Refuse weights of another network or of other stimuli.

    Raises
    ------
    ValueError
        If the architecture or the stimuli differ.
    """
    if found.stimulus_hash != wanted.stimulus_hash:
        rule = f"trained on the stimuli of {wanted.protocol}"
        got = f"{found.protocol} ({found.stimulus_hash[:8]})"
        raise ValueError(f"weights in {str(path)!r} must be {rule}, got {got}")
    if found.architecture != wanted.architecture:
        rule = "of this network at this viewing distance"
        got = found.architecture[:8]
        raise ValueError(f"weights in {str(path)!r} must be {rule}, got {got}")

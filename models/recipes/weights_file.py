"""Trained weights as a safetensors file that says how they came about."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import Tensor

from ...experiments.protocols.checks import build
from ...experiments.protocols.protocol import Protocol
from ...experiments.session.observer import Viewing
from ..whole_files import whole
from .figures import HeldOutFigures
from .recipe import Recipe, recipe_of

_FORMAT = "yoked-trained/1"


@dataclass(frozen=True)
class TrainedAs:
    """What weights were trained as: the metadata of their file.

    Attributes
    ----------
    recipe
        All of it.
    protocol, protocol_hash, stimulus_hash
        Name and hashes of what was shown; weights serve its stimuli alone.
    viewing, frame_shape, n_alternatives
        What the network was made for.
    held_out
        How good they were on held-out trials.
    trained_on
        Of a session: its id, and the trials that were learnt, which a comparison with
        its observer must leave out.
    yoked
        Version.
    """

    recipe: Recipe
    protocol: str
    protocol_hash: str
    stimulus_hash: str
    viewing: Viewing
    frame_shape: tuple[int, int, int]
    n_alternatives: int
    held_out: Mapping[str, Any] = field(default_factory=dict)
    trained_on: Mapping[str, Any] = field(default_factory=dict)
    yoked: str = ""

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        protocol: Protocol,
        held_out: HeldOutFigures,
        trained_on: Mapping[str, Any],
    ) -> "TrainedAs":
        """Say it of a training that has ended."""
        return cls(
            recipe,
            protocol.name,
            protocol.hash,
            protocol.stimulus_hash,
            Viewing.of(protocol),
            protocol.frame_shape,
            protocol.n_intervals,
            held_out.to_dict(),
            trained_on,
            version("yoked"),
        )

    def to_metadata(self) -> dict[str, str]:
        """Give it as texts, of which a reader without us can make something."""
        given = {
            "recipe": self.recipe.to_dict(),
            "viewing": asdict(self.viewing),
            "frame_shape": self.frame_shape,
            "n_alternatives": self.n_alternatives,
            "held_out": self.held_out,
            "trained_on": self.trained_on,
            "seed": self.recipe.network.seed,
        }
        plain = ("protocol", "protocol_hash", "stimulus_hash", "yoked")
        texts = {name: getattr(self, name) for name in plain}
        return {
            "format": _FORMAT,
            **texts,
            **{k: json.dumps(v, sort_keys=True) for k, v in given.items()},
        }

    @classmethod
    def from_metadata(cls, given: Mapping[str, str]) -> "TrainedAs":
        """Read it again."""
        n_frames, height, width = json.loads(given["frame_shape"])
        return cls(
            recipe_of(json.loads(given["recipe"])),
            given["protocol"],
            given["protocol_hash"],
            given["stimulus_hash"],
            build(Viewing, json.loads(given["viewing"])),
            (n_frames, height, width),
            int(given["n_alternatives"]),
            json.loads(given["held_out"]),
            json.loads(given["trained_on"]),
            given["yoked"],
        )


def save_trained(path: Path, state: Mapping[str, Tensor], told: TrainedAs) -> None:
    """Write weights; the file is there whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written; what was there before stays.
    """
    from safetensors.torch import save

    kept = {name: v.detach().cpu().contiguous().clone() for name, v in state.items()}
    with whole(path) as file:
        file.write(save(kept, told.to_metadata()))


def read_trained(path: Path) -> tuple[dict[str, Tensor], TrainedAs]:
    """Read weights and what they were trained as.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, or holds weights that no recipe made.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"trained weights must be a file, got {str(path)!r}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        rule = "safetensors, got a damaged or other file"
        raise ValueError(f"{str(path)!r} must be {rule}") from error
    if metadata.get("format") != _FORMAT:
        rule = f"weights that yoked train wrote ({_FORMAT})"
        got = metadata.get("format", "others")
        hint = "yoked.read_weights reads those of any network"
        raise ValueError(f"{str(path)!r} must be {rule}, got {got}; {hint}")
    return state, TrainedAs.from_metadata(metadata)

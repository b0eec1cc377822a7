"""Fronts before one backbone: none, the fixed retina, learned ones and lesions."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..files import whole_file

BACKBONE = "plain-cnn"
CONTRASTS = {"position-unknown": 0.16, "movie-bar": 0.227}
"""By task, which is a protocol: the highest contrast of its main blocks."""
KINDS = ("none", "retina", "learned")
LESIONS = ("surround", "rectification", "gain-control", "noise-correlations")
# A still image lasts: when it was tells nothing. A movie's frames are told apart.
_SEEN: dict[str, dict[str, Any]] = {
    "position-unknown": {"size_px": 38},
    "movie-bar": {"size_px": 36, "over_time": "channels"},
}
_FIELD_DEG = {"position-unknown": 7.5, "movie-bar": 1.8}
_TOGETHER = 2  # trials shown at once: what a front makes of them stays in the cache


@dataclass(frozen=True)
class Front:
    """What stands before the backbone.

    Attributes
    ----------
    name
        'none', 'retina', the name of a learned retina's file, or that and what it is
        without: 'ln.pt, no surround'. With its end, since `ln` is a circuit, too.
    option
        The `front` of a network by name.
    lesion
        What was taken away.
    sha256
        Of a learned retina's file.
    """

    name: str
    option: str
    lesion: str | None = None
    sha256: str | None = None

    def network_options(self, task: str, eccentricity_deg: float) -> dict[str, Any]:
        """Give the options of the network by name, for a task."""
        options = {"front": self.option, "batch": _TOGETHER, **_SEEN[task]}
        if self.option == "none":
            return {**options, "preprocess": "contrast", "field_deg": _FIELD_DEG[task]}
        if self.option == "retina":
            return options
        learned: dict[str, Any] = {"eccentricity_deg": eccentricity_deg}
        if self.lesion is not None:
            learned["lesions"] = [self.lesion]
        return {**options, "learned": learned}


@dataclass(frozen=True)
class Retina:
    """A learned retina's file.

    Attributes
    ----------
    name
        Of the file.
    path
        Where it is.
    sha256
        Of its bytes.
    lesions
        That it can have.
    """

    name: str
    path: Path
    sha256: str
    lesions: tuple[str, ...]

    def copied_to(self, folder: Path) -> "Retina":
        """Give it as a file of a folder, which keeps what networks were trained behind.

        Raises
        ------
        ValueError
            If the file is another one by now.
        """
        copy = folder / f"{self.sha256[:8]}-{self.name}"
        if not copy.is_file():
            content = self.path.read_bytes()
            if hashlib.sha256(content).hexdigest() != self.sha256:
                rule = "the same until the figure is made"
                raise ValueError(f"{self.name} must be {rule}, got another one")
            folder.mkdir(parents=True, exist_ok=True)
            with whole_file(copy, "wb") as file:
                file.write(content)
        return replace(self, path=copy.resolve())

    @classmethod
    def of(cls, path: Path) -> "Retina":
        """Read what a file is.

        Raises
        ------
        FileNotFoundError
            If there is none.
        ValueError
            If it is damaged, or of a model that can be no front.
        """
        from ...models.ganglion_cells.fitted_file import load_fitted
        from ...models.ganglion_cells.learned_front import lesions_of

        possible = lesions_of(load_fitted(path))
        lesions = tuple(name for name in LESIONS if name in possible)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return cls(path.name, path.resolve(), digest, lesions)


def retinas_of(paths: Sequence[Path]) -> tuple[Retina, ...]:
    """Read learned retinas' files, of different names; errors as in `Retina.of`."""
    found = tuple(map(Retina.of, paths))
    names = [each.name for each in found]
    is_each_once = len({in_file_name(name) for name in names}) == len(names)
    if not (is_each_once and all(name.endswith(".pt") for name in names)):
        rule = "files NAME.pt of different names"
        raise ValueError(f"retinas must be {rule}, got {', '.join(names)}")
    return found


def in_file_name(name: str) -> str:
    """Give a name as it can be a folder's.

    Examples
    --------
    >>> in_file_name("ln.pt, no surround")
    'ln.pt-no-surround'
    """
    return re.sub(r"[^\w.+-]+", "-", name)


def fronts_of(
    kinds: Sequence[str], retinas: Sequence[Retina], lesions: Sequence[str]
) -> list[Front]:
    """List the fronts, a learned retina before what it is without parts."""
    found = [Front(kind, kind) for kind in KINDS[:2] if kind in kinds]
    for retina in retinas if "learned" in kinds else ():
        option = f"learned:{retina.path}"
        found.append(Front(retina.name, option, None, retina.sha256))
        for lesion in retina.lesions:
            if lesion in lesions:
                words = lesion.replace("-", " ")
                name = f"{retina.name}, no {words}"
                found.append(Front(name, option, lesion, retina.sha256))
    return found

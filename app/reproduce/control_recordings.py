"""Recordings of the user's beside controls: what a layer foretells of each."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...analysis.brain.encoding import encoding
from ...analysis.brain.predictivity import transfer_predictivity
from ...analysis.trials.estimate import Estimate
from ...experiments.recordings.population import PopulationRecording
from ...experiments.recordings.population_files import load_population

# Before the name of a population: what a layer foretells of all its pictures, and of
# those held out from a network that learnt the others, after and before it did.
ENCODING, LEARNT, BEFORE = "encoding: ", "held out: ", "held out, untrained: "


@dataclass(frozen=True)
class Recorded:
    """A population in a file, as plain data that a process can be sent.

    Attributes
    ----------
    name
        Of the file, without its end; with the region, where the file has several.
    path
        Where it is.
    sha256
        Of the file.
    region
        Only the units of this one.
    how
        Options of `load_population`.
    """

    name: str
    path: str
    sha256: str
    region: str | None = None
    how: Mapping[str, Any] | None = None

    def load(self) -> PopulationRecording:
        """Read it: the units with a response to every stimulus."""
        found = load_population(self.path, **dict(self.how or {}))
        if self.region is not None:
            found = found.of_region(self.region)
        return found.complete()

    def foretold(
        self, observer: Any, layer: str, n_features: int
    ) -> dict[str, Estimate]:
        """Score how well as many features of a layer foretell it."""
        from ..brain.layer_features import layer_features

        recording = self.load()
        rows = layer_features(observer, [layer], recording)[layer]
        found = encoding(
            {layer: rows},
            recording.responses,
            n_features=min(n_features, rows.shape[1]),
            objects=recording.in_time or recording.objects,
        )
        return {ENCODING + self.name: found.matched[layer].score}

    def foretold_held_out(self, observer: Any, layer: str) -> Estimate:
        """Score how well a layer foretells the pictures that a training holds out.

        The read-out is fitted to those that are learnt from.
        """
        from ...models.regimes.population import parts_of
        from ..brain.layer_features import layer_features

        recording = self.load()
        x = layer_features(observer, [layer], recording)[layer]
        y = recording.mean()
        fit, held_out = parts_of(recording)
        return transfer_predictivity(x[fit], y[fit], x[held_out], y[held_out]).score

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data."""
        return asdict(self)


def recorded(
    paths: Sequence[Path],
    stimuli: Path | None = None,
    width_deg: float | None = None,
) -> tuple[Recorded, ...]:
    """Find the populations of files: one for each region, in the order of the units.

    Parameters
    ----------
    paths
        Files that `load_population` reads.
    stimuli, width_deg
        As of `load_population`, of all files.

    Raises
    ------
    RecordingError
        If one is no recording.
    ValueError
        If pictures, or their size, are not known, or two populations have one name.
    """
    table = None if stimuli is None else str(stimuli.resolve())
    how: dict[str, Any] = {"stimuli": table, "width_deg": width_deg}
    found = []
    for path in paths:
        one = load_population(path, **how)
        if one.pictures is None or one.deg_per_px is None:
            rule = "of pictures that are known, and of known width"
            raise ValueError(f"a recording must be {rule}, got {path.name}")
        regions = list(dict.fromkeys(one.regions or [None]))
        for region in regions:
            alone = len(regions) == 1
            name = path.stem if alone else f"{path.stem} {region}"
            about = str(path.resolve()), _sha256(path), None if alone else region
            found.append(Recorded(name, *about, how))
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        raise ValueError(f"recordings must each have a name, got {', '.join(names)}")
    return tuple(found)


def _sha256(path: Path) -> str:
    """Hash a file, or all files of a folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    sha = hashlib.sha256()
    for file in files:
        if file.is_file():
            sha.update(file.read_bytes())
    return sha.hexdigest()

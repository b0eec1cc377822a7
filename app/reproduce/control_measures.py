"""What is measured of a layer: tuning, complexity, two probes, and recordings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.brain.complexity import COMPLEXITY, layer_complexity
from ...analysis.trials.estimate import CannotTell, Estimate
from ...analysis.trials.proportion import PROPORTION, proportion
from ...analysis.tuning.battery import CEILED
from ...analysis.tuning.circular_variances import MEDIAN, circular_variances
from ...experiments.imports.picture_folder import Pictures, read_pictures
from ...experiments.pictures.texture_mnist_files import LABELS, SIZE_PX
from ...experiments.recordings.ringach2002 import load_ringach2002
from .control_recordings import BEFORE, LEARNT, Recorded

if TYPE_CHECKING:
    from ...models.probing.labels import PictureFeatures

MEASURES = {
    "similarity": "circular variance, share of the ceiling",
    "variance": "median circular variance",
    "complexity": "complexity",
    "texture": "texture, proportion correct",
    "digit": "digit, proportion correct",
}
_LOOKED_AT = 256  # pictures from which it is told what a unit sees
Measured = dict[str, Estimate]


def measured(
    observer: Any,
    layer: str,
    pictures: Path,
    cells: Path | None,
    recordings: Sequence[Recorded] = (),
    n_features: int = 256,
    before: Any = None,
) -> Measured:
    """Measure a layer; what cannot be told of it is an estimate that says why.

    Parameters
    ----------
    observer, layer
        Whose layer.
    pictures
        Folder of Texture-MNIST.
    cells
        The table of Ringach et al. (2002), or None.
    recordings
        That the layer is to foretell.
    n_features
        Of the layer, drawn at random, that foretell a recording.
    before
        Of a network that learnt the first recording: as it was before that. Of that
        recording the pictures held out are foretold, by both.
    """
    found = _tuning(observer, layer, cells) | pictured(observer, layer, pictures)
    if before is not None:
        learnt, *recordings = recordings
        found[LEARNT + learnt.name] = learnt.foretold_held_out(observer, layer)
        found[BEFORE + learnt.name] = learnt.foretold_held_out(before, layer)
    for each in recordings:
        found |= each.foretold(observer, layer, n_features)
    return found


def _tuning(observer: Any, layer: str, cells: Path | None) -> Measured:
    """Measure circular variances, by the gratings for orientation alone."""
    from ...models.probing.grating_responses import GratingReader

    known = None if cells is None else load_ringach2002(cells)
    try:
        responses = GratingReader(observer, layer).responses(("orientation",))
        found = circular_variances(responses, known)
    except (CannotTell, ValueError) as reason:  # no unit is there, or none responds
        why = str(reason)
        return {
            "similarity": Estimate.missing(CEILED, why),
            "variance": Estimate.missing(MEDIAN, why),
        }
    return {"similarity": found.similarity, "variance": found.median}


def pictured(observer: Any, layer: str, folder: Path) -> Measured:
    """Measure what is told by pictures of textured digits: complexity, two probes.

    Parameters
    ----------
    observer, layer
        Whose layer.
    folder
        Of Texture-MNIST.
    """
    from ...models.probing.labels import PictureFeatures
    from ...models.probing.pictures import PASS

    features = PictureFeatures(observer, layer, SIZE_PX)
    shown = {part: _labelled(folder, part) for part in ("fit", "test")}
    to_fit, to_test = shown["fit"][LABELS[0]], shown["test"][LABELS[0]]
    x, new = features.of(to_fit, PASS), features.of(to_test)
    found = {"complexity": _complexity(features, layer, to_fit, x)}
    for label in LABELS:
        told = shown["fit"][label].categories, shown["test"][label].categories
        found[label] = _probed(x, new, *told)
    return found


def _labelled(folder: Path, part: str) -> Mapping[str, Pictures]:
    return {label: read_pictures(folder / f"{part}-{label}.csv") for label in LABELS}


def _complexity(
    features: "PictureFeatures", layer: str, pictures: Pictures, x: np.ndarray
) -> Estimate:
    """Measure complexity, of the units in the middle of the layer's maps."""
    import torch

    from ...models.probing.window import middle_units, seen_window

    contrast = pictures.contrast(SIZE_PX)
    one = features.reader.read(torch.from_numpy(contrast[:1]))[layer]
    units = middle_units(tuple(one.shape[1:]))
    looked_at = torch.from_numpy(contrast[:_LOOKED_AT])
    try:
        rows, columns = seen_window(features.reader, layer, units, looked_at)
    except ValueError as reason:
        return Estimate.missing(COMPLEXITY, str(reason))
    return layer_complexity(contrast[:, 0, rows, columns], x[:, units.numpy()])


def _probed(
    x: np.ndarray, new: np.ndarray, known: tuple[str, ...], shown: tuple[str, ...]
) -> Estimate:
    """Measure how often a linear read-out of the layer is right."""
    from ...models.probing.readout import FittedReadout

    if not np.ptp(x, axis=0).any():
        return Estimate.missing(PROPORTION, "no unit's responses vary over pictures")
    readout = FittedReadout(x, known)
    best = readout.probabilities(new).argmax(axis=1)
    n_right = sum(
        readout.categories[k] == category
        for k, category in zip(best, shown, strict=True)
    )
    return proportion(n_right, len(shown))

"""How the channels of a layer are tuned to categories of pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...experiments.imports.picture_folder import read_pictures
from ..networks.attention import FeatureTuning
from .pictures import PictureReader, seen_by


def feature_tuning(
    observer: Any,
    pictures: str | Path,
    layer: str,
    size_px: int = 224,
    degrees: float | None = None,
    seed: int = 0,
) -> FeatureTuning:
    """Measure how the channels of a layer are tuned to categories.

    A channel's response to a picture is its mean over places. Its tuning to category k
    is the mean response to k less that to all pictures, over the SD over pictures
    (`feature-tuning/1`, after [1]_); all are then divided by the largest, so that the
    best tuned channel has 1 or -1. One that responds alike to all has 0.

    Parameters
    ----------
    observer
        A network, from `load_observer` or `from_torch`.
    pictures
        As of `label_pictures`: two categories or more.
    layer
        Of the network, as in its `named_modules()`.
    size_px, degrees
        Across a picture as shown; by default as wide as the network's field.
    seed
        Of the network's own noise, if it has any.

    Raises
    ------
    FileNotFoundError
        If there are no such pictures.
    LookupError
        If there is no such layer.
    ValueError
        If the network sees no pictures, there is one category, or no channel responds
        to one otherwise than to all.

    References
    ----------
    .. [1] Lindsay & Miller (2018), How biological attention mechanisms improve task
       performance in a large-scale visual system model, eLife 7, e38105.

    Examples
    --------
    >>> import tempfile
    >>> import yoked
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> for kind, gray in (("dark", 40), ("light", 180)):
    ...     (folder / kind).mkdir()
    ...     for i in range(4):
    ...         picture = Image.new("L", (32, 32), gray + 9 * i)
    ...         picture.save(folder / kind / f"{i}.png")
    >>> network = yoked.load_observer("plain-cnn", seed=1)
    >>> tuning = yoked.feature_tuning(network, folder, "stage1", size_px=32)
    >>> tuning.categories, tuning.values.shape
    (('dark', 'light'), (2, 16))
    """
    shown = read_pictures(pictures)
    of_each = np.array(shown.categories)
    categories, counts = np.unique(of_each, return_counts=True)
    if len(categories) < 2:
        rule = "of two categories or more"
        raise ValueError(f"pictures must be {rule}, got {', '.join(categories)}")
    across = (degrees or seen_by(observer)[1]) / size_px
    reader = PictureReader(observer, [layer], across, (1, size_px, size_px), seed=seed)
    parts = []
    for start in range(0, len(shown), reader.batch):
        batch = shown.contrast(size_px, slice(start, start + reader.batch))
        rows = reader.read(torch.from_numpy(batch), start)[layer]
        parts.append(rows.flatten(2).mean(2) if rows.dim() > 2 else rows)
    responses = torch.cat(parts).double().numpy()  # (picture, channel)
    means = np.stack([responses[of_each == each].mean(0) for each in categories])
    away, sds = means - responses.mean(0), responses.std(0)
    varies = sds > 1e-9 * np.abs(responses).max(initial=0)
    tuned = np.divide(away, sds, out=np.zeros_like(away), where=varies)
    if not (largest := np.abs(tuned).max(initial=0)) > 0:
        rule = "one whose channels tell the categories apart"
        raise ValueError(f"layer {layer!r} must be {rule}, got the same for all")
    names = tuple(map(str, categories))
    return FeatureTuning(layer, names, tuned / largest, tuple(map(int, counts)))

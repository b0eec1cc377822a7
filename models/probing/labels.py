"""What a network calls pictures: a table of choices like people's."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float

from ...experiments.imports.object_files import PROBABILITY
from ...experiments.imports.picture_folder import Pictures, read_pictures
from .pictures import PASS, PictureReader, seen_by
from .readout import FittedReadout, OwnClasses

if TYPE_CHECKING:
    import pandas as pd

SIZE_PX = 224


def label_pictures(
    observer: Any,
    pictures: str | Path,
    fit: str | Path | None = None,
    layer: str = "",
    indices: Mapping[str, Sequence[int]] | None = None,
    size_px: int = SIZE_PX,
    degrees: float | None = None,
    name: str | None = None,
    seed: int = 0,
) -> "pd.DataFrame":
    """Let a network say what pictures show.

    A read-out of a layer is fitted to pictures of `fit` and says what `pictures` show:
    features standardised, then multinomial logistic regression with C = .001, as
    Brain-Score does it. Or, with `indices`, the network's own classes are put together.
    Pictures are shown in gray, square, without what is beyond the shorter side.

    Parameters
    ----------
    observer
        A network, from `load_observer` or `from_torch`.
    pictures, fit
        Folders with a folder for each category (or condition, then category), or
        tables that name files; see `yoked label -h`.
    layer
        Of the network, as in its `named_modules()`; '' is its output.
    indices
        Of each category the numbers of the network's classes; then nothing is fitted.
    size_px, degrees
        Across a picture as shown; by default as wide as the network's field.
    name
        Of the network in the table; by default its own.
    seed
        Of the network's own noise, if it has any.

    Returns
    -------
    DataFrame
        A row for each picture: observer, observer_kind, image, condition, category,
        choice, other_cue where names tell it, and probability_CATEGORY for each.
        `read_choices` and `read_object_probabilities` take it.

    Raises
    ------
    FileNotFoundError
        If there are no such pictures.
    ValueError
        If neither or both of `fit` and `indices` are given, a picture of `pictures` is
        in `fit`, or the network sees no pictures.

    Examples
    --------
    Bright and dark pictures, told apart by a network that was never trained:

    >>> import tempfile
    >>> import yoked
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> for part in ("seen", "new"):
    ...     for kind, gray in (("dark", 40), ("light", 180)):
    ...         (folder / part / kind).mkdir(parents=True)
    ...         for i in range(4):
    ...             file = folder / part / kind / f"{part}{kind}{i}.png"
    ...             Image.new("L", (32, 32), gray + 9 * i + (part == "new")).save(file)
    >>> net = yoked.load_observer("cornet-z", seed=1)
    >>> found = yoked.label_pictures(net, folder / "new", folder / "seen", "it")
    >>> bool((found.choice == found.category).all())
    True
    """
    if (fit is None) == (indices is None):
        got = "none" if fit is None else "both"
        raise ValueError(f"fit or indices must be given, one of them, got {got}")
    shown = read_pictures(pictures)
    features = PictureFeatures(observer, layer, size_px, degrees, seed)
    if indices is not None:
        readout = OwnClasses(indices)
        _require_known(shown, readout.categories)
    else:
        assert fit is not None
        known = read_pictures(fit)
        _require_new(shown, known)
        _require_known(shown, known.categories)
        readout = FittedReadout(features.of(known, PASS), known.categories)
    p = readout.probabilities(features.of(shown))
    return _table(name or observer.name, shown, readout.categories, p)


class PictureFeatures:
    """What a layer has of pictures in files.

    Parameters
    ----------
    observer, layer
        Whose layer.
    size_px, degrees
        Across a picture as shown; by default as wide as the network's field.
    seed
        Of the network's own noise.

    Attributes
    ----------
    reader
        What reads the layer.
    """

    def __init__(
        self,
        observer: Any,
        layer: str,
        size_px: int,
        degrees: float | None = None,
        seed: int = 0,
    ) -> None:
        across = (degrees or seen_by(observer)[1]) / size_px
        self._layer, self._size_px = layer, size_px
        frame = 1, size_px, size_px
        self.reader = PictureReader(observer, [layer], across, frame, seed=seed)

    def of(
        self, pictures: Pictures, first: int = 0
    ) -> Float[np.ndarray, " picture unit"]:
        """Read all pictures, numbered from `first`, a batch at a time."""
        found, step = [], self.reader.batch
        for start in range(0, len(pictures), step):
            batch = pictures.contrast(self._size_px, slice(start, start + step))
            rows = self.reader.read(torch.from_numpy(batch), first + start)[self._layer]
            found.append(rows.flatten(1).double().numpy())
        return np.concatenate(found)


def _require_known(shown: Pictures, categories: Sequence[str]) -> None:
    """Refuse pictures of what can never be said."""
    unknown = sorted(set(shown.categories) - set(categories))
    if unknown:
        rule = "of categories that can be said, " + ", ".join(sorted(set(categories)))
        raise ValueError(f"pictures must be {rule}, got {', '.join(unknown)}")


def _require_new(shown: Pictures, known: Pictures) -> None:
    """Refuse pictures to which the read-out was fitted."""
    both = {file.resolve() for file in shown.files} & {f.resolve() for f in known.files}
    if both:
        rule = "other ones than those that the read-out is fitted to"
        got = sorted(file.name for file in both)[0]
        raise ValueError(f"pictures must be {rule}, got {got} in both")


def _table(
    name: str, shown: Pictures, categories: Sequence[str], p: np.ndarray
) -> "pd.DataFrame":
    import pandas as pd

    columns: dict[str, Any] = {
        "observer": name,
        "observer_kind": "model",
        "image": shown.names,
        "condition": shown.conditions,
        "category": shown.categories,
        "choice": [categories[best] for best in p.argmax(axis=1)],
        "other_cue": shown.other_cues,
    }
    for optional in ("condition", "other_cue"):
        if not any(columns[optional]):
            del columns[optional]
    made = {f"{PROBABILITY}{each}": p[:, j] for j, each in enumerate(categories)}
    return pd.DataFrame({**columns, **made})

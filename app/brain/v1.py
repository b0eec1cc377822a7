"""The V1 battery of a network's layer: gratings in, scores beside cells out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...analysis.tuning.battery import V1Battery, battery, sets_for
from ...experiments.recordings.ringach2002 import SHA256, URL, load_ringach2002


def v1_battery(
    observer: Any,
    layer: str,
    *,
    ringach: str | Path | None = None,
    passes: int = 1,
    noise: bool = True,
    seed: int = 0,
    field_deg: float | None = None,
    size_px: int | None = None,
    properties: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> V1Battery:
    """Compare a layer's tuning with that of cells of macaque V1, in fifteen properties.

    Parameters
    ----------
    observer
        A network: by name, of `yoked.from_torch`, or trained.
    layer
        A module of the network.
    ringach
        The table of Ringach et al. (2002), a file or its folder; `fetch_ringach` brings
        it. Without it the battery has the other seven properties.
    passes
        Of every grating, averaged: of a network with noise of its own several.
    noise
        False for a network without its noise.
    seed
        Of the noise and of the bootstrap.
    field_deg, size_px
        What a network sees that says neither; 4 degrees and 64 px unless told.
    properties
        Only these, such as "circular_variance"; by default all. Gratings that tell none
        of them are not shown, and their numbers are those of the whole battery.
    progress
        Called with gratings done and all there are: 9,097 a pass, of properties of
        orientation alone 4,681.

    Raises
    ------
    ValueError
        If the observer is no network of pictures, no unit of the layer has its
        receptive field where the gratings are, or a property needs the table of cells.
    LookupError
        If there is no such layer or property.
    CannotTell
        If no unit responds to a grating.

    Examples
    --------
    Small, so that it is quick:

    >>> import torch, yoked
    >>> _ = torch.manual_seed(1)
    >>> filters = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 5, padding=2))
    >>> observer = yoked.from_torch(filters, preprocess="gray", size_px=16, field_deg=4)
    >>> found = yoked.v1_battery(observer, "0")
    >>> found.n_units, [p.name for p in found.properties][:2]
    (7, ['preferred_orientation', 'peak_frequency'])
    """
    from ...models.probing.grating_responses import GratingReader

    shown = sets_for(properties)
    cells = None if ringach is None else load_ringach2002(Path(ringach))
    reader = GratingReader(
        observer,
        layer,
        passes=passes,
        noise=noise,
        seed=seed,
        field_deg=field_deg,
        size_px=size_px,
        progress=progress,
    )
    responses = reader.responses(shown)
    notes = _notes(reader, noise)
    return battery(responses, observer.name, layer, cells, seed, notes, properties)


def fetch_ringach() -> Path:
    """Give the table of Ringach et al. (2002), fetched once and kept in the cache.

    Raises
    ------
    OSError
        If it cannot be fetched.
    ValueError
        If what came is not the published file.
    """
    from ...models.networks.foreign import fetch

    return fetch(URL, SHA256)


def _notes(reader: Any, noise: bool) -> tuple[str, ...]:
    height, width = reader.reader.size_px
    seen = f"{reader.reader.field_deg:g} degrees in {height} x {width} px"
    found = (
        f"the network sees {seen}",
        f"{reader.n_units} of {reader.n_looked_at} units near the gratings' place have "
        "their receptive field there",
    )
    return found if noise else (*found, "without the network's own noise")

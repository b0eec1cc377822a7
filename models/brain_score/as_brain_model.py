"""One of our networks with Brain-Score's interface: `yoked.as_brain_model`."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...experiments.protocols.checks import suggestion
from ..probing.pictures import seen_by
from .brain_model import YokedBrainModel
from .labels import Classes
from .odd_one_out import SIMILARITIES
from .stimuli import ID
from .time_bins import Bins

DEGREES = 8  # of a network that does not say its field, as Brain-Score's helper has it
ODD_AS = ("index", ID)


def as_brain_model(
    observer: Any,
    region_layers: Mapping[str, str | Sequence[str]] | None = None,
    behavioral_layer: str | None = None,
    identifier: str | None = None,
    visual_degrees: int | None = None,
    *,
    times: Mapping[str, Bins] | None = None,
    classes: Classes | None = None,
    label_layer: str = "",
    similarity: str = "dot",
    odd_as: str = "index",
    size_px: int | None = None,
    seed: int = 0,
) -> YokedBrainModel:
    """Give a network the interface that Brain-Score's benchmarks use: BrainModel.

    It has `identifier`, `visual_degrees()`, `start_task`, `start_recording` and
    `look_at`. Pictures are shown in gray, square, without what is beyond the shorter
    side, and span `visual_degrees`; see docs/brain-score.md.

    Parameters
    ----------
    observer
        A network, from `load_observer` or `from_torch`.
    region_layers
        Of each region that can be recorded a layer, or several: {"V1": "stage1"}.
    behavioral_layer
        What probabilities are read from, and odd ones told by; by default the layer
        that the observer itself reads, else its output.
    identifier
        Its name; by default the observer's.
    visual_degrees
        What it sees, in whole degrees; by default the network's own field, or 8 where
        it has none.
    times
        Of a region whose layer is called once a step, by a network that runs in time:
        from when to when each call is, in ms.
    classes
        For the task 'label': names of the network's outputs in their order, or of each
        label the numbers of its outputs, whose probabilities are averaged.
    label_layer
        Where those outputs are.
    similarity
        Of the task 'odd_one_out': 'dot' or 'cosine'.
    odd_as
        What that task gives: 'index', the place in the triplet (0, 1, 2) as the
        interface has it; or 'stimulus_id', as Brain-Score's own helper gives it and
        its benchmark of 2023 takes it.
    size_px
        Across a picture as shown; by default as many as the network has there.
    seed
        Of the network's own noise, if it has any.

    Raises
    ------
    ValueError
        If the observer is no network of pictures, or an option is out of range.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import yoked
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> files = [folder / "dark.png", folder / "light.png"]
    >>> for file, gray in zip(files, (40, 200)):
    ...     Image.new("L", (64, 64), gray).save(file)
    >>> net = yoked.load_observer("cornet-z", seed=1)
    >>> model = yoked.as_brain_model(net, {"V1": "v1", "IT": "it"})
    >>> model.start_recording("IT", time_bins=[(70, 170)])
    >>> model.look_at(files).dims
    ('presentation', 'neuroid')
    """
    seen = seen_by(observer, DEGREES if visual_degrees is None else visual_degrees)
    degrees = max(1, round(seen[1])) if visual_degrees is None else visual_degrees
    if degrees < 1:
        rule = "a whole number, 1 or more"
        raise ValueError(f"visual_degrees must be {rule}, got {degrees!r}")
    for name, given, known in (
        ("similarity", similarity, SIMILARITIES),
        ("odd_as", odd_as, ODD_AS),
    ):
        if given not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {given!r}")
    regions = dict(region_layers or {})
    for region in times or {}:
        if region not in regions:
            got = f"{region!r}{suggestion(region, regions)}"
            raise ValueError(f"times must be of regions that have a layer, got {got}")
    if behavioral_layer is None:
        behavioral_layer = str(getattr(observer, "layer", ""))
    return YokedBrainModel(
        observer,
        regions,
        behavioral_layer,
        identifier or str(observer.name),
        degrees,
        times or {},
        classes,
        label_layer,
        similarity,
        odd_as,
        size_px,
        seed,
    )

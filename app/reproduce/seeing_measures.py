"""How brain-like a network is: what is measured before it is put beside people."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...analysis.trials.attempts import Attempts
from ...analysis.trials.estimate import Estimate
from .control_measures import pictured
from .regime_set import Trained

if TYPE_CHECKING:
    from ...models.regimes.recipe import PictureRecipe

# Of a layer beside cells, of the whole network, and of what its layer knows.
BRAIN_LIKE = {
    "v1": "V1 battery, mean of ceiled scores",
    "variance": "circular variance, share of the ceiling",
    "cka": "CKA with a simulated V1",
    "attacked": "proportion correct under attack",
    "correct": "proportion correct, pictures held out",
    "complexity": "complexity",
    "texture": "texture probe, proportion correct",
    "digit": "digit probe, proportion correct",
}
_VARIANCE = "circular_variance"
_NO_CELLS = "without the table of cells"
Measured = dict[str, Estimate]


def brain_likeness(
    trained: Trained,
    recipe: "PictureRecipe",
    weights: Path,
    categories: tuple[str, ...],
    textured: Path,
    cells: Path | None,
) -> Measured:
    """Measure a network; what cannot be told is an estimate that says why.

    Parameters
    ----------
    trained
        Which network.
    recipe, weights, categories
        Of the training, and what it wrote.
    textured
        Folder of Texture-MNIST, for probes.
    cells
        The table of Ringach et al. (2002), or None.
    """
    from .regime_measures import RegimeMeasures

    observer, attempt = observer_of(recipe, weights), Attempts(())
    layer = trained.layer
    regime = RegimeMeasures(trained, recipe, weights, categories)
    parts: dict[tuple[str, ...], Callable[[], Measured]] = {
        ("v1", "variance"): lambda: _beside_cells(observer, layer, cells),
        ("cka", "attacked", "correct"): regime.all,
        ("complexity", "texture", "digit"): lambda: pictured(observer, layer, textured),
    }
    found: Measured = {}
    for names, work in parts.items():
        made = attempt(names[0], work) or {}
        why = attempt.missing.get(names[0], "it was not measured")
        missing = Estimate.missing("none/1", why)
        found |= {name: made.get(name, missing) for name in names}
    return found


def observer_of(recipe: "PictureRecipe", weights: Path, across_deg: float = 0.0) -> Any:
    """Give the network as an observer, with what it learnt and a linear read-out.

    Parameters
    ----------
    across_deg
        Of the largest stimulus. One that is larger than the network's field is seen
        whole, by the same pixels: its field is then so large.
    """
    from ...models.probing.pictures import seen_by
    from ...models.registry import load

    part = recipe.network
    given = {"file": str(weights), "seed": part.seed, **dict(part.options)}
    observer = load(part.name, **given)
    has_own_field = "front" in given  # behind a front that is the stimulus's own
    if has_own_field or across_deg <= seen_by(observer)[1]:
        return observer
    return load(part.name, **given, field_deg=across_deg)


def across_deg(log: str, sessions: Iterable[str]) -> float:
    """Give the degrees across the largest stimulus of some sessions."""
    from ...experiments.session.observer import Viewing
    from ...experiments.session.results import load_session

    protocols = [load_session(log, each).protocol for each in sessions]
    return max(max(p.frame_shape[1:]) * Viewing.of(p).deg_per_px for p in protocols)


def _beside_cells(observer: Any, layer: str, cells: Path | None) -> Measured:
    from ..brain.v1 import v1_battery

    found = v1_battery(observer, layer, ringach=cells)
    ceiled = {each.name: each.ceiled for each in found.properties}
    missing = Estimate.missing("none/1", _NO_CELLS)
    return {"v1": found.mean, "variance": ceiled.get(_VARIANCE, missing)}

"""The network that a training on pictures begins with, as a file like a trained one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .recipe import PictureRecipe
from .train import PicturePlan, PictureTraining


def untrained(
    recipe: PictureRecipe | str | Path | Mapping[str, Any], out: Path | None = None
) -> PictureTraining:
    """Give what `train_on_pictures` begins with: random weights, scaled.

    The control of a trained network: of the same seed, every difference is learnt.

    Parameters
    ----------
    recipe
        As of `train_on_pictures`.
    out
        A safetensors file for the weights; by default nothing is written.

    Raises
    ------
    FileNotFoundError, LookupError, ValueError
        As of `train_on_pictures`.
    """
    plan = PicturePlan(recipe)
    plan.learner.begin(plan.fit.contrast)
    made = PictureTraining(
        {n: v.clone() for n, v in plan.learner.backbone.state_dict().items()},
        [],
        plan.categories,
        len(plan.fit.labels),
        len(plan.held_out.labels),
        plan.recipe,
    )
    if out is not None:
        made.save(out)
    return made

"""From a recipe's regime to its term."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from ...experiments.imports.picture_folder import Pictures
from .adversarial import Adversarial
from .alignment import Alignment
from .harmonizer import Harmonizer
from .learner import Learner
from .multi_task import MultiTask
from .population import Target, controlled, recorded, simulated
from .recipe import PictureRecipe
from .similarity import Similarity
from .term import Rows, Term


def term_of(
    recipe: PictureRecipe,
    learner: Learner,
    fit: Pictures,
    contrast: Float32[np.ndarray, " picture frame y x"],
    rows: Rows,
    base: Path,
) -> Term:
    """Give a regime's term.

    Parameters
    ----------
    recipe
        All of it.
    learner
        The network.
    fit, contrast
        The pictures that are learnt from.
    rows
        Draws a population's pictures.
    base
        Where paths are from.

    Raises
    ------
    ValueError
        If there are no importance maps, or no recording that can be made alike.
    """
    regime = recipe.regime
    if regime.kind == "harmonizer":
        return _harmonizer(recipe, fit)
    if regime.kind == "adversarial":
        by_chance = regime.control == "random-signs"
        return Adversarial(regime.eps, regime.attack_steps, by_chance)
    if regime.kind == "none":
        return Term()
    target = _target(recipe, learner, contrast, base)
    given = (target, regime.layers, recipe.training.batch, rows)
    if regime.kind == "alignment":
        return Alignment(*given)
    if regime.kind == "multi-task":
        return MultiTask(*given, learner)
    return Similarity(*given, learner, regime.control == "pixels")


def _target(
    recipe: PictureRecipe, learner: Learner, contrast: np.ndarray, base: Path
) -> Target:
    part, regime = recipe.regime.population, recipe.regime
    if part.recording:
        found = recorded(part, base, is_held_out=False)
    else:
        found = simulated(contrast, learner.deg_per_px, part)
    seed = recipe.network.seed
    responses = controlled(found.responses, regime.control, regime.rank, seed)
    return Target(found.contrast, responses, found.deg_per_px)


def _harmonizer(recipe: PictureRecipe, fit: Pictures) -> Harmonizer:
    maps = fit.importance(recipe.pictures.size_px)
    is_there = maps.max(axis=(1, 2)) > 0
    if not is_there.any():
        rule = "in the column importance of the table that is learnt from"
        raise ValueError(f"importance maps must be {rule}, got none")
    if recipe.regime.control == "shuffled":
        order = np.random.default_rng(recipe.network.seed).permutation(len(maps))
        maps, is_there = maps[order], is_there[order]
    return Harmonizer(maps, is_there)

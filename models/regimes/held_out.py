"""What a network that learnt pictures does with pictures held out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from ...experiments.imports.picture_folder import read_pictures
from ...experiments.stimulus.seeds import derived_seed
from ..noise import without_noise
from ..robustness.ascent import Ascent, ascend
from .harmonizer import saliency
from .learner import Learner
from .loop import HELD_OUT
from .population import Target, recorded, simulated
from .recipe import PictureRecipe, PopulationPart

_AT_ONCE = 64
_BOUNDS = (-1.0, 1.0)


class HeldOut:
    """A network after its training, and the pictures that it did not learn.

    Parameters
    ----------
    recipe
        Of the training.
    weights
        The file that it wrote.
    categories
        In the order of the network's output.
    base
        Where the recipe's paths are from.
    pictures
        Others than the recipe's, of the same categories.

    Attributes
    ----------
    contrast, labels
        The pictures and the numbers of their categories.
    conditions
        Of each picture; '' where there is none.
    """

    def __init__(
        self,
        recipe: PictureRecipe,
        weights: Path,
        categories: tuple[str, ...],
        base: Path = Path(),
        pictures: str = "",
    ) -> None:
        options = {**recipe.network.options, "file": str(weights)}
        network, part = replace(recipe.network, options=options), recipe.pictures
        self._recipe, self._base = recipe, base
        self._learner = Learner(
            network, len(categories), part.size_px, part.degrees, to_learn=False
        )
        self._pictures = shown = read_pictures(base / (pictures or part.held_out))
        self.contrast: Float32[np.ndarray, " picture frame y x"] = shown.contrast(
            part.size_px
        )
        numbers = [categories.index(each) for each in shown.categories]
        self.labels: Int64[np.ndarray, " picture"] = np.array(numbers, np.int64)
        self.conditions = shown.conditions

    def correct(self) -> Bool[np.ndarray, " picture"]:
        """Say which pictures are named right."""
        logits = self._learner.asked(self.contrast, HELD_OUT)
        return logits.argmax(1).numpy() == self.labels

    def correct_under_attack(
        self, eps: float, steps: int = 20, noise_draws: int = 1, n: int | None = None
    ) -> Bool[np.ndarray, " picture"]:
        """Say which of the first n are named right after an attack within eps.

        What rises is the best other category's number over the right one's; a network
        with noise is attacked through the mean of `noise_draws` gradients a step.
        """
        how = Ascent("linf", steps, noise_draws=noise_draws)
        found = []
        contrast, labels = self.contrast[:n], self.labels[:n]
        for start in range(0, len(contrast), _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            clean = torch.from_numpy(contrast[rows]).to(self._learner.device)
            changed = self._attacked(clean, labels[rows], eps, how, start)
            logits = self._learner.asked(changed.cpu().numpy(), HELD_OUT + start)
            found.append(logits.argmax(1).numpy() == labels[rows])
        return np.concatenate(found)

    def features(
        self, layer: str, places: int | None = None, target: Target | None = None
    ) -> Float32[np.ndarray, " picture unit"]:
        """Give what a layer has of the pictures, or of a population's; without noise.

        Parameters
        ----------
        layer
            A module of the network.
        places
            Most of a map along either axis: a larger one is averaged to so many.
        target
            The population whose pictures are shown.

        Raises
        ------
        LookupError
            If there is no such layer.
        """
        learner, rows = self._learner, []
        contrast = self.contrast if target is None else target.contrast
        scale = learner.deg_per_px if target is None else target.deg_per_px
        learner.train(False)
        for start in range(0, len(contrast), _AT_ONCE):
            part = torch.from_numpy(contrast[start : start + _AT_ONCE])
            with torch.no_grad(), without_noise():
                _, found = learner.with_layers(part.to(learner.device), [layer], scale)
            rows.append(_rows(found[layer], places).cpu().numpy())
        return np.concatenate(rows)

    def population(self, part: PopulationPart) -> Target:
        """Give a population's pictures that are held out, and its responses.

        A simulated one's are without noise: what endlessly many showings would give.
        """
        if part.recording:
            return recorded(part, self._base, is_held_out=True)
        scale = self._learner.deg_per_px
        return simulated(self.contrast, scale, part, has_noise=False)

    def saliency(self) -> Float32[np.ndarray, " picture y x"]:
        """Give where the right category's number hangs on each picture; no noise."""
        learner, rows = self._learner, []
        learner.train(False)
        for start in range(0, len(self.contrast), _AT_ONCE):
            part = torch.from_numpy(self.contrast[start : start + _AT_ONCE])
            part = part.to(learner.device).requires_grad_()
            labels = torch.from_numpy(self.labels[start : start + _AT_ONCE])
            with without_noise():
                logits = learner.logits(part)
            rows.append(saliency(logits, labels.to(logits.device), part).cpu().numpy())
        return np.concatenate(rows)

    def importance(self) -> Float32[np.ndarray, " picture y x"]:
        """Give what people find important; 0 all over where that is not known."""
        return self._pictures.importance(self._recipe.pictures.size_px)

    def _attacked(
        self, clean: Tensor, labels: np.ndarray, eps: float, how: Ascent, first: int
    ) -> Tensor:
        learner = self._learner
        learner.train(False)
        right = torch.from_numpy(labels).to(clean.device)

        def margin(x: Tensor) -> Tensor:
            logits = learner.logits(x)
            own = torch.nn.functional.one_hot(right, logits.shape[1]).bool()
            return logits.masked_fill(own, -torch.inf).amax(1) - logits[own]

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed("attack", learner.seed, first))
            return ascend(margin, clean, eps, how, _BOUNDS)


def _rows(features: Tensor, places: int | None) -> Tensor:
    """Give a row a picture, of maps of so many places at most."""
    if places is not None and features.dim() == 4:
        height, width = features.shape[2:]
        size = min(places, height), min(places, width)
        features = torch.nn.functional.adaptive_avg_pool2d(features, size)
    return features.flatten(1)

"""What is measured of a network that learnt pictures: each regime's own, of all."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.brain.cka import cka
from ...analysis.brain.map_agreement import map_agreement
from ...analysis.brain.predictivity import neural_predictivity
from ...analysis.brain.rsa import rsa
from ...analysis.sensitivity.of_variable import dprime_of_variable
from ...analysis.trials.attempts import Attempts
from ...analysis.trials.estimate import Estimate
from ...analysis.trials.proportion import proportion
from ...analysis.tuning.medians import median_suppression
from .regime_set import CROWDED, Trained

if TYPE_CHECKING:
    from ...models.regimes.recipe import PictureRecipe

MEASURES = {
    "correct": "proportion correct, pictures held out",
    "attacked": "proportion correct under attack",
    "cka": "CKA with a simulated V1",
    "rsa": "RSA with a simulated V1",
    "predictivity": "predictivity of a simulated V1",
    "map": "saliency with the digit's place (Spearman)",
    "surround": "median surround suppression index",
    "attended": "d' for a digit that is attended to",
}
EPS = 0.02  # of the attack, in contrast
_STEPS, _DRAWS, _ATTACKED = 20, 8, 200
_COMPARED = 400  # pictures held out that a population is compared on
_STRENGTH = 1.0  # of attention
_PLACES = 8
Measured = dict[str, Estimate]


class RegimeMeasures:
    """Measures one network; what cannot be told is an estimate that says why.

    Parameters
    ----------
    trained
        Which network of the set.
    recipe, weights, categories
        Of the training, and what it wrote.
    """

    def __init__(
        self,
        trained: Trained,
        recipe: "PictureRecipe",
        weights: Path,
        categories: tuple[str, ...],
    ) -> None:
        from ...models.regimes.held_out import HeldOut

        self._trained, self._recipe, self._weights = trained, recipe, weights
        self._categories = categories
        self._held_out: HeldOut = HeldOut(recipe, weights, categories)

    def all(self) -> Measured:
        """Measure what a network of its kind has."""
        attempt = Attempts(())
        found: Measured = {}

        def estimate(name: str, work: Callable[[], Estimate]) -> None:
            made = attempt(name, work)
            why = attempt.missing.get(name, "")
            found[name] = made if made is not None else Estimate.missing("none/1", why)

        held_out = self._held_out
        estimate("correct", lambda: _proportion(held_out.correct()))
        if self._trained.network == "ssn":
            estimate("surround", self._surround)
        if self._trained.pictures in CROWDED:
            return found
        estimate("attacked", self._attacked)
        target = held_out.population(self._recipe.regime.population)
        rows = slice(0, _COMPARED)
        features = self._features()[rows]
        responses = target.responses[rows]
        estimate("cka", lambda: cka(features, responses))
        # About their mean over pictures, as responses are and as the regime has it.
        about = features - features.mean(axis=0)
        estimate("rsa", lambda: rsa(about, responses).score)
        estimate(
            "predictivity",
            lambda: neural_predictivity(features, responses, "ridge").score,
        )
        estimate(
            "map", lambda: map_agreement(held_out.saliency(), held_out.importance())
        )
        return found

    def attended(self, fit: str) -> dict[str, Measured]:
        """Measure d' for each category with attention, without, and with a control's.

        By id of the set, of a network that learnt pictures in clutter.

        Parameters
        ----------
        fit
            The table of pictures by which channels are said to be tuned.
        """
        from ...models.probing.feature_tuning import feature_tuning

        observer = self._observer()
        size = self._recipe.pictures.size_px
        tuning = feature_tuning(observer, fit, self._trained.layer, size_px=size)
        mixed = tuning.shuffled(self._recipe.network.seed)
        given = {
            self._trained.id: (tuning, 0.0),
            "attending": (tuning, _STRENGTH),
            "attending-shuffled": (mixed, _STRENGTH),
        }
        return {
            name: {"attended": self._dprime(observer, *how)}
            for name, how in given.items()
        }

    def _dprime(self, observer: Any, tuning: Any, strength: float) -> Estimate:
        """Average over categories how well each is told while it is attended to."""
        import torch

        from ...models.networks.attention import attend
        from ...models.probing.pictures import PictureReader, seen_by

        held_out = self._held_out
        crowded = np.array([not c.endswith("-0") for c in held_out.conditions])
        contrast = torch.from_numpy(held_out.contrast[crowded])
        labels = held_out.labels[crowded]
        size = self._recipe.pictures.size_px
        across = seen_by(observer)[1] / size
        found = []
        for number, category in enumerate(self._categories):
            attending = attend(observer, tuning, category, strength)
            reader = PictureReader(attending, [""], across, (1, size, size))
            value = reader.read(contrast)[""][:, number].double().numpy()
            is_there = labels == number
            found.append(dprime_of_variable(value[is_there], value[~is_there]))
        values = np.array([each.value for each in found])
        errors = np.array([each.se for each in found])
        se = float(np.sqrt((errors**2).sum()) / len(errors))
        n = sum(each.n for each in found)
        return Estimate.normal(values.mean(), se, n, found[0].formula)

    def _attacked(self) -> Estimate:
        options = self._trained.options
        is_noisy = options.get("front_settings", {}).get("noise") != "none"
        has_noise = options.get("front") == "vone-block" and is_noisy
        draws = _DRAWS if has_noise else 1
        found = self._held_out.correct_under_attack(EPS, _STEPS, draws, _ATTACKED)
        return _proportion(found)

    def _features(self) -> np.ndarray:
        """Give the layer's features, a map averaged to 8 x 8 places."""
        return self._held_out.features(self._trained.layer, _PLACES)

    def _surround(self) -> Estimate:
        """Give the median surround suppression index, by gratings of all sizes."""
        from ...models.probing.grating_responses import GratingReader

        reader = GratingReader(self._observer(), self._trained.layer, noise=False)
        return median_suppression(reader.responses(("orientation", "size")))

    def _observer(self) -> Any:
        """Give the network as an observer, with what it learnt."""
        from ...models.registry import load

        part = self._recipe.network
        file = str(self._weights)
        return load(part.name, file=file, seed=part.seed, **dict(part.options))


def _proportion(correct: np.ndarray) -> Estimate:
    return proportion(int(correct.sum()), len(correct))

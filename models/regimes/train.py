"""From a recipe of pictures to weights: `yoked.train_on_pictures`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ...experiments.imports.picture_folder import Pictures, read_pictures
from ..networks.weights import json_hash, weights_hash
from ..recipes.checkpoint import Checkpoint
from ..recipes.loop import Told, duration
from ..whole_files import whole
from .learner import Learner
from .loop import VERSION, Labelled, PictureLoop, rows_of
from .recipe import PictureRecipe, load_picture_recipe, picture_recipe_of
from .terms import term_of

FORMAT = "yoked-pictures/1"
_OTHER_ORDER = 1  # of a population's pictures, beside those of the classes


@dataclass(frozen=True)
class PictureTraining:
    """What a training on pictures left behind.

    Attributes
    ----------
    weights
        Of the network without its front: a state dictionary.
    history
        A dict for each look at the pictures held out: step, cross-entropy and the
        regime's term since the last look, held-out cross-entropy and proportion
        correct.
    categories
        In the order of the network's output.
    n_fit, n_held_out
        Pictures.
    recipe
        What it was trained by.
    """

    weights: dict[str, Tensor]
    history: list[dict[str, Any]]
    categories: tuple[str, ...]
    n_fit: int
    n_held_out: int
    recipe: PictureRecipe

    @property
    def weights_hash(self) -> str:
        """SHA-256 of the weights."""
        return weights_hash(self.weights)

    @property
    def held_out_correct(self) -> float:
        """Proportion of pictures held out that are named right in the end."""
        return self.history[-1]["held_out_correct"]

    def save(self, path: str | Path) -> None:
        """Write the weights to a safetensors file, for a network of the recipe's name.

        Raises
        ------
        OSError
            If it cannot be written; what was there before stays.
        """
        from safetensors.torch import save

        kept = {
            n: v.detach().cpu().contiguous().clone() for n, v in self.weights.items()
        }
        told = {
            "recipe": self.recipe.to_dict(),
            "categories": self.categories,
            "history": self.history,
        }
        texts = {
            name: json.dumps(value, sort_keys=True) for name, value in told.items()
        }
        texts |= {"format": FORMAT, "yoked": version("yoked")}
        with whole(Path(path)) as file:
            file.write(save(kept, texts))


@dataclass(frozen=True)
class PictureBudget:
    """What a training on pictures will take.

    Attributes
    ----------
    n_parameters
        Of the network, that are learnt.
    n_steps, n_pictures
        Of gradient descent, and the pictures shown in them.
    n_held_out
        Pictures held out.
    seconds
        In all, from a few steps that were timed.
    """

    n_parameters: int
    n_steps: int
    n_pictures: int
    n_held_out: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        return asdict(self)

    def sentence(self) -> str:
        """Say it in one line."""
        return (
            f"{self.n_parameters:,} parameters, {self.n_steps:,} steps, "
            f"{self.n_pictures:,} pictures shown, {self.n_held_out:,} held out; about "
            f"{duration(self.seconds)} here"
        )


class PicturePlan:
    """A recipe with its pictures and its network, ready to be trained.

    Parameters
    ----------
    recipe
        A `PictureRecipe`, its TOML file, or a dict like one.
    seed, device
        In place of the recipe's.
    base
        Where paths in a recipe that is no file are from.

    Raises
    ------
    FileNotFoundError
        If there are no such pictures.
    LookupError
        If there is no network or layer of a name.
    ValueError
        If the recipe breaks rules, or pictures held out are learnt too.
    """

    def __init__(
        self,
        recipe: PictureRecipe | str | Path | Mapping[str, Any],
        seed: int | None = None,
        device: str | None = None,
        base: Path = Path(),
    ) -> None:
        if isinstance(recipe, str | Path):
            base, recipe = Path(recipe).parent, load_picture_recipe(recipe)
        if isinstance(recipe, Mapping):
            recipe = picture_recipe_of(recipe)
        self.recipe = recipe = recipe.with_options(seed, device)
        part = recipe.pictures
        fit, held_out = (
            read_pictures(base / each) for each in (part.fit, part.held_out)
        )
        self.categories = _categories(fit, held_out)
        self.fit = self._labelled(fit)
        self.held_out = self._labelled(held_out)
        n_classes = len(self.categories)
        self.learner = Learner(recipe.network, n_classes, part.size_px, part.degrees)
        seed = recipe.network.seed
        own_rows = partial(_population_rows, seed=seed, batch=recipe.training.batch)
        self.term = term_of(
            recipe, self.learner, fit, self.fit.contrast, own_rows, base
        )
        self._loop = PictureLoop(
            self.learner,
            self.term,
            self.fit,
            self.held_out,
            recipe.training,
            recipe.regime.weight,
            recipe.regime.task_weight,
        )

    @property
    def hash(self) -> str:
        """SHA-256 of all that the weights are a function of."""
        given: list[Any] = [VERSION, self.categories]
        given += [
            _hash(each.contrast, each.labels) for each in (self.fit, self.held_out)
        ]
        target = getattr(self.term, "target", None)
        if target is not None:
            given.append(_hash(target.contrast, target.responses))
        recipe = self.recipe.to_dict()
        return json_hash({"recipe": recipe, "given": given})

    def sentence(self) -> str:
        """Say in one line what will be done."""
        part, regime = self.recipe.network, self.recipe.regime
        how = "" if regime.kind == "none" else f", regime {regime.called}"
        n, m = len(self.fit.labels), len(self.held_out.labels)
        return (
            f"{part.name} (seed {part.seed}, {part.device}) learns "
            f"{len(self.categories)} categories of {n:,} pictures{how}; {m:,} held "
            f"out; {self.recipe.training.steps:,} steps"
        )

    def budget(self) -> PictureBudget:
        """Give what it will take, from a few timed steps."""
        learnt = [p for p in self.learner.network.parameters() if p.requires_grad]
        training = self.recipe.training
        return PictureBudget(
            sum(p.numel() for p in learnt),
            training.steps,
            training.steps * min(training.batch, len(self.fit.labels)),
            len(self.held_out.labels),
            self._loop.seconds(),
        )

    def run(
        self,
        out: Path | None = None,
        resume: bool = False,
        progress: Told | None = None,
    ) -> PictureTraining:
        """Train; see `train_on_pictures`."""
        checkpoint = None if out is None else Checkpoint.beside(out, self.hash)
        if checkpoint is not None:
            checkpoint.require_resumed(resume)
        self._loop.run(checkpoint, progress)
        made = PictureTraining(
            dict(self.learner.backbone.state_dict()),
            self._loop.history,
            self.categories,
            len(self.fit.labels),
            len(self.held_out.labels),
            self.recipe,
        )
        if out is not None and checkpoint is not None:
            made.save(out)
            checkpoint.remove()
        return made

    def _labelled(self, pictures: Pictures) -> Labelled:
        contrast = pictures.contrast(self.recipe.pictures.size_px)
        numbers = [self.categories.index(each) for each in pictures.categories]
        return Labelled(contrast, np.array(numbers, np.int64))


def _categories(fit: Pictures, held_out: Pictures) -> tuple[str, ...]:
    """Give the categories; refuse held-out pictures that are learnt or never said."""
    categories = tuple(sorted(set(fit.categories)))
    if len(categories) < 2:
        rule, got = "of 2 categories or more", ", ".join(categories)
        raise ValueError(f"pictures to learn must be {rule}, got {got}")
    unknown = sorted(set(held_out.categories) - set(categories))
    if unknown:
        rule = "of the categories that are learnt"
        raise ValueError(f"pictures held out must be {rule}, got {unknown[0]}")
    both = {f.resolve() for f in fit.files} & {f.resolve() for f in held_out.files}
    if both:
        rule = "other ones than those that are learnt"
        got = min(file.name for file in both)
        raise ValueError(f"pictures held out must be {rule}, got {got} in both")
    return categories


def _population_rows(n: int, step: int, *, seed: int, batch: int) -> np.ndarray:
    """Draw a population's pictures for a step."""
    return rows_of(n, batch, step, seed + (_OTHER_ORDER << 32))


def _hash(*arrays: np.ndarray) -> str:
    sha = hashlib.sha256()
    for each in arrays:
        sha.update(str(each.shape).encode())
        sha.update(np.ascontiguousarray(each).tobytes())
    return sha.hexdigest()


def train_on_pictures(
    recipe: PictureRecipe | str | Path | Mapping[str, Any],
    out: str | Path | None = None,
    *,
    resume: bool = False,
    seed: int | None = None,
    device: str | None = None,
    progress: Told | None = None,
) -> PictureTraining:
    """Train a network by name on labelled pictures, plainly or by a regime.

    On the CPU the same recipe gives the same weights, also where a training was killed
    and resumed from its checkpoint.

    Parameters
    ----------
    recipe
        A TOML file, or a dict like one; see docs/regimes.md. Paths in a file are from
        its folder on, in a dict from the working directory.
    out
        A safetensors file for the weights: `load_observer(name, file=...)` takes it. A
        checkpoint stands beside it until it is written. By default nothing is written.
    resume
        Go on from the checkpoint beside `out`, if there is one.
    seed, device
        In place of the recipe's.
    progress
        Called after every step with steps done, steps in all, and a few words.

    Returns
    -------
    PictureTraining
        With `weights`, `history` and `held_out_correct`.

    Raises
    ------
    FileNotFoundError
        If there are no such pictures.
    LookupError
        If there is no network or layer of a name.
    ValueError
        If the recipe breaks rules, a checkpoint is of another one, the loss stops being
        a number, or memory runs out. Nothing half-written is left.

    Examples
    --------
    Bright and dark pictures:

    >>> import tempfile
    >>> import yoked
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> for part in ("fit", "new"):
    ...     for kind, gray in (("dark", 40), ("light", 180)):
    ...         (folder / part / kind).mkdir(parents=True)
    ...         for i in range(8):
    ...             file = folder / part / kind / f"{i}.png"
    ...             Image.new("L", (16, 16), gray + 9 * i + (part == "new")).save(file)
    >>> made = yoked.train_on_pictures({
    ...     "network": {"name": "plain-cnn"},
    ...     "pictures": {"fit": str(folder / "fit"), "held_out": str(folder / "new"),
    ...                  "size_px": 16},
    ...     "training": {"steps": 20, "batch": 8},
    ... })
    >>> made.categories, made.held_out_correct
    (('dark', 'light'), 1.0)
    """
    plan = PicturePlan(recipe, seed, device)
    return plan.run(None if out is None else Path(out), resume, progress)

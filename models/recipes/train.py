"""From a recipe to weights: `yoked.train`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ...experiments.session.observer import Viewing
from ..networks.weights import json_hash, weights_hash
from .checkpoint import Checkpoint
from .compiled import require_compiler
from .figures import HeldOutFigures
from .loop import VERSION, Budget, Loop, Told
from .processes import join
from .recipe import Recipe, load_recipe, recipe_of
from .trained import network_of
from .trials import trials_of
from .weights_file import TrainedAs, save_trained


@dataclass(frozen=True)
class Training:
    """What a training left behind.

    Attributes
    ----------
    weights
        The best ones, by held-out loss: a state dictionary.
    history
        A dict for each look at the held-out trials: step, training loss since the last
        look, and the figures.
    held_out
        Figures of the best weights, on trials that neither were learnt nor chose them;
        of a session's responses, on those that are held out.
    told
        What they were trained as.
    """

    weights: dict[str, Tensor]
    history: list[dict[str, Any]]
    held_out: HeldOutFigures
    told: TrainedAs

    @property
    def weights_hash(self) -> str:
        """SHA-256 of the weights."""
        return weights_hash(self.weights)

    def save(self, path: str | Path) -> None:
        """Write the weights to a safetensors file that `yoked.load_observer` takes."""
        save_trained(Path(path), self.weights, self.told)


class Plan:
    """A recipe with its trials and its network, ready to be trained.

    Parameters
    ----------
    recipe
        A `Recipe`, its TOML file, or a dict like one.
    seed, device
        In place of the recipe's.
    base
        Where paths in a recipe that is no file are from.

    Raises
    ------
    ValueError
        If the recipe breaks rules, or its task cannot be learnt.
    LookupError
        If there is no network, observer, protocol or session of a name.
    """

    def __init__(
        self,
        recipe: Recipe | str | Path | Mapping[str, Any],
        seed: int | None = None,
        device: str | None = None,
        base: Path = Path(),
    ) -> None:
        if isinstance(recipe, str | Path):
            base, recipe = Path(recipe).parent, load_recipe(recipe)
        if isinstance(recipe, Mapping):
            recipe = recipe_of(recipe)
        self.recipe = recipe.with_options(seed, device)
        if self.recipe.training.compile:
            require_compiler()
        part = self.recipe.network
        self.share, own_device = join(part.device)
        _require_shares(self.recipe, self.share.count)
        self.trials = trials_of(self.recipe, base)
        protocol = self.trials.protocol
        network = network_of(
            self.recipe.with_options(device=own_device),
            Viewing.of(protocol),
            protocol.frame_shape,
            protocol.n_intervals,
        )
        self._loop = Loop(
            network,
            self.trials,
            self.recipe.training,
            part.seed,
            own_device,
            self.share,
        )

    @property
    def hash(self) -> str:
        """SHA-256 of all that the weights are a function of."""
        trials = self.trials
        given: list[Any] = [trials.protocol.hash, trials.trained_on, VERSION]
        if self.recipe.goal.file and trials.kernel is not None:
            given.append(
                [each.tolist() for each in trials.kernel.true if each is not None]
            )
        if self.share.count > 1:
            given.append({"processes": self.share.count})
        return json_hash({"recipe": self.recipe.to_dict(), "given": given})

    def sentence(self) -> str:
        """Say in one line what will be done."""
        goal, part = self.recipe.goal, self.recipe.network
        whose = "which alternative has the signal"
        if goal.kind != "task":
            shuffled = "shuffled " if goal.shuffled else ""
            what = "responses" if goal.kind == "shadow" else f"{shuffled}kernel"
            session = "session " if goal.session is not None else ""
            whose = f"the {what} of {session}{goal.whose}"
        of = self.trials.protocol.name
        return f"{part.name} (seed {part.seed}, {part.device}) learns {whose}, {of}"

    def budget(self) -> Budget:
        """Give what it will take, from a few timed steps."""
        return self._loop.budget()

    def run(
        self,
        out: Path | None = None,
        resume: bool = False,
        progress: Told | None = None,
    ) -> Training:
        """Train; see `train`."""
        checkpoint = None if out is None else Checkpoint.beside(out, self.hash)
        if checkpoint is not None:
            checkpoint.require_resumed(resume)
        figures = self._loop.run(checkpoint, progress)
        trials = self.trials
        told = TrainedAs.of(self.recipe, trials.protocol, figures, trials.trained_on)
        state = dict(self._loop.network.state_dict())
        made = Training(state, self._loop.history, figures, told)
        if out is not None and checkpoint is not None and self.share.is_first:
            made.save(out)
            checkpoint.remove()
        return made


def _require_shares(recipe: Recipe, count: int) -> None:
    """Refuse a batch that has no equal shares, or too small ones."""
    batch = recipe.training.batch
    if count > 1 and (batch % count or batch < 4 * count):
        rule = f"a multiple of {count}, four trials or more for each process"
        raise ValueError(f"training.batch must be {rule}, got {batch}")


def train(
    recipe: Recipe | str | Path | Mapping[str, Any],
    out: str | Path | None = None,
    *,
    resume: bool = False,
    seed: int | None = None,
    device: str | None = None,
    progress: Told | None = None,
) -> Training:
    """Train a network by a recipe.

    On the CPU the same recipe gives the same weights, also where a training was killed
    and resumed from its checkpoint. Started by `torchrun`, all processes train one
    network, and the first of them writes it.

    Parameters
    ----------
    recipe
        A TOML file, or a dict like one; see docs/training.md. Paths in a file are from
        its folder on, in a dict from the working directory.
    out
        A safetensors file for the weights, which `yoked.load_observer` takes; a
        checkpoint stands beside it until it is written. By default nothing is written.
    resume
        Go on from the checkpoint beside `out`, if there is one.
    seed, device
        In place of the recipe's.
    progress
        Called after every step with steps done, steps in all, and a few words.

    Returns
    -------
    Training
        With `weights`, `history` and `held_out`.

    Raises
    ------
    ValueError
        If the recipe breaks rules, a checkpoint is of another one, the loss stops being
        a number, or memory runs out. Nothing half-written is left.
    LookupError
        If there is no network, observer, protocol or session of a name.

    Examples
    --------
    >>> import yoked
    >>> made = yoked.train({
    ...     "network": {"name": "retina-cnn"},
    ...     "goal": {"kind": "task", "protocol": "bar-in-noise"},
    ...     "training": {"steps": 4, "batch": 16, "held_out": 200, "scored": 200},
    ... })
    >>> [row["step"] for row in made.history], made.held_out.n
    ([1, 2, 3, 4], 200)
    """
    plan = Plan(recipe, seed, device)
    return plan.run(None if out is None else Path(out), resume, progress)

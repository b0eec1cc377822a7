"""Training ahead of time: by a recipe, or as an observer trains itself."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..options import OUTPUT_FILE, SEED
from ..output import Row, output
from ..progress import progress


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="RECIPE|OBSERVER [PROTOCOL]")
@click.option(
    "-o",
    "--out",
    "weights",
    type=OUTPUT_FILE,
    help="File for the weights. It must be given, unless with --dry-run.",
)
@click.option(
    "--seed",
    type=SEED,
    help="Seed of first weights and trials: another seed is another individual.",
)
@click.option("--device", help="Where to train: cpu (unless given) or cuda.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on from the checkpoint beside the weights, if there is one.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be done and how long it would take, and stop.",
)
@output()
def train(
    names: tuple[str, ...],
    weights: Path | None,
    seed: int | None,
    device: str | None,
    resume: bool,
    dry_run: bool,
) -> Row:
    """Train an observer and write its weights.

    By RECIPE, a TOML file that says which network learns what: the task, the responses
    of another observer or of a session, or the categories of pictures, plainly or by a
    regime (docs/regimes.md). What it will take is said first. The
    weights are an observer: give their file to `yoked simulate`, or that of pictures to
    a network of their name with --option file=. What was interrupted
    goes on with --resume, to the same weights on a CPU. Several processes train one
    network by a recipe if torchrun starts them. Or OBSERVER, one that trains itself,
    for the stimuli of PROTOCOL.

    \b
    Examples:
        yoked train recipe.toml --out weights.safetensors
        torchrun --nproc-per-node 2 -m yoked train recipe.toml -o weights.safetensors
        yoked train retina-cnn bar-in-noise -o weights.pt
    """
    if weights is None and not dry_run:
        raise click.UsageError("--out must be given, unless with --dry-run")
    if names[0].endswith(".toml"):
        _require_arguments(names, ("RECIPE",))
        return _by_recipe(Path(names[0]), weights, seed, device, resume, dry_run)
    _require_arguments(names, ("OBSERVER", "PROTOCOL"))
    if resume or dry_run or weights is None:
        raise click.UsageError("--resume and --dry-run must come with a recipe")
    return _itself(names[0], names[1], weights, seed, device)


def _require_arguments(names: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    if len(names) != len(wanted):
        given = " ".join(names)
        raise click.UsageError(f"arguments must be {' '.join(wanted)}, got {given}")


def _by_recipe(
    recipe: Path,
    weights: Path | None,
    seed: int | None,
    device: str | None,
    resume: bool,
    dry_run: bool,
) -> Row:
    """Train by a recipe; say first what it takes."""
    from ...models.recipes.processes import is_first_process
    from ...models.recipes.train import Plan
    from ...models.regimes.recipe import is_of_pictures

    if weights is not None and weights.suffix != ".safetensors":
        rule = "a file that ends in .safetensors for a recipe"
        raise ValueError(f"--out must be {rule}, got {str(weights)!r}")
    if is_of_pictures(recipe):
        return _on_pictures(recipe, weights, seed, device, resume, dry_run)
    plan = Plan(recipe, seed, device)
    name, budget = plan.recipe.called, plan.budget()
    if not is_first_process():  # it trains along, and neither speaks nor writes
        if not dry_run:
            plan.run(weights, resume)
        raise click.exceptions.Exit
    click.echo(f"{name}: {plan.sentence()}\n{budget.sentence()}", err=True)
    if dry_run:
        return {"observer": name, "recipe_hash": plan.hash, **budget.to_dict()}
    with _steps(name, budget.n_steps) as update:
        made = plan.run(weights, resume, update)
    click.echo(made.held_out.sentence(), err=True)
    return {
        "weights": str(weights),
        "observer": name,
        "protocol": made.told.protocol,
        "stimulus_hash": made.told.stimulus_hash,
        "weights_hash": made.weights_hash,
        "steps": made.history[-1]["step"],
        "held_out": made.held_out.to_dict(),
    }


def _on_pictures(
    recipe: Path,
    weights: Path | None,
    seed: int | None,
    device: str | None,
    resume: bool,
    dry_run: bool,
) -> Row:
    """Train on labelled pictures, plainly or by a regime."""
    from ...models.regimes.train import PicturePlan

    plan = PicturePlan(recipe, seed, device)
    name, budget = plan.recipe.called, plan.budget()
    click.echo(f"{name}: {plan.sentence()}\n{budget.sentence()}", err=True)
    if dry_run:
        return {"network": name, "recipe_hash": plan.hash, **budget.to_dict()}
    with _steps(name, budget.n_steps) as update:
        made = plan.run(weights, resume, update)
    n, right = made.n_held_out, made.held_out_correct
    click.echo(f"{right:.3f} of {n:,} pictures held out named right", err=True)
    return {
        "weights": str(weights),
        "network": name,
        "categories": list(made.categories),
        "weights_hash": made.weights_hash,
        "steps": made.history[-1]["step"],
        "held_out": {"n": n, "correct": right},
    }


@contextmanager
def _steps(name: str, n: int) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar of steps, with a few words on how it goes."""
    told = {"words": ""}
    with click.progressbar(
        length=n,
        label=name,
        show_pos=False,
        item_show_func=lambda _: told["words"],
        file=sys.stderr,
    ) as bar:

        def update(done: int, _total: int, words: str) -> None:
            told["words"] = words
            bar.update(done - bar.pos)

        yield update


def _itself(
    observer: str, protocol: str, weights: Path, seed: int | None, device: str | None
) -> Row:
    """Let an observer train itself."""
    from ...experiments.protocols.files import load_protocol
    from ...experiments.session.observer import Practice
    from ...models.registry import load
    from ...models.simulate import teach

    task = load_protocol(protocol)
    given = {"seed": seed, "device": device}
    options = {name: value for name, value in given.items() if value is not None}
    network: Any = load(observer, **options)
    if not hasattr(network, "learn") or not hasattr(network, "save"):
        raise ValueError(f"observer must be one that is trained, got {observer!r}")
    with progress(network.name) as update:
        teach(network, Practice(task), update)
    network.save(weights)
    return {
        "weights": str(weights),
        "observer": observer,
        "protocol": task.name,
        "stimulus_hash": task.stimulus_hash,
        "weights_hash": network.weights_hash,
    }

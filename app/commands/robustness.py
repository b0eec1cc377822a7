"""Attacks, corruptions and single units: how robust an observer is."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..figures import check_plot_name, write_figure
from ..options import OBSERVER_OPTIONS, OUTPUT_FILE, decision_options
from ..output import output
from ..progress import progress
from .simulate import as_option

if TYPE_CHECKING:
    from ...analysis.robustness.curves import AttackCurve, CorruptionCurve
    from ...analysis.robustness.units import UnitSensitivity

_PICTURE = click.option(
    "-o", "--output", "path", type=OUTPUT_FILE, help="The picture, if any."
)
_EPS = click.option(
    "--eps",
    type=click.FloatRange(0, min_open=True),
    multiple=True,
    required=True,
    help="Size of the change, in contrast; any number of times.",
)
_TRIALS = click.option(
    "--trials",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="Trials, which no session shows.",
)
_CONTRAST = click.option(
    "--contrast",
    type=click.FloatRange(0, 1),
    help="Contrast of the signal, instead of the protocol's median.",
)
_SHOWINGS = click.option(
    "--showings",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="Of every trial to an observer with noise, to score it.",
)
_SEED = click.option(
    "--seed",
    type=click.IntRange(0, 2**20 - 1),
    default=0,
    show_default=True,
    help="Of trials and noise.",
)


def _steps(default: int) -> Any:
    return click.option(
        "--steps",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        help="Of the gradient.",
    )


def _noise_draws(default: int) -> Any:
    return click.option(
        "--noise-draws",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        help="Of the network's own noise, that each gradient is averaged over.",
    )


@click.command()
@click.argument("protocol")
@click.argument("observer")
@_PICTURE
@click.option(
    "--norm",
    type=click.Choice(["linf", "l2"]),
    default="linf",
    show_default=True,
    help="What --eps limits: a pixel's change, or the Euclidean norm of a trial's.",
)
@_EPS
@_steps(40)
@_noise_draws(8)
@_SHOWINGS
@_TRIALS
@_CONTRAST
@decision_options()
@click.option(
    "--transfer-from",
    metavar="OBSERVER2",
    help="Show what was made against this observer, too: tells masked gradients.",
)
@click.option(
    "--transfer-option",
    "transfer_options",
    metavar="NAME=VALUE",
    multiple=True,
    help="What that observer can be told, such as seed=2; may be repeated.",
)
@click.option(
    "--batch",
    type=click.IntRange(1),
    default=32,
    show_default=True,
    help="Trials in the network at once; the fewer, the less memory.",
)
@_SEED
@OBSERVER_OPTIONS
@output()
def attack(
    protocol: str,
    observer: str,
    path: Path | None,
    norm: str,
    eps: tuple[float, ...],
    steps: int,
    noise_draws: int,
    showings: int,
    trials: int,
    contrast: float | None,
    internal_noise: float,
    criterion: float | None,
    transfer_from: str | None,
    transfer_options: tuple[str, ...],
    batch: int,
    seed: int,
    options: tuple[str, ...],
) -> "AttackCurve":
    """Say how an observer's accuracy falls when stimuli are changed against it.

    Changes the pixels of every trial within --eps so that the observer decides wrongly
    (PGD by foolbox, gradients averaged over the network's own noise), and scores it
    with other noise.

    \b
    Examples:
        yoked attack bar-in-noise linear --eps 0.02 --eps 0.05 --contrast 0.3 --table
        yoked attack bar-in-noise retina-cnn --eps 0.02 --transfer-from linear
    """
    from ...analysis.plot.robustness import draw_attack
    from ...experiments.protocols.files import load_protocol
    from ...models.registry import load
    from ..robustness.attack import attack_curve

    if path is not None:
        check_plot_name(path)
    model: Any = load(observer, **dict(map(as_option, options)))
    other: Any = None
    if transfer_from is not None:
        other = load(transfer_from, **dict(map(as_option, transfer_options)))
    elif transfer_options:
        raise click.UsageError("--transfer-option must come with --transfer-from")
    with progress(model.name) as update:
        found = attack_curve(
            load_protocol(protocol),
            model,
            eps,
            norm=norm,
            steps=steps,
            noise_draws=noise_draws,
            showings=showings,
            trials=trials,
            contrast=contrast,
            internal_noise=internal_noise,
            criterion=criterion,
            transfer_from=other,
            seed=seed,
            batch=batch,
            progress=lambda done, total: update("attacks", done, total),
        )
    if path is not None:
        write_figure(path, draw_attack(found))
    return found


@click.command()
@click.argument("protocol")
@click.argument("observer")
@_PICTURE
@click.option(
    "--corruption",
    "corruptions",
    multiple=True,
    help="Such as fog or gaussian_noise; any number of times. All fifteen unless told.",
)
@click.option(
    "--severity",
    "severities",
    type=click.IntRange(1, 5),
    multiple=True,
    help="1 to 5; any number of times. All five unless told.",
)
@_SHOWINGS
@_TRIALS
@_CONTRAST
@decision_options()
@_SEED
@OBSERVER_OPTIONS
@output()
def corrupt(
    protocol: str,
    observer: str,
    path: Path | None,
    corruptions: tuple[str, ...],
    severities: tuple[int, ...],
    showings: int,
    trials: int,
    contrast: float | None,
    internal_noise: float,
    criterion: float | None,
    seed: int,
    options: tuple[str, ...],
) -> "CorruptionCurve":
    """Say how an observer's accuracy falls when stimuli are corrupted.

    Corrupts the frames of every trial as in ImageNet-C: noise, blur, weather and
    digital corruptions of five severities.

    \b
    Examples:
        yoked corrupt bar-in-noise retina-cnn --corruption fog --corruption contrast
        yoked corrupt gabor-in-noise linear --severity 3 -o corrupted.svg
    """
    from ...analysis.plot.robustness import draw_corruptions
    from ...experiments.protocols.files import load_protocol
    from ...models.registry import load
    from ..robustness.corruption import corruption_curve

    if path is not None:
        check_plot_name(path)
    model: Any = load(observer, **dict(map(as_option, options)))
    with progress(model.name) as update:
        found = corruption_curve(
            load_protocol(protocol),
            model,
            corruptions or None,
            severities or (1, 2, 3, 4, 5),
            showings=showings,
            trials=trials,
            contrast=contrast,
            internal_noise=internal_noise,
            criterion=criterion,
            seed=seed,
            progress=lambda done, total: update("corruptions", done, total),
        )
    if path is not None:
        write_figure(path, draw_corruptions(found))
    return found


@click.command()
@click.argument("protocol")
@click.argument("observer")
@_PICTURE
@click.option("--layer", required=True, help="A module of the network's.")
@_EPS
@click.option(
    "--units",
    type=click.IntRange(1),
    default=16,
    show_default=True,
    help="Units, drawn from those that vary.",
)
@click.option(
    "--pictures",
    type=click.IntRange(2),
    default=32,
    show_default=True,
    help="Alternatives of trials, which ranges of responses are over.",
)
@click.option(
    "--attacked",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="How many of the pictures are changed.",
)
@_steps(20)
@_noise_draws(4)
@_CONTRAST
@click.option(
    "--without-noise", is_flag=True, help="Leave the network's own noise out."
)
@click.option(
    "--beside-retina",
    is_flag=True,
    help="The staged retina's ganglion cells too, with their noise: the reference.",
)
@_SEED
@OBSERVER_OPTIONS
@output()
def sensitivity(
    protocol: str,
    observer: str,
    path: Path | None,
    layer: str,
    eps: tuple[float, ...],
    units: int,
    pictures: int,
    attacked: int,
    steps: int,
    noise_draws: int,
    contrast: float | None,
    without_noise: bool,
    beside_retina: bool,
    seed: int,
    options: tuple[str, ...],
) -> "list[UnitSensitivity]":
    """Say how far a small change of the stimulus can move single units of a layer.

    The largest change of a unit's mean response within an L2 norm of --eps, over the
    unit's range and SD over stimuli, and over the SD of its own noise, as Guo et al.
    (2022) compare networks with neurons.

    \b
    Examples:
        yoked sensitivity bar-in-noise cornet-z --layer it --eps 0.5 --eps 1
        yoked sensitivity bar-in-noise cornet-z --layer v1 --eps 1 --beside-retina
    """
    from ...analysis.plot.robustness import draw_sensitivity
    from ...experiments.protocols.files import load_protocol
    from ...models.registry import load
    from ..robustness.sensitivity import (
        pictures_of,
        retina_reference,
        unit_sensitivity,
    )

    if path is not None:
        check_plot_name(path)
    asked: list[tuple[Any, str, bool]] = [
        (load(observer, **dict(map(as_option, options))), layer, not without_noise)
    ]
    if beside_retina:
        reference = retina_reference()
        asked.append((reference.observer, reference.layer, True))
    shown, seen = pictures_of(load_protocol(protocol), pictures, contrast, seed)
    found = []
    for model, name, noise in asked:
        with progress(model.name) as update:
            found.append(
                unit_sensitivity(
                    model,
                    name,
                    shown,
                    eps=eps,
                    units=units,
                    attacked=attacked,
                    steps=steps,
                    noise_draws=noise_draws,
                    noise=noise,
                    seed=seed,
                    progress=lambda done, total: update("changes", done, total),
                    **seen,
                )
            )
    if path is not None:
        write_figure(path, draw_sensitivity(found))
    return found

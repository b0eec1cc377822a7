"""A model takes part."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import (
    DECISION,
    MATCHED,
    NOISE_AT,
    OBSERVER_OPTIONS,
    matched_options,
    variant_options,
)
from ..output import Row, output
from ..progress import progress

if TYPE_CHECKING:
    from ...experiments.session.observer import Observer
    from ...experiments.store.sqlite import Store
    from ...models.networks.noisy import NoisyNetwork
    from ...models.simulate import Progress


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="[PROTOCOL] OBSERVER DB")
@variant_options()
@matched_options()
@NOISE_AT
@click.option(
    "--yoke-to",
    metavar="SESSION",
    help="Show the trials of this session again, in place of PROTOCOL.",
)
@OBSERVER_OPTIONS
@output()
def simulate(
    names: tuple[str, ...],
    seed: int | None,
    trials: int | None,
    contrast: float | None,
    internal_noise: float | str,
    repeatable_noise: float | str,
    criterion: float | None,
    noise_at: str,
    yoke_to: str | None,
    options: tuple[str, ...],
) -> Row:
    """Let a model take part in a protocol.

    It gets the trials and the noise that a person gets, and its responses go into the
    same trial log. With --internal-noise matched it is as consistent as the person of
    --yoke-to; with --noise-at the noise is inside a network. OBSERVER is a name that
    `yoked observers` lists, or your own class, as path/to/file.py:MyObserver. With
    --yoke-to there is no PROTOCOL: the model sees exactly what the observer of that
    session saw.

    \b
    Examples:
        yoked simulate bar-in-noise retina-cnn results.db --seed 1
        yoked simulate template results.db --yoke-to 2026-01-10-kq7m4x2p
        yoked simulate movie-bar bl results.db --noise-at input --internal-noise 0.1
    """
    from ...experiments.protocols.files import load_protocol
    from ...experiments.store.sqlite import open_store
    from ...models.registry import load
    from ...models.runnable import require_runnable
    from ...models.simulate import run

    # All that can be refused is refused before a database is made.
    *protocols, observer, db = named(names, yoke_to is not None)
    check_noises(internal_noise, repeatable_noise, yoke_to, noise_at)
    protocol = load_protocol(protocols[0]) if protocols else None
    if protocol is not None:
        protocol = protocol.with_options(trials=trials, contrast=contrast)
        require_runnable(protocol, seed, criterion)
        trials = contrast = None
    model = load(observer, **dict(map(as_option, options)))
    inside = None if noise_at == DECISION else noisy_at(model, noise_at)
    store = open_store(Path(db), create=yoke_to is None)
    try:
        with progress(model.name) as update:
            noises = internal_noise, repeatable_noise
            if MATCHED in noises and yoke_to is not None:
                is_both = repeatable_noise == MATCHED
                given = (is_both, criterion, noise_at, update)
                noises = matched(store, yoke_to, model, *given)
            if inside is not None:
                inside.sd, noises = float(noises[0]), (0.0, noises[1])
            session = run(
                protocol,
                inside or model,
                store=store,
                seed=seed,
                internal_noise=float(noises[0]),
                repeatable_noise=float(noises[1]),
                criterion=criterion,
                trials=trials,
                contrast=contrast,
                yoke_to=yoke_to,
                progress=update,
            )
    finally:
        store.close()
    correct = session.counted["correct"].to_numpy(bool)
    return {
        "session": session.id,
        "observer": session.observer,
        "protocol": session.protocol.name,
        "yoked_to": session.yoked_to,
        "seed": session.seed,
        "trials": len(session.trials),
        "proportion_correct": float(correct.mean()) if len(correct) else None,
    }


def named(names: tuple[str, ...], is_yoked: bool) -> tuple[str, ...]:
    """Return the arguments if there are as many as there must be."""
    wanted = ("OBSERVER", "DB") if is_yoked else ("PROTOCOL", "OBSERVER", "DB")
    if len(names) != len(wanted):
        because = " with --yoke-to" if is_yoked else ""
        raise click.UsageError(
            f"arguments must be {' '.join(wanted)}{because}, got {' '.join(names)}"
        )
    return names


def noisy_at(model: "Observer", at: str) -> "NoisyNetwork":
    """Return a network with noise at a place, none as yet; any other is refused."""
    from ...models.networks.noisy import noisy

    return noisy(model, at=at, sd=0.0)


def check_noises(
    internal: float | str,
    repeatable: float | str,
    yoke_to: str | None,
    noise_at: str = DECISION,
) -> None:
    """Refuse noise that is to be matched to nobody, or only one of two kinds."""
    if MATCHED not in (internal, repeatable):
        return
    if yoke_to is None:
        raise click.UsageError("noise can be 'matched' with --yoke-to only")
    if noise_at != DECISION and repeatable == MATCHED:
        raise click.UsageError("repeatable noise can be 'matched' at the decision only")
    if internal != MATCHED or repeatable not in (MATCHED, 0.0):
        raise click.UsageError(
            "--repeatable-noise must be 'matched' or 0 beside --internal-noise matched,"
            f" got {repeatable} beside {internal}"
        )


def matched(
    store: "Store",
    yoke_to: str,
    model: "Observer",
    repeatable: bool,
    criterion: float | None,
    noise_at: str,
    update: "Progress",
) -> tuple[float, float]:
    """Return a model's noise, matched to the session that it is yoked to; say so."""
    from ...experiments.session.results import session_data
    from ..matched_noise import match_noise

    person = session_data(store, yoke_to)
    found = match_noise(person, model, repeatable, criterion, update, noise_at)
    click.echo(found.sentence, err=True)
    return found.gamma, found.repeatable_noise


def as_option(text: str) -> tuple[str, object]:
    """Split NAME=VALUE; a value that is JSON is what it says, any other is text.

    Examples
    --------
    >>> as_option("efficiency=0.5"), as_option("weights=mine.pt")
    (('efficiency', 0.5), ('weights', 'mine.pt'))
    """
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(f"--option must be NAME=VALUE, got {text!r}")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value

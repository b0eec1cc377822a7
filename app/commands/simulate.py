"""A model takes part."""

import json
from pathlib import Path

import click

from ..options import decision_options, variant_options
from ..output import Row, output
from ..progress import progress


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="[PROTOCOL] OBSERVER DB")
@variant_options()
@decision_options()
@click.option(
    "--yoke-to",
    metavar="SESSION",
    help="Show the trials of this session again, in place of PROTOCOL.",
)
@click.option(
    "--option",
    "options",
    metavar="NAME=VALUE",
    multiple=True,
    help="What the observer can be told, such as efficiency=0.5; may be repeated.",
)
@output()
def simulate(
    names: tuple[str, ...],
    seed: int | None,
    trials: int | None,
    contrast: float | None,
    internal_noise: float,
    criterion: float | None,
    yoke_to: str | None,
    options: tuple[str, ...],
) -> Row:
    """Let a model take part in a protocol.

    It gets the trials and the noise that a person gets, and its responses go into the
    same trial log. OBSERVER is a name that `yoked observers` lists, or your own class,
    as path/to/file.py:MyObserver. With --yoke-to there is no PROTOCOL: the model sees
    exactly what the observer of that session saw.

    \b
    Examples:
        yoked simulate bar-in-noise retina-cnn results.db --seed 1
        yoked simulate template results.db --yoke-to 2026-01-10-kq7m4x2p
    """
    from ...experiments.protocols.files import load_protocol
    from ...experiments.store.sqlite import open_store
    from ...models.registry import load
    from ...models.runnable import require_runnable
    from ...models.simulate import run

    # All that can be refused is refused before a database is made.
    *protocols, observer, db = named(names, yoke_to is not None)
    protocol = load_protocol(protocols[0]) if protocols else None
    if protocol is not None:
        protocol = protocol.with_options(trials=trials, contrast=contrast)
        require_runnable(protocol, seed, criterion)
        trials = contrast = None
    model = load(observer, **dict(map(as_option, options)))
    store = open_store(Path(db), create=yoke_to is None)
    try:
        with progress(model.name) as update:
            session = run(
                protocol,
                model,
                store=store,
                seed=seed,
                internal_noise=internal_noise,
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

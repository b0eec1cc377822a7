"""A model takes part in a study that is served, through the pages that people use."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import DATABASE_OR_URL, OBSERVER_OPTIONS, decision_options
from ..output import Row, output
from ..progress import progress
from .simulate import as_option

if TYPE_CHECKING:
    from ...experiments.store.trial_log import Store
    from ..model_participant import Prepared
    from ..studies.kept import KeptStudy


@click.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@click.argument("observer")
@decision_options()
@click.option(
    "--arm", metavar="ARM", help="Name of the arm; the first unless told otherwise."
)
@click.option(
    "--url",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="Where the server is reached.",
)
@OBSERVER_OPTIONS
@output()
def model(
    db: Path | str,
    name: str,
    observer: str,
    internal_noise: float,
    criterion: float | None,
    arm: str | None,
    url: str,
    options: tuple[str, ...],
) -> Row:
    """Let a model take part in a study that is served, as a person does.

    It joins by a link of its own, fetches each trial's pixels over HTTP, decides on
    them and sends its response. Its session stands in the results beside people's, and
    counts for no quota. OBSERVER is as for `yoked simulate`; the first sitting of an
    arm is what it does.

    \b
    Example:
        yoked study model results.db bright-bars template --internal-noise 1
    """
    from ...models.registry import load
    from ..database import open_database
    from ..model_participant import prepare, take_part
    from ..studies.kept import find_study

    loaded = load(observer, **dict(map(as_option, options)))
    store = open_database(db, create=False)
    try:
        kept = find_study(store, name)
        number = _arm(kept, arm)
        protocol = kept.study.arms[number].protocols[0]
        with progress(loaded.name) as update:
            seed = _own_seed(store)
            ready = prepare(
                protocol, loaded, seed, internal_noise, criterion, progress=update
            )
            parameters = _parameters(ready, internal_noise, criterion)
            token = _link(store, kept, ready, parameters, number)
            link = f"{url.rstrip('/')}/join/{token}"
            told = take_part(ready, link, lambda share: update("trials", share, 1))
        return _found(store, told)
    finally:
        store.close()


def _arm(kept: "KeptStudy", name: str | None) -> int:
    """Give the number of an arm."""
    names = [each.name for each in kept.study.arms]
    if name is None:
        return 0
    if name not in names:
        raise LookupError(f"an arm must be one of {', '.join(names)}, got {name!r}")
    return names.index(name)


def _own_seed(store: "Store") -> int:
    """Draw a seed of the model's own noise: no other session's."""
    from ...experiments.stimulus.seeds import fresh_seed

    taken = {row.seed for row in store.sessions()} | store.observer_seeds()
    while (seed := fresh_seed()) in taken:
        pass
    return seed


def _parameters(
    ready: "Prepared", internal_noise: float, criterion: float | None
) -> dict[str, object]:
    from ...models.simulate import parameters_of

    return parameters_of(ready.observer, internal_noise, 0.0, criterion)


def _link(
    store: "Store",
    kept: "KeptStudy",
    ready: "Prepared",
    parameters: dict[str, object],
    arm: int,
) -> str:
    """Make the model's link; give its token."""
    from ...experiments.session.observer import optional
    from ..studies.links import ModelOfLink, make_model_link

    weights = optional(ready.observer, "weights_hash")
    told = ModelOfLink(
        ready.observer.name, ready.observer_seed, arm, parameters, weights
    )
    with store.transaction(), store.beside() as connection:
        return make_model_link(connection, kept.key, told)


def _found(store: "Store", token: str) -> Row:
    """Give what the log has of the session that a link led to."""
    from ..studies.participations import find

    with store.beside() as connection:
        participation = find(connection, token)
    assert participation is not None, "the server wrote it"
    row = store.session(participation.session)
    trials = store.trials(row.id)
    main = [t for t in trials if t.spec.block_kind == "main" and t.response.valid]
    correct = [record.correct for record in main if record.correct is not None]
    return {
        "session": row.id,
        "observer": row.observer.name,
        "protocol": row.protocol_name,
        "trials": len(trials),
        "proportion_correct": sum(correct) / len(correct) if correct else None,
    }

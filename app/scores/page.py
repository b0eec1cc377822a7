"""A score as one HTML page: the ranking, then a card for each observer."""

from pathlib import Path
from typing import Any

from ...experiments.clock import utc_now
from ..figures import as_svg
from ..files import write_text
from .card import Card, PersonScore, Score
from .pictures import alone, protocols, ranking


def write_page(score: Score, path: Path) -> None:
    """Write the page, whole or not at all."""
    write_text(path, render_page(score))


def render_page(score: Score) -> str:
    """Give the page as HTML; it needs nothing beside it."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    rooms = ("yoked.app.scores", "yoked.app.reports")
    pages = Environment(
        loader=ChoiceLoader([PackageLoader(room) for room in rooms]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = score.table()
    return pages.get_template("score.html").render(
        made_at=utc_now(),
        pictures=[as_svg(ranking(score, name)) for name in protocols(score)],
        cards=[_shown(each, score) for each in score.cards],
        titles=list(rows[0]),
        rows=[list(row.values()) for row in rows],
    )


def _shown(card: Card, score: Score) -> dict[str, Any]:
    """Give what the page shows of an observer."""
    return {
        "name": card.observer,
        "is_reference": card.observer in score.references,
        "weights_hash": card.weights_hash,
        "clauses": [each.clause for each in card.tasks],
        "picture": as_svg(alone(card)),
        "people": [_person(each) for each in card.people],
    }


def _person(person: PersonScore) -> dict[str, Any]:
    """Give a person's noise, differences, read-out, and what could not be had."""
    said = [] if person.match is None else [person.match.sentence]
    for than, name in (("ideal", person.ideal), ("circuit", person.circuit)):
        found = person.to_ideal if than == "ideal" else person.to_circuit
        told = [f"{each.measure} {each.difference.short()}" for each in found]
        if told:
            said.append(f"Less {name}: {', '.join(told)}.")
    if (readout := person.readout) is not None:
        said.append(
            f"A read-out fitted to {person.person}: kappa {readout.features.short()} "
            f"of {readout.n_units} features, {readout.pixels.short()} of pixels, "
            f"difference {readout.difference.short()}."
        )
    if person.n_left_out:
        said.append(f"{person.n_left_out:,} trials that it had learnt are left out.")
    reasons = [
        f"{depth.name}: {depth.share.note}"
        for depth in person.depths
        if depth.share.value is None
    ]
    reasons += [f"{name}: {why}" for name, why in person.missing.items()]
    return {"name": person.person, "said": said, "missing": reasons}

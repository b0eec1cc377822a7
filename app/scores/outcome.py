"""The files of a score: page, pictures, JSON and CSV."""

from pathlib import Path

from ...analysis.agreement.profile import NAMES
from ...analysis.trials.estimate import Estimate
from ..figures import write_figure
from ..files import write_text
from ..output import Row, as_csv, as_json
from .card import PersonScore, Score
from .page import write_page
from .pictures import protocols, ranking


def write_score(score: Score, folder: Path) -> Path:
    """Write all of them into a folder, which is made; give the page."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "score.json", as_json(score) + "\n")
    write_text(folder / "score.csv", as_csv(numbers(score)))
    for name in protocols(score):
        write_figure(folder / f"{name}.svg", ranking(score, name))
    write_page(score, folder / "score.html")
    return folder / "score.html"


def numbers(score: Score) -> list[Row]:
    """Give a row for each number of an observer and a person, and of means."""
    rows: list[Row] = []
    for card in score.cards:
        for task in card.tasks:
            of = {"observer": card.observer, "protocol": task.protocol}
            for person in task.people:
                who = {**of, "person": person.person, "session": person.session}
                rows += [{**who, **each} for each in _of_person(person)]
            means = zip(NAMES, task.means, strict=True)
            who = {**of, "person": "mean", "session": None}
            rows += [{**who, **_row(f"{name}, share", m)} for name, m in means]
    return rows


def _of_person(person: PersonScore) -> list[Row]:
    rows: list[Row] = []
    for depth in person.depths:
        for part in ("share", "ceiling", "correlation"):
            rows.append(_row(f"{depth.name}, {part}", getattr(depth, part)))
    rows.append(_row("kappa", person.kappa))
    if person.match is not None:
        rows.append(_row("internal noise (gamma)", person.match.internal_noise))
        rows.append(_row("agreement of the person", person.match.agreement))
    for reference, found in (
        (person.ideal, person.to_ideal),
        (person.circuit, person.to_circuit),
    ):
        for each in found:
            rows.append(_row(f"{each.measure}, less {reference}", each.difference))
    if (readout := person.readout) is not None:
        for part in ("features", "pixels", "difference"):
            rows.append(_row(f"read-out, {part}", getattr(readout, part)))
    return rows


def _row(quantity: str, estimate: Estimate) -> Row:
    return {"quantity": quantity, **estimate.to_dict()}

"""Pictures of a score: all observers in one, and each by itself."""

from typing import TYPE_CHECKING

from ...analysis.plot.shares import ShareRow, draw_shares
from .card import Card, Score, TaskScore

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def ranking(score: Score, protocol: str) -> "Figure":
    """Draw everybody who did a task, the closest in responses above."""
    cards = [
        (card, task)
        for card in score.cards
        for task in card.tasks
        if task.protocol == protocol
    ]
    cards.sort(key=lambda each: _nearness(each[1]))
    rows = [_row(card, task, score.references) for card, task in cards]
    rows += [
        ShareRow(f"{pair.one} and {pair.other}", "people", [pair.shares])
        for pair in score.people
        if pair.protocol == protocol
    ]
    return draw_shares(rows, f"How close to people: {protocol}")


def _nearness(task: TaskScore) -> float:
    value = task.headline(0).value
    return 1.0 if value is None else -value  # who cannot be told comes last


def protocols(score: Score) -> list[str]:
    """List the tasks of a score."""
    found = [task.protocol for card in score.cards for task in card.tasks]
    return list(dict.fromkeys(found))


def alone(card: Card) -> "Figure":
    """Draw an observer by itself: a row for each person."""
    rows = [ShareRow(each.person, "observer", [each.shares]) for each in card.people]
    return draw_shares(rows, card.observer)


def _row(card: Card, task: TaskScore, references: tuple[str, ...]) -> ShareRow:
    kind = "reference" if card.observer in references else "observer"
    shares = [each.shares for each in task.people]
    return ShareRow(
        card.observer, kind, shares, task.means if task.n_people > 1 else None
    )

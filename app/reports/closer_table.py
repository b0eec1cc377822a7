"""Which model is closer to an observer: a sentence for each question, and a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from ...analysis.agreement.closeness import MEASURES, QUESTIONS
from ...analysis.agreement.closer import Closer, ModelDifference
from .columns import bold
from .numbers import interval, p_value, prose
from .tables import Column, Shown, Table, absent, table

NAMES = {
    "latent": "latent correlation",
    "kappa": "error consistency κ",
    "share": "share of the ceiling",
    "kernel": "first-order kernel",
}
MEANINGS = {
    "latent": "of the decision variables behind the responses",
    "kappa": "equal correctness beyond what both accuracies make by chance",
    "share": "latent correlation as a share of what internal noise leaves of it",
    "kernel": "correlation of first-order kernels, without the noise of estimation",
}


@dataclass(frozen=True)
class CloserShown:
    """What a page shows of one observer and several models.

    Attributes
    ----------
    observer
        Whose trials they are.
    sentences
        Pairs of a question and its answer.
    table
        A row for each pair of models; None where nothing could be compared.
    """

    observer: str
    sentences: tuple[tuple[str, str], ...]
    table: Table | None


def closer_shown(found: Closer) -> CloserShown:
    """Show which models are closer to an observer, by every measure."""
    questions = dict.fromkeys(QUESTIONS.values())
    said = ((each, _answer(found, each)) for each in questions)
    return CloserShown(found.reference_observer, tuple(said), _table(found))


def _answer(found: Closer, question: str) -> str:
    """Say who is closer where at least one measure tells and none tells otherwise."""
    measures = [name for name in MEASURES if QUESTIONS[name] == question]
    told: list[tuple[str, str, str]] = []
    untold, unknown = [], []
    for pair in combinations(found.models, 2):
        known = [each for name in measures if (each := _of(found, name, pair))]
        by = [each for each in known if each.closer]
        if not known:
            unknown.append(pair)
        elif len({each.closer for each in by}) != 1:
            untold.append(pair)
        else:
            is_alone = len(by) < len(measures)
            alone = f" (by the {NAMES[by[0].measure]} alone)" if is_alone else ""
            winner = by[0].closer or ""
            told.append((winner, pair[pair[0] == winner], alone))
    parts = _ranked(told)
    if untold:
        parts.append(f"of {_pairs(untold)} it cannot be told")
    if unknown:
        parts.append(f"{_incomparable(unknown)} cannot be compared (why: below)")
    return "; ".join(parts)


def _ranked(told: Sequence[tuple[str, str, str]]) -> list[str]:
    """Say who is closer than whom, in as few clauses as there can be."""
    by_winner: dict[tuple[str, str], list[str]] = {}
    by_loser: dict[tuple[str, str], list[str]] = {}
    for winner, loser, alone in told:
        by_winner.setdefault((winner, alone), []).append(loser)
        by_loser.setdefault((loser, alone), []).append(winner)
    if len(by_winner) <= len(by_loser):
        return [f"{w} is closer than {_and(n)}{by}" for (w, by), n in by_winner.items()]
    return [
        f"{_and(n)} {'are' if n[1:] else 'is'} closer than {loser}{by}"
        for (loser, by), n in by_loser.items()
    ]


def _incomparable(pairs: Sequence[tuple[str, str]]) -> str:
    """Name the model that no pair is without, or else the pairs."""
    common = set(pairs[0]).intersection(*pairs[1:]) if pairs[1:] else set()
    return common.pop() if common else _pairs(pairs)


def _of(found: Closer, measure: str, pair: tuple[str, str]) -> ModelDifference | None:
    """Find the difference of a pair of models in a measure."""
    for each in found.differences:
        if each.measure == measure and (each.one, each.other) == pair:
            return each
    return None


def _table(found: Closer) -> Table | None:
    def of(measure: str) -> Callable[[Any], Shown]:
        return lambda pair: _cell(found, measure, pair)

    return table(
        [
            Column("models", "", lambda pair: Shown(bold(" less ".join(pair)))),
            *(
                Column(NAMES[name], f"{MEANINGS[name]}: {QUESTIONS[name]}", of(name))
                for name in MEASURES
            ),
        ],
        list(combinations(found.models, 2)),
    )


def _cell(found: Closer, measure: str, pair: tuple[str, str]) -> Shown:
    from markupsafe import Markup

    each = _of(found, measure, pair)
    if each is None:
        missing = found.missing
        keys = (f"{measure}: {pair[0]}", f"{measure}: {pair[1]}", measure, "closeness")
        why = [missing[key] for key in keys if key in missing]
        why += [str(fault) for fault in found.faults.values()]
        return absent(why[0] if why else "there is no value for both")
    value = interval(each.difference)
    if each.difference.value is None:
        value = Markup("of unknown size")
    told = Markup("<b>{}</b>").format(each.closer) if each.closer else "cannot be told"
    p = f"p {p_value(each.p_max_t)}, Holm {p_value(each.p_holm)}"
    text = Markup(
        '{}<br class="line">{}<br class="line"><span class="interval">{}</span>'
    ).format(told, value, p)
    return Shown(text, prose(each.difference.note or ""))


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return ", ".join(" and ".join(pair) for pair in pairs)


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]


def closer_renamed(found: Closer, names: Mapping[str, str]) -> Closer:
    """Give observer and models the names that the page has for their sessions."""
    models = [names[session] for session in found.sessions]
    shown = dict(zip(found.models, models, strict=True))
    missing = {}
    for key, why in found.missing.items():
        measure, is_of, model = key.partition(": ")
        missing[f"{measure}: {shown[model]}" if is_of else key] = why
    return replace(
        found,
        reference_observer=names[found.reference],
        models=tuple(models),
        missing=missing,
        differences=tuple(
            replace(each, one=shown[each.one], other=shown[each.other])
            for each in found.differences
        ),
    )

"""The Methods paragraph of a paper, from what the trial log and the analysis hold.

Sentences that a laboratory can paste: design, who took part, what was left out, what
the numbers rest on, which formulas made them, and what repeats them. Participants are
counted, never named; sessions are known by the seed of their noise. A formula is named
only where it made a number that a paper would report.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from ...analysis.agreement.pairs import shared_pairs
from ...analysis.sessions.depths import Depths
from ...analysis.trials.estimate import Estimate
from ...experiments.protocols.image_kinds import images_of
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.same_stimuli import by_stimuli
from ...experiments.session.results import SessionData
from .methods_comparison import comparison_sentences

TASKS = {
    "2afc": "two-alternative forced choice",
    "mafc": "forced choice among several alternatives",
    "yes_no": "yes/no",
    "identify": "identification of one of several patterns",
    "rating": "rating",
}
PLACES = {"web": "online", "lab": "in the laboratory"}
NOISE = {"gaussian": "Gaussian", "binary": "binary", "uniform": "uniform"}


def _moves(each: Depths) -> bool:
    """Whether the values to read are those given the course of the criterion."""
    course = each.zero.course
    return course is not None and course.first == "conditional"


def _is_exact(each: Depths) -> bool:
    law = each.one and each.one.decision_law
    return law is not None and law.law == "exact"


def _keeps_linear_part(each: Depths) -> bool:
    return each.two is not None and each.two.without_linear_part is None


CONDITIONAL = "zero.course.conditional"
# What a paper reports, where it stands in the analysis, and of which sessions.
REPORTED: tuple[tuple[str, str, Callable[[Depths], bool]], ...] = (
    ("d'", "summary.pooled.dprime", lambda _: True),
    ("criterion", "summary.pooled.criterion", lambda _: True),
    ("proportion correct", "summary.pooled.proportion_correct", lambda _: True),
    ("agreement of passes", "summary.pooled.agreement", lambda _: True),
    ("internal noise", "summary.pooled.internal_noise.gamma", lambda _: True),
    ("d' given the course of the criterion", f"{CONDITIONAL}.dprime", _moves),
    ("internal noise given it", f"{CONDITIONAL}.internal_noise.gamma", _moves),
    ("internal noise by the exact law", "one.decision_law.gamma", _is_exact),
    ("lapse rate", "zero.lapse_rate", lambda _: True),
    ("efficiency", "zero.efficiency.pooled", lambda _: True),
    ("threshold", "zero.psychometric.threshold", lambda _: True),
    ("area under the ROC", "zero.roc.auc", lambda _: True),
    ("weighted-sum kernel", "one.weighted_sum", lambda _: True),
    ("fitted kernel", "one.fitted", lambda _: True),
    ("its unshrunken intervals", "one.fitted.unshrunken", lambda _: True),
    ("linear share", "one.linear_share.linear", lambda _: True),
    ("second-order kernel", "two.kernel", lambda _: True),
    ("second-order eigenvalues", "two.without_linear_part", lambda _: True),
    ("second-order eigenvalues", "two.spectrum", _keeps_linear_part),
    ("gain of a second order", "two.quadratic.gain", lambda _: True),
    ("cascade", "two.signature", lambda _: True),
)
MOST_SEEDS = 40


def methods_paragraph(
    sessions: Sequence[SessionData],
    found: Sequence[Depths],
    seed: int = 0,
    comparison: Iterable[str] = (),
) -> str:
    """Return a Methods paragraph about sessions with the same stimuli.

    Parameters
    ----------
    sessions, found
        Sessions, and the analysis of each.
    seed
        Of the analysis's permutations, folds and simulations.
    comparison
        Sentences on how observers were compared.

    Raises
    ------
    ValueError
        If there is no session, or their stimuli differ.
    """
    if not sessions:
        raise ValueError("sessions must be one or more, got none")
    kinds = by_stimuli(sessions, lambda each: each.protocol)
    if len(kinds) > 1:
        rule = "of the same stimuli for one paragraph"
        raise ValueError(f"sessions must be {rule}, got {len(kinds)} kinds")
    parts = [
        _design(sessions[0].protocol),
        *_who(sessions),
        *_trials(found),
        *_formulas(found),
        *comparison,
        *_repeat(sessions, seed),
    ]
    return " ".join(parts)


def paragraphs(
    sessions: Sequence[SessionData], found: Sequence[Depths], seed: int = 0
) -> str:
    """Return a paragraph for each kind of stimuli, an empty line between them."""
    both = list(zip(sessions, found, strict=True))
    texts = []
    for group in by_stimuli(both, lambda each: each[0].protocol):
        ours, analyses = zip(*group, strict=True)
        said = comparison_sentences(shared_pairs(ours))
        texts.append(methods_paragraph(ours, analyses, seed, said))
    return "\n\n".join(texts) + "\n"


def _design(protocol: Protocol) -> str:
    frames, rows, columns = protocol.noise.grid
    what = "fields" if frames == 1 else f"movies of {frames} frames"
    cut = protocol.noise.truncate_sd
    cut_off = f", cut off at {cut:g} SD" if cut else ""
    noise = NOISE.get(protocol.noise.kind, "other")
    basis = ""
    if protocol.noise.basis is not None:
        n_images = images_of(protocol.noise.basis, protocol.noise.grid).n
        basis = f" (the sum of {n_images} images with random coefficients)"
    target = "a target" if protocol.signal.kind == "unknown" else "the target"
    what_was = f"{target} was shown in"
    if not protocol.task.has_target:
        what_was = "no response was correct; what was judged was shown in"
        if protocol.task.is_forced_choice:
            what_was = "two alternatives, neither of them correct, were shown in"
            if protocol.task.n_intervals > 2:
                what_was = "alternatives, none of them correct, were shown in"
    return (
        f"The task ({protocol.name}) was {TASKS[protocol.task.kind]}: {what_was}"
        f" {noise} noise{basis} with an SD of {protocol.noise.sd:g} contrast"
        f"{cut_off}, {what} of {rows} x {columns} elements (rows x columns)"
        f" {protocol.display.deg_per_element:.3g} degrees of visual angle wide."
    )


def _who(sessions: Sequence[SessionData]) -> Iterator[str]:
    """Say who took part, by where their sessions are from."""
    for place, ours in _by_presenter(sessions).items():
        n, people = len(ours), len({s.observer for s in ours})
        if place == "model":
            listed = ", ".join(
                f"{name} ({_count(k, 'session')})" if k > 1 else name
                for name, k in Counter(s.observer for s in ours).items()
            )
            yield f"{_capital(_count(n, 'session'))} of models: {listed}."
        elif place == "import":
            who = "an observer" if people == 1 else f"{people} observers"
            yield f"{_capital(_count(n, 'session'))} of {who} came from imported data."
        else:
            who = _count(people, "participant")
            where = PLACES.get(place, place)
            yield f"{_capital(who)} took part {where} in {_count(n, 'session')}."
    unfinished = sum(session.status != "finished" for session in sessions)
    if unfinished:
        verb = "was" if unfinished == 1 else "were"
        yield f"{_capital(_count(unfinished, 'session'))} {verb} not finished."
    broken = sum(bool(session.screened_out) for session in sessions)
    if broken:
        verb = "breaks" if broken == 1 else "break"
        still = "is" if broken == 1 else "are"
        yield (
            f"{_capital(_count(broken, 'session'))} {verb} a rule of the protocol's"
            f" screening and {still} in these numbers all the same."
        )


def _by_presenter(
    sessions: Sequence[SessionData],
) -> Mapping[str, list[SessionData]]:
    found: dict[str, list[SessionData]] = {}
    for session in sessions:
        found.setdefault(session.row.presenter, []).append(session)
    return found


def _trials(found: Sequence[Depths]) -> Iterator[str]:
    """Say what was left out, and what is left."""
    ours = [each.summary for each in found]
    n, counted, pairs = (
        sum(getattr(s, name) for s in ours)
        for name in ("n_trials", "n_counted", "n_pairs")
    )
    anticipated = sum(s.quality.n_anticipations for s in ours)
    excluded = sum(s.n_excluded for s in ours)
    early = f", {anticipated} of them as anticipations" if anticipated else ""
    reasons = [
        (excluded, f"excluded{early}"),
        (sum(s.n_invalid for s in ours), "not shown as asked"),
        (sum(s.n_missing for s in ours), "without a response"),
    ]
    out = [f"{k} {why}" for k, why in reasons if k]
    trials = _count(n, "main trial")
    if out:
        yield f"Of {trials} in the log, {_and(out)} did not enter the analysis."
    else:
        yield f"No main trial was left out ({trials})."
    each = "" if len(ours) == 1 else f" ({_range([s.n_counted for s in ours])} each)"
    twice = f", among them {_count(pairs, 'pair')} of showings" if pairs else ""
    yield f"The analysis rests on {_count(counted, 'trial')}{each}{twice}."


def _formulas(found: Sequence[Depths]) -> Iterator[str]:
    """Name the formulas of the numbers that there are."""
    made: dict[str, list[str]] = {}
    for word, path, is_reported in REPORTED:
        for each in filter(is_reported, found):
            formula = _formula(each, path)
            if formula is not None and formula not in made.get(word, ()):
                made.setdefault(word, []).append(formula)
    if made:
        named = "; ".join(f"{word}, {_and(each)}" for word, each in made.items())
        yield (
            f"Numbers are by these formulas of Yoked, with their versions: {named}."
            " Intervals are 95 % confidence intervals."
        )


def _formula(each: Depths, path: str) -> str | None:
    """Return the formula of a number or kernel; None where there is none."""
    found: Any = each
    for name in path.split("."):
        if found is None:
            return None
        found = getattr(found, name)
    if isinstance(found, Estimate) and found.value is found.low is found.high is None:
        return None
    return None if found is None else found.formula


def _repeat(sessions: Sequence[SessionData], seed: int) -> Iterator[str]:
    """Give what repeats every number."""
    drawn = [s for s in sessions if not s.row.noise_source.startswith("stored:")]
    if drawn:
        yield _seeds([str(session.seed) for session in drawn], "the noise")
    if len(drawn) < len(sessions):
        of = f" of {_count(len(sessions) - len(drawn), 'session')}" if drawn else ""
        yield f"The noise{of} is stored with the trials."
    internal = [
        str(s.row.observer_seed) for s in sessions if s.row.observer_seed is not None
    ]
    if internal:
        yield _seeds(internal, "the models' own noise")
    ran = list(dict.fromkeys(_software(session.row.software) for session in sessions))
    stimulus = _and(list(dict.fromkeys(s.protocol.stimulus_hash for s in sessions)))
    yield (
        f"Trials were logged by {_and(ran)} and analysed by Yoked {version('yoked')}"
        f" with seed {seed}; stimulus hash {stimulus}."
    )


def _seeds(seeds: Sequence[str], of: str) -> str:
    few = ", ".join(seeds[:MOST_SEEDS])
    more = f" and {len(seeds) - MOST_SEEDS} more" if len(seeds) > MOST_SEEDS else ""
    return f"{'Seed' if len(seeds) == 1 else 'Seeds'} of {of}: {few}{more}."


def _software(name: str) -> str:
    return re.sub(r"^yoked\b", "Yoked", name)


def _count(n: int, word: str) -> str:
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _and(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"

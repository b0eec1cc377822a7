"""The Methods paragraph of a paper, from what the trial log and the analysis hold.

Sentences that a laboratory can paste: design, who took part, what was left out, what
the numbers rest on, which formulas made them, and what repeats them. Participants are
counted, never named; sessions are known by the seed of their noise.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version

from ...analysis.sessions.depths import Depths
from ...experiments.protocols.protocol import Protocol
from ...experiments.session.results import SessionData
from .formulas import formulas

TASKS = {
    "2afc": "two-alternative forced choice",
    "mafc": "forced choice among several alternatives",
    "yes_no": "yes/no",
    "rating": "rating",
}
PLACES = {"web": "online", "lab": "in the laboratory"}
NOISE = {"gaussian": "Gaussian", "binary": "binary", "uniform": "uniform"}
NAMED = (  # of the formulas, by the key of the plain form: what a paper reports
    ("dprime", "d'"),
    ("criterion", "criterion"),
    ("proportion_correct", "proportion correct"),
    ("agreement", "agreement of passes"),
    ("gamma", "internal noise"),
    ("efficiency", "efficiency"),
    ("threshold", "threshold"),
    ("weighted_sum", "weighted-sum kernel"),
    ("fitted", "fitted kernel"),
    ("linear", "linear share"),
    ("spectrum", "second-order eigenvalues"),
)
MOST_SEEDS = 40


def methods_paragraph(
    sessions: Sequence[SessionData], found: Sequence[Depths], seed: int = 0
) -> str:
    """Return a Methods paragraph about sessions with the same stimuli.

    Parameters
    ----------
    sessions, found
        Sessions, and the analysis of each.
    seed
        Of the analysis's permutations, folds and simulations.

    Raises
    ------
    ValueError
        If there is no session, or their stimuli differ.
    """
    if not sessions:
        raise ValueError("sessions must be one or more, got none")
    hashes = {session.protocol.stimulus_hash for session in sessions}
    if len(hashes) > 1:
        rule = "of the same stimuli for one paragraph"
        raise ValueError(f"sessions must be {rule}, got {len(hashes)} kinds")
    parts = [
        _design(sessions[0].protocol),
        *_who(sessions),
        *_trials(found),
        *_formulas(found),
        *_repeat(sessions, seed),
    ]
    return " ".join(parts)


def paragraphs(
    sessions: Sequence[SessionData], found: Sequence[Depths], seed: int = 0
) -> str:
    """Return a paragraph for each kind of stimuli, an empty line between them."""
    groups: dict[str, list[tuple[SessionData, Depths]]] = {}
    for session, each in zip(sessions, found, strict=True):
        groups.setdefault(session.protocol.stimulus_hash, []).append((session, each))
    texts = (
        methods_paragraph([s for s, _ in group], [d for _, d in group], seed)
        for group in groups.values()
    )
    return "\n\n".join(texts) + "\n"


def _design(protocol: Protocol) -> str:
    frames, rows, columns = protocol.noise.grid
    what = "fields" if frames == 1 else f"movies of {frames} frames"
    cut = protocol.noise.truncate_sd
    cut_off = f", cut off at {cut:g} SD" if cut else ""
    noise = NOISE.get(protocol.noise.kind, "other")
    target = "a target" if protocol.signal.kind == "unknown" else "the target"
    return (
        f"The task ({protocol.name}) was {TASKS[protocol.task.kind]}: {target} was"
        f" shown in {noise} noise with an SD of {protocol.noise.sd:g} contrast"
        f"{cut_off}, {what} of {rows} x {columns} elements (rows x columns)"
        f" {protocol.display.deg_per_element:g} degrees of visual angle wide."
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
    """Name the formulas that a paper's numbers are from."""
    known: dict[str, list[str]] = {}
    for name, formula in formulas([each.to_dict() for each in found]):
        known.setdefault(name.replace(" ", "_"), []).append(formula)
    named = [f"{word} by {_and(known[key])}" for key, word in NAMED if key in known]
    if named:
        yield (
            f"Formulas, with their versions: {'; '.join(named)}. Intervals are 95 %"
            " confidence intervals."
        )


def _repeat(sessions: Sequence[SessionData], seed: int) -> Iterator[str]:
    """Give what repeats every number."""
    seeds = [str(session.seed) for session in sessions]
    few = ", ".join(seeds[:MOST_SEEDS])
    more = f" and {len(seeds) - MOST_SEEDS} more" if len(seeds) > MOST_SEEDS else ""
    word = "Seed" if len(seeds) == 1 else "Seeds"
    yield f"{word} of the noise: {few}{more}."
    internal = [
        str(s.row.observer_seed) for s in sessions if s.row.observer_seed is not None
    ]
    if internal:
        word = "Seed" if len(internal) == 1 else "Seeds"
        yield f"{word} of the models' own noise: {', '.join(internal[:MOST_SEEDS])}."
    ran = list(dict.fromkeys(_software(session.row.software) for session in sessions))
    stimulus = sessions[0].protocol.stimulus_hash
    yield (
        f"Trials were logged by {_and(ran)} and analysed by Yoked {version('yoked')}"
        f" with seed {seed}; stimulus hash {stimulus}."
    )


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

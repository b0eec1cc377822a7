"""How a table was probably coded otherwise: what is odd though every cell is allowed.

Where it may be right it is a note that says how to say so; where it cannot be, the
table is refused.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from ..store.trial import Response, TrialSpec
from .table_cells import TableColumns

_TOO_FAST_MS = 10.0  # no median response time of anybody
_SD_BELOW_CHANCE = 3.0
_NO_CHANCE = 1e-6
_ENOUGH = 50  # trials, and pairs, to tell targets that mean nothing
_SD_OF_CHANCE, _SD_OF_AGREEMENT = 2.0, 4.0
_MANY = 0.95  # of the responses: then the noise has little to do with them
_TRIALS_A_CODE = 5  # after as many, a code that never came is odd


def counting_notes(columns: TableColumns, rows: Sequence[int]) -> list[str]:
    """Say which columns of an observer may count from 1, and of one target only."""
    told = columns.settings.counted_from
    notes = []
    if "stimulus_id" not in told and columns.has_ids and 0 not in columns.stimulus_id:
        notes.append(_about_ids(columns))
    target = [columns.target[row] for row in rows]
    said = [code for row in rows if (code := columns.response[row]) is not None]
    n_targets, n_responses = columns.task.n_targets, len(columns.task.keys)
    if len(set(target)) == 1 and len(target) > 1 and columns.task.has_target:
        notes.append(
            f"every target is {target[0]}: with one target only there is no d', and "
            "what was seen cannot be told from a preference for a response"
        )
    elif "target" not in told and n_targets > 2 and _is_odd(target, n_targets):
        notes.append(_from_1(columns, "target", n_targets))
    if "response" not in told and _is_odd(said, n_responses):
        notes.append(_from_1(columns, "response", n_responses))
    return notes


def choice_notes(columns: TableColumns, rows: Sequence[int]) -> list[str]:
    """Say it where nearly all responses of a task without a target are one."""
    said = Counter(columns.response[row] for row in rows)
    del said[None]
    ((code, n),) = said.most_common(1)
    share = n / said.total()
    if share < _MANY:
        return []
    name = columns.named("response")
    return [f"{share:.0%} of {name} are {code}: are they coded as they should be?"]


def _is_odd(codes: Sequence[int], n: int) -> bool:
    return len(codes) >= _TRIALS_A_CODE * n and 0 not in codes


def _about_ids(columns: TableColumns) -> str:
    name = columns.named("stimulus_id")
    return (
        f"no {name} is 0, and the largest is {max(columns.stimulus_id)}: if they count "
        f"from 1, each trial has the noise of another; {_ways_out('stimulus_id')}"
    )


def _from_1(columns: TableColumns, column: str, n: int) -> str:
    return (
        f"no {columns.named(column)} is 0, of 0 to {n - 1}: if they count from 1, "
        f"{_ways_out(column)}"
    )


def _ways_out(column: str) -> str:
    return (
        f"--counted-from {column}=1 reads them so, and --counted-from {column}=0 says "
        "that they are right"
    )


def time_notes(columns: TableColumns, rows: Sequence[int]) -> list[str]:
    """Say it if response times look like seconds."""
    times = [t for row in rows if (t := columns.rt_ms[row]) is not None]
    if columns.settings.rt_unit is not None or not times:
        return []
    typical = median(times)
    if not 0 < typical < _TOO_FAST_MS:
        return []
    return [
        f"{columns.named('rt_ms')} has a median of {typical:.3g} ms: if these are "
        "seconds, --rt-unit s reads them so, and --rt-unit ms says that they are right"
    ]


def target_notes(
    columns: TableColumns, trials: Sequence[tuple[TrialSpec, Response]]
) -> list[str]:
    """Say it if responses follow the stimulus, but not the target.

    Then the targets may have been drawn by somebody whom a target was asked for.
    """
    if columns.task.kind == "mafc" or not columns.task.has_target:
        return []
    answered = [(spec.target, said.response) for spec, said in trials]
    right = [target == said for target, said in answered if said is not None]
    pairs = _pairs(trials)
    if len(right) < _ENOUGH or len(pairs) < _ENOUGH:
        return []
    (share, chance), n = _agreement(pairs), len(right)
    if abs(sum(right) - n / 2) > _SD_OF_CHANCE * n**0.5 / 2:
        return []
    if share < chance + _SD_OF_AGREEMENT * (chance * (1 - chance) / len(pairs)) ** 0.5:
        return []
    return [
        f"{sum(right) / n:.0%} of the responses are right, as by chance, but "
        f"{share:.0%} of {len(pairs)} second showings got the response of the first: "
        "if no response is correct, --no-target says so"
    ]


def _pairs(trials: Sequence[tuple[TrialSpec, Response]]) -> list[tuple[int, int]]:
    """Give the two responses to every stimulus that was shown again."""
    return [
        (first, response.response)
        for spec, response in trials
        if spec.repeats is not None
        and (first := trials[spec.repeats][1].response) is not None
        and response.response is not None
    ]


def _agreement(pairs: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Give how often two passes agree, and how often they would by chance."""
    n = len(pairs)
    first, second = (Counter(said) for said in zip(*pairs, strict=True))
    chance = sum(first[code] * second[code] for code in first) / n**2
    return sum(one == other for one, other in pairs) / n, chance


def pass_notes(
    observer: str, trials: Sequence[tuple[TrialSpec, Response]]
) -> list[str]:
    """Say it if responses to stimuli shown again agree far less than by chance.

    Chance is what two independent passes with these responses would agree by.

    Raises
    ------
    ValueError
        If they agree in no trial, and that cannot be chance.
    """
    pairs = _pairs(trials)
    n = len(pairs)
    if not n:
        return []
    share, chance = _agreement(pairs)
    if share == 0 and (1 - chance) ** n < _NO_CHANCE:
        rule = f"responses of {observer} to {n} second showings must agree with the"
        why = "the keys were the other way round in one pass"
        raise ValueError(f"{rule} first in some trial, got none; {why}")
    sd = (chance * (1 - chance) / n) ** 0.5
    if share >= chance - _SD_BELOW_CHANCE * sd:
        return []
    return [
        f"only {share:.0%} of {n} second showings got the response of the first, and "
        f"by chance it is {chance:.0%}: were the keys the other way round in one pass?"
    ]

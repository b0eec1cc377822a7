"""What Farahat & Vinck claim, as signs of differences between networks.

A pair is two networks of one seed that differ in one control alone. Their paper is not
at hand: claims are those that its authors' public thread has, by its numbers [1]_; how
each is tested is ours.

References
----------
.. [1] Farahat & Vinck, Neural responses in early, but not late, visual cortex are well
   predicted by random-weight CNNs with sufficient model complexity; told by its authors
   in a public thread.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from ...analysis.trials.estimate import Estimate
from ...analysis.trials.grouped_correlation import grouped_correlation
from ...analysis.trials.result import Cells, Result, short
from ...analysis.trials.sign_test import sign_test
from .control_outcome import Record, control_of, names_of
from .control_recordings import BEFORE, ENCODING, LEARNT

FORMAT = "yoked-control-claims/1"  # of the plain form, which docs/json.md describes
_OTHERS = ("tanh", "elu", "linear")
_RICH = "ReLU or max-pooling"
Key = tuple[str, str, str, int]  # weights, activation, pooling, seed
Kind = tuple[str, str, int]  # the same without weights


@dataclass(frozen=True, eq=False)
class ControlClaim(Result):
    """A claim, and what came out.

    Attributes
    ----------
    claim
        Its number in the thread; (4) is of complexity.
    says
        What a positive difference is, in words.
    measure
        What is compared.
    share
        Of differences that are positive; or, of (4), the correlation.
    chance, p
        The share if nothing differs, and the exact two-sided p; NaN of a correlation.
    median
        Of the differences.
    """

    claim: str
    says: str
    measure: str
    share: Estimate
    chance: float
    p: float
    median: Estimate

    def parts(self) -> dict[str, Any]:
        """Give the fields, and the format of all of them first."""
        return {"format": FORMAT, **super().parts()}

    def table(self) -> list[Cells]:
        """Give one row."""
        share = self.share
        is_count = share.value is not None and not math.isnan(self.chance)
        n_positive = round((share.value or 0.0) * share.n)
        return [
            {
                "claim": self.claim,
                "says": self.says,
                "of": self.measure,
                "so": f"{n_positive} of {share.n}" if is_count else share.short(),
                "chance": short(self.chance),
                "p": short(self.p),
                "median difference": self.median.short(),
            }
        ]


def claims_of(records: Sequence[Record]) -> list[ControlClaim]:
    """Test every claim that the records have the networks for."""
    known = _Known(records)
    found = [
        *_of_activations(known, "10", "similarity"),
        *_of_activations(known, "12", "texture"),
        *_of_complexity(records),
        *_of_recordings(
            known, [n for n in names_of(records) if n.startswith(ENCODING)]
        ),
        *_of_learnt(known, [n for n in names_of(records) if n.startswith(LEARNT)]),
    ]
    return [each for each in found if each is not None]


class _Known:
    """Values of networks, by measure and which network it is."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._values = {
            (name, (*control_of(record), record["seed"])): each["value"]
            for record in records
            for name, each in record.get("measures", {}).items()
            if each["value"] is not None
        }
        self.places = sorted({(key[2], key[3]) for _, key in self._values})

    def value(self, name: str, key: Key) -> float | None:
        return self._values.get((name, key))

    def gain(self, name: str, before: str, key: Key) -> float | None:
        """Give what a network has of one measure less what it has of another."""
        both = self.value(name, key), self.value(before, key)
        return None if None in both else both[0] - both[1]  # pyright: ignore[reportOperatorIssue, reportOptionalOperand]

    def difference(self, name: str, key: Key, others: Iterable[Key]) -> float | None:
        """Give a value less the largest of others; None where one is not known."""
        found = [self.value(name, each) for each in (key, *others)]
        if any(each is None for each in found):
            return None
        return found[0] - max(found[1:])  # pyright: ignore[reportOperatorIssue, reportArgumentType, reportReturnType]


def _claim(
    claim: str,
    says: str,
    measure: str,
    differences: Iterable[float | None],
    chance: float = 0.5,
) -> ControlClaim | None:
    """Test the signs of what is known; None where nothing is."""
    told = [each for each in differences if each is not None]
    if not told:
        return None
    found = sign_test(told, chance)
    return ControlClaim(
        claim, says, measure, found.share, chance, found.p, found.median
    )


def _of_activations(
    known: _Known, claim: str, measure: str
) -> Iterator[ControlClaim | None]:
    """Compare ReLU with others among networks of equal weights, then across weights."""

    def less(key: tuple[str, str], others: Sequence[tuple[str, str]]) -> list[Any]:
        return [
            known.difference(measure, (*key, *place), [(*o, *place) for o in others])
            for place in known.places
        ]

    for weights in ("trained", "random"):
        own = weights, "relu"
        others = [(weights, each) for each in _OTHERS]
        best = f"{weights} ReLU above the best of {weights} tanh, ELU, linear"
        yield _claim(claim, best, measure, less(own, others), 1 / 4)
        for each in others:
            says = f"{weights} ReLU above {weights} {_said(each[1])}"
            yield _claim(claim, says, measure, less(own, [each]))
    yield _claim(
        claim,
        "trained ReLU above random ReLU",
        measure,
        less(("trained", "relu"), [("random", "relu")]),
    )
    if claim == "10":
        for other in _OTHERS:
            yield _claim(
                claim,
                f"random ReLU above trained {_said(other)}",
                measure,
                less(("random", "relu"), [("trained", other)]),
            )


def _of_complexity(records: Sequence[Record]) -> Iterator[ControlClaim]:
    """Correlate complexity with the similarity of circular variance, over networks."""
    done = [
        record
        for record in records
        if all(
            record.get("measures", {}).get(name, {}).get("value") is not None
            for name in ("complexity", "similarity")
        )
    ]
    for weights in (None, "trained", "random", "shuffled"):
        some = [r for r in done if weights in (None, r["weights"])]
        if len(some) < 3:
            continue
        x, y = (
            [r["measures"][name]["value"] for r in some]
            for name in ("complexity", "similarity")
        )
        groups = [control_of(record) for record in some]
        yield ControlClaim(
            "4",
            f"complexity goes with it, over {weights or 'all'} networks",
            "similarity",
            grouped_correlation(x, y, groups),
            math.nan,
            math.nan,
            Estimate.missing("none/1", "a correlation has no differences"),
        )


def _of_recordings(
    known: _Known, recordings: Sequence[str]
) -> Iterator[ControlClaim | None]:
    """Say what training and shuffling do to what is foretold of each recording."""
    kinds, rich, poor = _kinds(known)

    def gains(name: str, other: str, some: Sequence[Any]) -> list[float | None]:
        return [
            known.difference(name, ("trained", *kind), [(other, *kind)])
            for kind in some
        ]

    for name in recordings:
        for words, some in ((f"with {_RICH}", rich), ("with neither", poor)):
            says = f"trained above random, {words}"
            yield _claim("3", says, name, gains(name, "random", some))
        says = "trained above shuffled"
        yield _claim("6", says, name, gains(name, "shuffled", kinds))
    for one, other in combinations(recordings, 2):
        both = zip(
            gains(other, "shuffled", kinds), gains(one, "shuffled", kinds), strict=True
        )
        costs = [None if a is None or b is None else a - b for a, b in both]
        names = [each.removeprefix(ENCODING) for each in (one, other)]
        says = f"shuffling costs {names[1]} more than {names[0]}"
        yield _claim("6", says, "encoding", costs)


def _of_learnt(known: _Known, measures: Sequence[str]) -> Iterator[ControlClaim | None]:
    """Say what learning a recording's responses alone does to those held out."""
    _, rich, poor = _kinds(known)
    for name in measures:
        before = BEFORE + name.removeprefix(LEARNT)
        for words, some in ((f"with {_RICH}", rich), ("with neither", poor)):
            keys = [("responses", *kind) for kind in some]
            gains = [known.gain(name, before, key) for key in keys]
            yield _claim("3", f"trained on it above untrained, {words}", name, gains)


def _kinds(known: _Known) -> tuple[list[Kind], list[Kind], list[Kind]]:
    """Give all kinds of networks, those with ReLU or max-pooling, and the others."""
    kinds = [
        (activation, *place)
        for activation in ("relu", *_OTHERS)
        for place in known.places
    ]
    rich = [kind for kind in kinds if kind[0] == "relu" or kind[1] == "max"]
    return kinds, rich, [kind for kind in kinds if kind not in rich]


def _said(activation: str) -> str:
    return {"elu": "ELU"}.get(activation, activation)

"""Which protocols show the same kind of stimuli, so that sessions may be compared."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from .protocol import Protocol

SD_TOLERANCE = (
    0.1  # relative; an import may declare an SD that far from the noise's own
)
_Thing = TypeVar("_Thing")


def same_stimuli(one: Protocol, other: Protocol) -> bool:
    """Tell whether two protocols show the same kind of stimuli.

    Their stimulus hashes are equal; or both are imports that differ in nothing but the
    SD of their noise, by at most 10 %. An import without a declared SD has that of its
    own sample, which no two samples of one design share.

    Examples
    --------
    >>> import yoked
    >>> bar = yoked.load_protocol("bar-in-noise")
    >>> same_stimuli(bar, bar.with_options(trials=100))
    True
    >>> same_stimuli(bar, yoked.load_protocol("bar-polarity"))
    False
    """
    if one.stimulus_hash == other.stimulus_hash:
        return True
    if {one.noise.source, other.noise.source} != {"stored"}:
        return False
    if abs(one.noise.sd - other.noise.sd) > SD_TOLERANCE * one.noise.sd:
        return False
    alike = replace(other, noise=replace(other.noise, sd=one.noise.sd))
    return one.stimulus_hash == alike.stimulus_hash


def by_stimuli(
    things: Sequence[_Thing], protocol_of: Callable[[_Thing], Protocol]
) -> list[list[_Thing]]:
    """Put what has the same kind of stimuli together, in the order given."""
    groups: list[list[_Thing]] = []
    for each in things:
        for group in groups:
            if same_stimuli(protocol_of(group[0]), protocol_of(each)):
                group.append(each)
                break
        else:
            groups.append([each])
    return groups

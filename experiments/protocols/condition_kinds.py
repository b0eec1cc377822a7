"""Which conditions have their draws in common, and which must not be pooled."""

from dataclasses import fields

from .protocol import Protocol


def sharing(protocol: Protocol) -> list[list[int]]:
    """Group the numbers of the conditions whose stimuli have the same draws.

    Those that differ in SD or contrast only: one noise field, at several SDs. What else
    a condition changes makes it a stimulus of its own.
    """
    groups: dict[str, list[int]] = {}
    for number, own in enumerate(protocol.resolved):
        parts = [f.name for f in fields(own) if f.name not in _OWN]
        key = repr([getattr(own, part) for part in parts])
        groups.setdefault(key, []).append(number)
    return list(groups.values())


_OWN = ("contrast", "noise", "condition")  # what may differ where draws are shared


def differ_in(protocol: Protocol) -> list[str]:
    """List what forbids pooling over conditions: 'noise SD', 'signal'.

    Examples
    --------
    >>> from yoked.experiments.protocols.files import load_protocol
    >>> differ_in(load_protocol("bar-in-noise"))
    []
    """
    noises = {each.noise for each in protocol.resolved}
    signals = {each.signal for each in protocol.resolved}
    scenes = {(each.places, each.cue) for each in protocol.resolved}
    found = {"noise SD": noises, "signal": signals, "places or cue": scenes}
    return [name for name, values in found.items() if len(values) > 1]

"""Rules of a protocol's conditions: each has trials, a name and values of its own."""

from collections.abc import Callable

from .checks import Faults, ProtocolError
from .conditions import CHANGEABLE
from .parts import Parts
from .scene import frame_shape_of


def check_conditions(protocol: Parts, resolved: Callable[[str], Parts]) -> None:
    """Raise ProtocolError with one sentence for every rule that conditions break.

    Parameters
    ----------
    protocol
        With its conditions.
    resolved
        Gives the protocol of a condition's name, or raises ProtocolError.
    """
    faults = Faults()
    names = [condition.name for condition in protocol.conditions]
    order = protocol.design.order
    if not names:
        rule = "left out without conditions"
        faults.unless(order == "interleaved", "design.order", rule, order)
        faults.raise_any()
        return
    faults.unless(len(names) >= 2, "conditions", "two or more, or none", names)
    twice = sorted({name for name in names if names.count(name) > 1})
    faults.unless(not twice, "conditions", "named differently", ", ".join(twice))
    source, rule = protocol.noise.source, "yoked-1 with conditions"
    faults.unless(source == "yoked-1", "noise.source", rule, source)
    _check_trials(protocol, faults)
    faults.raise_any()
    _check_each(protocol, resolved, faults)
    faults.raise_any()


def _check_trials(protocol: Parts, faults: Faults) -> None:
    """Every condition has trials, and room for its share of the double pass."""
    n, last = len(protocol.conditions), protocol.conditions[-1].name
    if protocol.design.order == "blocked":
        count = sum(b.n_blocks for b in protocol.blocks if b.kind == "main")
        rule = f"a multiple of the {n} conditions, or {last} has fewer than others"
        faults.unless(count % n == 0, "the number of main blocks", rule, count)
    trials = protocol.n_main_trials
    rule = f"one or more for each of {n} conditions, or {last} has none"
    faults.unless(trials >= n, "main trials", rule, trials)
    pairs, gap = protocol.double_pass.n_pairs, protocol.double_pass.min_gap
    most = n * max(0, (trials // n - gap) // 2)
    rule = f"at most {most}, half of each condition's main trials less min_gap"
    faults.unless(pairs <= most, "double_pass.n_pairs", rule, pairs)


def _check_each(
    protocol: Parts, resolved: Callable[[str], Parts], faults: Faults
) -> None:
    """Each condition is a protocol of its own, with its headroom and its grid."""
    seen: dict[str, str] = {}
    for condition in protocol.conditions:
        where = f"condition {condition.name!r}: "
        try:
            own = resolved(condition.name)
        except ProtocolError as error:
            faults.found += [where + fault for fault in error.faults]
            continue
        if own.noise.sd == 0 and own.contrast.highest_shown == 0:
            rule = "above 0 where noise.sd is 0, or there is nothing to see"
            faults.found.append(f"{where}contrast must be {rule}, got 0")
        shapes = frame_shape_of(own), frame_shape_of(protocol)
        if shapes[0] != shapes[1]:
            rule = "such that all scenes have one size; places.size_deg says which"
            got = " beside ".join(str(list(shape)) for shape in shapes)
            faults.found.append(f"{where}places must be {rule}, got {got}")
        kinds = repr([getattr(own, part) for part in CHANGEABLE])
        if kinds in seen:
            rule = f"different from {seen[kinds]!r}"
            faults.found.append(f"{where}it must be {rule}, got the same values")
        seen[kinds] = condition.name

"""Arms of a study: what a share of its participants does, and on which keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...experiments.protocols.checks import Faults, ProtocolError
from ...experiments.protocols.files import load_protocol
from ...experiments.protocols.keys import require_keys
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.sittings import SittingPlan, load_sittings
from ...experiments.session.procedures import require_procedures
from ...experiments.session.runnable import require_own_noise

MOST_WEIGHT = 100


@dataclass(frozen=True)
class Arm:
    """What a share of a study's participants does.

    Attributes
    ----------
    name
        In results and exports.
    protocols
        One for each sitting.
    weight
        Its share of participants, beside the weights of the other arms.
    plan
        The plan that its sittings are of; None for one sitting that no plan asks for.
    keys
        Of the responses, in the protocol's order, instead of the protocol's own.
    """

    name: str
    protocols: tuple[Protocol, ...]
    weight: int = 1
    plan: SittingPlan | None = None
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults = Faults()
        faults.unless(bool(self.name.strip()), "arm name", "a text", self.name)
        rule, fits = f"from 1 to {MOST_WEIGHT}", 1 <= self.weight <= MOST_WEIGHT
        faults.unless(fits, f"weight of arm {self.name}", rule, self.weight)
        faults.raise_any()
        for protocol in self.protocols:
            require_keys(_with_keys(protocol, self.keys))
            require_own_noise(protocol)
            require_procedures(protocol)


@dataclass(frozen=True)
class ArmInFile:
    """An arm as the file says it."""

    name: str = ""
    protocol: str = ""
    plan: str = ""
    keys: tuple[str, ...] = ()
    instructions: Mapping[str, str] = field(default_factory=dict)
    weight: int = 1


def load_arm(given: ArmInFile, folder: Path) -> Arm:
    """Load an arm's protocol or plan, and tell its participants what it says."""
    name = given.name or Path(given.protocol or given.plan).stem
    if bool(given.protocol) == bool(given.plan):
        got = "both" if given.plan else "neither"
        rule = "a protocol or a plan of sittings"
        raise ProtocolError([f"arm {name!r} must have {rule}, got {got}"])
    if given.plan:
        plan = load_sittings(folder / given.plan)
        plan = replace(plan, protocols=_told(plan.protocols, given, name))
        return Arm(name, plan.protocols, given.weight, plan, given.keys)
    own = given.protocol.endswith(".toml")
    protocol = load_protocol(folder / given.protocol if own else given.protocol)
    protocols = _told((protocol,), given, name)
    return Arm(name, protocols, given.weight, keys=given.keys)


def _told(
    protocols: tuple[Protocol, ...], given: ArmInFile, name: str
) -> tuple[Protocol, ...]:
    """Give protocols the arm's own instructions; their stimuli stay what they are."""
    if not given.instructions:
        for protocol in protocols:
            if given.keys and protocol.texts.instructions:
                rule = "instructions of its own, as those of its protocol name other"
                raise ProtocolError([f"arm {name!r} with keys must have {rule} keys"])
        return protocols
    texts = dict(given.instructions)
    return tuple(
        replace(each, texts=replace(each.texts, instructions=texts))
        for each in protocols
    )


def _with_keys(protocol: Protocol, keys: tuple[str, ...]) -> Protocol:
    """Give a protocol other keys, to be checked like its own."""
    if not keys:
        return protocol
    n = len(protocol.task.keys)
    if len(keys) != n:
        rule = f"{n} keys, as {protocol.name} has"
        raise ProtocolError([f"keys of an arm must be {rule}, got {list(keys)!r}"])
    return replace(protocol, task=replace(protocol.task, keys=keys))

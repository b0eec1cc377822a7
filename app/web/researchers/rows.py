"""What programs are told and tell: the shapes of the API's replies and bodies."""

from dataclasses import dataclass
from typing import Any

from ...studies.counts import Counts
from ...studies.description import STATES
from ...studies.exports import OfStudy
from ...studies.monitor import Attending
from ..described import field_with
from ..models_at_work import AtWork
from .deeds import LONGEST_LABEL, MOST_LINKS, Invitation

SESSION_QUERY = {
    name: {"type": "string", "enum": ["yes", "no"], "default": "no"}
    for name in ("pilots", "models")
}


@dataclass(frozen=True)
class Fault:
    """Why something was refused.

    Attributes
    ----------
    error
        One sentence, for a person.
    """

    error: str


@dataclass(frozen=True)
class Whose:
    """The account that asks.

    Attributes
    ----------
    name
        Of the account.
    is_administrator
        Whether it may everything, without a role in a study.
    """

    name: str
    is_administrator: bool


@dataclass(frozen=True)
class StudyRow:
    """A study in the list.

    Attributes
    ----------
    name
        In addresses.
    title
        What participants read.
    state
        'draft', 'open', 'paused' or 'closed'.
    made_at
        ISO 8601, in UTC.
    role
        Of whoever asks: 'viewer', 'editor' or 'owner'.
    quota
        Places; 0 for no limit.
    counts
        How many people are where.
    """

    name: str
    title: str
    state: str
    made_at: str
    role: str
    quota: int
    counts: Counts


@dataclass(frozen=True)
class Studies:
    """The studies in which whoever asks has a role."""

    studies: list[StudyRow]


@dataclass(frozen=True)
class ArmRow:
    """An arm of a study.

    Attributes
    ----------
    name
        In exports.
    weight
        How many people it gets, beside others.
    protocols
        Names, one for each sitting.
    """

    name: str
    weight: int
    protocols: list[str]


@dataclass(frozen=True)
class OneStudy:
    """A study.

    Attributes
    ----------
    study
        As in the list.
    address
        Where people begin, but for those with personal links.
    source
        Where participants come from.
    id_parameter
        Of the address, by which a recruiter names a participant; null where none does.
    arms
        What participants do.
    questionnaires
        Ids of those before and after the task.
    """

    study: StudyRow
    address: str
    source: str
    id_parameter: str | None
    arms: list[ArmRow]
    questionnaires: list[str]


@dataclass(frozen=True)
class NewStudy:
    """A study that is to be made.

    Attributes
    ----------
    text
        Its file, in TOML; it names shipped protocols alone.
    """

    text: str = field_with(maxLength=16_000)


@dataclass(frozen=True)
class NewState:
    """The state that a study is to go to."""

    state: str = field_with(enum=[*STATES])


@dataclass(frozen=True)
class NewLinks:
    """Links that are to be made.

    Attributes
    ----------
    n
        How many.
    label
        The researchers' own word for them: no name of a person.
    is_pilot
        Whether what they lead to counts for nothing.
    """

    n: int = field_with(minimum=1, maximum=MOST_LINKS)
    label: str = field_with(maxLength=LONGEST_LABEL, default="")
    is_pilot: bool = False


@dataclass(frozen=True)
class MadeLinks:
    """Links that were made: their addresses are told this once."""

    links: list[Invitation]


@dataclass(frozen=True)
class LinkRow:
    """A personal link, without what it leads by.

    Attributes
    ----------
    number
        By which it is revoked.
    label
        The researchers' own word for it.
    is_pilot
        Whether what it leads to counts for nothing.
    is_used
        Whether somebody has begun by it.
    made_at, revoked_at
        ISO 8601, in UTC; null while it holds.
    """

    number: int
    label: str
    is_pilot: bool
    is_used: bool
    made_at: str
    revoked_at: str | None


@dataclass(frozen=True)
class Links:
    """The personal links of a study, in the order in which they were made."""

    links: list[LinkRow]


@dataclass(frozen=True)
class Person(Attending):
    """One session of somebody in a study.

    Attributes
    ----------
    last_seen_there
        Time of day by their own clock, with its zone; null where it is not known.
    """

    last_seen_there: str | None


@dataclass(frozen=True)
class People:
    """Who is where in a study.

    Attributes
    ----------
    quota
        Places; 0 for no limit.
    counts
        How many people are where.
    sessions
        In the order in which they began.
    """

    quota: int
    counts: Counts
    sessions: list[Person]


@dataclass(frozen=True)
class ResultRow:
    """What was found of one session.

    Attributes
    ----------
    session, arm, sitting, observer
        Which session, and whose.
    is_pilot, is_model, status, outcome
        As in `Person`.
    table
        Numbers by name; null while nothing is known.
    is_current
        Whether they are of all its trials.
    """

    session: str
    arm: str
    sitting: int
    observer: str
    is_pilot: bool
    is_model: bool
    status: str
    outcome: str | None
    table: dict[str, Any] | None
    is_current: bool


@dataclass(frozen=True)
class Results:
    """What a study found so far.

    Attributes
    ----------
    is_computing
        Whether anything of it is of fewer trials than there are: ask again.
    n_more
        Sessions before the first row: the rows are the newest.
    rows
        People, then models.
    kernels
        Mean kernels, as SVG drawings beside each other.
    models
        Models that were started since the server began.
    """

    is_computing: bool
    n_more: int
    rows: list[ResultRow]
    kernels: list[dict[str, Any]]
    models: list[AtWork]


@dataclass(frozen=True)
class Sessions:
    """The sessions of a study, as its exports name them."""

    sessions: list[OfStudy]


@dataclass(frozen=True)
class OneSession:
    """A session.

    Attributes
    ----------
    session
        Who is where.
    protocol_hash
        Of the protocol that it ran.
    display
        What is known of the screen; null where nothing is.
    found
        What was found so far: numbers, and drawings as SVG; null while nothing is.
    is_current
        Whether that is of all its trials.
    """

    session: Person
    protocol_hash: str
    display: dict[str, Any] | None
    found: dict[str, Any] | None
    is_current: bool

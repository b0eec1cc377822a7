"""What a study asks of whom: its TOML file, checked, and how it is kept.

A study names protocols; this file says who may begin, how many, in which arms, and
where people come from and go to. Its rules hold for whoever begins from then on.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ...experiments.protocols.checks import (
    Faults,
    build,
    read_toml,
    suggestion,
)
from ...experiments.protocols.protocol import Protocol, without_defaults
from ...experiments.protocols.sittings import SittingPlan
from ...experiments.protocols.viewing import ViewingAsked
from ..lut import look_up_table
from .arms import Arm, ArmInFile, load_arm
from .consent import Researcher
from .questionnaires import Questionnaire, check_questionnaires, with_plugins

NAME = re.compile("[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
MOST_PEOPLE, MOST_ARMS = 1_000_000, 64
PUBLIC, LINKS = "public", "links"
# By which parameter a recruiter's links name a participant, and what else they say.
ID_PARAMETERS: dict[str, str] = {
    "prolific": "PROLIFIC_PID",
    "mturk": "workerId",
    "sona": "survey_code",
}
DETAILS: dict[str, tuple[str, ...]] = {
    "prolific": ("STUDY_ID", "SESSION_ID"),
    "mturk": ("assignmentId", "hitId", "turkSubmitTo"),
    "sona": (),
}
RECRUITERS = (PUBLIC, LINKS, *ID_PARAMETERS)
ID_PLACE = "{id}"  # in an address that somebody is sent back to


@dataclass(frozen=True)
class Recruitment:
    """Where participants come from, and where they are sent back to.

    Attributes
    ----------
    source
        'public' (whoever has the address), 'links' (personal ones alone), or a
        recruiter whose links name the participant: 'prolific', 'mturk', 'sona'.
    complete, screened_out, no_consent
        Address for each ending, https; empty for none. SONA's has `{id}` in it.
    """

    source: str = PUBLIC
    complete: str = ""
    screened_out: str = ""
    no_consent: str = ""

    def __post_init__(self) -> None:
        faults = Faults()
        known = self.source in RECRUITERS
        rule = f"one of {', '.join(RECRUITERS)}"
        faults.unless(known, "recruitment.source", rule, self.source)
        for name in ("complete", "screened_out", "no_consent"):
            address = getattr(self, name)
            fits = not address or address.startswith("https://")
            rule = "an address that begins with https://, or empty"
            faults.unless(fits, f"recruitment.{name}", rule, address)
        faults.raise_any()

    def way_back(self, outcome: str, external_id: str) -> str:
        """Give the address that somebody is sent back to; empty where there is none.

        Examples
        --------
        >>> sona = Recruitment("sona", "https://a.example/credit?survey_code={id}")
        >>> sona.way_back("complete", "17 b")
        'https://a.example/credit?survey_code=17%20b'
        """
        address = {"complete": self.complete, "screened out": self.screened_out}
        return address.get(outcome, "").replace(ID_PLACE, quote(external_id, safe=""))

    @property
    def id_parameter(self) -> str | None:
        """The parameter of a link that names a participant; None where none does."""
        return ID_PARAMETERS.get(self.source)


@dataclass(frozen=True)
class _Rules:
    """What a study's file says besides its arms, and what is kept of it as JSON."""

    name: str
    title: str = ""
    quota: int = 0
    lease_min: float = 120.0
    return_days: float = 14.0
    keep_ids_days: float = 90.0
    recruitment: Recruitment = field(default_factory=Recruitment)
    researcher: Researcher = field(default_factory=Researcher)
    consent: Mapping[str, str] = field(default_factory=dict)
    lut: str = "srgb"
    questionnaires: tuple[Questionnaire, ...] = ()
    viewing: ViewingAsked = field(default_factory=ViewingAsked)

    def __post_init__(self) -> None:
        faults = Faults()
        rule = "lower-case letters, digits and hyphens, 64 at most"
        faults.unless(bool(NAME.fullmatch(self.name)), "name", rule, self.name)
        rule = f"from 0 (no limit) to {MOST_PEOPLE}"
        look_up_table(self.lut)
        faults.unless(0 <= self.quota <= MOST_PEOPLE, "quota", rule, self.quota)
        fits = 1 <= self.lease_min <= 7 * 24 * 60
        faults.unless(fits, "lease_min", "from 1 to 10080, a week", self.lease_min)
        fits = 0 <= self.return_days <= 366
        faults.unless(fits, "return_days", "from 0 to 366, a year", self.return_days)
        rule = "from 0 to 3660, ten years"
        fits = 0 <= self.keep_ids_days <= 3660
        faults.unless(fits, "keep_ids_days", rule, self.keep_ids_days)
        check_questionnaires(self.questionnaires, faults)
        faults.raise_any()


@dataclass(frozen=True)
class _File(_Rules):
    """What a study's file says in all."""

    arms: tuple[ArmInFile, ...] = ()


@dataclass(frozen=True)
class Study(_Rules):
    """A study, checked.

    Attributes
    ----------
    name
        In its address: lower-case letters, digits and hyphens.
    title
        What participants read; that of the first protocol where it is empty.
    quota
        Places, for who is done and who may still be; 0 for no limit.
    lease_min
        For how many minutes without a response a place is kept.
    return_days
        For how many days after the next sitting may begin a place is kept.
    keep_ids_days
        For how many days after somebody's end the recruiter's name for them is kept.
    recruitment, researcher
        Where people come from; who asks them.
    consent
        Text by language, instead of the protocols' own.
    lut
        Correction of participants' screens: 'srgb' or 'identity'.
    questionnaires
        What is asked before and after the task.
    viewing
        What is measured of screen and distance, where no protocol says it.
    arms
        What participants do; each is given one.

    Raises
    ------
    ProtocolError, ValueError, LookupError
        If a rule is broken; one sentence each.
    """

    arms: tuple[Arm, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        faults = Faults()
        n, rule = len(self.arms), f"from 1 to {MOST_ARMS} in all"
        faults.unless(1 <= n <= MOST_ARMS, "arms", rule, n)
        names = [arm.name for arm in self.arms]
        fits = len(set(names)) == len(names)
        faults.unless(fits, "names of arms", "all different", names)
        most = max((len(arm.protocols) for arm in self.arms), default=1)
        for each in self.questionnaires:
            fits = all(number <= most for number in each.sittings)
            rule, got = f"from 1 to {most}, as many as there are", list(each.sittings)
            faults.unless(fits, f"sittings of questionnaire {each.id}", rule, got)
        faults.raise_any()
        self._require_one_consent()

    def _require_one_consent(self) -> None:
        if self.consent:
            return
        first = self.protocol.texts.consent
        if not any(text.strip() for text in first.values()):
            rule = "one with a consent text to be served"
            raise ValueError(f"the protocol must be {rule}, got {self.protocol.name}")
        for arm in self.arms:
            for number, protocol in enumerate(arm.protocols, 1):
                if protocol.texts.consent != first:
                    where = f"sitting {number} of arm {arm.name}, {protocol.name}"
                    rule = "one for all arms and sittings"
                    raise ValueError(
                        f"the consent text must be {rule}, got another in {where}; a "
                        "study may have a consent text of its own"
                    )

    @property
    def protocol(self) -> Protocol:
        """The first protocol of the first arm: what the consent page looks at."""
        return self.arms[0].protocols[0]

    @property
    def shown_title(self) -> str:
        """What participants read as its title."""
        return self.title or self.protocol.title

    @property
    def asked_consent(self) -> Mapping[str, str]:
        """Consent text by language: its own, or the protocols'."""
        return self.consent or self.protocol.texts.consent

    def to_json(self) -> str:
        """Give what is kept beside the arms, as JSON."""
        plain = {
            name: value
            for name, value in without_defaults(self).items()
            if name != "arms"
        }
        return json.dumps(plain, ensure_ascii=False, sort_keys=True)


def study_from_json(text: str, arms: tuple[Arm, ...]) -> Study:
    """Give a study that was kept."""
    rules = build(_Rules, json.loads(text))
    return Study(**vars(rules), arms=arms)


def load_study(path: str | Path) -> Study:
    """Load a study from its TOML file.

    Parameters
    ----------
    path
        The file. Protocols and plans that it names by file lie beside it.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or one that it names is missing.
    LookupError
        If no shipped protocol has a name that it gives.
    ProtocolError, ValueError
        If the file is no TOML, or breaks rules; one sentence per fault.

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... name = "bright-bars"
    ... quota = 40
    ... [researcher]
    ... name = "Dr. Ada Muster"
    ... contact = "ada@uni.example"
    ... ethics = "2026-17"
    ... [[arms]]
    ... name = "f is dark"
    ... protocol = "bar-polarity"
    ... [[arms]]
    ... name = "j is dark"
    ... protocol = "bar-polarity"
    ... keys = ["j", "f"]
    ... instructions.en = "Press **J** for dark, **F** for bright."
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "study.toml")
    ...     _ = path.write_text(text)
    ...     study = load_study(path)
    >>> [(arm.name, arm.keys) for arm in study.arms]
    [('f is dark', ()), ('j is dark', ('j', 'f'))]
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"the file of a study must exist, got {str(path)!r}")
    given = build(_File, read_toml(path))
    arms = tuple(load_arm(each, path.parent) for each in given.arms)
    asked = with_plugins(given.questionnaires)
    return Study(**{**vars(given), "arms": arms, "questionnaires": asked})


def alone(
    protocol: Protocol, plan: SittingPlan | None = None, lut: str = "srgb"
) -> Study:
    """Give the study of one protocol, or of one plan, that nobody has described.

    Raises
    ------
    ProtocolError, ValueError
        If it cannot be served; one sentence each.
    """
    protocols = (protocol,) if plan is None else plan.protocols
    return Study("study", lut=lut, arms=(Arm("all", protocols, plan=plan),))


STATES: Mapping[str, str] = {
    "draft": "being made: pilot links alone lead to it",
    "open": "takes participants",
    "paused": "takes nobody new; who has begun goes on",
    "closed": "takes nobody new, and begins no further sitting",
}


def state_after(state: str, wanted: str) -> str:
    """Give the state that a study may be put into.

    Raises
    ------
    ValueError
        If it is none, or the study may not go there from where it is.

    Examples
    --------
    >>> state_after("draft", "open")
    'open'
    """
    if wanted not in STATES:
        hint = suggestion(wanted, STATES)
        raise ValueError(
            f"a state must be one of {', '.join(STATES)}, got {wanted!r}{hint}"
        )
    if wanted == "draft" and state != "draft":
        raise ValueError(f"a study that was {state} must not become a draft again")
    return wanted

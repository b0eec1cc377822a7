"""What the operator asked for, and what became of it."""

from dataclasses import dataclass

from ..protocols.protocol import Protocol
from ..protocols.sittings import SittingPlan
from .attention import ABSENT_AFTER


@dataclass(frozen=True)
class Request:
    """What the operator asked for.

    Attributes
    ----------
    protocol
        What is to be run. Not needed to resume a session, to be yoked to one, or where
        a plan says it.
    participant
        Code of the participant.
    sitting
        How often the participant has sat here, this time included.
    monitor
        Name of a monitor that we or PsychoPy know; "" for an unknown one.
    distance_cm
        From the eye to the screen; by default the monitor's.
    lut
        'auto', 'identity' or 'calibration'; see `setup.choose_lut`.
    scale
        Screen px for each stimulus px; by default the nearest to the protocol's size.
    seed
        Of the session; by default one that cannot be guessed.
    yoke_to
        Finished session whose trials are shown.
    resume
        Session that is to go on.
    is_new
        Whether this is a new session although the participant's last is unfinished.
    screen, full_screen, size_px, refresh_hz
        The window; see `window.open_window`.
    accept_irregular
        Why a screen with an irregular refresh will do; None: it is refused.
    keyboard
        'auto', 'ptb' or 'event'.
    box, box_map
        Serial port of a response box and what its buttons mean; see `boxes`.
    language, read_back, absent_after
        See `sitting.Sitting`.
    plan
        Plan of sittings; the participant gets the one that is due.
    early
        Why that sitting may begin before its time; None: it may not.
    """

    protocol: Protocol | None = None
    participant: str = ""
    sitting: int = 1
    monitor: str = ""
    distance_cm: float | None = None
    lut: str = "auto"
    scale: int | None = None
    seed: int | None = None
    yoke_to: str | None = None
    resume: str | None = None
    is_new: bool = False
    screen: int = 0
    full_screen: bool = True
    size_px: tuple[int, int] | None = None
    refresh_hz: float | None = None
    accept_irregular: str | None = None
    keyboard: str = "auto"
    box: str | None = None
    box_map: str = ""
    language: str = "en"
    read_back: str = "block"
    absent_after: int = ABSENT_AFTER
    plan: SittingPlan | None = None
    early: str | None = None

    def __post_init__(self) -> None:
        if self.resume is None and not self.participant:
            raise ValueError("participant must be a code, got ''")
        named = (self.resume, self.yoke_to, self.protocol, self.plan)
        if all(each is None for each in named):
            raise ValueError("a protocol must be given, got none")
        if self.plan is not None and any(each is not None for each in named[:3]):
            rule = "given without a protocol, --resume and --yoke-to"
            raise ValueError(f"a plan must be {rule}, got both")
        if self.resume is not None and self.yoke_to is not None:
            raise ValueError("a session must be resumed or yoked, got both")
        if self.resume is not None and self.is_new:
            raise ValueError("a session must be resumed or new, got both")
        if self.refresh_hz is not None and not 1 <= self.refresh_hz <= 1000:
            rule = "from 1 to 1000 Hz"
            raise ValueError(f"refresh must be {rule}, got {self.refresh_hz:g}")
        if self.absent_after < 0:
            raise ValueError(f"absent_after must be 0 or more, got {self.absent_after}")
        for name in ("accept_irregular", "early"):
            reason = getattr(self, name)
            if reason is not None and not reason.strip():
                raise ValueError(f"{name} must be a reason, got {reason!r}")


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    Attributes
    ----------
    session_id
        Id of the session in the trial log.
    is_finished
        Whether no trial is left.
    """

    session_id: str
    is_finished: bool


class Unfinished(ValueError):
    """A participant's last session could go on, and nobody said that it should not.

    Attributes
    ----------
    session_id
        Of that session.
    """

    def __init__(
        self, participant: str, protocol: str, session_id: str, n_trials: int
    ) -> None:
        self.session_id = session_id
        which = f"{session_id} of {protocol}, {n_trials} trials"
        super().__init__(f"{participant} has an unfinished session ({which})")

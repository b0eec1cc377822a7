"""What is asked after the choice, and how an observer is told right from wrong."""

from dataclasses import dataclass, field

from .checks import Faults

FEEDBACK_BY = ("text", "tone", "both")
MOST_HZ = 20_000.0


@dataclass(frozen=True)
class Confidence:
    """How sure an observer is, asked after each response.

    Attributes
    ----------
    keys
        One per step, the least sure first; it is logged from 1. Empty: not asked.
    prompt
        What is asked, by language.
    """

    keys: tuple[str, ...] = ()
    prompt: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults, keys = Faults(), list(self.keys)
        faults.unless(len(keys) != 1, "keys", "none, or a list of two or more", keys)
        faults.unless(len(set(keys)) == len(keys), "keys", "all different", keys)
        faults.raise_any()

    @property
    def is_asked(self) -> bool:
        """Whether it is asked at all."""
        return bool(self.keys)


@dataclass(frozen=True)
class Feedback:
    """How an observer is told, in the blocks that have feedback.

    Attributes
    ----------
    by
        'text', 'tone' or 'both'.
    correct_hz, wrong_hz
        Of the tones.
    tone_ms
        How long they last.
    """

    by: str = "text"
    correct_hz: float = 1000.0
    wrong_hz: float = 400.0
    tone_ms: float = 150.0

    def __post_init__(self) -> None:
        faults = Faults()
        rule = f"one of {', '.join(FEEDBACK_BY)}"
        faults.unless(self.by in FEEDBACK_BY, "by", rule, self.by)
        for name in ("correct_hz", "wrong_hz"):
            value = getattr(self, name)
            fits = 20 <= value <= MOST_HZ
            faults.unless(fits, name, f"from 20 to {MOST_HZ:g} Hz", value)
        differs = self.correct_hz != self.wrong_hz
        rule = "other than correct_hz"
        faults.unless(differs, "wrong_hz", rule, self.wrong_hz)
        faults.unless(
            10 <= self.tone_ms <= 5000, "tone_ms", "from 10 to 5000 ms", self.tone_ms
        )
        faults.raise_any()

    @property
    def has_tones(self) -> bool:
        """Whether tones are played."""
        return self.by != "text"

    @property
    def has_text(self) -> bool:
        """Whether it is written on the screen."""
        return self.by != "tone"

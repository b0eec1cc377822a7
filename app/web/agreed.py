"""What a participant agrees to, in each language of a study, and by which clock."""

from ..studies.consent import FACTS, consent_texts
from ..studies.description import Study
from .phrases import phrases_in

_FARTHEST_MIN = 14 * 60  # from UTC: the Line Islands


def agreed_texts(study: Study) -> dict[str, str]:
    """Give the consent text by language, with who asks below it in that language."""
    return consent_texts(study.asked_consent, study.researcher, _labels)


def _labels(language: str) -> tuple[str, ...]:
    phrases = phrases_in(language)
    return tuple(phrases.say(f"consent.{fact}") for fact in FACTS)


def utc_offset(said: str) -> int | None:
    """Give the minutes by which a clock is before UTC's; None if they are not known.

    Examples
    --------
    >>> utc_offset("120"), utc_offset("-210"), utc_offset("9000"), utc_offset("")
    (120, -210, None, None)
    """
    try:
        minutes = int(said)
    except ValueError:
        return None
    return minutes if abs(minutes) <= _FARTHEST_MIN else None

"""The text that a participant agrees to: the study's own, and who asks."""

from collections.abc import Mapping
from dataclasses import dataclass

_LABELS: Mapping[str, tuple[str, str, str]] = {
    "en": ("Researcher", "Contact", "Ethics approval"),
    "fr": ("Responsable", "Contact", "Avis éthique"),
    "de": ("Verantwortlich", "Kontakt", "Ethikvotum"),
}


@dataclass(frozen=True)
class Researcher:
    """Who asks: what an ethics board wants to see on the consent page.

    Attributes
    ----------
    name
        Of the person, with the institute.
    contact
        An address that answers.
    ethics
        Number of the approval.
    """

    name: str = ""
    contact: str = ""
    ethics: str = ""


def consent_texts(texts: Mapping[str, str], researcher: Researcher) -> dict[str, str]:
    r"""Give a consent text in each of its languages, with who asks below it.

    Parameters
    ----------
    texts
        Markdown by language.
    researcher
        What is known of who asks; nothing is added for what is empty.

    Examples
    --------
    >>> consent_texts({"en": "May we?"}, Researcher("Dr. A"))["en"]
    'May we?\n\n- **Researcher:** Dr. A'
    """
    facts = (researcher.name, researcher.contact, researcher.ethics)
    given = {}
    for language, text in texts.items():
        labels = _LABELS.get(language.split("-")[0], _LABELS["en"])
        lines = [
            f"- **{label}:** {fact}"
            for label, fact in zip(labels, facts, strict=True)
            if fact.strip()
        ]
        given[language] = (
            "\n\n".join([text.rstrip(), "\n".join(lines)]) if lines else text
        )
    return given

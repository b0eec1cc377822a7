"""The text that a participant agrees to: the study's own, and who asks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

FACTS = ("researcher", "contact", "ethics")  # what stands below the text, in this order


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


def consent_texts(
    texts: Mapping[str, str],
    researcher: Researcher,
    labels: Callable[[str], Sequence[str]],
) -> dict[str, str]:
    r"""Give a consent text in each of its languages, with who asks below it.

    Parameters
    ----------
    texts
        Markdown by language.
    researcher
        What is known of who asks; nothing is added for what is empty.
    labels
        Gives what each of `FACTS` is called in a language.

    Examples
    --------
    >>> asks = Researcher("Dr. A")
    >>> labels = lambda language: ("Researcher", "Contact", "Ethics approval")
    >>> consent_texts({"en": "May we?"}, asks, labels)["en"]
    'May we?\n\n- **Researcher:** Dr. A'
    """
    facts = (researcher.name, researcher.contact, researcher.ethics)
    given = {}
    for language, text in texts.items():
        lines = [
            f"- **{label}:** {fact}"
            for label, fact in zip(labels(language), facts, strict=True)
            if fact.strip()
        ]
        given[language] = (
            "\n\n".join([text.rstrip(), "\n".join(lines)]) if lines else text
        )
    return given

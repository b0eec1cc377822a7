"""A study with a page of questions before its task, and one after it."""

from dataclasses import replace

from yoked.app.studies.arms import Arm
from yoked.app.studies.description import Study
from yoked.app.studies.questionnaires import Questionnaire
from yoked.experiments.protocols.checks import build

from .participant import short_protocol

ABOUT = {
    "id": "about",
    "when": "before",
    "title": {"en": "About you", "de": "Über Sie"},
    "text": {"en": "Please answer **first**."},
    "questions": [
        {
            "id": "age",
            "kind": "number",
            "text": {"en": "How old are you?", "de": "Wie alt sind Sie?"},
            "required": True,
            "minimum": 18,
            "maximum": 99,
            "whole": True,
        },
        {
            "id": "hand",
            "kind": "single",
            "text": {"en": "With which hand do you write?"},
            "options": ["left", "right"],
            "labels": {"en": ["With the left", "With the right"]},
        },
        {
            "id": "eyes",
            "kind": "several",
            "text": {"en": "What do you wear?"},
            "options": ["glasses", "lenses"],
            "labels": {"en": ["Glasses", "Contact lenses"]},
        },
    ],
}
AFTERWARDS = {
    "id": "afterwards",
    "when": "after",
    "title": {"en": "How was it?"},
    "questions": [
        {
            "id": "tired",
            "kind": "likert",
            "text": {"en": "How tired are you?"},
            "required": True,
            "points": 7,
            "labels": {"en": ["not at all", "very"]},
        },
        {"id": "name", "kind": "short", "text": {"en": "What was it about?"}},
        {
            "id": "remarks",
            "kind": "long",
            "text": {"en": "Anything else?"},
            "hint": {"en": "Please do not write your name."},
            "identifies": False,
        },
    ],
}


def questionnaires() -> tuple[Questionnaire, ...]:
    return build(Questionnaire, ABOUT), build(Questionnaire, AFTERWARDS)


def arm() -> Arm:
    """An arm whose screening nobody fails in so few trials."""
    short = short_protocol()
    lenient = replace(short.screening, min_trials=1000)
    return Arm("all", (replace(short, screening=lenient),))


def questioned(**options) -> Study:
    return Study("bars", arms=(arm(),), questionnaires=questionnaires(), **options)

"""Questions of a study: what breaks a rule, and which answers each kind takes."""

import pytest

from yoked.app.studies.answers_csv import safe_cell
from yoked.app.studies.description import Study, study_from_json
from yoked.app.studies.questionnaires import Questionnaire
from yoked.app.studies.questions import AnswerError
from yoked.experiments.protocols.checks import ProtocolError, build

from ..web.questioned import ABOUT, AFTERWARDS, arm, questionnaires

KINDS = {
    "hand": ("single", {"options": ["left", "right"]}),
    "eyes": ("several", {"options": ["glasses", "lenses", "none"]}),
    "age": ("number", {"minimum": 18, "maximum": 99, "whole": True}),
    "height": ("number", {"minimum": -1.5, "maximum": 2.5}),
    "tired": ("likert", {"points": 7, "labels": {"en": ["not at all", "very"]}}),
    "plan": ("short", {"longest": 10}),
}


def question(id: str):
    kind, more = KINDS[id]
    asked = {"id": id, "kind": kind, "text": {"en": "?"}, **more}
    page = {"id": "page", "when": "before", "title": {"en": "x"}, "questions": [asked]}
    return build(Questionnaire, page).questions[0]


@pytest.mark.parametrize(
    ("id", "given", "taken"),
    [
        ("hand", "left", "left"),
        ("hand", "", None),
        ("eyes", ["none", "glasses", "glasses"], ("glasses", "none")),
        ("eyes", [], None),
        ("age", "31", 31),
        ("age", " 18 ", 18),
        ("age", 99, 99),
        ("age", "31.0", 31),
        ("height", "1,25", 1.25),
        ("height", "\N{MINUS SIGN}1.5", -1.5),
        ("height", "", None),
        ("tired", "7", 7),
        ("tired", 1, 1),
        ("plan", "  a\r\nb ", "a\nb"),
        ("plan", " ", None),
        ("plan", None, None),
    ],
)
def test_an_answer_is_kept_as_its_kind_is(id, given, taken):
    assert question(id).taken(given) == taken


@pytest.mark.parametrize(
    ("id", "given", "reason"),
    [
        ("hand", "both", "not_offered"),
        ("hand", ["left"], "not_offered"),
        ("eyes", "glasses", "not_offered"),
        ("eyes", [["glasses"]], "not_offered"),
        ("age", "old", "no_number"),
        ("age", "1e1", "no_number"),
        ("age", "nan", "no_number"),
        ("age", [31], "no_number"),
        ("age", "30.5", "no_whole_number"),
        ("age", "17", "range"),
        ("age", "100", "range"),
        ("tired", "8", "not_offered"),
        ("tired", "0", "not_offered"),
        ("tired", True, "not_offered"),
        ("plan", "x" * 11, "too_long"),
        ("plan", {"a": 1}, "not_offered"),
    ],
)
def test_what_is_no_answer_is_refused_with_a_sentence_s_name(id, given, reason):
    with pytest.raises(AnswerError, match=f"questions.{reason}"):
        question(id).taken(given)


def test_a_study_keeps_its_questionnaires():
    study = Study("bars", arms=(arm(),), questionnaires=questionnaires())
    kept = study_from_json(study.to_json(), study.arms)
    assert kept.to_json() == study.to_json()
    assert [each.id for each in kept.questionnaires] == ["about", "afterwards"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"when": "between"}, "when must be before or after, got 'between'"),
        ({"id": "A b"}, "id must be lower-case letters"),
        ({"title": {}}, "title must be given by language"),
        ({"questions": []}, "questions must be from 1 to 100 in all, got 0"),
        ({"questions": ABOUT["questions"][:1] * 2}, "ids of questions must be all"),
    ],
)
def test_a_page_that_breaks_a_rule_is_refused(changes, message):
    with pytest.raises(ProtocolError, match=message):
        build(Questionnaire, {**ABOUT, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "slider"}, "kind must be one of single, several, number, likert"),
        ({"labels": {"en": ["one"]}}, "labels.en must be a list of 2 texts"),
        ({"options": ["a"]}, "options must be from 2 to 50 in all, got 1"),
        ({"options": ["a", "a"]}, "options must be all different"),
        ({"options": ["a;b", "c"]}, "options must be letters, digits"),
        ({"points": 3}, "must be one of id, kind, text"),
        ({"text": {"en": " "}}, "text must be given by language"),
    ],
)
def test_a_question_that_breaks_a_rule_is_refused(changes, message):
    asked = {"id": "q", "kind": "single", "text": {"en": "?"}, "options": ["a", "b"]}
    with pytest.raises(ProtocolError, match=message):
        build(Questionnaire, {**ABOUT, "questions": [{**asked, **changes}]})


def test_a_study_is_asked_at_sittings_that_there_are():
    late = build(Questionnaire, {**AFTERWARDS, "sittings": [2]})
    with pytest.raises(ProtocolError, match="sittings of questionnaire afterwards"):
        Study("bars", arms=(arm(),), questionnaires=(late,))
    with pytest.raises(ProtocolError, match="ids of questionnaires must be all"):
        Study("bars", arms=(arm(),), questionnaires=questionnaires() * 2)


@pytest.mark.parametrize("formula", ["=1+1", "+cmd", "-x", "@sum", "\tx"])
def test_no_answer_is_a_formula_of_a_spreadsheet(formula):
    assert safe_cell(formula) == f"'{formula}"
    assert safe_cell("-1.5") == "-1.5"

"""What participants are told: every text in every language, none left in the code."""

import re
import string
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests import ROOT
from yoked.app.studies.consent import FACTS
from yoked.app.studies.description import STATES
from yoked.app.web import phrases
from yoked.app.web.phrases import languages, phrases_in, read_language
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Texts

from .participant import Participant, served

TEMPLATES = sorted((ROOT / "app/web/templates").glob("*.html"))
SCRIPTS = [
    *sorted((ROOT / "static/js").glob("*.js")),
    ROOT / "static/page/experiment.js",
]
SERVER = sorted((ROOT / "app/web").glob("*.py"))
OTHERS = [language for language in languages() if language != "en"]
# Called by a name that is put together.
STATUS = ("", "_403", "_404", "_409", "_410", "_wait")
COMPOSED = {f"complaint.heading{status}" for status in STATUS}
COMPOSED |= {f"consent.{fact}" for fact in FACTS}
COMPOSED |= {f"viewing.fault_{reason}" for reason in ("card", "distance", "spread")}
REFUSING = (ROOT / "app/studies/enrolments.py").read_text("utf-8")
REASONS = {*re.findall(r'Refused\("(\w+)"\)', REFUSING), *STATES} - {"open"}
COMPOSED |= {f"refused.{reason}" for reason in REASONS}


def names_in(*paths) -> set[str]:
    """Return every name of a text that stands in files."""
    tables = {name.partition(".")[0] for name in languages()["en"]}
    found = {
        name
        for path in paths
        for name in re.findall(r"[\"'`]([a-z]+\.\w+)[\"'`]", path.read_text("utf-8"))
    }
    files = (".html", ".json")
    return {
        name
        for name in found
        if name.partition(".")[0] in tables and not name.endswith(files)
    }


def test_english_german_and_french_are_there():
    assert list(languages()) == ["en", "de", "fr"]


def test_every_text_that_is_said_exists_and_every_text_is_said():
    asked = ROOT / "app/studies/questions.py"
    said = names_in(*TEMPLATES, *SCRIPTS, *SERVER, asked) | COMPOSED
    assert said == set(languages()["en"])


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_says_everything_itself(language):
    english, own = languages()["en"], languages()[language]
    assert own.keys() == english.keys()
    same = {name for name in own if own[name] == english[name]}
    # "Correct" and "Contact" are French as well.
    assert same <= {"key.escape", "feedback.correct", "consent.contact"}


def test_french_puts_no_plain_space_before_high_marks():
    said = (ROOT / "app/web/languages/fr.toml").read_text("utf-8").partition("[")[2]
    assert not re.search(" [?!;:]", said)
    assert "'" not in said  # but the apostrophe of print


class _Words(HTMLParser):
    """Collects what a template shows by itself, its expressions left out."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words += re.findall(r"[^\W\d_]{2,}", data)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        shown = ("aria-label", "title", "alt", "placeholder")
        for name, value in attrs:
            if name in shown:
                self.handle_data(value or "")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_say_nothing_by_themselves(path):
    parser = _Words()
    classes = r"{% block (kind|body_class) %}.*?{% endblock %}"
    text = re.sub(classes, "", path.read_text("utf-8"))
    parser.feed(re.sub(r"{[{%#].*?[}%#]}", "", text, flags=re.S))
    assert parser.words in ([], ["UTC"])


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_say_nothing_by_themselves(path):
    """A string with a capital, a space and a word after it is a sentence of English."""
    code = re.sub(r"/\*.*?\*/|(?<!:)//.*", "", path.read_text("utf-8"), flags=re.S)
    code = re.sub(r"new Error\([^)]*\)", "", code)  # told to developers
    strings = re.findall(r"\"[^\"\n]*\"|`[^`]*`", code)
    bare = [re.sub(r"\${[^}]*}|<[^>]*>", "", text) for text in strings]
    assert not [
        text for text in bare if re.search(r"\b[A-Z][a-z]+(['’ ][a-z]+| *$)", text)
    ]


def test_a_number_chooses_the_form():
    assert "1 minute is left" in phrases_in("en").say("break.minutes", n=1)
    assert "2 minutes are left" in phrases_in("en").say("break.minutes", n=2)
    assert "0,5 seconde" in phrases_in("fr").say("feedback.late", n=0.5, keys="F")
    assert "1.000" in phrases_in("de").say("done.stored", n=1000)


def test_a_file_of_one_s_own_is_a_language(tmp_path, monkeypatch):
    russian = '[task]\ncontinue = "Дальше"\n[break.minutes]\n'
    forms = {"one": "минута", "few": "минуты", "many": "минут", "other": "минуты"}
    russian += "\n".join(f'{form} = "{{n}} {word}"' for form, word in forms.items())
    (tmp_path / "ru.toml").write_text(russian, encoding="utf-8")
    monkeypatch.setenv(phrases.OWN_FILES, str(tmp_path))
    own = phrases_in("ru")
    assert own.say("task.continue") == "Дальше"
    assert own.say("task.here") == "I am here"  # what it lacks
    minutes = [own.say("break.minutes", n=n) for n in (1, 3, 5, 21)]
    assert minutes == ["1 минута", "3 минуты", "5 минут", "21 минута"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("tlh", "", "named by a language that Babel knows"),
        ("ru", '[task]\nnothing = "x"', "ru.toml must have texts of ours, got task.n"),
        ("ru", '[key]\nnumber_pad = "x"', "number_pad with key in braces, got nothing"),
        ("ru", '[break]\nminutes = "{n}"', "as a table with other, of few, many, one"),
        ("de", "[break.minutes]\nfew='{n}'\nother='{n}'", r"got \['few', 'other'\]"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, name, text, message):
    path = tmp_path / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_language(path, languages()["en"])


@pytest.fixture
def everywhere(db_path, protocol):
    """A study whose texts are there in three languages and one that we lack."""
    consent = {"fr": "# Participer", "de": "# Teilnehmen", "it": "# Partecipare"}
    texts = Texts(consent=consent, instructions={"en": "Go", "fr": "Allez"})
    with served(db_path, replace(protocol, texts=texts)) as app:
        yield app.test_client()


def test_a_participant_meets_one_language_to_the_end(everywhere):
    page = everywhere.get("/", headers={"Accept-Language": "fr-CA, en"}).text
    assert '<html lang="fr"' in page
    assert "J’accepte" in page
    assert 'hreflang="de">Deutsch</a>' in page
    participant = Participant(everywhere, language="fr")
    page = participant.get(participant.base).text
    assert '<html lang="fr"' in page
    assert '"task.continue": "Continuer"' in page
    assert '"instructions_language": "fr"' in page
    participant.finish()
    page = participant.get(f"{participant.base}/done").text
    assert '<html lang="fr"' in page
    assert "essais sont enregistrés" in page
    lost = everywhere.get("/session/nope", headers={"Accept-Language": "de"})
    assert "führt zu keiner Sitzung" in lost.text


def test_a_study_s_languages_are_those_of_its_consent_text(everywhere):
    english = everywhere.get("/?language=en", headers={"Accept-Language": "en"}).text
    assert "Participer" in english  # the first of its own
    italian = everywhere.get("/?language=it").text
    assert '<html lang="en"' in italian  # of which we have no texts
    assert '<div lang="it"><h1>Partecipare</h1>' in italian
    assert '<html lang="de"' in everywhere.get("/declined?language=de").text


def test_flicker_is_warned_of_in_the_participant_s_language(db_path):
    movie = load_protocol("movie-bar")
    consent = {"de": movie.texts.consent["en"]}
    movie = replace(movie, texts=replace(movie.texts, consent=consent))
    with served(db_path, movie) as app:
        page = app.test_client().get("/").text
    assert "30 Bilder pro Sekunde, bis zu 7 Blitze" in page


def test_names_of_texts_are_plain():
    letters = set(string.ascii_lowercase + string.digits + "._")
    assert all(set(name) <= letters for name in languages()["en"])

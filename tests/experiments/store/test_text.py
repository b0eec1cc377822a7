"""Observers' names: what looks the same is the same, and nothing else is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked.experiments.session.session import Session
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.experiments.store.text import observer_name, utf8_text

SAME = {
    "Å": ["A\u030a", "\u212b", " Å ", "Å\u200b", "\ufeffÅ", "\u202eÅ\u202c", "Å\n"],
    "Ann B": ["Ann\u00a0B", "Ann\tB", "\u2003Ann  B", "A\u00adnn B", "Ann\x00 B"],
    "NA": ["NA", "N\u200dA", "NA\ufe0f"],
    "王": ["王", "\u3000王\u2060"],
}


@pytest.mark.parametrize(
    ("text", "name"), [(text, name) for name in SAME for text in SAME[name]]
)
def test_names_that_look_the_same_are_one(text, name):
    assert observer_name(text) == name


@pytest.mark.parametrize("name", ["null", "None", "nan", "NaN", "0", "=1+1", "'x", "-"])
def test_a_name_may_be_any_word(name):
    assert observer_name(name) == name


@pytest.mark.parametrize("text", ["", "  ", "\u200b", "\t\x00\ufeff", "\u3164"])
def test_a_name_without_a_character_to_be_seen_is_refused(text):
    with pytest.raises(ValueError, match="name must be a text with a character that"):
        observer_name(text)


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(ValueError, match=r"text must be UTF-8, got 'gr\\udcf6'"):
        observer_name("gr\udcf6")


@given(st.text())
def test_a_name_stays_as_it_is_once_it_is_one(text):
    try:
        name = observer_name(text)
    except ValueError:
        return
    assert observer_name(name) == name == unicodedata.normalize("NFC", name).strip()
    assert not {"Cc", "Cf"} & {unicodedata.category(c) for c in name}


@given(st.text(st.characters(codec="utf-8")))
def test_what_an_ascii_system_hands_over_is_read_as_it_was_meant(text):
    assert utf8_text(text.encode().decode("ascii", "surrogateescape")) == text


@pytest.mark.parametrize("presenter", ["lab", "web", "model", "import"])
def test_every_presenter_writes_the_same_name(protocol, presenter):
    store = open_store(":memory:")
    kind = "model" if presenter == "model" else "person"
    for name in ("A\u030ase\u200b", " \u00c5se "):
        Session.start(store, protocol, ObserverInfo(kind, name), presenter)
    assert [row.observer.name for row in store.sessions()] == ["\u00c5se"] * 2
    with pytest.raises(ValueError, match="must be a text with a character"):
        Session.start(store, protocol, ObserverInfo(kind, "\u200b"), presenter)
    assert len(store.sessions()) == 2
    store.close()


def test_a_name_that_an_earlier_version_wrote_is_read_as_it_is(db_path, protocol):
    store = open_store(db_path)
    session = Session.start(store, protocol, ObserverInfo("person", "p1"), "lab")
    store.close()
    import sqlite3

    with sqlite3.connect(db_path) as connection:
        connection.execute("UPDATE observers SET name = ?", ["\u200b"])
    connection.close()
    store = open_store(db_path, to_read=True)
    assert store.session(session.id).observer.name == "\u200b"
    store.close()

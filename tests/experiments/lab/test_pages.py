"""What a participant reads in the lab fits the lab, and each page names its key."""

from dataclasses import replace

import pytest

from tests.experiments.lab.recording import FAST, Recorder
from yoked.experiments.lab.pages import (
    CLOSE,
    FINISHED,
    GO_ON,
    consent_text,
    pages,
    plain_text,
)
from yoked.experiments.lab.rehearsal import shortened
from yoked.experiments.lab.request import Request
from yoked.experiments.lab.run import run_lab
from yoked.experiments.lab.trial import plan_trial
from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.flicker import flicker_warning
from yoked.experiments.protocols.texts import in_language, text_version
from yoked.experiments.store.sqlite import open_store

# Of the shipped protocols when these tests were written: no text may change them.
HASHES = {
    "bar-in-noise": "bbe63a1755ff3c3a",
    "bar-polarity": "56e55c80ee9a11ef",
    "disk-polarity": "fa6bf7e725085a57",
    "equivalent-noise": "bf1d12be896a3ad8",
    "gabor-in-noise": "40a72866d392a25e",
    "movie-bar": "0b8450f308fc6a7a",
    "one-over-f": "715f5631b85f7cce",
    "orientation-noise": "56c13c881dd7c554",
    "face-like": "eb5d8f3a1ee43326",
    "cued-detection": "a0e7d993e65a2d48",
    "position-unknown": "768abf0ce151c051",
    "pedestal": "04b3f8a732afef69",
    "tilt-in-noise": "ee12449b54b9df01",
    "phase-unknown": "3f91de947c0ba3e3",
    "polarity-unknown": "16a6584097522dcd",
    "bar-position-unknown": "45c8cef5b54e437d",
}
OF_THE_WEB = ("clos", "page", "I agree", "tab", "click", "button", "browser", "window")


@pytest.fixture(autouse=True)
def no_monitors(tmp_path, monkeypatch):
    monkeypatch.setenv("YOKED_CALIBRATIONS", str(tmp_path / "calibrations"))


def sit(db_path, protocol):
    """Run a session; return its screen, and its events."""
    screen = Recorder()
    screen.plan = plan_trial(protocol, screen.refresh_hz)
    outcome = run_lab(
        db_path, Request(protocol, "p01"), print, lambda *_: screen, lambda *_: screen
    )
    store = open_store(db_path)
    events = store.events(outcome.session_id)
    store.close()
    return screen, events


def few(name="bar-in-noise"):
    protocol = load_protocol(name).with_options(4, 0.2, FAST)
    return replace(protocol, catch=replace(protocol.catch, n_per_block=0))


@pytest.mark.parametrize("name", protocol_names())
def test_no_shipped_consent_speaks_of_the_web_in_the_lab(name):
    protocol = load_protocol(name)
    for language in protocol.texts.consent:
        shown = plain_text(consent_text(protocol, language))
        assert not [words for words in OF_THE_WEB if words in shown]


def test_the_lab_s_consent_names_the_lab_s_keys():
    protocol = load_protocol("bar-in-noise")
    shown = " ".join(plain_text(consent_text(protocol, "en")).split())
    assert "You may stop at any time by pressing Escape, without giving" in shown
    assert "By pressing the space bar you say that you are 18 or older" in shown


@pytest.mark.parametrize("name", protocol_names())
def test_the_protocols_and_their_hashes_are_what_they_were(name):
    assert load_protocol(name).hash[:16] == HASHES[name]


def test_a_text_of_one_s_own_is_shown_as_it_is():
    own = {"en": "Tell us when you want to stop.", "de": "Sagen Sie Bescheid."}
    protocol = load_protocol("bar-in-noise")
    protocol = replace(protocol, texts=replace(protocol.texts, consent=own))
    assert consent_text(protocol, "de") == own["de"]


def test_where_pictures_flicker_the_consent_warns():
    movie = load_protocol("movie-bar")
    assert flicker_warning(movie)
    assert flicker_warning(movie) in consent_text(movie, "en")
    bar = load_protocol("bar-in-noise")
    assert "photosensitive" not in consent_text(bar, "en")


def test_the_consent_that_is_logged_is_the_one_that_was_read(db_path):
    protocol = few()
    screen, events = sit(db_path, protocol)
    shown = consent_text(protocol, "en")
    (consent,) = [e["detail"] for e in events if e["kind"] == "consent"]
    whole = text_version(in_language(protocol.texts.consent, "en"))
    assert consent == {"sha256": text_version(shown), "protocol_sha256": whole}
    assert screen.texts[0].startswith(plain_text(shown))


def test_the_last_page_names_its_key(db_path):
    screen, _ = sit(db_path, few())
    last = screen.texts[-1]
    assert last.startswith("THANK YOU")
    assert last.endswith("Press the space bar to close.")
    assert GO_ON not in last


def test_a_protocol_without_a_debrief_ends_with_a_page_that_names_its_key(db_path):
    protocol = few()
    texts = replace(protocol.texts, debrief={})
    screen, _ = sit(db_path, replace(protocol, texts=texts))
    assert screen.texts[-1] == FINISHED
    assert FINISHED.endswith(CLOSE)


def test_of_several_pages_the_last_one_closes():
    assert pages("One.\n---\nTwo.", last=CLOSE) == [
        f"One.\n\n{GO_ON}",
        f"Two.\n\n{CLOSE}",
    ]


# A rehearsal ------------------------------------------------------------------------


def sizes(protocol):
    return [(block.kind, block.n_trials * block.n_blocks) for block in protocol.blocks]


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        (20, [("practice", 4), ("calibration", 10), ("main", 20)]),
        (300, [("practice", 6), ("calibration", 30), ("main", 300)]),
        (600, [("practice", 10), ("calibration", 60), ("main", 600)]),
        (1200, [("practice", 10), ("calibration", 60), ("main", 1200)]),
    ],
)
def test_practice_and_calibration_shrink_with_the_main_trials(trials, expected):
    protocol = load_protocol("bar-in-noise")
    assert sizes(shortened(protocol, trials)) == expected


def test_what_is_short_already_stays_as_it_is():
    protocol = load_protocol("bar-in-noise")
    blocks = tuple(replace(b, n_trials=min(b.n_trials, 3)) for b in protocol.blocks)
    pairs = replace(protocol.double_pass, n_pairs=0)
    short = replace(protocol, blocks=blocks, double_pass=pairs)
    assert sizes(shortened(short, 6)) == [
        ("practice", 3),
        ("calibration", 3),
        ("main", 6),
    ]


def test_a_rehearsal_has_the_stimuli_and_the_main_trials_of_the_variant():
    protocol = load_protocol("bar-in-noise")
    model = protocol.with_options(trials=20)
    rehearsal = shortened(protocol, 20)
    assert rehearsal.stimulus_hash == model.stimulus_hash
    assert rehearsal.blocks[2:] == model.blocks[2:]
    assert rehearsal.double_pass == model.double_pass
    # What a model runs by the same option is what it was before.
    assert sizes(model)[:2] == [("practice", 10), ("calibration", 60)]

"""The file of a study: what it says is kept, and what breaks a rule gets a sentence."""

import re

import pytest

from yoked.app.database import open_database
from yoked.app.studies.description import load_study, state_after, study_from_json
from yoked.app.studies.kept import add_study, every_study, find_study, set_state
from yoked.app.web.agreed import agreed_texts
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol, protocol_text

WHOLE = """
name = "bright-bars"
title = "Bright and dark bars"
quota = 40
lease_min = 60
return_days = 3
lut = "identity"
[researcher]
name = "Dr. Ada Muster"
contact = "ada@uni.example"
ethics = "2026-17"
[recruitment]
source = "prolific"
complete = "https://app.prolific.com/submissions/complete?cc=C1"
[consent]
en = "# Would you take part?"
de = "# Möchten Sie teilnehmen?"
[[arms]]
name = "f is bright"
protocol = "bar-polarity"
weight = 2
[[arms]]
name = "j is bright"
protocol = "bar-polarity"
keys = ["j", "f"]
instructions.en = "Press **J** for dark, and **F** for bright."
[[arms]]
plan = "days.toml"
"""
PLAN = """
name = "days"
min_gap_hours = 12
[[sittings]]
protocol = "bar-in-noise"
[[sittings]]
protocol = "bar-in-noise"
without = ["practice"]
"""


def described(tmp_path, text: str):
    (tmp_path / "days.toml").write_text(PLAN, encoding="utf-8")
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return load_study(path)


def test_a_study_is_kept_as_it_was_described(tmp_path, db_path):
    study = described(tmp_path, WHOLE)
    store = open_database(db_path)
    add_study(store, study)
    kept = find_study(store, "bright-bars")
    store.close()
    assert kept.study == study
    assert kept.state == "draft"
    assert [arm.name for arm in study.arms] == ["f is bright", "j is bright", "days"]
    assert [len(arm.protocols) for arm in study.arms] == [1, 1, 2]
    assert agreed_texts(study)["de"].endswith("- **Ethikvotum:** 2026-17")


def test_other_keys_leave_the_stimuli_what_they_are(tmp_path):
    first, second, _ = described(tmp_path, WHOLE).arms
    assert first.protocols[0] == load_protocol("bar-polarity")
    assert second.keys == ("j", "f")
    assert "**J** for dark" in second.protocols[0].texts.instructions["en"]
    assert second.protocols[0].hash != first.protocols[0].hash
    # So that their sessions may be pooled: a response is an alternative, not a key.
    assert second.protocols[0].stimulus_hash == first.protocols[0].stimulus_hash


def test_a_study_of_another_file_is_pinned_to_its_own_protocol(tmp_path, db_path):
    own = tmp_path / "own.toml"
    text = "\n".join(["name = 'own'", "[[arms]]", "protocol = 'own.toml'"])
    shipped = protocol_text("bar-in-noise", "own")
    own.write_text(shipped)
    study = described(tmp_path, text)
    store = open_database(db_path)
    add_study(store, study)
    own.write_text(protocol_text("gabor-in-noise", "own"))
    assert find_study(store, "own").study.protocol == study.protocol
    store.close()


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("bright-bars", "Bright bars", "name must be lower-case letters, digits and"),
        ("quota = 40", "quota = -1", "quota must be from 0 (no limit) to 1000000"),
        ("lease_min = 60", "lease_min = 0", "lease_min must be from 1 to 10080"),
        ('"prolific"', '"prolifik"', "recruitment.source must be one of public, links"),
        ("https://app", "http://app", "recruitment.complete must be an address that"),
        ("weight = 2", "weight = 0", "weight of arm f is bright must be from 1 to 100"),
        ('["j", "f"]', '["j"]', "keys of an arm must be 2 keys, as bar-polarity has"),
        ('["j", "f"]', '["j", "j"]', "keys must be all different"),
        (
            "instructions.en",
            "#",
            "with keys must have instructions of its own",
        ),
        ("j is bright", "f is bright", "names of arms must be all different, got"),
        ('plan = "days.toml"', "weight = 1", "must have a protocol or a plan of sitt"),
        ('plan = "days.toml"', 'plan = "gone.toml"', "a plan of sittings must exist"),
        ("[consent]", "[consents]", "consents"),
        ('lut = "identity"', 'lut = "gamma"', "lut must be one of srgb, identity"),
    ],
)
def test_what_breaks_a_rule_gets_one_sentence(tmp_path, before, after, sentence):
    assert before in WHOLE
    kinds = (ProtocolError, ValueError, OSError, LookupError)
    with pytest.raises(kinds, match=re.escape(sentence)):
        described(tmp_path, WHOLE.replace(before, after))


def test_arms_of_different_consents_need_a_text_of_the_study(tmp_path):
    without = re.sub(r"\[consent\].*?\[\[", "[[", WHOLE, count=1, flags=re.DOTALL)
    with pytest.raises(ValueError, match="got another in sitting 1 of arm days"):
        described(tmp_path, without)


def test_a_name_is_taken_once(tmp_path, db_path):
    study = described(tmp_path, WHOLE)
    store = open_database(db_path)
    add_study(store, study)
    with pytest.raises(ValueError, match="must be one that no study here has"):
        add_study(store, study)
    assert len(every_study(store)) == 1
    with pytest.raises(LookupError, match="did you mean 'bright-bars'"):
        set_state(store, "bright-bar", "open")
    store.close()


def test_a_study_that_was_open_is_no_draft_any_more():
    assert state_after("closed", "open") == "open"
    with pytest.raises(ValueError, match="must not become a draft again"):
        state_after("paused", "draft")
    with pytest.raises(ValueError, match="did you mean 'open'"):
        state_after("draft", "opn")


def test_what_is_kept_as_json_holds_no_default(tmp_path):
    study = described(tmp_path, 'name = "x"\n[[arms]]\nprotocol = "bar-in-noise"')
    assert study.to_json() == '{"name": "x"}'
    assert study_from_json(study.to_json(), study.arms) == study

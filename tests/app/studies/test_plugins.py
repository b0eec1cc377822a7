"""Plugins of a lab: found and pinned, or refused with the reason."""

import pytest

from yoked.app.studies.description import load_study
from yoked.app.studies.plugins import PluginError, find_plugin, pinned_plugin
from yoked.experiments.protocols.checks import ProtocolError

from .lab_plugins import PACKAGE, WORD, put_plugin

TEXT = f"""
name = "words"
[[questionnaires]]
id = "word"
when = "after"
title.en = "A word"
plugin = "{PACKAGE}"
parameters.prompt.by_language.en = "Which word?"
[[arms]]
name = "all"
protocol = "bar-in-noise"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = put_plugin(tmp_path / "node_modules")
    monkeypatch.setenv("YOKED_PLUGINS", str(folder))
    return folder


def load(tmp_path, text: str = TEXT):
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return load_study(path)


def test_a_plugin_is_pinned_as_it_is(folder, tmp_path):
    (asked,) = load(tmp_path).questionnaires
    found = pinned_plugin(PACKAGE, asked.plugin_sha256)
    assert (found.name, found.version) == ("jsPsychWord", "1.2.0")
    assert "sourceMappingURL" not in found.script  # of a third party
    put_plugin(folder, WORD.replace("Done", "Finished"))
    with pytest.raises(PluginError, match="as it was when the study was added"):
        pinned_plugin(PACKAGE, asked.plugin_sha256)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<input>", "<input style='top:0'>", "forbids, got style attributes"),
        ('"st" + "yle"', '"style"', "forbids, got style attributes"),
        ("<input>", "<style>", "forbids, got a style sheet"),
        ("trial.sly", "eval('1')", "forbids, got code that is made at run time"),
        ("<input>", "<script>", "forbids, got a script"),
        ("var jsPsychWord", "var word", "must be a plugin of jsPsych 7 or 8"),
        ("info", "about", "must be a plugin of jsPsych 7 or 8"),
    ],
)
def test_what_breaks_the_policy_or_is_no_plugin_is_refused(tmp_path, old, new, message):
    folder = put_plugin(tmp_path, WORD.replace(old, new))
    with pytest.raises(PluginError, match=message):
        find_plugin(PACKAGE, folder)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "@lab/../x", "@LAB/x", "a/b/c"]
)
def test_a_plugin_is_named_and_no_path(folder, name):
    with pytest.raises(PluginError, match="must be a package's name"):
        find_plugin(name)


def test_a_study_says_what_is_missing_when_it_is_added(folder, tmp_path, monkeypatch):
    with pytest.raises(ProtocolError, match="npm install --prefix FOLDER @lab/none"):
        load(tmp_path, TEXT.replace(PACKAGE, "@lab/none"))
    (folder / PACKAGE / "package.json").write_text("{}")
    with pytest.raises(ProtocolError, match="must be a package with a package"):
        load(tmp_path)
    monkeypatch.delenv("YOKED_PLUGINS")
    with pytest.raises(ProtocolError, match="in a folder that YOKED_PLUGINS names"):
        load(tmp_path)
    beside = TEXT.replace("plugin =", "questions = []\ntext.en = 'x'\nplugins =")
    with pytest.raises(ProtocolError, match="plugins must be one of"):
        load(tmp_path, beside)

"""`yoked new`: a protocol that runs as it is, and whose choices are real."""

import re
import tomllib

import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.experiments.protocols.files import load_protocol


def run(*arguments):
    return CliRunner().invoke(cli, [*map(str, arguments)])


def test_the_skeleton_runs_as_it_is(tmp_path):
    file, log = tmp_path / "my-task.toml", tmp_path / "results.db"
    assert run("new", file).exit_code == 0
    assert load_protocol(file).name == "my-task"
    result = run("simulate", file, "template", log, "--trials", 50, "--seed", 1)
    assert result.exit_code == 0, result.output


def test_every_choice_of_the_skeleton_is_the_value_in_force(tmp_path):
    file = tmp_path / "task.toml"
    run("new", file)
    text = file.read_text()
    assert len(re.findall("^#: ", text, re.MULTILINE)) >= 5
    file.write_text(re.sub("^#: ", "", text, flags=re.MULTILINE))
    chosen = load_protocol(file)
    file.write_text(text)
    assert chosen.hash == load_protocol(file).hash


def test_a_shipped_protocol_can_be_copied(tmp_path):
    file = tmp_path / "mine.toml"
    assert run("new", file, "--like", "movie-bar").exit_code == 0
    copy, shipped = load_protocol(file), load_protocol("movie-bar")
    assert copy.to_dict() == shipped.to_dict() | {"name": "mine"}
    assert copy.stimulus_hash == shipped.stimulus_hash


def test_a_file_that_exists_is_left_alone(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("mine")
    result = run("new", file)
    assert result.exit_code == 1
    assert "must be new, got a file that exists" in result.output
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("task.yaml",), "FILE must end in .toml"),
        (
            ("task.toml", "--like", "movie-bat"),
            "no protocol named 'movie-bat'; did you",
        ),
    ],
)
def test_what_cannot_be_written_is_said(tmp_path, arguments, sentence):
    name, *options = arguments
    result = run("new", tmp_path / name, *options)
    assert result.exit_code != 0
    assert sentence in result.output
    assert not list(tmp_path.iterdir())


def test_the_skeleton_is_toml_with_its_choices_made(tmp_path):
    file = tmp_path / "task.toml"
    run("new", file)
    assert tomllib.loads(file.read_text())["task"]["kind"] == "2afc"

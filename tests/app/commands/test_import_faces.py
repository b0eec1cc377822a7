"""Reverse correlation with faces by command: what is read, and what is refused."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import yoked
from tests.experiments.imports.faces import RCICR, RCPYCI, write_table
from tests.experiments.protocols.png import png
from yoked.app.cli import cli
from yoked.experiments.protocols.picture import picture_levels


def command(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture
def choices(tmp_path):
    rows = [(f"p{s}", i, (-1) ** (i // 3 + s)) for s in (1, 2) for i in range(120)]
    return write_table(tmp_path / "responses.csv", rows)


def test_an_experiment_goes_from_import_to_its_analysis(tmp_path, db_path, choices):
    made = command(
        *("import", "rcpyci", RCPYCI / "reference.npz", choices, db_path),
        *("--image-size", 32),
    )
    assert made.exit_code == 0, made.output
    found = json.loads(made.stdout)
    assert [each["observer"] for each in found] == ["p1", "p2"]
    assert {each["n_trials"] for each in found} == {120}
    analysed = command("analyse", db_path, found[0]["session"], "--orders", 1)
    assert analysed.exit_code == 0, analysed.output
    (said,) = json.loads(analysed.stdout)
    assert said["pooled"]["dprime"]["note"] == "the task has no correct answer"
    assert said["missing"]["zero.course"] == "the task has no correct answer"
    image = np.array(said["order_1"]["weighted_sum"]["classification_image"])
    assert image.shape == (1, 32, 32)
    report = command("report", db_path, "-o", tmp_path / "report.html")
    assert report.exit_code == 0, report.output
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "neither of them correct, were shown in uniform noise" in text
    exported = command("export", db_path, tmp_path / "trials.csv")
    assert exported.exit_code == 0, exported.output


def test_rcicr_counts_its_stimuli_from_1(tmp_path, db_path):
    pytest.importorskip("rdata")
    stimuli = RCICR / "stimuli.Rdata"
    table = write_table(tmp_path / "r.csv", [("p", i, 1) for i in range(40)])
    refused = command("import", "rcicr", stimuli, table, db_path)
    assert refused.exit_code == 1
    assert "stimulus in row 1 of r.csv must be a stimulus, from 1 to 40" in (
        refused.output
    )
    counted = ("--counted-from", 0)
    assert command("import", "rcicr", stimuli, table, db_path, *counted).exit_code == 0


def test_a_base_picture_of_rcpyci_is_behind_its_noise(tmp_path, db_path, choices):
    pixels = np.add.outer(np.arange(32), 4 * np.arange(32)).astype(np.uint8)
    face, wrong = tmp_path / "face.png", tmp_path / "wrong.png"
    face.write_bytes(png(pixels))
    wrong.write_bytes(png(pixels[:, :31]))
    words = ("import", "rcpyci", RCPYCI / "reference.npz", choices, db_path)
    refused = command(*words, "--picture", wrong)
    assert refused.exit_code == 1
    assert "must be square, got [32, 31]" in refused.output
    made = command(*words, "--picture", face)
    assert made.exit_code == 0, made.output
    session = yoked.load_session(db_path, json.loads(made.stdout)[0]["session"])
    behind = picture_levels(session.protocol)[0]
    stretched = 127 * (pixels / pixels.max() - 0.5)  # from black to white
    assert np.abs(behind - stretched).max() <= 0.5


def test_a_column_of_another_name_is_named(tmp_path, db_path, choices):
    header = ("who", "pair", "key")
    rows = [("p", i, "ori" if i % 2 else "inv") for i in range(120)]
    table = write_table(tmp_path / "keys.csv", rows, header)
    stimuli = RCPYCI / "reference.npz"
    words = ("import", "rcpyci", stimuli, table, db_path, "--image-size", 32)
    assert "must have a column stimulus_id or stimulus" in command(*words).output
    named = ("stimulus_id=pair", "response=key", "observer=who")
    made = command(*words, *(word for n in named for word in ("--column", n)))
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)[0]["observer"] == "p"
    unknown = command(*words, "--column", "respons=key")
    assert "did you mean 'response'?" in unknown.output

"""`yoked choices`: a folder at once, and what a terminal shows."""

import json

import pytest
from click.testing import CliRunner

from yoked.app.cli import cli


def command(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture
def tables(tmp_path):
    """Two people and a network on the same forty pictures."""
    for name, every in (("ann", 3), ("bob", 4), ("net", 5)):
        rows = [
            f"{name},{i}.png,cat,{'dog' if i % every else 'cat'}" for i in range(40)
        ]
        text = "\n".join(["observer,image,category,choice", *rows])
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_folder_is_compared_as_json_and_as_a_table(tables):
    ran = command("choices", tables, "--model", "net")
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    ann, bob, net = found["observers"]
    assert (ann["is_model"], net["is_model"]) == (False, True)
    assert ann["proportion_correct"]["value"] == 14 / 40
    assert found["people"]["kappa"]["value"] == pytest.approx(bob["kappa"]["value"])
    shown = command("choices", tables, "--model", "net", "--table").stdout
    assert shown.splitlines()[0].split()[:2] == ["observer", "trials"]
    assert "net (model)" in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_what_is_missing_is_said_in_one_sentence(tables):
    refused = command("choices", tables, "--model", "nett")
    assert refused.exit_code == 1
    assert "no observer named 'nett' in the tables; did you mean 'net'?" in (
        refused.output
    )
    renamed = command("choices", tables / "ann.csv", "--column", "target=truth")
    assert "ann.csv must have a column truth, got" in renamed.output

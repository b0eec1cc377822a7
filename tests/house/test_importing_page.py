"""docs/importing.md: its example runs, and its tables name what there is."""

import json
import re
import shlex
import textwrap

import numpy as np
import pytest
from click.testing import CliRunner

from tests import ROOT
from yoked.app.cli import cli
from yoked.app.commands.importing import table
from yoked.experiments.imports.table_settings import COLUMNS

PAGE = (ROOT / "docs" / "importing.md").read_text()
LOOKS_AT = [0, 0, 0, 0.3, 1, 0.3, 0, 0, 0]


def blocks(title):
    """Return the indented blocks of a section, as they would be typed."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    found = re.findall(r"(?:^(?: {4}.*)?\n)*^ {4}.*\n", section, re.MULTILINE)
    return [textwrap.dedent(block).strip("\n") for block in found]


@pytest.mark.filterwarnings("default")  # a user's Python shows warnings, and goes on
def test_the_example_runs_as_it_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    theirs, commands, ours = blocks("An example")
    exec(theirs, {})
    outputs = []
    for line in commands.splitlines():
        name, *arguments = shlex.split(line)
        assert name == "yoked"
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == 0, done.output
        outputs.append(json.loads(done.stdout))
    (imported,), (analysed,) = outputs
    assert (imported["trials"], imported["pairs"], imported["notes"]) == (2000, 500, [])
    names: dict = {}
    exec(ours, names)
    kernel = names["kernel"]
    assert np.corrcoef(kernel, LOOKS_AT)[0, 1] > 0.95
    # Both ways give the same session.
    printed = capsys.readouterr().out.split()
    assert float(printed[1]) == analysed["pooled"]["dprime"]["value"]
    assert float(printed[2]) == analysed["pooled"]["agreement"]["value"]


def test_the_page_names_every_column_and_option():
    assert not [name for name in COLUMNS if f"| `{name}` |" not in PAGE]
    options = {option for p in table.params for option in p.opts if option[:2] == "--"}
    not_told = {"--json", "--table", "--csv", "--task", "--name"}
    assert not [option for option in options - not_told if option not in PAGE]

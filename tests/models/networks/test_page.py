"""docs/observers.md begins with lines that run."""

import re

import pytest

from tests import ROOT

SHORTER = (
    ("size_px=64)", "size_px=64, fit_trials=64)"),
    ("contrast=0.227)", "contrast=0.227, trials=100)"),
    ("trials=512)", "trials=100)"),
)


def test_the_first_lines_bring_a_network_and_end_with_its_kernel(
    tmp_path, monkeypatch, capsys
):
    pytest.importorskip("matplotlib")
    page = (ROOT / "docs" / "observers.md").read_text(encoding="utf-8")
    found = re.search(
        r"((?:^    .*\n|^\n)+)", page[page.index("    import torch") :], re.M
    )
    assert found is not None
    lines = "\n".join(line[4:] for line in found[0].splitlines())
    for usual, short in SHORTER:
        assert usual in lines
        lines = lines.replace(usual, short)
    monkeypatch.chdir(tmp_path)
    exec(compile(lines, "docs/observers.md", "exec"), {})
    assert (tmp_path / "kernel.svg").stat().st_size > 1000
    printed = capsys.readouterr().out
    assert "cross_validated_proportion_correct" in printed
    assert "white-box kernels of Sequential, bar-in-noise, 100 trials" in printed

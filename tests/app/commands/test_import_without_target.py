"""A table without a correct answer by command: read, analysed, shown and exported."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from yoked.app.cli import cli

N, PAIRS = 200, 100


def command(*words):
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Give a database of somebody who had to invent targets."""
    folder, rng = tmp_path_factory.mktemp("voices"), np.random.default_rng(2)
    noise = rng.normal(0, 0.15, (N, 2, 5))
    stimulus = np.concatenate([np.arange(N), np.arange(PAIRS)])
    wanted = (noise[:, 1, 2] - noise[:, 0, 2])[stimulus]
    wanted += 0.2 * rng.normal(size=N + PAIRS)
    table = {"trial": np.arange(N + PAIRS), "stimulus_id": stimulus}
    table |= {"target": rng.integers(0, 2, N)[stimulus]}
    table |= {"response": (wanted > 0.05).astype(int)}
    again = pd.array([None] * N + list(range(PAIRS)), dtype="Int64")
    pd.DataFrame({**table, "repeats": again}).to_csv(folder / "ann.csv", index=False)
    np.save(folder / "noise.npy", noise)
    words = ("import", "table", folder / "ann.csv", folder / "results.db")
    noise_option = ("--noise", folder / "noise.npy")
    made = command(*words, "--task", "2afc", *noise_option, "--no-target")
    (row,) = json.loads(made)
    assert row["notes"] == ["columns that were not read: target"]
    return folder / "results.db"


def test_the_analysis_has_first_choices_where_d_prime_cannot_be(imported):
    (found,) = json.loads(command("analyse", imported, "--orders", 0, "--json"))
    pooled = found["pooled"]
    assert pooled["dprime"]["note"] == "the task has no correct answer"
    assert 0.5 < pooled["chose_first"]["value"] < 0.8
    assert pooled["pairs_chose_first"]["n"] == 2 * PAIRS
    assert pooled["internal_noise"]["gamma"]["value"] > 0
    shown = command("analyse", imported, "--orders", 0, "--table")
    assert "chose first" in shown
    assert "proportion correct" not in shown


def test_an_export_has_no_correct_key(imported, tmp_path):
    command("export", imported, tmp_path / "wide.csv", "--format", "psychopy")
    rows = pd.read_csv(tmp_path / "wide.csv")
    assert len(rows) == N + PAIRS
    assert rows[["corrAns", "key_resp.corr"]].isna().all(axis=None)

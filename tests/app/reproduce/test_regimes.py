"""The figure of regimes in small: what is trained, measured, kept and refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.experiments.pictures.made import bars
from yoked.analysis.trials.estimate import Estimate
from yoked.app.cli import cli
from yoked.app.commands.reproduce_regimes import REGIMES
from yoked.app.reproduce.regime_outcome import effects_of
from yoked.app.reproduce.regime_set import GROUPS, NETWORKS, OF_ANOTHER, networks_for
from yoked.app.reproduce.regimes import RegimesExtent, cells_of, recipe_of, regimes
from yoked.models.regimes.recipe import REGIMES as KINDS
from yoked.models.regimes.recipe import picture_recipe_of

EXTENT = RegimesExtent(("harmonizer", "attention"), 1, steps=3, n_fit=80, n_test=80)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("regimes")
    return out, regimes(out, EXTENT, bars, processes=2)


def test_every_network_of_a_regime_is_trained_and_has_its_measure(made):
    out, found = made
    assert not found.failed
    rows = [(each.regime, each.network, each.role) for each in found.effects]
    assert rows == [
        ("harmonizer", "plain", "baseline"),
        ("harmonizer", "harmonizer", "regime"),
        ("harmonizer", "harmonizer-shuffled", "control"),
        ("attention", "plain-in-clutter", "baseline"),
        ("attention", "attending", "regime"),
        ("attention", "attending-shuffled", "control"),
    ]
    for each in found.effects:
        assert each.mean.value is not None
        assert (each.effect is None) == (each.role == "baseline")
    cell = json.loads((out / "cells" / "plain--seed-1" / "cell.json").read_text())
    assert set(cell["measures"]["plain"]) == {
        *("correct", "attacked", "cka", "rsa", "predictivity", "map")
    }
    kept = json.loads((out / "regimes.json").read_text(encoding="utf-8"))
    assert len(kept["effects"]) == 6
    assert kept["networks"][0]["network"] == "plain"
    assert "<svg" in (out / "effects.svg").read_text(encoding="utf-8")


def test_what_is_done_stays_and_other_steps_are_refused(made, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(made[0], out)
    before = {p: p.stat().st_mtime_ns for p in (out / "cells").glob("*/*")}

    def no_digits():
        raise AssertionError

    # In another folder cells are others' (they name their pictures), so the first one.
    again = regimes(made[0], EXTENT, no_digits, processes=1)
    assert [e.mean for e in again.effects] == [e.mean for e in made[1].effects]
    assert before == {p: p.stat().st_mtime_ns for p in (out / "cells").glob("*/*")}
    with pytest.raises(ValueError, match="a new folder, or one with the same steps"):
        regimes(made[0], replace(EXTENT, steps=4), no_digits)


def test_tables_are_of_all_that_the_folder_holds(made):
    few = regimes(made[0], replace(EXTENT, regimes=("attention",)), bars, processes=1)
    assert [e.network for e in few.effects] == [e.network for e in made[1].effects]


def test_recipes_of_the_set_are_recipes_and_ids_are_known():
    assert tuple(GROUPS) == REGIMES
    for each in NETWORKS.values():
        made = picture_recipe_of(recipe_of(Path("out"), EXTENT, each))
        assert made.regime.kind in KINDS
    for group in GROUPS.values():
        for name in group.ids:
            assert OF_ANOTHER.get(name, name) in NETWORKS
    # Every control that a regime of the recipes has is in the set.
    trained = {
        (n.regime.get("kind"), n.regime.get("control")) for n in networks_for(REGIMES)
    }
    wanted = {(kind, c) for kind, controls in KINDS.items() for c in controls}
    assert wanted <= trained
    assert len(cells_of(Path("out"), RegimesExtent())) == 3 * len(NETWORKS)


def record(network, seed, value):
    """Give what a cell of the set would leave."""
    each = Estimate.normal(value, 0.02, 400, "cka-linear-unbiased/1")
    return {
        "network": network,
        "seed": seed,
        "seconds": 1.0,
        "measures": {network: {"cka": each.to_dict()}},
    }


def test_effects_are_differences_of_the_same_seed_over_seeds():
    moved = {"plain": (0.3, 0.5, 0.4), "alignment": (0.6, 0.8, 0.7)}
    records = [
        record(name, seed, value)
        for name, values in moved.items()
        for seed, value in enumerate(values, start=1)
    ]
    base, regime = effects_of(records)
    assert (base.role, base.effect, base.n_seeds) == ("baseline", None, 3)
    assert regime.effect.value == pytest.approx(0.3)
    # Seeds spread by .1 and differences by nothing: only pictures' errors are left.
    assert regime.effect.high - regime.effect.low < base.mean.high - base.mean.low
    assert "cka" not in regime.measure.lower().split()[1:]
    alone = effects_of(records[3:])
    assert alone[0].effect.note == "no seed has both"


def test_the_command_says_what_is_to_be_done(tmp_path):
    asked = ["reproduce", "regimes", "-o", str(tmp_path / "x"), "--dry-run", "--json"]
    found = CliRunner().invoke(cli, [*asked, "--regime", "ssn", "--seeds", "2"])
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert told["networks"] == ["ssn", "ssn-not-recurrent"]
    assert told["n_trainings"] == 4
    assert not (tmp_path / "x").exists()
    wrong = CliRunner().invoke(cli, [*asked, "--test", "5"])
    assert wrong.exit_code == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"regimes": ()}, "regimes must be some of alignment"),
        ({"regimes": ("ssn", "ssn")}, "each once"),
        ({"n_test": 3}, "n_test must be 40 or more, got 3"),
    ],
)
def test_what_breaks_rules_is_refused(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        RegimesExtent(**given)

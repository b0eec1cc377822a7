"""Brain-like against seeing, in small: rows, correlations, what is kept and refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tests.experiments.pictures.made import bars
from tests.models.regimes.pictures import bars as written
from tests.models.regimes.pictures import recipe
from yoked.analysis.trials.estimate import Estimate
from yoked.app.cli import cli
from yoked.app.figures import write_figure
from yoked.app.reproduce.beside import beside_sessions
from yoked.app.reproduce.seeing import (
    SeeingExtent,
    _sessions,
    brainlike_vs_seeing,
    cells_of,
)
from yoked.app.reproduce.seeing_measures import BRAIN_LIKE, observer_of
from yoked.app.reproduce.seeing_outcome import (
    SHARES,
    links_of,
    means_of,
    networks_of,
    over_sessions,
)
from yoked.app.reproduce.seeing_pictures import draw_seeing
from yoked.app.reproduce.seeing_set import FAMILIES, REGIMES, trained_of
from yoked.app.sweeps.cell import publish
from yoked.models.regimes.recipe import RegimePart, picture_recipe_of
from yoked.models.regimes.untrained import untrained

SMALL = SeeingExtent(
    families=("plain-cnn", "cornet-z"),
    regimes=("untrained", "plain"),
    n_seeds=1,
    steps=3,
    n_fit=200,
    n_test=40,
    trials=200,
)


def record(family, regime, seed, v1, share, sessions=("a",)):
    """Return what a network came to, as its folder has it."""
    known = Estimate.normal(v1, 0.01, 40, "made/1").to_dict()
    measures = dict.fromkeys(BRAIN_LIKE, known)
    measures |= {"v1": {**known, "se": None, "low": None, "high": None}}
    shares = {
        "share_0": Estimate.normal(0.5 * share, 0.05, 200, "made/1").to_dict(),
        "share_1": Estimate.normal(share, 0.05, 200, "made/1").to_dict(),
        "share_2": Estimate.normal(
            share, 3.0, 200, "made/1"
        ).to_dict(),  # tells nothing
    }
    return {
        "family": family,
        "regime": regime,
        "seed": seed,
        "measures": measures,
        "beside": dict.fromkeys(sessions, shares),
        "internal_noise": {each: {"gamma": 0.9, "why_not": None} for each in sessions},
        "seconds": 1.0,
    }


def records(n_seeds=2):
    """Return families that differ one way, and within them go the other way."""
    rng = np.random.default_rng(1)
    return [
        record(
            family,
            regime,
            seed,
            0.4 + 0.05 * k + 0.02 * m + 1e-3 * rng.normal(),
            0.9 - 0.1 * k + 0.03 * m + 1e-3 * rng.normal(),
        )
        for seed in range(1, n_seeds + 1)
        for k, family in enumerate(list(FAMILIES)[:6])
        for m, regime in enumerate(REGIMES)
    ]


def test_what_goes_together_within_families_is_found_though_families_go_apart():
    given = records()
    means = means_of(given, "people")
    assert len(means) == 30
    links = {(e.over, e.measure, e.share): e for e in links_of(given, means)}
    for over, n in (("kinds", 30), ("networks", 60)):
        link = links[over, "v1", "share_1"]
        assert (link.r.n, link.n_families, link.n_tests) == (n, 6, 16)
        assert link.r.value > 0.9
        assert link.p < 0.001
        assert link.p <= link.p_holm <= 16 * link.p
        assert links[over, "v1", "share_2"].r.value is None
    x, y = ([e.measures[k].value for e in means] for k in ("v1", "share_1"))
    assert np.corrcoef(x, y)[0, 1] < -0.5


def test_one_seed_is_tested_once():
    given = records(1)
    links = links_of(given, means_of(given, "people"))
    assert {each.over for each in links} == {"kinds"}
    assert len(links) == len(BRAIN_LIKE) * len(SHARES)


def test_seeds_of_what_has_no_error_are_averaged():
    given = [record("alexnet", "plain", s, v, 0.5) for s, v in ((1, 0.4), (2, 0.6))]
    (row,) = means_of([*given, {**WHICH, "error": "why"}], "people")
    assert row.measures["v1"].value == pytest.approx(0.5)
    assert row.measures["v1"].se == pytest.approx(0.1)
    assert (row.n_seeds, row.n_failed) == (2, 1)
    assert row.table()[0]["seeds"] == "2 (1 failed)"


WHICH = {"family": "alexnet", "regime": "plain", "seed": 3}


def test_a_share_is_averaged_over_all_sessions_or_none():
    one, other = (Estimate.normal(v, 0.3, 9, "a/1") for v in (0.2, 0.6))
    both = over_sessions([one, other])
    assert both.value == pytest.approx(0.4)
    assert both.se == pytest.approx(0.3 / np.sqrt(2))
    assert over_sessions([one]) is one
    lost = over_sessions([one, Estimate.missing("a/1", "no ceiling")])
    assert lost.value is None
    assert "a session does not tell it: no ceiling" in lost.note


def test_a_measure_at_the_end_of_its_range_has_a_mean_over_seeds():
    given = records(3)[:3]
    for each in given:
        each["family"], each["regime"] = "alexnet", "untrained"
    for each, value in zip(given, (0.0, 0.03, 0.06), strict=True):
        se = None if value == 0 else 0.01
        found = Estimate(value, se or 0.0, value, value, 200, "made/1")
        each["measures"]["attacked"] = found.to_dict()
    (mean,) = means_of(given, "people")
    assert mean.measures["attacked"].value == pytest.approx(0.03)
    for each in given:
        each["measures"]["attacked"] = given[0]["measures"]["attacked"]
    (mean,) = means_of(given, "people")
    assert (mean.measures["attacked"].value, mean.measures["attacked"].low) == (0, None)


def test_rows_of_networks_say_what_failed():
    good, lost = networks_of([records(1)[0], {**WHICH, "error": "why"}])
    assert good["gamma"] == 0.9
    assert good["share_2"] is None
    assert lost["error"] == "why"
    assert set(good) == set(lost)


def test_the_picture_names_families_regimes_and_correlations(tmp_path):
    given = records(1)
    means = means_of(given, "people")
    file = tmp_path / "seeing.svg"
    write_figure(file, draw_seeing(means, links_of(given, means)))
    said = file.read_text(encoding="utf-8")
    for words in ("resnet-18", "adversarial", "first-order kernel", "r within"):
        assert words in said
    assert "second-order" not in said  # nobody tells it


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("regime", REGIMES)
def test_regimes_are_those_that_recipes_know(family, regime):
    told = trained_of(family, regime).regime
    made = RegimePart(**{k: tuple(v) if k == "layers" else v for k, v in told.items()})
    assert made.kind == ("none" if regime in ("untrained", "plain") else regime)
    if regime == "alignment":
        assert made.layers == (FAMILIES[family].layer,)


def test_what_is_done_stays_and_more_is_added(tmp_path):
    out = tmp_path / "figure"
    (out / "cells").mkdir(parents=True)
    cells = cells_of(out, SMALL, *_sessions(out, SMALL))
    for number, cell in enumerate(cells):
        made = record(cell.family, cell.regime, 1, 0.1 * number, 0.5, cell.sessions)
        publish(Path(cell.folder), [], {"inputs": cell.inputs, **made})
    told = []
    found = brainlike_vs_seeing(out, SMALL, bars, told=told.append)
    assert [each.n_done for each in told] == [4]
    assert not found.failed
    kept = json.loads((out / "brainlike-vs-seeing.json").read_text(encoding="utf-8"))
    assert kept["format"] == "yoked-brainlike-vs-seeing/1"
    assert kept["means"] == [each.to_dict() for each in found.means]
    assert kept["extent"]["sessions"] == ["max", "energy", "gain-control"]
    assert {each["beside"] for each in kept["means"]} == {"circuits"}
    fewer = replace(SMALL, families=("cornet-z",))
    assert len(brainlike_vs_seeing(out, fewer, bars).means) == 4  # of all that is there
    with pytest.raises(ValueError, match=r"with the same steps, got 3 in .*for 4"):
        brainlike_vs_seeing(out, replace(SMALL, steps=4), bars)


def test_a_stimulus_larger_than_the_field_is_seen_whole(tmp_path):
    written(tmp_path, "fit", 24, seed=1)
    written(tmp_path, "test", 12, seed=2)
    given, file = recipe(tmp_path), tmp_path / "net.safetensors"
    untrained(given, file)
    made = picture_recipe_of(given)
    fields = [observer_of(made, file, deg).sight().field_deg for deg in (0.8, 7.5)]
    assert fields == [4.0, 7.5]


def test_a_network_that_has_died_is_measured_and_shares_say_why(tmp_path):
    written(tmp_path, "fit", 24, seed=1)
    written(tmp_path, "test", 12, seed=2)
    given, file = recipe(tmp_path), tmp_path / "net.safetensors"
    untrained(given, file)
    dead = {name: torch.zeros_like(each) for name, each in load_file(file).items()}
    with safe_open(file, "pt") as opened:
        save_file(dead, file, opened.metadata())
    log, sessions = _sessions(tmp_path, SMALL)
    observer = observer_of(picture_recipe_of(given), file, 7.5)
    found = beside_sessions(observer, str(log), sessions[:1], 1, tmp_path / "kept")
    measures, noise = found[sessions[0]]
    assert measures["share_0"]["value"] is None
    assert "features must vary over trials" in measures["share_0"]["note"]
    assert noise["gamma"] is None


@pytest.mark.slow
def test_every_network_is_trained_and_measured(tmp_path):
    found = brainlike_vs_seeing(tmp_path / "figure", SMALL, bars, processes=1)
    assert not found.failed
    assert [(e.family, e.regime) for e in found.means] == [
        (family, regime) for family in SMALL.families for regime in SMALL.regimes
    ]
    for each in found.means:
        lost = {name for name, e in each.measures.items() if e.value is None}
        assert "variance" in lost  # without cells
        assert not lost & {"v1", "cka", "attacked", "correct", "complexity", "texture"}
        assert each.measures["share_0"].formula


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="families must be some of plain-cnn"):
        SeeingExtent(families=("vgg",))
    with pytest.raises(ValueError, match="sessions must be of a log"):
        SeeingExtent(sessions=("a",))
    with pytest.raises(ValueError, match="n_fit must be 200 or more, got 10"):
        SeeingExtent(n_fit=10)


def test_the_command_says_what_is_to_be_done(tmp_path):
    given = ["reproduce", "brainlike-vs-seeing", "-o", str(tmp_path / "new")]
    given += ["--dry-run", "--seeds", "2", "--family", "ssn"]
    found = CliRunner().invoke(cli, given)
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["n_networks"] == 10
    assert "beside the V1 battery and 3 circuits, no people" in found.stderr
    assert not (tmp_path / "new").exists()
    both = CliRunner().invoke(cli, [*given, "--without-cells", "--ringach", "."])
    assert "--without-cells must stand without --ringach" in both.output
    alone = CliRunner().invoke(cli, [*given, "--session", "a"])
    assert "--session must come with --people" in alone.output

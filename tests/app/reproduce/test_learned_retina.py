"""The figure of fronts in small: what it rests on, what is kept, what is refused."""

import json
import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner

import yoked
from tests.app.recordings.small import small
from yoked.app.cli import cli
from yoked.app.commands.reproduce import learned_retina as command
from yoked.app.reproduce.fronts import CONTRASTS, KINDS, LESIONS, fronts_of, retinas_of
from yoked.app.reproduce.learned_people import people_of_tasks, score_people
from yoked.app.reproduce.learned_retina import LearnedExtent, learned_retina
from yoked.app.scores.score import CIRCUITS
from yoked.models.ganglion_cells.fitted_file import load_fitted, save_fitted
from yoked.models.ganglion_cells.fitting import fit
from yoked.models.ganglion_cells.learned_front import lesions_of
from yoked.models.recipes.recipe import recipe_of

STEP_MS = 5 / 3  # of which a frame of 33.333 ms has a whole number


@pytest.fixture(scope="module")
def retina(tmp_path_factory):
    """Return the file of LN cells that were fitted to a small recording."""
    file = tmp_path_factory.mktemp("retina") / "ln.pt"
    recording = replace(small(n_steps=3000), step_ms=STEP_MS, frame_ms=STEP_MS)
    save_fitted(file, fit("ln", recording), recording)
    return file


@pytest.fixture(scope="module")
def extent(retina):
    return LearnedExtent(
        retinas_of([retina]),
        tasks=("movie-bar",),
        fronts=("none", "learned"),
        lesions=(),
        n_seeds=1,
        trials=600,
        steps=4,
    )


@pytest.fixture(scope="module")
def made(extent, tmp_path_factory):
    out = tmp_path_factory.mktemp("figure")
    return out, learned_retina(out, extent, processes=2)


def share(found, front, circuit, order):
    (one,) = (
        each.share
        for each in found.shares
        if (each.front, each.circuit, each.order) == (front, circuit, order)
    )
    return one


def test_a_circuit_shares_all_with_itself_and_less_with_another(made):
    _, found = made
    assert not found.failed
    for circuit in ("linear", "hammerstein"):
        again = share(found, circuit, circuit, 0)
        assert again.value == pytest.approx(1, abs=4 * again.se)
        other = share(found, "max", circuit, 0)
        assert other.value < again.value


def test_every_network_stands_beside_every_circuit_at_three_orders(made):
    _, found = made
    networks = [each for each in found.shares if each.is_network]
    assert len(networks) == 2 * len(CIRCUITS) * 3
    assert {each.front for each in networks} == {"none", "ln.pt"}
    assert set(found.weights) == {("none", "movie-bar"), ("ln.pt", "movie-bar")}
    assert all(file.is_file() for file in found.weights.values())


def test_what_is_written_says_the_same_and_more_is_added(made, extent):
    out, found = made
    kept = json.loads((out / "learned-retina.json").read_text())
    assert kept["format"] == "yoked-learned-retina/1"
    assert kept["shares"] == [each.to_dict() for each in found.shares]
    assert [each["front"] for each in kept["networks"]] == ["none", "ln.pt"]
    before = {p: p.stat().st_mtime_ns for p in out.glob("cells/*/cell.json")}
    again = learned_retina(out, extent, told=(told := []).append)
    assert [each.n_done for each in told] == [len(before)]
    assert again.shares == found.shares
    more = learned_retina(out, replace(extent, lesions=LESIONS), processes=2)
    fronts = {each.front for each in more.shares if each.is_network}
    parts = "", ", no surround", ", no rectification"
    assert fronts == {"none", *(f"ln.pt{part}" for part in parts)}
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert (out / "shares.svg").read_text().count("no surround") >= 1


def test_a_folder_of_another_extent_is_refused_and_left_alone(made, extent):
    out, _ = made
    before = (out / "extent.json").read_text()
    for other in (replace(extent, trials=800), replace(extent, eccentricity_deg=10.0)):
        rule = r"steps, scale and retinas, got .* 600 trials, 4 steps, 5 degrees, ln"
        with pytest.raises(ValueError, match=rule):
            learned_retina(out, other)
    assert (out / "extent.json").read_text() == before


def test_a_retina_that_was_fitted_anew_is_refused(made, extent):
    other = replace(extent.retinas[0], sha256="0" * 64)
    with pytest.raises(
        ValueError, match=r"ln\.pt \(\w{8}\), for .* ln\.pt \(00000000\)"
    ):
        learned_retina(made[0], replace(extent, retinas=(other,)))


def test_what_is_of_other_inputs_or_half_written_is_done_again(made, extent, tmp_path):
    out = tmp_path / "figure"
    shutil.copytree(made[0], out)
    stale = out / "cells" / "max--movie-bar--seed-1" / "cell.json"
    record = json.loads(stale.read_text())
    stale.write_text(json.dumps({**record, "inputs": "of another version"}))
    shutil.copytree(stale.parent, out / "cells" / ".linear--movie-bar--seed-1-abcd")
    again = learned_retina(out, extent, processes=1)
    assert json.loads(stale.read_text())["inputs"] == record["inputs"]
    assert share(again, "max", "max", 0) == share(made[1], "max", "max", 0)


def test_a_network_that_fails_is_told_and_the_others_stay(made, extent, tmp_path):
    out = tmp_path / "figure"
    shutil.copytree(made[0], out)
    for folder in out.glob("cells/ln.pt--*"):
        shutil.rmtree(folder)
    (copy,) = (out / "retinas").iterdir()
    copy.write_bytes(b"damaged")
    found = learned_retina(out, extent, processes=1)
    ((cell, sentence),) = found.failed.items()
    assert cell == "ln.pt--movie-bar--seed-1"
    assert "must be of format yoked-ganglion-cells/1" in sentence
    assert "Traceback" in (out / "cells" / f"{cell}.error.txt").read_text()
    lost = share(found, "ln.pt", "max", 0)
    assert (lost.value, lost.note) == (None, "no seed of it is done")
    assert share(found, "none", "max", 0) == share(made[1], "none", "max", 0)


def test_people_stand_beside_the_networks(made, tmp_path):
    _, found = made
    protocol = yoked.load_protocol("movie-bar")
    twin = yoked.load_observer("linear")
    given = {"trials": 400, "contrast": 0.227, "internal_noise": 1.0}
    person = yoked.run(protocol, twin, seed=3, **given)
    other = yoked.run(yoked.load_protocol("bar-in-noise"), twin, seed=3, trials=20)
    assert people_of_tasks([person, other], ["movie-bar"]) == [person]
    with pytest.raises(ValueError, match="hold sessions of position-unknown, got bar-"):
        people_of_tasks([other], ["position-unknown"])
    score_people(tmp_path, [person], found.weights)
    (folder,) = tmp_path.iterdir()
    cards = json.loads((folder / "score.json").read_text())["cards"]
    assert {"none", "ln.pt", "template"} <= {card["observer"] for card in cards}


def test_every_front_is_one_that_can_be_trained(retina):
    retinas = retinas_of([retina])
    for front in fronts_of(KINDS, retinas, LESIONS):
        for task in CONTRASTS:
            options = front.network_options(task, 5.0)
            goal = {"kind": "task", "protocol": task}
            network = {"name": "plain-cnn", "options": options}
            recipe_of({"network": network, "goal": goal})
            made = yoked.load_observer("plain-cnn", **options, fit_trials=64)
            assert made.name == "plain-cnn"


def test_lesions_are_of_what_a_model_has(retina):
    assert retinas_of([retina])[0].lesions == ("surround", "rectification")
    fitted = load_fitted(retina)
    assert "noise-correlations" not in lesions_of(fitted)


def test_wrong_levels_and_files_are_one_sentence(retina):
    with pytest.raises(
        ValueError, match="retinas must be one file or more for learned"
    ):
        LearnedExtent()
    with pytest.raises(ValueError, match=r"tasks must be some of .* got \['sleep'\]"):
        LearnedExtent(fronts=("none",), tasks=("sleep",))
    with pytest.raises(ValueError, match=r"NAME\.pt of different names, got ln\.pt, l"):
        retinas_of([retina, retina])


def test_the_command_says_what_is_to_be_done_and_offers_what_there_is(retina, tmp_path):
    out = tmp_path / "out"
    given = ["reproduce", "learned-retina", "--out", str(out), "--retina", str(retina)]
    done = CliRunner().invoke(cli, [*given, "--dry-run", "--json"])
    assert json.loads(done.stdout)["n_trainings"] == 30
    assert done.stderr == (
        "30 trainings of 150 steps behind 5 fronts, each shown 2,000 trials; what is "
        "done already stays\n"
    )
    assert not out.exists()
    alone = CliRunner().invoke(cli, [*given, "--session", "x"])
    assert "--session must come with --people" in alone.stderr
    offered = {
        each.name: tuple(each.type.choices)
        for each in command.params
        if each.name in ("tasks", "fronts", "lesions")
    }
    assert offered == {"tasks": tuple(CONTRASTS), "fronts": KINDS, "lesions": LESIONS}

"""People and training: yoked to a person, and networks that a recipe trains."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from click.testing import CliRunner

import yoked
from yoked.app.cli import cli
from yoked.app.sweeps.cell import do_cell
from yoked.app.sweeps.measures import measured
from yoked.app.sweeps.plan import Plan
from yoked.experiments.store.sqlite import open_store
from yoked.models.recipes import train

TRAINING = """
[network]
name = "retina-cnn"

[goal]
kind = "task"
protocol = "bar-in-noise"

[training]
steps = 4
batch = 16
held_out = 200
checkpoint_every = 2
"""
RECIPE = """
name = "two-seeds"
seeds = [3, 4]
internal_noise = "matched"

[[observer]]
train = "net.toml"

[[observer]]
name = "template"

[[observer]]
train = "bad.toml"

[people]
db = "people.db"
sessions = ["PERSON"]
depths = false
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Return a folder with a person, a recipe of training and one of a sweep."""
    folder = tmp_path_factory.mktemp("people")
    protocol = yoked.load_protocol("bar-in-noise").with_options(
        trials=400, contrast=0.2
    )
    half = yoked.load_observer("template", efficiency=0.5)
    given = {"store": folder / "people.db", "internal_noise": 1.0}
    person = yoked.run(protocol, half, seed=1, **given)
    yoked.run(protocol, half, seed=2, **given)  # is not asked for
    (folder / "net.toml").write_text(TRAINING)
    bad = TRAINING.replace('"retina-cnn"', '"template"')
    (folder / "bad.toml").write_text(bad)
    (folder / "sweep.toml").write_text(RECIPE.replace("PERSON", person.id))
    return folder


@pytest.fixture(scope="module")
def swept(base):
    """Give what the command printed of a sweep, and its table."""
    command = ["sweep", base / "sweep.toml", "--out", base / "out", "--processes", 1]
    result = CliRunner().invoke(cli, [*map(str, command), "--json"])
    assert result.exit_code == 1, result.stderr
    return result, pd.read_parquet(base / "out" / "results.parquet")


def test_seeds_train_networks_of_their_own_that_share_a_name(swept):
    result, table = swept
    assert result.stderr.splitlines()[0] == (
        "two-seeds: 4 trainings and 6 sessions of 2,448 trials in all to do"
    )
    assert "\n6 of 10 cells are done.\n" in result.stderr
    nets = table[table["observer"] == "net"]
    assert nets["weights_hash"].nunique() == 2
    assert (nets["training_seconds"] > 0).all()
    done = table[table["status"] == "done"]
    assert done["person_observer"].unique().tolist() == ["template"]
    assert (done["internal_noise"] > 0).all()  # matched


def test_what_is_printed_are_means_over_seeds(swept):
    result, table = swept
    printed = json.loads(result.stdout)
    named = [(row["observer"], row["quantity"]) for row in printed]
    quantities = ("dprime", "proportion_correct", "kappa")
    assert named[:6] == [(of, q) for of in ("net", "template") for q in quantities]
    assert {row["n_failed"] for row in printed[6:]} == {2}
    kappa = table.loc[table["observer"] == "template", "kappa"]
    assert printed[5]["mean"]["value"] == pytest.approx(kappa.mean())
    assert printed[5]["mean"]["formula"] == "mean-of-replicates-on-common-trials/1"
    # Both networks' errors are those of the same trials: the mean has no less.
    errors = table.loc[table["observer"] == "template", "kappa_se"]
    assert printed[5]["mean"]["se"] >= errors.min()


def test_the_log_goes_to_closer_with_seeds_as_replicates(base, swept):
    _, table = swept
    log = base / "out" / "results.db"
    person = yoked.load_session(log, table["person"].iloc[0])
    models = [yoked.load_session(log, name) for name in table["session"].dropna()]
    assert {each.yoked_to for each in models} == {person.id}
    found = yoked.closer(person, models, replicates=True)
    (kappa,) = (each for each in found.differences if each.measure == "kappa")
    assert kappa.n_replicates == (2, 2)
    # The person came along as she was, and nobody else.
    store = open_store(log, to_read=True)
    assert len(store.sessions()) == 5
    theirs = open_store(base / "people.db", to_read=True)
    assert store.session(person.id) == theirs.session(person.id)
    assert store.events(person.id) == theirs.events(person.id)
    store.close()
    theirs.close()


def test_a_training_goes_on_from_its_checkpoint(base, swept):
    _, table = swept
    (cell, *_) = Plan(base / "sweep.toml", base / "again").trainings
    part = base / "again" / "training" / f"{cell.id}.{cell.inputs[:8]}.part"
    part.mkdir(parents=True)

    def killed(done, total, words):
        if done == 3:
            raise KeyboardInterrupt

    plan = train.Plan(base / "net.toml", seed=3)
    with pytest.raises(KeyboardInterrupt):
        plan.run(part / "weights.safetensors", progress=killed)
    assert (part / "weights.safetensors.checkpoint").is_file()
    made = do_cell(cell)
    of_seed = table.set_index(["observer", "seed"])
    assert made["weights_hash"] == of_seed.loc[("net", 3), "weights_hash"]
    assert not part.exists()
    assert do_cell(cell) == made  # and is not done twice


def test_a_training_that_fails_is_the_reason_of_its_cells(swept):
    result, table = swept
    reason = "network.name must be a network's, got 'template'"
    failed = table[table["observer"] == "bad"]
    assert failed["error"].tolist() == [f"its training failed: {reason}"] * 2
    said = [line for line in result.stderr.splitlines() if "failed: " in line]
    assert said[0] == f"bad--seed-3 failed: {reason}"
    assert len(said) == 4


def test_a_recipe_for_other_stimuli_is_refused_before_anything_is_done(base, tmp_path):
    recipe = {"observer": [{"train": str(base / "net.toml")}]}
    recipe["protocols"] = ["bar-polarity"]
    sentence = "train of net must be a recipe for the stimuli of bar-polarity, got one "
    with pytest.raises(ValueError, match=f"{sentence}for bar-in-noise"):
        yoked.sweep(recipe, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_changed_person_changes_the_inputs(base):
    before = Plan(base / "sweep.toml", base / "x").cells
    store = open_store(base / "people.db")
    person = before[0].person
    store.exclude(person, [5], "maria", "phone rang")
    store.close()
    after = Plan(base / "sweep.toml", base / "x").cells
    assert all(a.inputs != b.inputs for a, b in zip(before, after, strict=True))
    assert [replace(a, inputs="") for a in before] == [
        replace(b, inputs="") for b in after
    ]


def test_agreement_leaves_out_what_a_network_has_learnt():
    protocol = yoked.load_protocol("bar-in-noise").with_options(300, 0.227)
    template = yoked.load_observer("template")
    person = yoked.run(protocol, template, seed=1, internal_noise=1.0)
    model = yoked.run(observer=template, yoke_to=person, observer_seed=5)
    learnt = person.counted["trial"].tolist()[:100]
    kappas = [measured(model, person, False, each)["kappa"] for each in ((), learnt)]
    assert [each["n"] for each in kappas] == [300, 200]
    dprimes = [measured(model, person, False, each)["dprime"] for each in ((), learnt)]
    assert dprimes[0] == dprimes[1]

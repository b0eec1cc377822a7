"""docs/json.md: its keys are those that the commands print, its types theirs too."""

import itertools
import json
import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tests import ROOT
from tests.analysis.coverage.closer import observers
from tests.analysis.observers.linear import Linear, session, unit
from tests.analysis.observers.linear import run as observed
from tests.app.brain.made import recording as population
from tests.app.brain.made import write as write_population
from tests.app.recordings.small import small
from tests.models.brain_score.made import written
from yoked.analysis.agreement import compare
from yoked.analysis.agreement.choices import choices
from yoked.analysis.agreement.closer_people import closer_to_people
from yoked.analysis.sessions import depths
from yoked.analysis.sessions.conditions import conditions
from yoked.analysis.sessions.cueing import cueing
from yoked.analysis.sessions.equivalent_noise import session_equivalent_noise
from yoked.analysis.trials.estimate import Estimate
from yoked.app import matched_noise
from yoked.app.cli import cli
from yoked.app.commands.white_box import FORMAT
from yoked.app.recordings.cell_scores import score_cells
from yoked.app.reproduce.boxes import Box, Measured
from yoked.app.reproduce.control_claims import ControlClaim
from yoked.app.reproduce.control_outcome import ControlMeans
from yoked.app.reproduce.learned_outcome import FORMAT as FORMAT_OF_FRONTS
from yoked.app.reproduce.learned_outcome import FrontShares, networks_of
from yoked.app.reproduce.outcome import FORMAT as FORMAT_OF_FIGURE
from yoked.app.reproduce.outcome import Shares, rows_of_boxes
from yoked.app.reproduce.regime_outcome import RegimeEffect
from yoked.app.reproduce.seeing_outcome import SeeingLink, SeeingMeans
from yoked.app.scores import card
from yoked.app.sweeps.collect import FORMAT as FORMAT_OF_SWEEPS
from yoked.app.sweeps.collect import means_of, table_of
from yoked.app.sweeps.plan import Plan
from yoked.app.sweeps.worker import answer
from yoked.experiments.imports.choice_files import read_choices
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Contrast
from yoked.experiments.session.results import by_condition
from yoked.experiments.store.rows import ObserverInfo
from yoked.experiments.store.sqlite import open_store
from yoked.models.ganglion_cells.fitting import fit
from yoked.models.observers.template import Template
from yoked.models.simulate import run

PAGE = (ROOT / "docs" / "json.md").read_text()
# Of a type in words: whether a value is of it.
TYPES = {
    "number": lambda x: (
        x in ("Infinity", "-Infinity")
        or (isinstance(x, int | float) and not isinstance(x, bool))
    ),
    "integer": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "text": lambda x: isinstance(x, str),
    "boolean": lambda x: isinstance(x, bool),
}
WHITE_BOX = ("white-box", "bar-in-noise", "energy", "--contrast", 0.3, "--order", 2)
WHITE_BOX += ("--trials", 100, "--layer", "0", "--json")
V1 = ("v1", "plain-cnn", "--layer", "stage1", "--seven", "--json")
V1 += ("--option", "size_px=32")
DIMENSIONS = {"field": 3, "matrix": 2}


def sections():
    """Return the tables of the page: by heading, type and null of each key."""
    found = {}
    for part in re.split(r"^#+ ", PAGE, flags=re.MULTILINE)[1:]:
        heading = part.splitlines()[0]
        rows = [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in part.splitlines()
            if line.startswith("| `")
        ]
        if rows:
            found[heading] = {row[0].strip("`"): (row[1], row[3]) for row in rows}
    return found


SECTIONS = sections()


def anchors():
    """Return headings by the address that GitHub gives them."""
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-"): heading
        for heading in SECTIONS
    }


def check(value, heading, seen, path=""):
    """Hold an object against its table, and everything inside it."""
    table = SECTIONS[heading]
    assert set(value) == set(table), f"keys of {path or heading}"
    seen.add(heading)
    for key, (kind, null) in table.items():
        here = f"{path}.{key}"
        if value[key] is None:
            assert null != "never", f"{here} is null"
        else:
            check_kind(value[key], kind, seen, here)


def check_kind(value, kind, seen, path):
    """Hold a value against a type in words."""
    container, _, inside = kind.partition(" of ")
    link = re.fullmatch(r"\[.+\]\(#(.+)\)", kind)
    if link:
        check(value, anchors()[link[1]], seen, path)
    elif container in ("list", "map", "lists"):
        each = value.values() if container == "map" else value
        within = f"list of {inside}" if container == "lists" else inside
        for one in each:
            check_kind(one, within, seen, path)
    elif kind in DIMENSIONS:
        assert np.ndim(value) == DIMENSIONS[kind], path
    else:
        assert TYPES[kind](value), f"{path} must be {kind}, got {value!r}"


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Give what the commands print: of yes/no, a pair in 2AFC, a plan, a circuit."""
    path = tmp_path_factory.mktemp("json") / "results.db"
    store = open_store(path)
    options = {"store": store, "internal_noise": 1.0}
    polarity = load_protocol("bar-polarity").with_options(trials=300)
    bars = load_protocol("bar-in-noise").with_options(trials=300, contrast=0.227)
    alone = run(polarity, Template(), seed=1, **options).id
    first = run(bars, Template(), seed=1, **options).id
    second = run(None, Template(), observer_seed=2, yoke_to=first, **options).id
    store.close()
    with_all = ["analyse", path, alone, "--permutations", 39, "--bootstrap", "trial"]
    with_all += ["--interval", "profile"]
    power = ["power", "bar-in-noise", "--pilot", path, first, "--sessions", 2]
    power += ["--json"]
    asked = (with_all, ["compare", path, first, second], power)
    of_sessions = [json.loads(output(*arguments))[0] for arguments in asked]
    match = ["match", path, first, "--observer", "template", "--json"]
    score = ["score", "plain-cnn", "--people", path, "--session", first]
    kept = path.with_name("score")  # what references made of the trials, for both
    score += ["--session", second, "--out", kept, "--json"]
    alone = [json.loads(output(*asked)) for asked in (WHITE_BOX, match, score)]
    return [*of_sessions, *alone]


def output(*arguments):
    done = CliRunner().invoke(cli, [str(each) for each in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def accounts_printed(path):
    made = json.loads(output("accounts", "create", path, "jane", "--json"))
    return made, json.loads(output("accounts", "list", path, "--json"))


def test_the_page_names_exactly_the_keys_that_the_commands_print(printed, tmp_path):
    seen = set()
    yes_no, pair, plan, white_box, match, score = printed
    check(score, "row of score", seen)
    check(plan, "row of power", seen)
    check(yes_no, "row of analyse", seen)
    check(pair, "row of compare", seen)
    check(white_box, "row of white-box", seen)
    check(match, "row of match", seen)
    contrasts = [0.05, 0.1, 0.15, 0.2]  # of a psychometric function
    table, noise = observed(Linear(unit([0, 1, 0])), "2afc", 800, contrasts, seed=5)
    several = depths.depths(session(table, noise), orders=1)
    check(several.to_dict(), "row of analyse", seen)
    one = load_protocol("bar-in-noise").with_options(trials=600, contrast=0.1)
    bars = replace(one, contrast=Contrast((0.1, 0.2)))
    twice = run(bars, Template(), seed=1, internal_noise=1.0)
    check(depths.depths(twice, orders=0).to_dict(), "row of analyse", seen)
    cued = load_protocol("cued-detection").with_options(trials=300, contrast=0.1)
    scene = run(cued, Template(), seed=1)
    check(depths.depths(scene, orders=0).to_dict(), "row of analyse", seen)
    check(cueing(scene).to_dict(), "cueing", seen)
    noises = load_protocol("equivalent-noise").with_options(trials=600)
    parts = by_condition(run(noises, Template(), seed=1, internal_noise=1.0))
    check(conditions(parts).to_dict(), "row of conditions", seen)
    found = session_equivalent_noise(parts).to_dict()
    check(found, "row of equivalent-noise", seen)
    rows = {"image": ["1", "2"], "category": "cat", "choice": ["cat", "dog"]}
    for more in ({"texture": ["dog", "cat"]}, {}):
        table = read_choices(pd.DataFrame({**rows, **more}, index=[0, 1]))
        check(choices(table).to_dict(), "row of choices", seen)
    for row in looked_at(tmp_path / "looked"):
        check(row, "row of look-at", seen)
    for row in labelled_and_compared(tmp_path):
        check(row, "row of label" if "table" in row else "row of objects", seen)
    check(people_and_models().to_dict(), "row of closer-people", seen)
    for mean in means_over_seeds(tmp_path):
        check(mean.to_dict(), "row of sweep", seen)
        assert mean.to_dict()["format"] == FORMAT_OF_SWEEPS
    assert f"`{FORMAT_OF_SWEEPS}`" in PAGE
    share = Estimate(0.9, 0.1, 0.7, 1.1, 3, "a/1", None)
    for front, spread in (("none", 0.02), (None, None)):
        of = "max", "known", "task", front, 1
        row = Shares(*of, share, spread, 3, 0).to_dict()
        check(row, "row of reproduce", seen)
        assert row["format"] == FORMAT_OF_FIGURE
    assert f"`{FORMAT_OF_FIGURE}`" in PAGE
    kernel = Measured(np.arange(1.0, 9.0), np.full(8, 0.1))
    for goal, front in (("twin", None), ("task", "none")):
        (box,) = rows_of_boxes([Box("max", goal, front, 1, kernel, kernel)])
        check(box, "row of boxes", seen)
    for is_network, spread in ((True, 0.02), (False, None)):
        of = "movie-bar", "max", "none", is_network, 1
        row = FrontShares(*of, share, spread, 3, 1, 0).to_dict()
        check(row, "row of fronts", seen)
        assert row["format"] == FORMAT_OF_FRONTS
    assert f"`{FORMAT_OF_FRONTS}`" in PAGE
    record = {"task": "movie-bar", "observer": "none", "seed": 1, "is_network": True}
    learnt = {"dprime": 2.0, "proportion_correct": 0.92}
    ended = {"held_out": learnt, "seconds": 14.0, "weights_hash": "0f"}
    for row in networks_of([{**record, **ended}, {**record, "error": "why"}]):
        check(row, "row of networks", seen)
    kind = ControlMeans("random", "relu", "max", {"digit": share}, 3, 0).to_dict()
    check(kind, "row of controls", seen)
    assert f"`{kind['format']}`" in PAGE
    for chance in (0.5, math.nan):
        of = "10", "ReLU above tanh", "digit"
        claim = ControlClaim(*of, share, chance, chance, share).to_dict()
        check(claim, "claim of controls", seen)
    assert f"`{claim['format']}`" in PAGE
    moved = "alignment", "plain", "baseline", "CKA"
    for effect in (share, None):
        row = RegimeEffect(*moved, share, effect, 3).to_dict()
        check(row, "row of regimes", seen)
    assert f"`{row['format']}`" in PAGE
    kind = SeeingMeans("alexnet", "plain", "people", {"v1": share}, 3, 0).to_dict()
    check(kind, "row of brain-like", seen)
    assert f"`{kind['format']}`" in PAGE
    for p in (0.5, math.nan):
        of = "v1", "share_1", "kinds"
        link = SeeingLink(*of, share, p, p, 16, 6, True).to_dict()
        check(link, "link of brain-like", seen)
    assert f"`{link['format']}`" in PAGE
    recording = small(n_steps=3000)
    cells = score_cells(fit("ln", recording), recording).to_dict()
    check(cells, "cell scores", seen)
    assert f"`{cells['format']}`" in PAGE
    for row in brain_printed(tmp_path / "it.npz"):
        check(row, "row of brain", seen)
        assert f"`{row['format']}`" in PAGE
    battery = json.loads(output(*V1))
    check(battery, "V1 battery", seen)
    assert f"`{battery['format']}`" in PAGE
    for heading, row in robustness_printed():
        check(row, heading, seen)
        assert f"`{row['format']}`" in PAGE
    made = accounts_printed(tmp_path / "accounts.db")
    check(made[0], "one-time code", seen)
    check(made[1][0], "account", seen)
    assert seen == set(SECTIONS), "every table was met"


def robustness_printed():
    """Attack and corrupt a circuit, and move units of a layer and of a retina."""
    few = ("bar-in-noise", "linear", "--trials", "20", "--json")
    eps = ("--eps", "0.02", "--steps", "1")
    yield "attack", json.loads(output("attack", *few, *eps))
    other = ("--transfer-from", "energy")
    yield "attack", json.loads(output("attack", *few, *eps, *other))
    fog = ("--corruption", "fog", "--severity", "1")
    yield "corrupt", json.loads(output("corrupt", *few, *fog))
    small = ("--units", "2", "--pictures", "2", "--attacked", "1", "--json")
    layer = ("bar-in-noise", "cornet-z", "--layer", "v1")
    for row in json.loads(output("sensitivity", *layer, *eps, *small)):
        yield "row of sensitivity", row


def brain_printed(path):
    """Score a layer by a measure with ceilings of its own, and choose one."""
    made = write_population(population(n=40), path)
    other = write_population(
        population(n=40, seed=2, name="other"), path.with_stem("o")
    )
    asked = ("brain", made, "cornet-z", "--layer", "it", "--json", "--measure")
    chosen = output(*asked, "ridge", "--commit-on", other)
    return [*json.loads(output(*asked, "rsa")), *json.loads(chosen)]


def labelled_and_compared(folder):
    """Let a network say what four pictures show, and compare it with two trials."""
    image = pytest.importorskip("PIL.Image")
    for part, gray in itertools.product(("fit", "new"), (60, 200)):
        file = folder / part / f"g{gray}" / f"{part}{gray}.png"
        file.parent.mkdir(parents=True)
        image.new("L", (16, 16), gray).save(file)
    words = folder / "new", "--fit", folder / "fit", "--layer", "it", "--size-px", 16
    net, people = folder / "net.csv", folder / "people.csv"
    yield json.loads(output("label", "cornet-z", *words, "-o", net))
    rows = {"image": ["new60.png", "new200.png"] * 4, "target": ["g60", "g200"] * 4}
    rows |= {"distractor": ["g200", "g60"] * 4, "choice": ["g60"] * 8}
    pd.DataFrame(rows).to_csv(people, index=False)
    yield from json.loads(output("objects", people, net, "--draws", 2))


def looked_at(folder):
    """Let a network look at pictures, for a recording and a task."""
    written(folder).to_csv(folder / "set.csv", index=False)
    words = ("look-at", folder / "set.csv", "cornet-z", "--json")
    yield json.loads(output(*words, "--record", "IT=it", "-o", folder / "it.nc"))
    yield json.loads(output(*words, "--task", "odd_one_out", "-o", folder / "odd.nc"))


def means_over_seeds(folder):
    """Do a sweep of two seeds here."""
    recipe = {"observer": [{"name": "guesser"}], "protocols": ["bar-in-noise"]}
    plan = Plan({**recipe, "seeds": 2, "trials": 60, "contrast": 0.2}, folder)
    done = {cell.folder: answer(cell) for cell in plan.cells}
    return means_of(table_of(plan.cells, done))


def people_and_models():
    """Compare two people with two models, each pair on its own trials."""
    people, models = [], []
    for number in range(2):
        made = observers(np.random.default_rng(number), 0.7, (1, 0, 0), 150, 50)
        for which, each in enumerate(made):
            name = f"p{number}" if which == 0 else f"model-{which}"
            row = replace(
                each.row, id=f"{name}-{number}", observer=ObserverInfo("person", name)
            )
            (models if which else people).append(replace(each, row=row))
    return closer_to_people(people, models)


def test_noise_on_a_basis_adds_the_keys_that_the_page_names():
    protocol = load_protocol("orientation-noise")
    made = run(protocol, Template(), seed=1, trials=300, internal_noise=1.0)
    found = depths.depths(made, n_permutations=39).to_dict()
    one, two = found["order_1"], found["order_2"]
    drawn = {"kernel_in", "classification_image"}
    for part, heading, more in (
        (one["weighted_sum"], "weighted sum", drawn),
        (one["fitted"], "fitted kernel", drawn),
        (two["kernel"], "second-order kernel", {"kernel_in"}),
        (two["spectrum"], "spectrum", {"kernel_in", "eigenvector_images"}),
    ):
        assert set(part) == set(SECTIONS[heading]) | more
        assert part["kernel_in"] == "coefficients"
        assert all(f"**`{key}`**" in PAGE for key in more)
    assert np.shape(one["fitted"]["kernel"]) == (24,)
    assert np.shape(one["fitted"]["classification_image"]) == (1, 20, 20)
    assert two["kernel"]["shape"] == [24]


def test_the_format_is_the_pages(printed):
    yes_no, pair, _, white_box, match, score = printed
    assert score["format"] == card.FORMAT
    assert f"`{card.FORMAT}`" in PAGE
    assert white_box["format"] == FORMAT
    assert f"`{FORMAT}`" in PAGE
    assert match["format"] == matched_noise.FORMAT
    assert f"`{matched_noise.FORMAT}`" in PAGE
    assert (yes_no["format"], pair["format"]) == (depths.FORMAT, compare.FORMAT)
    assert f"`{depths.FORMAT}`" in PAGE
    assert f"`{compare.FORMAT}`" in PAGE


def test_every_link_to_a_table_leads_there():
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= set(anchors())

"""Pages that make their own trials: plan and pixels are ours, and data come back."""

import csv
import json
import shutil
import subprocess
from dataclasses import replace

import pytest

from tests import ROOT
from yoked.app.web.page import page_protocol, task_parameters, write_page
from yoked.app.web.page_sessions import import_page
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Block, DoublePass, Task
from yoked.experiments.session.results import load_session
from yoked.experiments.session.schedule import PlannedSchedule
from yoked.experiments.stimulus.render import digests, render
from yoked.experiments.stimulus.sources import GeneratedNoise, noise_source
from yoked.experiments.store.sqlite import open_store

from .participant import SCREEN

SEED = 2**61 + 12345  # no double holds it
# What the package makes of a task: each trial, with the digest of its frames.
PLAN = """
globalThis.window = globalThis;
const { createHash } = await import("node:crypto");
const { readFileSync } = await import("node:fs");
const { NoiseTask } = await import(process.argv[1]);
const task = new NoiseTask(JSON.parse(readFileSync(0)), { seed: process.argv[2] });
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
console.log(JSON.stringify(
  task.trials.map((trial) => ({ ...trial, digest: sha256(task.frames(trial)) }))));
"""
TASK_JS = (ROOT / "static" / "plugin-noise-trial" / "task.js").as_uri()


def planned_by_the_page(protocol, seed=SEED) -> list[dict]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js here: install one to test the page's own generator")
    run = subprocess.run(
        [node, "--input-type=module", "--eval", PLAN, TASK_JS, str(seed)],
        input=json.dumps(task_parameters(protocol)),
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def bars(**changes):
    return page_protocol(replace(load_protocol("bar-in-noise"), **changes))


def several_contrasts():
    protocol = load_protocol("bar-polarity")
    values = (0.1, 0.16, 0.2)
    contrast = replace(protocol.contrast, values=values, keep_correct=(0.0, 1.0))
    blocks = (Block("main", 31, n_blocks=3),)
    pairs = DoublePass(n_pairs=12, min_gap=10)
    return replace(protocol, contrast=contrast, blocks=blocks, double_pass=pairs)


def four_patches():
    task = Task("mafc", ("a", "s", "d", "f"))
    gabor = load_protocol("gabor-in-noise")
    blocks, pairs = (Block("main", 40),), DoublePass()
    return page_protocol(replace(gabor, task=task, blocks=blocks, double_pass=pairs))


def basis(name):
    return page_protocol(load_protocol(name)).with_options(trials=24)


def floor_and_opposite_pairs():
    protocol = basis("one-over-f")
    noise = replace(protocol.noise, sd=0.1, floor_sd=0.02, pairs="opposite")
    signal = replace(protocol.signal, outside="show")
    return replace(protocol, noise=noise, signal=signal)


PROTOCOLS = {
    "bars": bars,
    "several contrasts": several_contrasts,
    "movie": lambda: page_protocol(load_protocol("movie-bar")).with_options(trials=60),
    "patches": four_patches,
    "orientations": lambda: basis("orientation-noise"),
    "1/f": lambda: basis("one-over-f"),
    "floor and opposite pairs": floor_and_opposite_pairs,
}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_page_plans_the_trials_and_pixels_that_we_do(name):
    protocol = PROTOCOLS[name]()
    found = planned_by_the_page(protocol)
    plan = PlannedSchedule(protocol, SEED, always_valid=True)
    specs = plan.next(plan.n_planned)
    assert [
        (t["trial"], t["block"], t["block_kind"], t["condition"]) for t in found
    ] == [(s.trial, s.block, s.block_kind, s.condition) for s in specs]
    assert [
        (t["stimulus_id"], t["pass"], t["repeats"], t["contrast"], t["target"])
        for t in found
    ] == [(s.stimulus_id, s.pass_, s.repeats, s.contrast, s.target) for s in specs]
    own = digests(render(protocol, source_of(protocol), plan_table(specs)))
    assert [t["digest"] for t in found] == own


def test_no_procedure_chooses_contrasts_in_a_page():
    contrast = replace(load_protocol("bar-in-noise").contrast, main="adaptive")
    variant = bars(contrast=contrast)
    assert variant.contrast.main == "constant"
    assert {block.kind for block in variant.blocks} == {"practice", "main"}


def source_of(protocol):
    return noise_source(protocol.noise.generator, protocol, SEED)


def plan_table(specs):
    return {
        "stimulus_id": [spec.stimulus_id for spec in specs],
        "contrast": [spec.contrast for spec in specs],
        "target": [spec.target for spec in specs],
        "block_kind": [spec.block_kind for spec in specs],
    }


def row_of(protocol, spec, seed, digest, **changes):
    """Return what jsPsych saves of a trial that went well."""
    timing = protocol.timing
    onsets = [timing.fixation_ms]
    if protocol.n_onsets == 2:
        onsets.append(onsets[0] + timing.interval_ms + timing.gap_ms)
    return {
        "trial_type": "noise-trial",
        "generated": "page",
        "protocol": protocol.hash,
        "seed": str(seed),
        "trial": spec.trial,
        "block": spec.block,
        "block_kind": spec.block_kind,
        "condition": spec.condition,
        "stimulus_id": spec.stimulus_id,
        "pass": spec.pass_,
        "repeats": spec.repeats,
        "contrast": spec.contrast,
        "target": spec.target,
        "response": spec.target,
        "rt": 400.5,
        "onsets_ms": onsets,
        "offsets_ms": [onset + timing.interval_ms for onset in onsets],
        "frames_shown": 12,
        "frames_dropped": 0,
        "digest": digest,
        "events": [],
        "display": SCREEN,
        "user_agent": "a browser",
        "plugin_version": "2.0.0",
        **changes,
    }


@pytest.fixture
def folder(tmp_path):
    write_page(bars().with_options(trials=30), tmp_path / "page")
    return tmp_path / "page"


@pytest.fixture
def rows(folder):
    """Return jsPsych's rows of a session of the folder's page."""
    protocol = bars().with_options(trials=30)
    plan = PlannedSchedule(protocol, SEED, always_valid=True)
    specs = plan.next(plan.n_planned)
    own = digests(render(protocol, GeneratedNoise(protocol, SEED), plan_table(specs)))
    made = [row_of(protocol, s, SEED, d) for s, d in zip(specs, own, strict=True)]
    return [{"trial_type": "html-button-response", "response": 0}, *made]


def saved(tmp_path, rows, name="p01.json"):
    path = tmp_path / name
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def saved_as_csv(tmp_path, rows):
    """Write CSV as jsPsych does: what is an object is JSON."""
    path = tmp_path / "p02.csv"
    columns = list({name: None for row in rows for name in row})
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([jspsych_cell(row.get(c, "")) for c in columns])
    return path


def jspsych_cell(value):
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize("write", [saved, saved_as_csv], ids=["json", "csv"])
def test_a_page_s_session_comes_in_with_every_digest_compared(
    tmp_path, folder, rows, write
):
    rows[3]["rt"] = 40.0
    rows[4]["events"] = [{"kind": "hidden", "at_ms": 100.0}]
    rows[5] |= {"response": None, "rt": None, "digest": None}
    db = tmp_path / "results.db"
    (read,) = import_page(folder, [write(tmp_path, rows)], db)
    n = len(rows) - 1
    assert (read.n_trials, read.n_compared) == (n, n - 1)
    session = load_session(db, read.session)
    trials = session.trials
    assert session.observer == read.observer == ("p01" if write is saved else "p02")
    assert trials["excluded"].tolist()[2]
    assert (
        trials["invalid_reason"].tolist()[3] == "the page was hidden during the trial"
    )
    store = open_store(db, to_read=True)
    row = store.session(read.session)
    events = [event["kind"] for event in store.events(read.session)]
    store.close()
    assert (row.presenter, row.seed, row.noise_source) == ("import", SEED, "yoked-1")
    assert row.device["generated"] == "in the page"
    assert row.display["lut_name"] == "srgb"
    assert "hidden" in events


def refused(tmp_path, folder, rows, match):
    db = tmp_path / "results.db"
    with pytest.raises(ValueError, match=match):
        import_page(folder, [saved(tmp_path, rows)], db)
    assert not db.exists() or not open_store(db, to_read=True).sessions()


def test_pixels_that_differ_are_refused_and_nothing_is_written(tmp_path, folder, rows):
    rows[9]["digest"] = "0" * 64
    match = r"trial 8 of p01.json must have the pixels that its seed gives \(\w{12}\), "
    refused(tmp_path, folder, rows, match + r"got others \(000000000000\)")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"seed": "1.5"}, "seed of a session must be a whole number from 0 to"),
        ({"seed": str(2**63 - 1)}, r"seed must be below 2\^63 - 2\^32"),
        (
            {"protocol": "f" * 64},
            "trials of the folder's protocol alone, got protocol f",
        ),
        (
            {"target": 2},
            "target of trial 0 must be a whole number from 0 to 1, got 2",
        ),
        ({"contrast": 0.9}, "contrast of trial 0 must be from 0 to 0.559055, got 0.9"),
        ({"block_kind": "x"}, "block_kind of trial 0 must be one of practice, "),
        ({"rt": None}, "trial 0: rt_ms must be given with a response and only then"),
        ({"trial": 1, "stimulus_id": 1}, "trial 1 must be there once, got it again"),
        ({"display": None}, "a display must be a JSON object, got None"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_in_one_sentence(
    tmp_path, folder, rows, changes, match
):
    rows[1] |= changes
    refused(tmp_path, folder, rows[:4], match)


def test_a_session_comes_in_once(tmp_path, folder, rows):
    db, path = tmp_path / "results.db", saved(tmp_path, rows)
    (first,) = import_page(folder, [path], db)
    match = f"must be new to the database, got seed:{SEED} of session {first.session}"
    with pytest.raises(ValueError, match=match):
        import_page(folder, [saved(tmp_path, rows, "again.json")], db)


def test_data_of_another_page_are_refused(tmp_path, folder):
    other = [{"trial_type": "html-button-response"}]
    refused(
        tmp_path, folder, other, "of a page that makes its own trials, got 1 others"
    )


def test_a_folder_with_something_in_it_is_refused(folder):
    with pytest.raises(ValueError, match="the folder must be new or empty, got"):
        write_page(bars(), folder)


def test_noise_of_others_is_made_in_no_page(tmp_path):
    murray = load_protocol("disk-polarity")
    with pytest.raises(
        (ValueError, ProtocolError), match=r"noise.source must be yoked-1"
    ):
        write_page(murray, tmp_path / "page")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("equivalent-noise", r"with \[\[conditions\]\]"),
        ("pedestal", "with a picture"),
        ("cued-detection", r"with \[places\]"),
    ],
)
def test_what_a_page_has_not_is_refused(name, what):
    with pytest.raises(ValueError, match=what):
        task_parameters(page_protocol(load_protocol(name)))

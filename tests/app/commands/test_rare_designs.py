"""Every command returns for every design, and a rare contrast takes nothing else away.

Designs have one to hundreds of contrasts, some with one trial, stimulus classes that
are empty or single, blocks of one trial, missing responses, few pairs, observers whose
response never varies. What cannot be told has a reason in our own words; nothing is
NaN. Warnings are errors in these tests: one of NumPy's would end a command, or be told
as a fault of ours.
"""

import csv
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.app.commands import designs, test_json_page
from tests.app.commands.designs import Design, recorded
from yoked.app.cli import cli
from yoked.app.commands.plotting import PLOTS

# Words of libraries and of our own code, which are no reason that a user understands.
LIBRARY = re.compile(
    r"singular|converge|out of bounds|not defined|zero-size|division|dtype|ndarray"
    r"|n_folds|\bnan\b|a fault of Yoked|free of NaN|must rise|Error:",
    re.IGNORECASE,
)
DESIGNS = [
    Design(sizes=(40, 1)),
    Design(sizes=(30, 2, 1), task="yes_no", n_pairs=10),
    Design(sizes=(1,) * 40, n_pairs=2),
    Design(sizes=(2,), n_elements=1),
    Design(targets="one", n_pairs=5),
    Design(targets="single", task="yes_no"),
    Design(responds="constant", n_pairs=20),
    Design(responds="right", sizes=(40, 1)),
    Design(responds="wrong", task="rating"),
    Design(n_pairs=40, second="reversed"),
    Design(n_pairs=1, missing=0.5, sizes=(30, 20, 3)),
    Design(missing=1.0),
    Design(block=1, n_pairs=3),
    Design(n_elements=1),
    Design(noise="same", n_pairs=3),
    Design(noise="still"),
    Design(task="mafc", sizes=(40, 1)),
    Design(task="rating", sizes=(30, 20, 20, 1), n_elements=2),
]


def yoked(*arguments):
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def told(done):
    """Give what a command printed; it must have come to its end, without a fault."""
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.stderr
    assert "a fault of Yoked" not in done.stderr, done.stderr
    assert not re.search(r"\bnan\b", done.stdout, re.IGNORECASE)
    return done.stdout


def strict(text):
    """Read JSON that must have neither NaN nor Infinity."""

    def refuse(constant):
        raise AssertionError(f"{constant} in JSON")

    return json.loads(text, parse_constant=refuse)


def reasons(value):
    """Yield every reason and note of some JSON."""
    if isinstance(value, list):
        for each in value:
            yield from reasons(each)
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "note" and each:
                yield each
            elif key == "missing":
                yield from each.values()
            else:
                yield from reasons(each)


def hold(row):
    """Assert that a row has all its keys, no nameless null, and reasons of our own."""
    heading = "row of analyse" if "task" in row else "row of compare"
    test_json_page.check(row, heading, set())
    assert row.get("faults", {}) == {}
    for reason in reasons(row):
        assert not LIBRARY.search(reason), reason
        assert len(reason) < 300, reason


def run_numbers(design, folder):
    """Run the commands that print numbers of a session or a pair, and hold them."""
    path, (ann, bob, model) = recorded(design, folder)
    asked = ("--permutations", 19, "--bootstrap", "trial", "--interval", "profile")
    (row,) = strict(told(yoked("analyse", path, ann, *asked)))
    hold(row)
    (row,) = strict(told(yoked("compare", path, ann, model)))
    hold(row)
    group = strict(told(yoked("group", path)))
    assert group["faults"] == {}
    assert all(not LIBRARY.search(reason) for reason in reasons(group))
    return path, (ann, bob, model)


def run_all(design, folder):
    """Run every command of the analysis on a design, and hold what it prints."""
    path, (ann, _, model) = run_numbers(design, folder)
    exact = ("--bootstrap", "block", "--interval", "enumerated", "--orders", 0)
    assert ann in told(yoked("analyse", path, *exact, "--table"))
    comma_separated = told(yoked("analyse", path, ann, "--orders", 0, "--csv"))
    assert len(comma_separated.splitlines()) == 2
    told(yoked("compare", path, ann, model, "--table"))
    told(yoked("group", path, "--table"))
    report = folder / "report.html"
    told(yoked("report", path, ann, model, "-o", report))
    page = report.read_text()
    assert not re.search(r"\bnan\b|singular|a fault of Yoked", page, re.IGNORECASE)
    for what in PLOTS:
        done = yoked("plot", path, what, ann, model, "-o", folder / "plot.svg")
        if done.exit_code:  # a sentence, and no picture
            assert done.stderr.startswith("Error: "), done.exception
            assert not LIBRARY.search(done.stderr.removeprefix("Error: ")), done.stderr
        else:
            told(done)
    assert len(told(yoked("export", path)).splitlines()) > 1
    told(yoked("sessions", path))


@pytest.mark.parametrize("design", DESIGNS, ids=designs.plain)
def test_every_design_has_its_numbers_or_its_reasons(design, tmp_path):
    run_numbers(design, tmp_path)


@pytest.mark.slow
def test_every_command_returns(tmp_path):
    run_all(DESIGNS[1], tmp_path)


sizes = st.one_of(
    st.lists(st.sampled_from([1, 2, 3, 4, 8, 30]), min_size=1, max_size=6),
    st.lists(st.sampled_from([1, 2]), min_size=1, max_size=2).map(lambda r: [60, *r]),
    st.integers(1, 60).map(lambda n: [1] * n),
).map(tuple)
drawn = st.builds(
    Design,
    task=st.sampled_from(["2afc", "yes_no", "rating", "mafc"]),
    sizes=sizes,
    n_elements=st.sampled_from([1, 2, 3, 5]),
    targets=st.sampled_from(["even", "even", "one", "single"]),
    responds=st.sampled_from(["noisy", "noisy", "constant", "right", "wrong"]),
    missing=st.sampled_from([0.0, 0.0, 0.4, 1.0]),
    n_pairs=st.sampled_from([0, 1, 2, 20]),
    second=st.sampled_from(["own", "reversed"]),
    block=st.sampled_from([1000, 1000, 10, 1]),
    noise=st.sampled_from(["own", "own", "own", "same", "still"]),
)


@given(design=drawn)
@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
def test_designs_that_are_drawn_have_numbers_or_reasons(design, tmp_path_factory):
    run_numbers(design, tmp_path_factory.mktemp("drawn"))


@pytest.mark.slow
@given(design=drawn | drawn.map(lambda one: designs.replace(one, sizes=(1,) * 400)))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_every_command_returns_for_many_designs(design, tmp_path_factory):
    run_all(design, tmp_path_factory.mktemp("drawn"))


# What a rare contrast leaves as it is ------------------------------------------------

# Parts of `yoked analyse --json` that are the same, to the bit (but for what rests on a
# fit to all trials), with and without a contrast at which each target was shown once.
# (With two trials, one of them correct, a contrast of 2AFC enters the weighted sum: it
# has both of its classes.)
OF_WELL_FILLED = {
    "order_1": (
        "weighted_sum",
        "fitted",
        "test",
        "hotelling",
        "likelihood_ratios",
        "linear_share",
    ),
    "order_2": (
        "kernel",
        "spectrum",
        "without_linear_part",
        "consistency",
        "signature",
        "diagonal",
        "quadratic",
    ),
}
COUNTED = ("n_left_out",)  # says how many trials did not enter


def analysed(rows, noise, folder, task):
    """Import a table by the command, and analyse the first observer by it."""
    folder.mkdir()
    rows[rows["observer"] == "ann"].to_csv(folder / "ann.csv", index=False)
    np.save(folder / "noise.npy", noise if noise.shape[1] > 1 else noise[:, 0])
    signal = np.zeros(noise.shape[2])
    signal[len(signal) // 2] = 1
    np.save(folder / "signal.npy", signal)
    files = ("--noise", folder / "noise.npy", "--signal", folder / "signal.npy")
    path = folder / "results.db"
    told(yoked("import", "table", folder / "ann.csv", path, "--task", task, *files))
    (row,) = strict(told(yoked("analyse", path, "--permutations", 39)))
    return row


def same(ours, theirs, path, tolerance=0.0):
    """Assert that two pieces of JSON are equal, but for what counts the trials."""
    if isinstance(ours, dict):
        assert set(ours) == set(theirs)
        for key in ours:
            if key not in COUNTED:
                same(ours[key], theirs[key], f"{path}.{key}", tolerance)
    elif tolerance and isinstance(ours, float):
        assert ours == pytest.approx(theirs, rel=tolerance), path
    else:
        assert ours == theirs, path


@pytest.mark.parametrize(
    ("task", "rare"), [("2afc", 1), pytest.param("yes_no", 2, marks=pytest.mark.slow)]
)
def test_a_rare_contrast_changes_no_part_that_rests_on_well_filled_ones(
    tmp_path, task, rare
):
    rows, noise = designs.table(
        Design(task=task, sizes=(400, rare), n_pairs=40, n_elements=5)
    )
    often, seldom = sorted(rows["contrast"].unique())
    rows = rows[(rows["contrast"] == often) | rows["repeats"].isna()]
    with_it = analysed(rows, noise, tmp_path / "with", task)
    alone = analysed(designs.without(rows, seldom), noise, tmp_path / "without", task)
    assert with_it["n_counted"] == alone["n_counted"] + rare
    n_parts = 0
    for order, names in OF_WELL_FILLED.items():
        for name in names:
            same(with_it[order][name], alone[order][name], f"{order}.{name}")
            n_parts += with_it[order][name] is not None
    assert n_parts == (12 if task == "2afc" else 13)
    of_often = with_it["by_contrast"][0]
    same(of_often, alone["by_contrast"][0], "by_contrast", tolerance=1e-4)


@pytest.mark.slow
def test_two_trials_of_one_target_at_a_rare_contrast_change_nothing_of_order_two(
    tmp_path,
):
    rows, noise = designs.table(Design(sizes=(400, 2), n_elements=5))
    _, seldom = sorted(rows["contrast"].unique())
    rows.loc[rows["contrast"] == seldom, "target"] = 1
    rows.loc[rows["contrast"] == seldom, "response"] = [0, 1, 0, 1]
    with_it = analysed(rows, noise, tmp_path / "with", "2afc")
    alone = analysed(designs.without(rows, seldom), noise, tmp_path / "without", "2afc")
    for name in OF_WELL_FILLED["order_2"]:
        same(with_it["order_2"][name], alone["order_2"][name], name)


def test_nothing_is_warned_of_on_standard_error(tmp_path):
    path, (ann, _, model) = recorded(Design(sizes=(60, 1), n_pairs=10), tmp_path)
    analyse = ["analyse", str(path), "--permutations", "19"]
    commands = [analyse, ["compare", str(path), ann, model], ["group", str(path)]]
    run = f"for words in {commands}: cli(words, standalone_mode=False)"
    script = f"from yoked.app.cli import cli\n{run}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "Warning" not in done.stderr, done.stderr
    assert done.stdout


def test_a_constant_responder_has_a_reason_where_a_gain_of_nought_was(tmp_path):
    path, (ann, *_) = recorded(Design(responds="constant"), tmp_path)
    (row,) = strict(told(yoked("analyse", path, ann, "--permutations", 19)))
    assert row["order_2"]["quadratic"] is None
    for part in ("one.fitted", "kernels", "two.quadratic", "two.spectrum"):
        assert "got one kind in each" in row["missing"][part]


def test_a_group_goes_on_without_the_observer_who_never_varied(tmp_path):
    path, _ = recorded(Design(responds="constant"), tmp_path)
    row = strict(told(yoked("group", path)))
    assert row["kernel"] is None
    assert row["dprime"]["n"] == 3
    assert set(row["missing"]) == {"ann", "bob", "kernel"}
    assert "got one kind in each" in row["missing"]["ann"]
    assert row["missing"]["kernel"] == (
        "observers must be two or more with a kernel, got 1"
    )


def test_a_reversed_second_pass_is_called_that_and_not_infinite_noise(tmp_path):
    path, (ann, *_) = recorded(Design(n_pairs=40, second="reversed"), tmp_path)
    (row,) = strict(told(yoked("analyse", path, ann, "--orders", 0)))
    gamma = row["pooled"]["internal_noise"]["gamma"]
    assert gamma["value"] is None
    assert gamma["note"].endswith(
        "are the responses of one pass reversed (keys swapped)?"
    )


@pytest.mark.slow
def test_a_table_and_a_report_say_that_a_p_is_the_floor(tmp_path):
    path, (ann, *_) = recorded(Design(sizes=(300,), n_elements=2), tmp_path)
    table = told(yoked("analyse", path, ann, "--orders", 1, "--table"))
    assert "0.004975, the floor of 200 permutations" in table
    (row,) = strict(told(yoked("analyse", path, ann, "--orders", 1, "--json")))
    assert row["order_1"]["test"]["p_any"] == pytest.approx(1 / 201)
    assert row["order_1"]["test"]["n_permutations"] == 200
    report = tmp_path / "report.html"
    told(yoked("report", path, ann, "--orders", 1, "-o", report))
    assert ".005, the floor of 200 permutations" in report.read_text()


def test_infinite_is_told_from_unknown_in_json_table_and_csv(tmp_path):
    path, (ann, *_) = recorded(Design(responds="right"), tmp_path)
    (row,) = strict(told(yoked("analyse", path, ann, "--orders", 0)))
    assert row["pooled"]["dprime"]["high"] == "Infinity"
    assert "∞" in told(yoked("analyse", path, ann, "--orders", 0, "--table"))
    lines = told(yoked("analyse", path, ann, "--orders", 0, "--csv"))
    (cells,) = csv.DictReader(io.StringIO(lines))
    assert cells["pooled_dprime_high"] == "Infinity"
    assert cells["order_0_roc"] == ""

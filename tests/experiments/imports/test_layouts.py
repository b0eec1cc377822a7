"""Whatever the layout of a table, it is read to the same numbers, or refused."""

import builtins
import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.experiments.imports import layouts
from tests.experiments.imports.layouts import LAYOUTS
from tests.experiments.imports.test_table import same_as, simulated
from yoked.app.cli import cli
from yoked.experiments.imports.table import import_table, understood
from yoked.experiments.imports.table_explain import explain_table
from yoked.experiments.imports.table_settings import TableSettings
from yoked.experiments.session.results import load_session


@pytest.fixture(scope="module")
def shown():
    """Return a table as the plain format has it, its noise, and what was simulated."""
    table, noise, expected = simulated(n=120, n_pairs=30)
    table = table.assign(repeats=table["repeats"].astype("Int64"), contrast=0.25)
    table["contrast"] = np.where(np.arange(len(table)) % 2, 0.25, 0.125)
    table["contrast"] = table["contrast"].where(table["repeats"].isna(), -1)
    first = table["repeats"].dropna().astype(int)
    table.loc[first.index, "contrast"] = table["contrast"].to_numpy()[first]
    return table, noise, expected


def numbers(found):
    """Return all that a table's reader found: trials, responses, and their noise."""
    (rows,) = found.observers
    specs = [
        (s.trial, s.target, s.contrast, s.repeats, s.pass_, s.block)
        for s, _ in rows.trials
    ]
    answers = [(r.response, r.rt_ms, r.valid) for _, r in rows.trials]
    return specs, answers, found.fields[rows.stimulus_id]


def assert_same(found, expected):
    ours, theirs = numbers(found), numbers(expected)
    assert ours[:2] == theirs[:2]
    np.testing.assert_allclose(ours[2], theirs[2], rtol=1e-6, atol=1e-12)


@pytest.fixture(scope="module")
def expected(shown, tmp_path_factory):
    table, noise, _ = shown
    path, how = layouts.plain(table, noise, tmp_path_factory.mktemp("plain"))
    return understood(path, TableSettings("2afc", **how))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read_to_the_numbers_of_the_plain_format(
    tmp_path, shown, expected, layout
):
    path, how = LAYOUTS[layout](*shown[:2], tmp_path)
    assert_same(understood(path, TableSettings("2afc", **how)), expected)


@pytest.mark.parametrize("layout", ["a row for each feature", "side by side"])
def test_kernels_and_agreement_of_another_layout_are_those_of_the_simulation(
    tmp_path, db_path, shown, layout
):
    table, noise, simulation = shown
    path, how = LAYOUTS[layout](table.assign(contrast=0.15), noise, tmp_path)
    how = TableSettings("2afc", is_contrast_relative=True, **how)
    (made,) = import_table(path, db_path, how)
    same_as(load_session(db_path, made.session), simulation)


NOTES = {
    "tabs": "the separator is a tab",
    "semicolons and decimal commas": "numbers have a decimal comma",
    "UTF-16": "the encoding is UTF-16",
    "an index without a name": "the first column has no name: left out, as an index",
    "capitals and spaces": "read by its meaning: 'Contrast' as contrast",
    "metadata above the header": "4 lines above the header were left out",
    "R's write.table": "the separator is a space",
    "chosen or not": "2 rows each are one trial, of which `picked` says the response",
    "a row for each feature": "rows each are one field of noise",
    "Excel": "3 lines above the header were left out",
}


@pytest.mark.parametrize("layout", NOTES)
def test_what_was_understood_is_said(tmp_path, shown, layout):
    path, how = LAYOUTS[layout](*shown[:2], tmp_path)
    notes = understood(path, TableSettings("2afc", **how)).notes
    assert any(NOTES[layout] in note for note in notes), notes


# What may mean two things ------------------------------------------------------------


def refusal(path, **how):
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refused:
        understood(path, TableSettings("2afc", **how))
    return str(refused.value)


def test_the_cause_of_a_refusal_is_named_with_the_option_that_mends_it(tmp_path, shown):
    table, noise, _ = shown
    path, how = LAYOUTS["semicolons and decimal commas"](table, noise, tmp_path)
    said = refusal(path, separator=",", **how)
    assert said.endswith("must be ';', got ',': --separator ';'")
    path, _ = layouts.plain(table.assign(contrast=25.0), noise, tmp_path)
    assert "this looks like percent: --contrast-scale 0.01" in refusal(
        path, noise=noise
    )
    path, _ = layouts.plain(table, noise, tmp_path)
    said = refusal(path, noise=100 * noise)
    assert said.endswith("this looks like percent: --contrast-scale 0.01")
    field = np.concatenate([noise[:, 0], noise[:, 1]], axis=-1)[:, 0]
    assert "--side-by-side" in refusal(path, noise=field)
    both = path.read_text().replace(",0.25", ';"0,25"').replace(",", ";")
    path.write_text(both.replace("0;25", "0,25"))
    assert "--decimal" in refusal(path, noise=noise)


def test_rows_that_are_parts_of_a_trial_are_told(tmp_path, shown):
    table, noise, _ = shown
    path, _ = LAYOUTS["a row for each feature"](table, noise, tmp_path)
    said = refusal(path, noise=noise)
    assert "if a row is one segment, --noise-values COLUMN --column element=" in said
    path, _ = LAYOUTS["chosen or not"](table, noise, tmp_path)
    said = refusal(path, noise_columns="noise_")
    assert "if a row is one interval, --column chosen=COLUMN" in said


def test_text_of_an_older_windows_is_read_when_it_is_said(tmp_path, shown):
    table, noise, _ = shown
    path, how = layouts.plain(table.assign(observer="Zoë"), noise, tmp_path)
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))
    assert "--encoding cp1252" in refusal(path, **how)
    found = understood(path, TableSettings("2afc", encoding="cp1252", **how))
    assert found.observers[0].observer == "Zoë"
    assert "encoding must be one that" in refusal(path, encoding="nonsense", **how)
    path.write_bytes(path.read_bytes().decode("cp1252").encode("utf-16-le"))
    assert "--encoding utf-16-le" in refusal(path, **how)


def test_rows_of_a_trial_must_be_complete_and_agree(tmp_path, shown):
    table, noise, _ = shown
    path, how = LAYOUTS["chosen or not"](table, noise, tmp_path)
    rows = pd.read_csv(path)
    faults = {
        "in the rows of a trial, each once, got": rows.iloc[1:],
        "must be 1 in one row of a trial, got 2 of them": rows.assign(picked=1),
        "as in row": rows.assign(block=range(len(rows))),
    }
    for sentence, wrong in faults.items():
        wrong.to_csv(path, index=False)
        assert sentence in refusal(path, **how)


def test_a_file_of_several_tables_is_asked_which(tmp_path, shown):
    path, how = LAYOUTS["a sheet of Excel"](*shown[:2], tmp_path)
    del how["part"]
    assert "must be one of notes, trials, got none: --part notes" in refusal(
        path, **how
    )


@pytest.mark.parametrize(
    ("package", "layout"),
    [
        ("openpyxl", "Excel"),
        ("rdata", "an .rds"),
        ("h5py", "MATLAB 7.3"),
        ("pyarrow", "Parquet"),
    ],
)
def test_a_format_without_its_package_says_what_to_install(
    tmp_path, shown, monkeypatch, package, layout
):
    path, how = LAYOUTS[layout](*shown[:2], tmp_path)
    real = builtins.__import__

    def refusing(name, *rest):
        if name.split(".")[0] == package:
            raise ModuleNotFoundError("none", name=package)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refusing)
    sentence = rf'need {package}: pip install "yoked\[data\]"'
    with pytest.raises(ModuleNotFoundError, match=sentence):
        understood(path, TableSettings("2afc", **how))


@pytest.mark.parametrize("ending", [".xlsx", ".rda", ".mat", ".parquet"])
def test_a_file_that_is_none_of_its_format_is_refused(tmp_path, shown, ending):
    path = tmp_path / f"ann{ending}"
    path.write_text("target,response\n1,1\n")
    assert path.name in refusal(path, noise=shown[1])


# The explanation ---------------------------------------------------------------------


def explained(*arguments):
    done = CliRunner().invoke(cli, ["import", "table", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def test_an_import_is_explained_without_being_done(tmp_path, shown):
    table, noise, _ = shown
    path, _ = LAYOUTS["metadata above the header"](table, noise, tmp_path)
    np.save(tmp_path / "noise.npy", noise)
    before = sorted(tmp_path.iterdir())
    options = ("--task", "2afc", "--noise", tmp_path / "noise.npy")
    found = json.loads(explained(path, "--explain", "--json", *options))
    assert found["refused"] is None
    assert found["file"]["separator"] == ";"
    assert found["file"]["lines_above_header"] == 4
    assert found["observers"] == {"ann": 120}
    assert found["pairs"] == 30
    assert found["noise"]["unit"] == "contrast"
    roles = {column["name"]: column["values"] for column in found["columns"]}
    counts = table["response"].value_counts().sort_index()
    assert roles["response"] == f"0 ({counts[0]}), 1 ({counts[1]})"
    text = explained(path, "--explain", "--table", *options)
    assert "would be" in text
    assert "numbers have a decimal comma" in text
    assert sorted(tmp_path.iterdir()) == before


def test_an_explanation_says_why_a_table_would_be_refused(tmp_path, shown):
    path, _ = layouts.plain(*shown[:2], tmp_path)
    text = explained(path, "--explain", "--table")
    assert "refused" in text
    assert "task must be one of 2afc, mafc, yes_no, rating, got none" in text
    path.write_text("a,b,a\n1,2,3\n")
    assert "got 'a' twice" in explained(path, "--explain", "--table")
    done = CliRunner().invoke(cli, ["import", "table", str(path)])
    assert done.exit_code == 2
    assert "the database must be given unless with --explain" in done.output


# Any layout --------------------------------------------------------------------------

RENAMES = [
    {},
    {"response": "Response"},
    {"target": "TARGET", "repeats": "Repeats"},
    {"stimulus_id": "Stimulus ID", "response": "response "},
    {"response": "key"},
]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_a_table_in_any_layout_gives_the_same_numbers_or_one_sentence(
    tmp_path, shown, expected, data
):
    table, noise, _ = shown
    renames = data.draw(st.sampled_from(RENAMES))
    table = table.assign(note="x, y; z").rename(columns=renames)
    order = data.draw(st.permutations(list(table.columns)))
    table = table[order]
    if data.draw(st.booleans()):
        table = table.sample(frac=1, random_state=data.draw(st.integers(0, 9)))
    is_double = data.draw(st.sampled_from(["no", "no", "row", "column"]))
    if is_double == "row":
        table = pd.concat([table, table.tail(1)])
    separator = data.draw(st.sampled_from([",", ";", "\t", "|"]))
    decimal = data.draw(st.sampled_from([".", ","])) if separator != "," else "."
    encoding = data.draw(
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le"])
    )
    content = table.to_csv(
        None,
        sep=separator,
        decimal=decimal,
        index=data.draw(st.booleans()),
        na_rep=data.draw(st.sampled_from(["", ".", "NA", "nan"])),
        quoting=data.draw(st.sampled_from([0, 1])),
    )
    if is_double == "column":
        content = "\n".join(
            line + separator + line.split(separator)[-1] for line in content.split("\n")
        )
    above = data.draw(st.sampled_from(["", "made in Lyon\n", "% a\n% b\n\n"]))
    path = tmp_path / data.draw(st.sampled_from(["ann.csv", "ann.txt"]))
    path.write_bytes((above + content).encode(encoding))
    try:
        found = understood(path, TableSettings("2afc", noise=noise))
    except ValueError as error:
        message = str(error)
        assert "\n" not in message
        assert path.name in message
        is_right = is_double == "no" and "key" not in table and encoding != "utf-16-le"
        assert not is_right, message
        return
    assert is_double == "no"
    assert_same(found, expected)


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([".csv", ".txt", ".mat", ".rda"]))
def test_any_bytes_are_a_table_or_refused_in_one_sentence(
    tmp_path_factory, content, ending
):
    path = tmp_path_factory.mktemp("any") / f"t{ending}"
    path.write_bytes(content)
    found = explain_table(path, task="2afc", noise=np.zeros((1, 2, 3)))
    assert found["refused"]
    assert "\n" not in found["refused"]

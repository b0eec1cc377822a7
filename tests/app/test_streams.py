"""Text is UTF-8 whatever the system's code page: what commands print and read."""

import csv
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests import ROOT

NAME = "Łukasz Å. 王"
# What a terminal or a pipe may be set to; the first two know no such name.
CODE_PAGES = {
    "cp1252": {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
    "ascii": {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    "strict C": {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": ":strict",
    },
    "utf-16": {"PYTHONIOENCODING": "utf-16", "PYTHONUTF8": "0"},
}


def yoked(*arguments, page="cp1252", folder=None):
    """Run a command in a process of its own, under a code page."""
    command = [sys.executable, "-X", "warn_default_encoding", "-m", "yoked"]
    return subprocess.run(
        [*command, *map(str, arguments)],
        env={**os.environ, **CODE_PAGES[page]},
        capture_output=True,
        cwd=folder or ROOT,
        timeout=120,
    )


def ours(stderr):
    """Return the lines that no library's own warning takes."""
    lines, of_library = [], False
    for line in stderr.decode("utf-8").splitlines():
        of_library = "site-packages" in line or (of_library and line[:2] == "  ")
        lines += [] if of_library else [line]
    return lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with 40 trials of somebody with a name, and their noise."""
    folder = tmp_path_factory.mktemp("größe")
    rng = np.random.default_rng(1)
    np.save(folder / "noise.npy", rng.normal(0, 0.1, (40, 5)))
    target = rng.integers(0, 2, 40)
    with (folder / "trials.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["observer", "target", "response", "größe"])
        rows.writerows([NAME, t, t ^ (k % 4 == 0), 1] for k, t in enumerate(target))
    return folder


def import_into(folder, db, table="trials.csv"):
    """Return the words of the import."""
    noise = ("--task", "yes_no", "--noise", folder / "noise.npy")
    return ("import", "table", folder / table, db, *noise)


@pytest.fixture(scope="module")
def database(folder):
    """Return the trial log with these trials."""
    done = yoked(*import_into(folder, folder / "a.db"))
    assert done.returncode == 0, done.stderr
    return folder / "a.db"


@pytest.mark.parametrize("page", CODE_PAGES)
def test_an_import_ends_well_under_any_code_page(folder, db_path, page):
    done = yoked(*import_into(folder, db_path), page=page)
    assert (done.returncode, ours(done.stderr)) == (0, [])
    (row,) = json.loads(done.stdout.decode("utf-8"))
    assert row["observer"] == NAME
    assert row["notes"][-1] == "columns that were not read: größe"


@pytest.mark.parametrize(
    "words",
    [
        ("sessions", "DB", "--json"),
        ("sessions", "DB", "--table"),
        ("sessions", "DB", "--csv"),
        ("export", "DB"),
        ("export", "DB", "--format", "psychopy"),
        ("export", "DB", "trials.csv"),
        ("analyse", "DB", "--table"),
        ("plot", "DB", "kernels", "-o", "kernels.svg"),
        ("report", "DB", "-o", "report.html"),
        ("merge", "all.db", "DB", "--table"),
    ],
    ids=lambda words: "-".join(w for w in words if "." not in w and w != "DB"),
)
def test_every_command_prints_and_writes_the_name_in_utf_8(database, tmp_path, words):
    done = yoked(*(database if w == "DB" else w for w in words), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    files = [tmp_path / w for w in words if w.endswith((".csv", ".svg", ".html"))]
    text = b"".join([done.stdout, *(file.read_bytes() for file in files)])
    text.decode("utf-8")
    if words[0] not in ("plot", "merge"):  # outlines of letters; names of files
        assert NAME in text.decode("utf-8")


def test_an_error_names_a_file_under_any_code_page(tmp_path):
    done = yoked("sessions", tmp_path / "größe-Ł.db")
    assert done.returncode == 1
    assert "größe-Ł.db" in done.stderr.decode("utf-8")


def test_names_of_files_and_options_are_read_as_utf_8_where_the_system_is_ascii(
    folder, db_path
):
    """Linux in the C locale hands over bytes that it does not know."""
    text = (folder / "trials.csv").read_text(encoding="utf-8")
    (folder / "größe.csv").write_text(text.replace("observer", "who"), encoding="utf-8")
    words = (*import_into(folder, db_path, "größe.csv"), "--name", "Größe")
    done = yoked(*words, page="strict C")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["observer"], row["protocol"]) == ("größe", "Größe")


def test_a_terminal_keeps_its_code_page_and_gets_escapes():
    from yoked.app.streams import any_text

    class Terminal(io.TextIOWrapper):
        def isatty(self):
            return True

    screen, pipe = io.BytesIO(), io.BytesIO()
    streams = (Terminal(screen, "cp1252"), io.TextIOWrapper(pipe, "cp1252"))
    for stream in streams:
        any_text(stream)
        stream.write("Å Ł")
        stream.flush()
    assert screen.getvalue() == "Å ".encode("cp1252") + rb"\u0141"
    assert pipe.getvalue() == "Å Ł".encode()


def test_bytes_that_are_no_text_are_written_as_escapes():
    from yoked.app.streams import any_text

    pipe = io.BytesIO()
    stream = io.TextIOWrapper(pipe, "cp1252")
    any_text(stream)
    stream.write("gr\udcc3\udcb6 gr\udcf6")  # UTF-8 and Latin-1, as of an ASCII system
    stream.flush()
    assert pipe.getvalue() == "grö ".encode() + rb"gr\udcf6"

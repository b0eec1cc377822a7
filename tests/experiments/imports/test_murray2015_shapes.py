"""Files of the published set that are not as the others: read, and it is said.

Three of them have an empty header of a block that was broken off, no end after 488
trials, and a title where a time is expected. They are not ours; these are synthetic.
"""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from yoked.app.cli import cli
from yoked.experiments.imports.murray2015 import (
    PUBLISHED,
    import_murray2015,
    read_murray2015,
)
from yoked.experiments.session.results import load_session
from yoked.experiments.store.sqlite import open_store

COLUMNS = (
    "% trial matchtrial target_interval randseed randnseed signal_contrast response "
    "correct rt \n"
)


def header(minute, time=None):
    return f"\n% {time or f'24-Mar-2015 14:{minute:02}:43'}\n{COLUMNS}"


def end(minute):
    return f"% finished 24-Mar-2015 15:{minute:02}:07\n"


def rows(n, seed=1):
    """Return the lines of `n` trials, tabs and all."""
    rng = np.random.default_rng(seed)
    lines = []
    for trial in range(1, n + 1):
        target, response = rng.integers(1, 3, 2)
        noise = int(rng.integers(0, 10**8))
        contrast = rng.choice([0.42688, 0.30491])
        cells = (f"{trial:4}", f"{-1:4}", target, f"{noise:10}", f"{2 * noise:10}")
        score = f"{contrast:.5f}", response, int(response == target), "0.512"
        lines.append("\t".join(map(str, (*cells, *score))) + "\t\n")
    return "".join(lines)


def file(folder, text, name="experiment2_subject30.txt"):
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def blocks(aborted_before=()):
    """Return an experiment 1 with empty headers before some blocks."""
    return "".join(
        (header(k, "24-Mar-2015 13:00:00") if k in aborted_before else "")
        + header(k)
        + rows(300, seed=k)
        + end(k)
        for k in range(33)
    )


@pytest.mark.parametrize("place", [0, 7, 33])
def test_the_header_of_a_block_that_was_broken_off_is_left_out(tmp_path, place):
    text = blocks({place}) + (header(0) if place == 33 else "")
    data = read_murray2015(file(tmp_path, text, "experiment1_subject30.txt"))
    plain = read_murray2015(file(tmp_path, blocks(), "experiment1_subject30.txt"))
    assert (data.specs, data.responses) == (plain.specs, plain.responses)
    assert data.started_at == plain.started_at == "2015-03-24T14:00:43"
    assert data.ended_at == plain.ended_at
    line = 304 * place + 2
    assert data.notes[0].startswith(
        f"line {line} of experiment1_subject30.txt begins a block without a trial: left"
    )
    assert len(data.notes) == len(plain.notes) + 1


def test_a_block_that_ends_without_a_trial_is_left_out(tmp_path):
    text = header(1) + end(2) + header(3) + rows(500) + end(4)
    data = read_murray2015(file(tmp_path, text))
    assert len(data.specs) == 500
    assert "begins a block without a trial: left out" in data.notes[0]


def test_a_file_without_an_end_is_read_to_its_last_trial(tmp_path, db_path):
    path = file(tmp_path, header(1) + rows(488))
    data = read_murray2015(path)
    assert (len(data.specs), data.ended_at) == (488, None)
    assert data.notes[0] == (
        "experiment2_subject30.txt has no line '% finished' after its trial 488: it "
        "was broken off, or cut short"
    )
    session = load_session(db_path, import_murray2015(path, db_path))
    assert len(session.counted) == 488


def test_a_file_that_is_cut_within_a_row_is_refused(tmp_path):
    whole = header(1) + rows(488)
    for n_missing, sentence in (
        (1, "line 491 of .* must end with a new line, as the file has no line"),
        (6, "line 491 of .* must end with a new line"),
        (12, "line 491 of .* must have 9 columns, got 6"),
    ):
        path = file(tmp_path, whole[:-n_missing])
        with pytest.raises(ValueError, match=sentence):
            read_murray2015(path)


@pytest.mark.parametrize("where", ["before the time", "after it", "in its place"])
def test_a_title_where_a_time_is_expected_is_left_out(tmp_path, where):
    title, time = "% discriminating disks, rfm\n", "% 24-Mar-2015 14:33:43\n"
    head = {
        "before the time": title + time,
        "after it": time + title,
        "in its place": title,
    }[where]
    data = read_murray2015(file(tmp_path, "\n" + head + COLUMNS + rows(500) + end(4)))
    known = None if where == "in its place" else "2015-03-24T14:33:43"
    assert (len(data.specs), data.started_at) == (500, known)
    line = 3 if where == "after it" else 2
    assert data.notes[0] == (
        f"line {line} of experiment2_subject30.txt is no time, but 'discriminating "
        "disks, rfm': left out"
    )


def test_a_comment_among_trials_is_refused(tmp_path):
    lines = rows(500).splitlines(keepends=True)
    lines.insert(20, "% a break\n")
    path = file(tmp_path, header(1) + "".join(lines) + end(2))
    with pytest.raises(ValueError, match=r"line 24 of .* a time like .* 'a break"):
        read_murray2015(path)


def test_trials_without_any_header_are_refused(tmp_path):
    path = file(tmp_path, COLUMNS + rows(500) + end(2))
    with pytest.raises(ValueError, match=r"line 2 of .* come after its block's start"):
        read_murray2015(path)
    path = file(tmp_path, header(1) + end(2) + end(3))
    with pytest.raises(ValueError, match=r"line 5 of .* come after its block's start"):
        read_murray2015(path)


def test_a_file_without_a_trial_is_refused(tmp_path):
    path = file(tmp_path, header(1))
    with pytest.raises(ValueError, match="one block of up to 500 trials, got 0 with 0"):
        read_murray2015(path)


def test_the_notes_are_in_the_log_and_in_what_the_command_prints(tmp_path, db_path):
    path = file(tmp_path, header(1) + rows(488))
    done = CliRunner().invoke(cli, ["import", "murray2015", str(path), str(db_path)])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    store = open_store(db_path, to_read=True)
    (event,) = store.events(printed["session"])
    store.close()
    assert printed["notes"] == event["detail"]["notes"]
    assert len(printed["notes"]) == 2
    assert event["detail"]["ended_at"] is None


# What must not pass for the original -------------------------------------------------


def test_a_file_that_nobody_can_check_does_not_pass_for_a_published_one(
    tmp_path, db_path
):
    """Of 19 files of the set the SHA-256 is not known: a copy may be changed."""
    path = file(tmp_path, header(1) + rows(500) + end(2), "experiment2_subject07.txt")
    session = load_session(db_path, import_murray2015(path, db_path))
    assert session.observer == "murray2015-exp2-observer7-unverified"
    assert session.row.observer.parameters["published"] is False
    (note,) = read_murray2015(path).notes
    assert note == (
        "the SHA-256 of the published experiment2_subject07.txt is not known here: it "
        "cannot be told from a changed copy"
    )


@pytest.mark.parametrize("title", ["", "% a title\n"])
def test_a_changed_copy_is_known_by_any_of_its_times(tmp_path, title):
    known = PUBLISHED["experiment2_subject01.txt"]
    text = title + header(1, known.started) + rows(500) + end(2)
    path = file(tmp_path, text, "experiment2_subject07.txt")
    sentence = rf"must be the published experiment2_subject01\.txt, .* {known.sha256}"
    with pytest.raises(ValueError, match=sentence):
        read_murray2015(path)


def test_a_changed_copy_that_is_allowed_says_of_which_file(tmp_path):
    name = "experiment2_subject01.txt"
    known = PUBLISHED[name]
    text = header(1, known.started) + rows(500) + end(2)
    for copy in (name, "mine.txt", "experiment2_subject07.txt"):
        data = read_murray2015(file(tmp_path, text, copy), allow_unpublished=True)
        assert data.observer == "murray2015-exp2-observer1-altered"
        assert data.notes[-1] == (
            f"{copy} is not the published {name}, SHA-256 {known.sha256}: it was "
            "altered or cut short"
        )

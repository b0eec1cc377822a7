"""Files are written whole or not at all."""

import resource
import subprocess
import sys

import pytest

from yoked.app.files import whole_file, write_text


def test_a_file_takes_its_place_at_the_end(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text("old")
    with whole_file(path) as file:
        file.write("nëw\n")
        assert path.read_text() == "old"
    assert path.read_bytes() == "nëw\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_text_is_written_as_it_is(tmp_path):
    write_text(tmp_path / "page.html", "d\u2032\r\n")
    assert (tmp_path / "page.html").read_bytes() == "d\u2032\r\n".encode()


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text("old")
    with pytest.raises(TypeError, match="must be str"), whole_file(path) as file:
        file.writelines(["new", 1])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"the folder of .*nowhere.* must exist"),
        whole_file(tmp_path / "nowhere" / "trials.csv"),
    ):
        pass


def test_a_file_gets_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    with whole_file(tmp_path / "whole"):
        pass
    modes = [(tmp_path / name).stat().st_mode for name in ("plain", "whole")]
    assert modes[0] == modes[1]


def test_a_pipe_is_written_to_directly():
    code = (
        "from yoked.app.files import whole_file\n"
        "with whole_file('/dev/stdout') as file:\n    file.write('through')"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert run.stdout == "through"


def test_a_full_disk_leaves_what_was_there(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text("old")
    code = (
        "import sys\nfrom yoked.app.files import whole_file\n"
        "with whole_file(sys.argv[1]) as file:\n    file.write('x' * 100_000)"
    )
    limit = (resource.RLIMIT_FSIZE, (10_000, 10_000))
    run = subprocess.run(
        [sys.executable, "-c", code, path],
        preexec_fn=lambda: resource.setrlimit(*limit),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode != 0
    assert "File too large" in run.stderr
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]

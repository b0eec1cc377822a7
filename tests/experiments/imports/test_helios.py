"""A folder of images and labels: the observer comes back, or one sentence."""

import struct
import zlib

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tests.analysis.observers.linear import unit
from yoked.analysis.sessions.kernel import kernel
from yoked.app.cli import cli
from yoked.experiments.imports.helios import import_helios
from yoked.experiments.session.results import load_session

TEMPLATE = unit(np.outer([0, 1, 2, 1, 0], [0, 1, 3, 1, 0]))


def png(pixels):
    """Return a grayscale PNG of 8 bits."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows, columns = pixels.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    lines = b"".join(b"\0" + bytes(row) for row in pixels.astype(np.uint8).tolist())
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def shown():
    """Return labels of two subjects, and the pixels of their images."""
    rng = np.random.default_rng(1)
    n = 800
    contrast = rng.choice([0.0, 0.2], n)
    noise = rng.normal(0, 0.15, (n, 5, 5))
    evidence = (noise * TEMPLATE.reshape(5, 5)).sum(axis=(1, 2)) + contrast
    said = evidence + rng.normal(0, 0.1, n) > 0.1
    signal = contrast[:, None, None] * (np.arange(25).reshape(5, 5) == 12)
    pixels = np.clip(np.rint(128 * (1 + noise + signal)), 0, 255)
    subject = np.where(np.arange(n) < 400, "s1", "s2")
    columns = {"response": said.astype(int), "subject": subject, "contrast": contrast}
    return pd.DataFrame(columns), pixels


@pytest.fixture
def folder(tmp_path, shown):
    path = tmp_path / "project"
    (path / "images").mkdir(parents=True)
    (path / "labels").mkdir()
    for number, image in enumerate(shown[1], start=1):
        (path / "images" / f"{number}.png").write_bytes(png(image))
    shown[0].to_csv(path / "labels" / "all.csv", index=False)
    return path


def kernels(db_path, made):
    sessions = [load_session(db_path, each.session) for each in made]
    return [kernel(each, method="weighted_sum").kernel.ravel() for each in sessions]


def test_the_observers_of_a_folder_come_back(folder, tmp_path, db_path):
    done = CliRunner().invoke(cli, ["import", "helios", str(folder), str(db_path)])
    assert done.exit_code == 0, done.output
    made = import_helios(folder, tmp_path / "again.db")
    assert [each.observer for each in made] == ["s1", "s2"]
    assert "the target is where the contrast is more than 0" in made[0].notes
    for found in kernels(tmp_path / "again.db", made):
        assert np.corrcoef(found, TEMPLATE.ravel())[0, 1] > 0.9


def test_labels_may_be_files_of_lines_codes_and_scores(
    folder, shown, tmp_path, db_path
):
    expected = kernels(db_path, import_helios(folder, db_path))
    labels = shown[0]
    (folder / "labels" / "all.csv").unlink()
    right = labels["response"] == (labels["contrast"] > 0)
    said = np.where(right, 2, 1)
    for name, column in (*labels.items(), ("response", pd.Series(said))):
        lines = "\n".join(map(str, column))
        (folder / "labels" / f"{name}.txt").write_text(f"{name}\n{lines}\n")
    other = tmp_path / "other.db"
    found = kernels(other, import_helios(folder, other, is_score=True))
    np.testing.assert_array_equal(found, expected)


def changed(folder, **columns):
    path = folder / "labels" / "all.csv"
    pd.read_csv(path).assign(**columns).to_csv(path, index=False)


def test_a_folder_that_does_not_fit_is_refused_in_one_sentence(folder, db_path):
    def refused(sentence):
        with pytest.raises(ValueError, match=sentence):
            import_helios(folder, db_path)

    (folder / "images" / "7.png").rename(folder / "7.png")
    refused("images of project must be as many as labels, 800, got 799")
    (folder / "images" / "7.png").write_bytes(png(np.zeros((4, 4))))
    refused(r"7\.png must be of \(5, 5\) pixels, got \(4, 4\)")
    (folder / "images" / "7.png").write_bytes(b"JFIF")
    refused(r"7\.png: a PNG must begin with")
    (folder / "7.png").rename(folder / "images" / "7.png")
    changed(folder, contrast=0.2)
    refused("targets of project must be told by a column target, or by contrasts")
    changed(folder, contrast="faint")
    refused("contrast in row 1 of project must be a number, got 'faint'")
    changed(folder, contrast=np.arange(800) % 200)
    refused("images of project must be 20 or more of target 0 at contrast 0, got 4")
    changed(folder, response=5)
    refused("response of project must be 0 and 1, 1 and 2, or -1 and 1, got 5|must be")
    (folder / "labels" / "all.csv").write_text("response,subject\n1,a\n")
    refused(r"labels of project must have contrast, got all\.csv")
    (folder / "labels" / "all.csv").unlink()
    (folder / "labels").rmdir()
    with pytest.raises(FileNotFoundError, match="must be a folder with images and"):
        import_helios(folder, db_path)
    assert not db_path.exists()

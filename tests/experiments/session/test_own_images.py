"""Images and a picture of one's own: from a file into the log, and from there alone."""

import sqlite3

import numpy as np
import pytest

import yoked
from tests.experiments.protocols.test_basis import plain
from yoked.experiments.protocols import contents
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.session.results import load_session
from yoked.experiments.stimulus.render import render
from yoked.experiments.store.merge import MergeConflict, merge
from yoked.experiments.store.sqlite import open_store

TOML = """
name = "own"
title = "Own"
[task]
kind = "2afc"
keys = ["f", "j"]
[display]
deg_per_element = 0.1
[noise]
kind = "gaussian"
sd = 0.1
grid = [1, 8, 8]
picture = "behind.npy"
PICTURE
[noise.basis]
kind = "array"
file = "images.npy"
IMAGES
[signal]
kind = "coefficients"
coefficients = [[0, 1.0]]
[contrast]
values = [0.1]
[[blocks]]
kind = "main"
n_trials = 60
"""


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(4)
    images = rng.standard_normal((5, 8, 8))
    images[2] /= 2  # half as large: a weight of its own
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "behind.npy", 0.1 * np.cos(np.arange(64)).reshape(8, 8))
    return tmp_path


def written(folder, picture="", images=""):
    path = folder / "own.toml"
    path.write_text(TOML.replace("PICTURE", picture).replace("IMAGES", images))
    return path


def pinned(folder):
    """Paste the lines that the refusals give, and load the protocol."""
    lines = []
    for _ in range(2):
        with pytest.raises(ProtocolError, match="must be given, got nothing") as caught:
            load_protocol(written(folder, *lines))
        lines.append(str(caught.value).partition("the line is ")[2])
    return load_protocol(written(folder, *lines))


def forgotten(monkeypatch):
    """Be a process that has read no file."""
    from yoked.experiments.protocols.image_kinds import images_of
    from yoked.experiments.protocols.projection import in_images

    monkeypatch.setattr(contents, "_KEPT", {})
    images_of.cache_clear()
    in_images.cache_clear()


def frames_of(session):
    return render(session.protocol, session.noise, session.trials.head(20))


def test_a_refusal_gives_the_line_to_paste_and_the_relative_sizes_stay(folder):
    protocol = pinned(folder)
    weights = protocol.noise.basis.weights
    peaks = np.abs(np.load(folder / "images.npy")).max(axis=(1, 2))
    assert weights == pytest.approx(peaks / peaks.max(), abs=5e-5)
    assert "file" not in str(protocol.to_dict())


def test_a_file_that_changed_is_refused(folder):
    protocol = pinned(folder)
    sha256 = protocol.noise.picture_sha256
    np.save(folder / "behind.npy", np.full((8, 8), 0.05))
    with pytest.raises(
        ProtocolError, match=r"noise.picture_sha256 must be .* for this"
    ):
        load_protocol(written(folder, f'picture_sha256 = "{sha256}"'))


@pytest.mark.parametrize(
    ("name", "array", "sentence"),
    [
        ("images", np.zeros((5, 9, 8)), "noise.basis.file must be"),
        ("images", np.full((5, 8, 8), np.nan), "noise.basis.file must be finite real"),
        (
            "behind",
            np.full((8, 8), 1.5),
            "noise.picture must be contrasts from -1 to 1",
        ),
        ("behind", np.zeros((8, 8)), "noise.picture must be other than 0 somewhere"),
        ("behind", np.array([object()]), "noise.picture must be a NumPy array without"),
    ],
)
def test_arrays_that_cannot_be_shown_are_refused(folder, name, array, sentence):
    np.save(folder / f"{name}.npy", array)
    if name == "images":
        path = written(folder)
        path.write_text(path.read_text().replace('picture = "behind.npy"', ""))
    else:
        path = written(folder, 'picture_sha256 = "0"')
    with pytest.raises(ProtocolError, match=sentence):
        load_protocol(path)


def test_a_missing_file_is_one_sentence(folder):
    (folder / "behind.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"noise\.picture must be a file that"):
        load_protocol(written(folder))


def test_the_picture_is_behind_every_interval(folder):
    protocol = pinned(folder)
    session = yoked.run(protocol, yoked.load_observer("guesser"), seed=1)
    mean = frames_of(session).astype(float).mean(axis=(0, 1, 2)) - 128
    picture = 12.7 * np.cos(np.arange(64)).reshape(8, 8)
    assert np.corrcoef(mean.ravel(), picture.ravel())[0, 1] > 0.9


def test_a_log_needs_no_file(folder, monkeypatch):
    path = folder / "log.db"
    store = open_store(path)
    made = yoked.run(
        pinned(folder), yoked.load_observer("guesser"), store=store, seed=1
    )
    shown = frames_of(made)
    store.close()
    (folder / "images.npy").unlink()
    (folder / "behind.npy").unlink()
    forgotten(monkeypatch)
    read = load_session(path, made.id)
    assert read.row.noise_source == "yoked-1-basis"
    assert (frames_of(read) == shown).all()


def test_a_merged_log_has_the_images_too(folder, monkeypatch):
    store = open_store(folder / "one.db")
    made = yoked.run(
        pinned(folder), yoked.load_observer("guesser"), store=store, seed=1
    )
    shown = frames_of(made)
    store.close()
    merge(folder / "both.db", [folder / "one.db"])
    forgotten(monkeypatch)
    assert (frames_of(load_session(folder / "both.db", made.id)) == shown).all()


def test_images_that_are_in_no_log_are_one_sentence(folder, monkeypatch):
    path = folder / "one.db"
    store = open_store(path)
    made = yoked.run(
        pinned(folder), yoked.load_observer("guesser"), store=store, seed=1
    )
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM noise")
    connection.close()
    forgotten(monkeypatch)
    with pytest.raises(MergeConflict, match=r"needs the images of noise\.basis"):
        merge(folder / "both.db", [path])
    with pytest.raises(ProtocolError, match=r"the images of noise\.basis must be read"):
        load_session(path, made.id)


def test_a_yoked_session_sees_the_same_pixels(folder):
    store = open_store(":memory:")
    first = yoked.run(
        pinned(folder), yoked.load_observer("guesser"), store=store, seed=1
    )
    again = yoked.run(
        None, yoked.load_observer("guesser"), store=store, yoke_to=first.id
    )
    assert (frames_of(again) == frames_of(first)).all()
    store.close()


def test_plain_data_names_no_file():
    data = plain({"kind": "array", "file": "images.npy", "sha256": "ab"})
    with pytest.raises(ProtocolError, match=r"noise\.basis\.file must be one of kind"):
        Protocol.from_dict(data)

"""Signals and pictures from files, in white noise: into the log, and from it alone."""

import numpy as np
import pytest

import yoked
from tests.experiments.protocols.test_patterns import png
from tests.experiments.session.test_own_images import forgotten, frames_of
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.picture import picture_levels
from yoked.experiments.protocols.signal import signal_template
from yoked.experiments.protocols.template import template_of
from yoked.experiments.session.results import load_session
from yoked.experiments.store.merge import merge
from yoked.experiments.store.sqlite import open_store

HEAD = """
name = "own"
title = "Own"
[task]
kind = "2afc"
keys = ["f", "j"]
[display]
deg_per_element = 0.1
[contrast]
values = [0.1]
[[blocks]]
kind = "main"
n_trials = 60
[noise]
kind = "gaussian"
sd = 0.1
grid = [1, 8, 6]
"""
PICTURE = 'picture = "behind.png"\nLINE\n'
SIGNAL = '[signal]\nkind = "array"\nfile = "signal.npy"\nLINE\n'
TWO = """[signal]
kind = "patterns"
gains = [-1, 1]
[[signal.patterns]]
kind = "array"
file = "one.png"
LINE
[[signal.patterns]]
kind = "array"
file = "other.png"
LINE
"""


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(4)
    np.save(tmp_path / "signal.npy", rng.standard_normal((8, 6)))
    for name in ("behind", "one", "other"):
        pixels = rng.integers(108, 149, (8, 6))
        (tmp_path / f"{name}.png").write_bytes(png(pixels))
        np.save(tmp_path / f"{name}.npy", pixels - 128)
    return tmp_path


def load(folder, text):
    """Load a protocol; paste the lines that the refusals give."""
    path = folder / "own.toml"
    while True:
        path.write_text(HEAD + text.replace("LINE\n", ""))
        try:
            return load_protocol(path)
        except ProtocolError as error:
            _, found, line = str(error).partition("the line is ")
            if not found:
                raise
            text = text.replace("LINE", line, 1)


def session(protocol, store=None):
    return yoked.run(protocol, yoked.load_observer("guesser"), store=store, seed=1)


def test_a_png_and_an_array_of_its_levels_are_the_same_picture(folder):
    one, other = (
        load(folder, f'picture = "behind.{kind}"\nLINE\n{SIGNAL}')
        for kind in ("png", "npy")
    )
    assert one.hash == other.hash
    picture = picture_levels(one)
    assert picture is not None
    assert (picture[0] == np.load(folder / "behind.npy")).all()


def test_a_signal_is_its_file_scaled_to_its_peak(folder):
    template = signal_template(load(folder, SIGNAL))[0]
    values = np.load(folder / "signal.npy")
    assert np.abs(template - values / np.abs(values).max()).max() < 0.5 / 127 + 1e-6


def test_patterns_from_files_keep_their_contrasts(folder):
    protocol = load(folder, TWO)
    one, other = (np.load(folder / f"{name}.npy") for name in ("one", "other"))
    half = (other - one) / 2
    np.testing.assert_allclose(
        signal_template(protocol)[0], half / np.abs(half).max(), atol=1e-8
    )


@pytest.mark.parametrize("text", [PICTURE + SIGNAL, PICTURE + TWO])
def test_a_log_and_a_merged_log_need_no_file(folder, monkeypatch, text):
    store = open_store(folder / "log.db")
    made = session(load(folder, text), store)
    frames = frames_of(made)
    store.close()
    merge(folder / "both.db", [folder / "log.db"])
    for path in folder.glob("*.[np][pn][yg]"):
        path.unlink()
    for name in ("log.db", "both.db"):
        forgotten(monkeypatch)
        template_of.cache_clear()
        assert (frames_of(load_session(folder / name, made.id)) == frames).all()


def test_the_picture_is_behind_white_noise(folder):
    made = session(load(folder, PICTURE + SIGNAL))
    mean = frames_of(made).astype(float).mean(axis=(0, 1, 2)) - 128
    picture = np.load(folder / "behind.npy")
    assert np.corrcoef(mean.ravel(), picture.ravel())[0, 1] > 0.9


@pytest.mark.parametrize(
    ("text", "change", "sentence"),
    [
        (SIGNAL, lambda at: np.save(at / "signal.npy", np.ones((8, 7))),
         r"signal.file must be .* got \[8, 7\]"),
        (PICTURE + SIGNAL, lambda at: (at / "behind.png").write_bytes(
            png(np.zeros((8, 6, 3)), colour=2)), "noise.picture: a PNG must be gray"),
        (PICTURE + SIGNAL, lambda at: (at / "behind.png").write_bytes(
            png(np.full((8, 5), 130))), r"noise.picture must be .* got \[8, 5\]"),
        (PICTURE.replace("LINE", 'picture_sha256 = "ab"') + SIGNAL, lambda at: None,
         "noise.picture_sha256 must be .* for this file, got 'ab'"),
        (SIGNAL.replace("LINE", 'sha256 = "ab"'), lambda at: None,
         "signal.sha256 must be .* for this file, got 'ab'"),
        (TWO, lambda at: (at / "one.png").write_bytes(png(np.full((8, 6), 128))),
         r"signal.patterns\[0\].file must be other than 0 somewhere"),
        (PICTURE + SIGNAL, lambda at: (at / "behind.png").write_bytes(
            png(np.full((8, 6), 220))), "contrast must be such that signal and"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_shown_are_one_sentence(folder, text, change, sentence):
    change(folder)
    with pytest.raises(ProtocolError, match=sentence):
        load(folder, text)


def test_a_missing_file_is_one_sentence(folder):
    (folder / "one.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"patterns\[0\]\.file must be a file"):
        load(folder, TWO)

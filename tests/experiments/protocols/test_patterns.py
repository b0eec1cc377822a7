"""Patterns, pictures, pedestals and the contrast rule: what is shown, and refusals."""

import numpy as np
import pytest

import yoked
from tests.experiments.protocols.png import png
from tests.experiments.protocols.test_basis import plain
from yoked.experiments.protocols.checks import ProtocolError
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.grayscale_png import read_gray
from yoked.experiments.protocols.picture import highest_beside, picture_levels
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.protocols.signal import (
    signal_levels,
    signal_template,
)
from yoked.experiments.protocols.signal_facts import signal_facts
from yoked.experiments.stimulus.render import render_elements
from yoked.experiments.stimulus.sources import noise_source

GABORS = [
    {"kind": "gabor", "sigma": 2.0, "cycles": 2.0, "orientation_deg": angle}
    for angle in (-30.0, 30.0)
]


def white(contrast=0.1, **signal):
    return Protocol.from_dict(data_of(contrast, **signal))


def data_of(contrast=0.1, **signal):
    data = load_protocol("gabor-in-noise").to_dict()
    data["contrast"] = {"values": [contrast]}
    data["blocks"] = [{"kind": "main", "n_trials": 100}]
    data["double_pass"] = {}
    data["catch"] = {}
    data["signal"] = signal
    return data


def two(patterns=GABORS, **more):
    return {"kind": "patterns", "gains": [-1, 1], "patterns": patterns, **more}


def shown(protocol, targets, backend="numpy"):
    """Give levels about gray, and the noise alone."""
    source = noise_source(protocol.noise.generator, protocol, 7)
    n = len(targets)
    table = {"stimulus_id": list(range(n)), "contrast": [0.1] * n}
    table |= {"target": targets, "block_kind": ["main"] * n}
    frames = render_elements(protocol, source, table, backend).astype(int) - 128
    fields = [source.field(table, k).astype(int) for k in range(protocol.n_intervals)]
    return frames, np.stack(fields, axis=1)


def test_every_filter_of_a_png_is_undone():
    pixels = np.random.default_rng(1).integers(0, 256, (25, 9)).astype(np.uint8)
    assert (read_gray(png(pixels, filters=[0, 1, 2, 3, 4])) == pixels).all()


def test_a_png_of_another_program_is_read(tmp_path):
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(2).integers(0, 256, (40, 31)).astype(np.uint8)
    image.fromarray(pixels).save(tmp_path / "a.png", optimize=True)
    assert (read_gray((tmp_path / "a.png").read_bytes()) == pixels).all()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"GIF89a..", "a PNG must begin with"),
        (png(np.zeros((4, 4, 3)), colour=2), "must be grayscale of 8 bits, got RGB"),
        (png(np.zeros((4, 4)))[:40], "a PNG must be whole, got"),
    ],
)
def test_what_is_no_grayscale_png_is_told(data, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_gray(data)


@pytest.mark.parametrize("task", ["2afc", "yes_no"])
def test_a_trial_shows_one_pattern_or_the_other(task):
    """At the contrast at which the mean is theirs, the patterns are what was drawn."""
    data = data_of(**two(pedestal=0.1))
    data["task"]["kind"] = task
    protocol = Protocol.from_dict(data)
    frames, noise = shown(protocol, [0, 1])
    first, second = (
        signal_template(white(**{**each, "gains": [0, 1]})) for each in GABORS
    )
    mean, half = (first + second) / 2, (second - first) / 2
    mean, half = mean / np.abs(mean).max(), half / np.abs(half).max()
    for trial, row in enumerate(frames - noise):
        for interval, levels in enumerate(row):
            has_second = trial == (interval if task == "2afc" else 1)
            asked = 12.7 * mean + (12.7 if has_second else -12.7) * half
            assert np.abs(levels - asked).max() <= 1.0 + 1e-6


def test_the_picture_is_equal_in_all_alternatives_on_every_backend():
    protocol = white(**two(pedestal=0.2))
    picture = picture_levels(protocol)
    frames, noise = shown(protocol, [0, 1, 1])
    signal = signal_levels(protocol, 0.1)
    for trial, target in enumerate([0, 1, 1]):
        for interval in range(2):
            sign = 1 if interval == target else -1
            left = frames[trial, interval] - noise[trial, interval] - sign * signal
            assert (left == picture).all()
    for backend in ("numba", "torch"):
        assert (shown(protocol, [0, 1, 1], backend)[0] == frames).all()


def test_a_pedestal_is_the_signal_in_both_intervals():
    protocol = load_protocol("pedestal")
    frames, noise = shown(protocol, [1])
    levels = signal_levels(protocol, 0.1)
    assert (frames - noise)[0, 0].tolist() == levels.tolist()
    assert (frames - noise)[0, 1].tolist() == (2 * levels).tolist()


def test_a_pedestal_changes_nothing_for_a_linear_observer():
    bare = load_protocol("pedestal").to_dict()
    del bare["signal"]["pedestal"]
    protocols = load_protocol("pedestal"), Protocol.from_dict(bare)
    with_it, without = (
        yoked.run(each.with_options(trials=300, contrast=0.087), template(), seed=3)
        for each in protocols
    )
    assert list(with_it.trials["response"]) == list(without.trials["response"])


def picture_of(protocol):
    picture = picture_levels(protocol)
    assert picture is not None
    return picture


def template():
    return yoked.load_observer("template")


def test_the_template_finds_the_tilt_as_planned():
    protocol = load_protocol("tilt-in-noise").with_options(trials=2000, contrast=0.067)
    session = yoked.run(protocol, template(), seed=5)
    expected = signal_facts(protocol).ideal_dprime
    assert yoked.dprime(session).value == pytest.approx(expected, abs=0.35)


def test_by_the_rule_rms_a_contrast_is_that_of_the_whole():
    peak, rms = (
        white(0.05, kind="gabor", sigma=2.0, cycles=2.0, contrast_rule=rule)
        for rule in ("peak", "rms")
    )
    assert np.sqrt((signal_template(rms) ** 2).mean()) == pytest.approx(1, abs=1e-8)
    shape = np.corrcoef(signal_template(peak).ravel(), signal_template(rms).ravel())
    assert shape[0, 1] == pytest.approx(1)
    facts, other = signal_facts(rms), signal_facts(peak)
    assert facts.rms == pytest.approx(0.05)
    assert other.peak == pytest.approx(0.05)
    assert facts.peak / facts.rms == pytest.approx(other.peak / other.rms)
    assert peak.stimulus_hash != rms.stimulus_hash


def test_a_signal_on_a_basis_has_the_rms_that_is_asked_for():
    data = load_protocol("one-over-f").to_dict()
    data["signal"]["contrast_rule"] = "rms"
    data["contrast"] = {"values": [0.03]}
    data["blocks"] = [{"kind": "main", "n_trials": 100}]
    data["catch"] = {}
    data["double_pass"] = {}
    protocol = Protocol.from_dict(data)
    assert np.sqrt((signal_levels(protocol, 0.03) ** 2).mean()) / 127 == pytest.approx(
        0.03, rel=0.01
    )


def test_the_highest_contrast_beside_a_picture_is_where_the_room_ends():
    protocol = white(**two(pedestal=0.2))
    highest = highest_beside(protocol, 40.0)
    picture, template = picture_of(protocol), signal_template(protocol)
    ends = [np.abs(picture + g * 127 * highest * template).max() for g in (-1, 1)]
    assert max(ends) == pytest.approx(40)


@pytest.mark.parametrize(
    ("signal", "sentence"),
    [
        (two(GABORS[:1]), "signal.patterns must be two or more, got 1"),
        (two([GABORS[0], GABORS[0]]), "signal.patterns must be patterns that differ"),
        ({**two(), "gains": [0, 1]}, r"signal.gains must be \[-1, 1\] with two patt"),
        (two(pedestal=0.4), "contrast must be such that signal and"),
        (two([{**GABORS[0], "sigma": 0.0}, GABORS[1]]), "sigma must be more than 0"),
        (two([{"kind": "array"}, GABORS[1]]), "sha256 must be given with kind array"),
        (two([{"kind": "array", "sha256": "ab"}, GABORS[1]]), "signal.patterns must be "
         "read from their file or the trial log"),
        ({"kind": "blobs"}, "signal.blobs must be .row, column, sigma of rows"),
        ({"kind": "array", "sha256": "ab"}, "the array of signal must be read from"),
        ({**GABORS[0], "contrast_rule": "mean"}, "contrast_rule must be one of peak"),
        ({**GABORS[0], "pedestal": 2.0}, r"pedestal must be in \[0, 1\], got 2"),
        ({**GABORS[0], "contrast_rule": "rms"}, "contrast must be such that signal"),
    ],
)  # fmt: skip
def test_signals_that_cannot_be_shown_are_one_sentence(signal, sentence):
    data = data_of(**signal)
    data["contrast"]["values"] = [0.2]
    with pytest.raises(ProtocolError, match=sentence):
        Protocol.from_dict(data)


def test_a_signal_without_new_fields_logs_what_it_logged():
    logged = yoked.run(
        white(**GABORS[0]).with_options(trials=4),
        yoked.load_observer("guesser"),
        seed=1,
    ).trials["signal"][0]
    assert not {"pedestal", "sha256", "patterns", "blobs", "contrast_rule"} & set(
        logged
    )


def test_plain_data_of_a_basis_may_have_patterns_too():
    data = plain({"kind": "bumps", "scales": [[3.0, 2.0]]})
    data["signal"] = two(
        [{"kind": "gaussian", "sigma": 2.5}, {"kind": "gaussian", "sigma": 3.5}],
        pedestal=0.1,
    )
    protocol = Protocol.from_dict(data)
    assert Protocol.from_dict(protocol.to_dict()) == protocol
    assert picture_of(protocol).max() == 13

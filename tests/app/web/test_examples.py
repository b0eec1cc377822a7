"""Examples in the instructions: drawn as trials are, strong, and never a trial's."""

from dataclasses import replace

import numpy as np
import pytest

from yoked.app.web.examples import examples_of
from yoked.experiments.protocols.files import load_protocol
from yoked.experiments.protocols.parts import Signal, Task
from yoked.experiments.protocols.template import template_of
from yoked.experiments.stimulus.render import render
from yoked.experiments.stimulus.seeds import RESERVED_SEEDS
from yoked.experiments.stimulus.sources import noise_source


def test_an_example_is_a_clear_trial_of_a_seed_that_no_session_has():
    bars = load_protocol("bar-in-noise")
    examples = examples_of(bars)
    table = {"stimulus_id": [0, 0], "contrast": [0.5, 0.5], "target": [0, 1]}
    source = noise_source("yoked-1", bars, RESERVED_SEEDS[-1])
    due = render(bars, source, {**table, "block_kind": ["catch", "catch"]})[:, :, 0]
    assert np.array_equal(examples.levels, due)  # its catch trials are as clear
    first, second = examples.levels.astype(int)
    moved = first - second  # noise is the same: what is left is the bar alone
    assert set(np.unique(moved[0])) == {0, round(127 * 0.5)}
    assert (moved[0] == -moved[1]).all()


@pytest.mark.parametrize(
    "name", ["gabor-in-noise", "pedestal", "orientation-noise", "equivalent-noise"]
)
def test_each_target_has_an_example(name):
    protocol = load_protocol(name)
    examples = examples_of(protocol)
    shape = (protocol.task.n_targets, protocol.n_intervals, *protocol.frame_shape[1:])
    assert examples.levels.shape == shape
    assert examples.responses == ((0,), (1,))
    assert not np.array_equal(*examples.levels[:2])


def test_a_movie_s_example_is_the_frame_of_the_signal():
    levels = examples_of(load_protocol("movie-bar")).levels
    assert int(levels.max()) - 128 > 50


@pytest.mark.parametrize(
    "name", ["phase-unknown", "polarity-unknown", "position-unknown", "cued-detection"]
)
def test_what_participants_are_not_told_has_no_example(name):
    assert examples_of(load_protocol(name)) is None


@pytest.mark.parametrize("name", ["tilt-in-noise", "face-like"])
def test_patterns_are_seen_as_they_are_drawn(name):
    """What has a mean is not raised without it: that would look like neither."""
    protocol = load_protocol(name)
    second = replace(protocol.signal.patterns[1], weight=1.0)
    drawn = template_of(_only(second, protocol), protocol.noise)[0]
    rows, columns = protocol.display.element_px
    shown = examples_of(protocol).levels[1, -1, ::rows, ::columns].astype(float) - 128
    assert np.corrcoef(shown.ravel(), drawn.ravel())[0, 1] > 0.95


def _only(pattern, protocol):
    """Give a pattern as a signal by itself."""
    own = ("kind", "sigma", "cycles", "orientation_deg", "phase_deg", "blobs")
    return Signal(**{name: getattr(pattern, name) for name in own})


def test_a_rating_has_the_keys_of_its_halves():
    bars = load_protocol("bar-polarity")
    rating = replace(bars, task=Task("rating", ("1", "2", "3", "4")))
    assert examples_of(rating).responses == ((0, 1), (2, 3))


def test_the_task_s_page_says_where_they_are(participant, protocol):
    page = participant.get(participant.base).text
    assert f'"levels": "{participant.base}/examples"' in page
    levels = participant.get(f"{participant.base}/examples").data
    assert levels == examples_of(protocol).levels.tobytes()

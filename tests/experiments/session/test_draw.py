"""Trials for a loop of one's own: the pixels of a session, never the same twice."""

import numpy as np
import pytest

import yoked


def test_they_are_the_pixels_that_render_makes():
    protocol = yoked.load_protocol("bar-in-noise")
    frames, targets, rows = yoked.trials(protocol, 6, seed=7, contrast=0.3)
    session = yoked.run(
        protocol, yoked.load_observer("guesser"), seed=7, trials=100, contrast=0.3
    )
    assert np.array_equal(frames, yoked.render(protocol, session.noise, rows))
    assert targets.tolist() == rows["target"].tolist() == [0, 1, 0, 1, 0, 1]


def test_a_trial_is_its_number_whatever_batch_it_is_in():
    protocol = yoked.load_protocol("bar-polarity")
    whole = yoked.trials(protocol, 8, seed=3)
    parts = [yoked.trials(protocol, 4, seed=3, first=first) for first in (0, 4)]
    assert np.array_equal(np.concatenate([part.frames for part in parts]), whole.frames)
    assert len({frame.tobytes() for frame in whole.frames}) == 8


def test_a_scene_has_its_places_and_cues():
    _, _, rows = yoked.trials(yoked.load_protocol("cued-detection"), 40, seed=3)
    assert set(rows["place"]) == {0, 1, 2, 3}
    assert "cue" in rows


def test_tensors_are_the_same_numbers():
    torch = pytest.importorskip("torch", reason="tensors need torch")
    protocol = yoked.load_protocol("bar-in-noise")
    frames, targets, _ = yoked.trials(protocol, 5, seed=7, contrast=0.3)
    tensors = yoked.trials(protocol, 5, seed=7, contrast=0.3, as_tensor=True)
    assert tensors.frames.dtype == torch.uint8
    assert np.array_equal(tensors.frames.numpy(), frames)
    assert np.array_equal(tensors.targets.numpy(), targets)


def test_the_loop_of_the_readme_learns_the_template():
    torch = pytest.importorskip("torch", reason="the loop needs torch")
    torch.manual_seed(1)
    protocol = yoked.load_protocol("bar-in-noise")
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(52 * 52, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for step in range(60):
        frames, targets, _ = yoked.trials(
            protocol, 128, seed=7, first=128 * step, contrast=0.4, as_tensor=True
        )
        scores = net(frames.flatten(0, 1).float() / 127 - 1).reshape(len(targets), -1)
        loss = torch.nn.functional.cross_entropy(scores, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    weight = net[1].weight.detach().numpy().reshape(52, 13, 4).sum((0, 2))
    assert weight.argmax() == 6  # the bar in the middle of 13


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"n": 0}, "n must be 1 or more, got 0"),
        ({"first": -1}, "first must be 0 or more, got -1"),
        ({"seed": -1}, "seed must be"),
        ({"name": "equivalent-noise"}, "protocol must be one condition of it"),
        ({"name": "disk-polarity"}, "noise.source must be yoked-1"),
        ({"contrast": 9.0}, "contrast"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, rule):
    protocol = yoked.load_protocol(options.pop("name", "bar-in-noise"))
    with pytest.raises(ValueError, match=rule):
        yoked.trials(protocol, **({"n": 4, "seed": 1} | options))

"""Interrupted fits: they go on to the same model, from their own file alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.models.ganglion_cells.simulated import poisson_recording, segment
from yoked.models.ganglion_cells.fitting import FitSettings, fit
from yoked.models.ganglion_cells.learning import Learning
from yoked.models.ganglion_cells.stimulus_fit import Grid

SETTINGS = FitSettings(
    grid=Grid(l1=(3.0, 1.0), smoothness=(1.0,)),
    learning=Learning(epochs=4, batch=500),
)


class Stopped(Exception):
    """What stops a fit."""


def stop_after(n_calls):
    """Make a progress that raises at its nth call."""
    calls = []

    def progress(*_):
        calls.append(1)
        if len(calls) == n_calls:
            raise Stopped

    return progress


@pytest.fixture(scope="module")
def recording():
    def rates(frames):
        return np.exp(0.5 * frames[:, 0, 5:7].cumsum(axis=0) % 3 - 3)

    made = poisson_recording(rates, seed=1, n_fit=4000)
    rng = np.random.default_rng(2)
    frames = made.segments[0].frames[:600]
    counts = rng.poisson(0.2 * rng.gamma(2, 0.5, (10, 600, 1)), (10, 600, 2))
    repeats = segment("repeats", frames, counts)
    return replace(made, segments=(made.segments[0], repeats))


def same(one, other):
    ours, theirs = one.state(), other.state()
    return ours.keys() == theirs.keys() and all(
        torch.equal(ours[name], theirs[name]) for name in ours
    )


@pytest.mark.parametrize("n_calls", [1, 4, 7])
def test_an_interrupted_two_step_fit_goes_on_to_the_same_model(
    recording, tmp_path, n_calls
):
    whole = fit("two-step-glm", recording, settings=SETTINGS)
    kept, again = tmp_path / "kept", []
    with pytest.raises(Stopped):
        fit(
            "two-step-glm",
            recording,
            settings=SETTINGS,
            kept=kept,
            progress=stop_after(n_calls),
        )
    model = fit(
        "two-step-glm",
        recording,
        settings=SETTINGS,
        kept=kept,
        progress=lambda *told: again.append(told[0]),
    )
    assert same(model, whole)
    assert ("cell 0: stimulus" in again) == (n_calls < 4)  # not computed again


@pytest.mark.parametrize("kind", ["bn-cnn", "amacrine-feedback"])
@pytest.mark.parametrize("n_calls", [1, 3])
def test_an_interrupted_network_goes_on_to_the_same_weights(
    recording, tmp_path, n_calls, kind
):
    settings = replace(SETTINGS, learning=Learning(epochs=4, batch=1500))
    whole = fit(kind, recording, settings=settings, device="cpu")
    kept, epochs = tmp_path / "kept", []
    with pytest.raises(Stopped):
        fit(
            kind,
            recording,
            settings=settings,
            kept=kept,
            device="cpu",
            progress=stop_after(n_calls),
        )
    model = fit(
        kind,
        recording,
        settings=settings,
        kept=kept,
        device="cpu",
        progress=lambda *told: epochs.append(told[1]),
    )
    assert same(model, whole)
    assert epochs == list(range(n_calls + 1, 5))


def test_a_rate_that_fell_is_kept(recording, tmp_path):
    # Such steps gain nothing: the rate falls, and is gone on with.
    learning = Learning(epochs=6, batch=500, rate=1.0, patience=3)
    settings = FitSettings(learning=learning)
    whole = fit("multiplexed", recording, settings=settings, device="cpu")
    kept = tmp_path / "kept"
    with pytest.raises(Stopped):
        fit(
            "multiplexed",
            recording,
            settings=settings,
            kept=kept,
            device="cpu",
            progress=stop_after(5),
        )
    model = fit("multiplexed", recording, settings=settings, kept=kept, device="cpu")
    assert same(model, whole)


def test_what_other_settings_or_recordings_left_is_refused(recording, tmp_path):
    kept = tmp_path / "kept"
    fit("ln", recording, settings=SETTINGS, kept=kept)
    rule = "must be of this recording and these settings, got one of another fit"
    with pytest.raises(ValueError, match=rule):
        fit("ln", recording, settings=FitSettings(grid=Grid((1.0,), (1.0,))), kept=kept)
    with pytest.raises(ValueError, match=rule):
        fit("ln", recording.only(("cell 1",)), settings=SETTINGS, kept=kept)
    with pytest.raises(ValueError, match=rule):
        fit("bn-cnn", recording, settings=SETTINGS, kept=kept)


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_a_damaged_file_is_refused(recording, tmp_path, damage):
    kept = tmp_path / "kept"
    fit("ln", recording, settings=SETTINGS, kept=kept)
    kept.write_bytes(kept.read_bytes()[:500] if damage == "cut" else b"not a fit")
    with pytest.raises(ValueError, match="left, got a damaged or other file"):
        fit("ln", recording, settings=SETTINGS, kept=kept)


def test_linear_models_share_what_is_kept(recording, tmp_path):
    kept, stages = tmp_path / "kept", []
    fit("ln", recording, settings=SETTINGS, kept=kept)
    fit(
        "two-step-glm",
        recording,
        settings=SETTINGS,
        kept=kept,
        progress=lambda *told: stages.append(told[0]),
    )
    assert set(stages) == {"couplings"}

"""Fitted cells as a front: scales, fields, noise, lesions, and what cannot be."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import ndtr

import yoked
from yoked.experiments.recordings.recording import Recording, Segment
from yoked.models.ganglion_cells.binned import Scale
from yoked.models.ganglion_cells.coupled import Coupled
from yoked.models.ganglion_cells.deep import Deep
from yoked.models.ganglion_cells.fitted_file import (
    FittedModel,
    FittedTo,
    load_fitted,
    save_fitted,
)
from yoked.models.ganglion_cells.isotropic import SIGMAS
from yoked.models.ganglion_cells.learned_config import LearnedConfig, whole_steps
from yoked.models.ganglion_cells.learned_front import learned_front
from yoked.models.ganglion_cells.linear import Linear
from yoked.models.ganglion_cells.staged_cells import StagedCells
from yoked.models.ganglion_cells.temporal_basis import Bases

STEP_MS = 5.0
OF = FittedTo("made-up", "0" * 64, None, 0.0, 0.5)
BASES = Bases.scaled(STEP_MS)
SD = SIGMAS[4]  # 2 elements


def bars(x, sigma):
    return ndtr((x + 0.5) / sigma) - ndtr((x - 0.5) / sigma)


def linear(gains=(1.0, -1.0), surround=0.5):
    """Return cells whose filter is a difference of Gaussians of known SDs."""
    x = np.arange(31) - 15.0
    profile = bars(x, SD) - surround * bars(x, SIGMAS[7])
    basis = BASES.stimulus
    weights = np.zeros((len(gains), 1, 31, basis.n))
    for i, gain in enumerate(gains):
        weights[i, 0, :, 1] = gain * profile
    bias = np.full(len(gains), np.log(0.05))
    names = tuple(f"cell-{k}" for k in range(len(gains)))
    shared = ("ln", names, STEP_MS, (1, 31), 0.0, "poisson")
    return Linear(*shared, basis, weights, bias)


def front_of(model, size=(40, 40), frame_ms=100.0, **config):
    return learned_front(
        FittedModel(model, OF), LearnedConfig(**config), 0.05, size, frame_ms
    )


def test_bars_do_to_the_front_what_they_do_to_the_model():
    """A bar that stays: the front's drive at its end is the filter's sum over lags."""
    model = linear()
    element = 0.1
    front = front_of(
        model,
        (81, 81),
        frame_ms=600.0,
        element_deg=element,
        spacing_deg=0.1,
        contrast_of_sd=0.5,  # an SD of the recorded stimulus is .5 as well
        tail_ms=0.0,
    )
    contrast = torch.zeros(1, 1, 81, 81)
    contrast[..., 39:42] = 0.4  # 1.5 elements wide, in the middle
    rates = front.rates(contrast)[0, -1]  # (channel, row, column)
    row, column = (n // 2 for n in front.n_cells)
    places = (np.arange(front.n_cells[1]) - (front.n_cells[1] - 1) / 2) * 0.1
    fine = (np.arange(-0.75, 0.75, 0.01) + 0.005)[:, None]  # of the bar, in elements
    at = places / element
    for k, gain in enumerate((1.0, -1.0)):
        expected = [
            np.exp(-((fine - c) ** 2) / 2 / s**2).sum() * 0.01 / s / np.sqrt(2 * np.pi)
            for s in (SD, SIGMAS[7])
            for c in at
        ]
        centre, around = np.reshape(expected, (2, -1))
        drive = gain * 0.4 * (centre - 0.5 * around)
        found = torch.log(rates[k, row] / (1000 / STEP_MS * 0.05)).numpy()
        inner = slice(column - 6, column + 7)
        assert found[inner] == pytest.approx(drive[inner], abs=0.01)


def test_the_declared_scales_are_kept_and_met():
    front = front_of(linear(), eccentricity_deg=15.0)
    assert front.described["element_deg"] == pytest.approx(
        0.18 / _radius(surround=0.5), rel=0.02
    )
    density = front.described["density_per_deg2"]
    assert density == pytest.approx(1 / (np.sqrt(2) * 0.18) ** 2, rel=1e-6)
    assert front.described["recording_sha256"] == OF.sha256
    assert front.described["frame_ms"] == 100.0


def _radius(surround):
    r = np.linspace(0, 20, 20001)
    line = np.exp(-(r**2) / 2 / SD**2) / SD
    wide = SIGMAS[7]
    line = line - surround * np.exp(-(r**2) / 2 / wide**2) / wide
    return r[np.flatnonzero(line < line[0] / np.e)[0]]


@pytest.mark.parametrize("frame_ms", [100.0, 33.333, 16.667, 300.0])
def test_a_frame_is_held_for_whole_steps_within_two_percent(frame_ms):
    per_step, held = whole_steps(frame_ms, 5 / 3)
    assert per_step * 5 / 3 <= 10 + 1e-9
    assert abs(per_step * held * 5 / 3 / frame_ms - 1) <= 0.02


def test_a_frame_of_no_whole_number_of_steps_is_refused():
    rule = r"a whole number of steps of the front, 10 ms, within 2 %, got 33.3 ms"
    with pytest.raises(ValueError, match=rule):
        front_of(replace(linear(), step_ms=10.0), frame_ms=33.3)


def coupled(strength):
    """Return two cells that excite each other, and are refractory."""
    couplings = np.zeros((2, 2, BASES.coupling.n))
    couplings[0, 1, 0] = couplings[1, 0, 0] = strength
    own = np.zeros((2, BASES.own.n))
    parts = (BASES, couplings, own, np.array([1, 1]))
    return Coupled("two-step-glm", linear(), "exact", *parts)


def test_noise_has_the_correlations_and_fano_factors_of_the_models_spikes():
    front = front_of(coupled(3.0))
    alone = front_of(linear())
    both = (front.mixing @ front.mixing.T)[0, 1]
    assert both > 0.1
    assert torch.equal(alone.mixing, torch.eye(2))
    assert torch.equal(alone.fano, torch.ones(2))
    assert (front.fano < 1).all() or both > 0.3  # refractory, or made to burst
    torch.manual_seed(1)
    gray = torch.zeros(400, 1, 40, 40)
    noise = front(gray) - front.rates(gray)
    x = noise[:, :, :, 5, 5].transpose(0, 2).reshape(2, -1)
    assert torch.corrcoef(x)[0, 1] == pytest.approx(float(both), abs=0.03)
    variance = front.fano * 1000 / front.step_ms * front.rates(gray)[0, 0, :, 5, 5]
    assert x.var(dim=1) == pytest.approx(variance, rel=0.05)


def test_each_lesion_takes_its_part_and_no_other():
    model, contrast = coupled(3.0), 0.2 * torch.ones(1, 1, 40, 40)
    whole = front_of(model)
    without = {
        name: front_of(model, lesions=(name,))
        for name in ("surround", "rectification", "noise-correlations", "noise")
    }
    middle = (0, slice(None), 0, whole.n_cells[0] // 2, whole.n_cells[1] // 2)
    alone, both = (f.rates(contrast)[middle] for f in (without["surround"], whole))
    assert alone.max() > 1.1 * both.max()
    up, down = (without["rectification"].rates(c) for c in (contrast, -contrast))
    rest = whole.rest.exp().view(-1, 1, 1)
    assert torch.allclose(up - rest, rest - down, atol=1e-4)
    assert torch.equal(without["noise-correlations"].mixing, torch.eye(2))
    assert torch.equal(without["noise"](contrast), whole.rates(contrast))


def test_a_learnable_front_has_gradients_and_a_frozen_one_no_parameters():
    frozen, learnable = front_of(linear()), front_of(linear(), learnable=True)
    assert not list(frozen.parameters())
    learnable(0.1 * torch.randn(2, 1, 40, 40)).mean().backward()
    names = {name for name, each in learnable.named_parameters() if each.grad.any()}
    assert names == {"weights", "courses", "rest"}


def test_what_can_be_no_front_is_refused_with_a_sentence():
    rule = r"must be some of surround, .*, got 'gain-control'"
    with pytest.raises(ValueError, match=rule):
        front_of(linear(), lesions=("gain-control",))
    network = Deep(
        *("bn-cnn", ("a",), 10.0, (1, 31), 0.0, "poisson"),
        Scale(1, 0.0, 1.0, 0.0),
        StagedCells((1, 31), 1),
    )
    rule = r"a learned front must be of linear filters of bars .*, got bn-cnn"
    with pytest.raises(ValueError, match=rule):
        front_of(network)
    with pytest.raises(ValueError, match="spacing_deg must be more than 0, got 0"):
        LearnedConfig(spacing_deg=0.0)


def staged(step_ms=10.0, frame_ms=100.0, **config):
    torch.manual_seed(1)
    cells = StagedCells((1, 31), 2)
    with torch.no_grad():
        cells.retina.get_parameter("photoreceptor.log_tau_y_ms").add_(0.2)
    scale = Scale(round(10 / step_ms), 0.0, 0.5, 0.0)
    names = ("staged-retina", ("a", "b"), step_ms, (1, 31), 0.0, "poisson")
    return front_of(Deep(*names, scale, cells), frame_ms=frame_ms, **config)


def test_a_staged_retina_stands_with_its_learned_constants():
    front = staged()
    kept = front.retina.photoreceptor.constant("tau_y_ms")
    assert float(kept) == pytest.approx(4.49 * np.exp(0.2), rel=1e-5)
    assert front.channels == ("on_midget", "off_midget", "on_parasol", "off_parasol")
    assert not list(front.parameters())
    assert len(list(staged(learnable=True).parameters())) > 40


@pytest.mark.parametrize(("frame_ms", "step_ms"), [(100.0, 10.0), (33.333, 25 / 3)])
def test_a_staged_retina_takes_the_steps_of_its_recording(frame_ms, step_ms):
    front = staged(5 / 3, frame_ms, lesions=("noise",))
    assert front.described["step_ms"] == pytest.approx(step_ms)
    fine = staged(25 / 6, frame_ms, lesions=("noise",))
    contrast = 0.3 * torch.ones(1, 2, 40, 40)
    coarse, smooth = (each(contrast).mean(1) for each in (front, fine))
    assert (coarse - smooth).abs().max() < 0.02 * smooth.abs().max()


def test_lesions_of_a_staged_retina():
    contrast = 0.1 * torch.ones(1, 1, 40, 40)
    parts = {
        name: staged(lesions=("noise", name))(contrast)
        for name in ("noise", "surround", "rectification", "gain-control")
    }
    middle = (0, 4, slice(None), 10, 10)
    up = parts["surround"][middle] - parts["noise"][middle]
    assert up[0] > 0.5  # the ON midget: its surround was in the light as well
    assert (parts["rectification"] < 0).any()
    assert not (parts["noise"] < 0).any()
    parasol = (parts["gain-control"] - parts["noise"])[0, :, 2].abs().max()
    assert parasol > 1
    rule = r"must be some of .*gain-control, noise, got 'noise-correlations'"
    with pytest.raises(ValueError, match=rule):
        staged(lesions=("noise-correlations",))


@pytest.fixture
def file(tmp_path):
    counts = np.zeros((1, 20, 2), np.uint8)
    frames = np.random.default_rng(1).normal(0, 0.5, (20, 1, 31)).astype(np.float32)
    clock = np.arange(20, dtype=np.int32)
    names = ("cell-0", "cell-1")
    one = Segment("fit", counts, frames, clock)
    recording = Recording("made-up", STEP_MS, STEP_MS, names, (one,))
    save_fitted(tmp_path / "cells.pt", coupled(3.0), recording)
    return tmp_path / "cells.pt"


def test_any_backbone_takes_part_with_the_front_of_a_file(file):
    observer = yoked.load_observer(
        "plain-cnn", front=f"learned:{file}", fit_trials=64, learned={"tail_ms": 100.0}
    )
    protocol = yoked.load_protocol("bar-in-noise")
    session = yoked.run(protocol, observer, seed=1, trials=20, contrast=0.4)
    kept = session.row.observer.parameters
    assert kept["front"] == "learned:cells.pt"  # no folder of a machine
    assert kept["configs"]["front"]["recording"] == "made-up"
    again = yoked.run(protocol, observer, seed=1, trials=20, contrast=0.4)
    assert (session.trials["response"] == again.trials["response"]).all()


def test_a_front_that_is_not_there_or_damaged_is_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="must be a file that fit-retina wrote"):
        yoked.load_observer("plain-cnn", front=f"learned:{tmp_path / 'none.pt'}")
    (tmp_path / "half.pt").write_bytes(b"half")
    with pytest.raises(ValueError, match=r"half\.pt, must be of format yoked-ganglion"):
        load_fitted(tmp_path / "half.pt")
    with pytest.raises(ValueError, match="learned must come with learned:FILE"):
        yoked.load_observer("plain-cnn", front="retina", learned={"tail_ms": 1.0})


def test_a_surround_that_outweighs_the_centre_is_the_surround():
    strong = front_of(linear(surround=1.1), lesions=("surround",))
    light = 0.2 * torch.ones(1, 1, 40, 40)
    assert strong.rates(light)[0, :, 0].max() > strong.rest[0].exp()


def test_a_classical_glm_is_no_front():
    glm = replace(coupled(1.0), kind="glm", correction="none")
    with pytest.raises(ValueError, match=r"rates are its filters' .*, got glm"):
        front_of(glm)


def test_a_cell_that_is_silent_at_rest_has_noise_of_its_own():
    model = coupled(1.0)
    silent = replace(model.alone, bias=np.array([-40.0, np.log(0.05)]))
    front = front_of(replace(model, alone=silent))
    assert front.fano[0] == 1
    assert (front.mixing @ front.mixing.T)[0].tolist() == pytest.approx([1, 0])

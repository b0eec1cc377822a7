"""The staged retina: rest, steps, and stages that are read, silenced or learned."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from yoked.experiments.session.observer import ObserverNoise
from yoked.models.noise import drawn_for
from yoked.models.retina.cell_types import OFF_PARASOL, ON_MIDGET, ON_PARASOL, PRIMATE
from yoked.models.retina.staged import (
    STAGES,
    StagedRetina,
    StagedRetinaConfig,
    retina_front,
)

QUIET = StagedRetinaConfig(noise="none")
PARASOLS = StagedRetinaConfig(noise="none", cell_types=(ON_PARASOL, OFF_PARASOL))


def images(n=2, frames=1, size=16, seed=1, spread=0.3):
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(n, frames, size, size, generator=generator) * spread
    return noise.clamp(-1, 1)


def small(config=QUIET, frame_ms=100.0, size=16):
    return StagedRetina(config, 0.05, (size, size), frame_ms)


def test_gray_gives_the_maintained_rates():
    retina = small()
    rates = retina(torch.zeros(1, 1, 16, 16))
    assert rates.shape == (1, 15, 4, 8, 8)
    rest = [cell_type.maintained_per_s for cell_type in PRIMATE]
    assert torch.allclose(rates, torch.tensor(rest)[:, None, None].expand_as(rates))


def test_a_rectangular_frame_keeps_rows_and_columns_apart():
    retina = retina_front(0.05, (20, 30), 100.0, config=QUIET)
    assert retina(torch.zeros(1, 1, 20, 30)).shape == (1, 15, 4, 10, 15)
    assert retina.n_cells == (10, 15)
    assert retina.n_steps(1) == 15


def test_on_cells_fire_at_onset_to_bright_and_off_cells_to_dark():
    retina = small()
    spot = torch.zeros(2, 1, 16, 16)
    spot[0, :, 6:10, 6:10], spot[1, :, 6:10, 6:10] = 0.5, -0.5
    rates = retina(spot)[:, 5:8, :, 3:5, 3:5].mean(dim=(1, 3, 4))  # (spot, channel)
    for on, off in ((0, 1), (2, 3)):
        assert rates[0, on] > PRIMATE[on].maintained_per_s + 4
        assert rates[1, off] > PRIMATE[off].maintained_per_s + 4
        assert rates[1, on] < rates[0, on] - 10
        assert rates[0, off] < rates[1, off] - 10


def test_nothing_happens_before_the_light_has_arrived():
    rates = small()(images())
    rest = torch.tensor([one.maintained_per_s for one in PRIMATE])
    assert torch.allclose(rates[:, 0], rest[:, None, None].expand_as(rates[:, 0]))
    assert (rates[:, 6] - rest[:, None, None]).abs().max() > 5


def test_background_before_the_onset_changes_nothing():
    """The retina has adapted to the background for ever: no lead-in is needed."""
    retina = small(frame_ms=10.0)
    movie = images(frames=6)
    late = torch.cat([torch.zeros(2, 7, 16, 16), movie], dim=1)
    assert torch.allclose(retina(movie), retina(late)[:, 7:], atol=1e-3)


def test_a_still_image_is_a_movie_of_equal_frames():
    still, movie = small(), small(frame_ms=25.0)
    image = images()
    assert torch.allclose(
        still(image), movie(image.expand(-1, 4, -1, -1)), rtol=0, atol=1e-3
    )


def test_no_image_changes_another_nor_the_next_call():
    retina, batch = small(), images(n=3)
    first = retina(batch)
    assert torch.equal(retina(batch), first)
    assert torch.allclose(retina(batch[1:2]), first[1:2], atol=1e-4)


def bump(n, deg):
    """A Gabor of 2 cycles/degree as squares of pixels show it."""
    edges = (torch.arange(n + 1) - n / 2).double() * deg
    across = torch.special.ndtr(edges / 0.12).diff() / deg * 0.3
    wave = torch.cos(4 * math.pi * (edges[:-1] + deg / 2))
    return (across[:, None] * (across * wave))[None, None].float()


def departure(rates, reference):
    """Return by channel: RMS difference over the RMS of the response."""
    rest = torch.tensor([one.maintained_per_s for one in PRIMATE])[:, None, None]
    wrong = (rates - reference).pow(2).mean(dim=(0, 2, 3)).sqrt()
    return wrong / (reference - rest).pow(2).mean(dim=(0, 2, 3)).sqrt()


def test_responses_hardly_change_with_the_step():
    found = []
    for step_ms in (10.0, 2.0):
        retina = small(replace(QUIET, step_ms=step_ms), size=32)
        with torch.no_grad():
            rates = retina(bump(32, 0.05))[0]
        found.append(rates.unflatten(0, (15, -1)).mean(dim=1))
    assert (departure(*found) < 0.04).all()


def test_responses_hardly_change_with_the_resolution():
    found = []
    for scale in (1, 4):
        retina = StagedRetina(QUIET, 0.05 / scale, (32 * scale, 32 * scale), 100.0)
        with torch.no_grad():
            found.append(retina(bump(32 * scale, 0.05 / scale))[0])
    assert (departure(*found) < 0.04).all()


LAYERS = [
    "photoreceptor",
    "horizontal.parasol",
    "bipolar.on_parasol",
    "amacrine.on_parasol",
    "synapse.on_parasol",
    "ganglion.on_parasol",
    "noise",
]


@pytest.mark.parametrize("layer", LAYERS)
def test_every_stage_can_be_read_and_silenced(layer):
    retina, image = small(PARASOLS), images()
    before = retina(image)
    found = []
    stage = retina.get_submodule(layer)
    hook = stage.register_forward_hook(lambda *event: found.append(event[-1]))
    retina(image)
    hook.remove()
    assert found[0].shape[:2] == (2, 15)
    stage.register_forward_hook(lambda *event: torch.zeros_like(event[-1]))
    assert not torch.allclose(retina(image)[:, :, 0], before[:, :, 0], atol=0.1)


def test_without_amacrine_cells_a_parasols_response_lasts():
    retina = small(PARASOLS)
    spot = torch.zeros(1, 1, 16, 16)
    spot[..., 6:10, 6:10] = 0.2
    late = []
    for _ in range(2):
        rates = retina(spot)[0, :, 0, 3:5, 3:5].mean(dim=(1, 2))
        late.append((rates - ON_PARASOL.maintained_per_s)[11].item())
        retina.amacrine["on_parasol"].register_forward_hook(
            lambda *event: torch.zeros_like(event[-1])
        )
    assert late[1] > 3 * late[0] > 0


def test_without_horizontal_cells_there_is_no_surround():
    retina = small(size=32)
    wide = torch.full((1, 1, 32, 32), 0.05)
    peaks = []
    for _ in range(2):
        with torch.no_grad():
            peaks.append(retina(wide)[0, :, 0, 8, 8].max() - 36.15)
        for cells in retina.horizontal.values():
            cells.register_forward_hook(lambda *event: torch.zeros_like(event[-1]))
    assert peaks[1] > 1.5 * peaks[0]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_is_learnable_gets_gradients_in_all_its_constants(stage):
    config = StagedRetinaConfig(learnable=(stage,), noise="gaussian")
    retina = small(config)
    torch.manual_seed(1)
    retina(images()).pow(2).mean().backward()
    learned = dict(retina.named_parameters())
    assert learned
    for name, parameter in learned.items():
        assert name.startswith(stage)
        assert parameter.grad is not None
        assert parameter.grad.isfinite(), name
        assert parameter.grad != 0, name


def test_a_learned_constant_that_must_be_positive_stays_so():
    config = replace(QUIET, learnable=("photoreceptor", "bipolar", "amacrine"))
    retina = small(config)
    optimiser = torch.optim.SGD(retina.parameters(), lr=1e3)
    retina(images()).mean().backward()
    optimiser.step()
    for stage in (retina.photoreceptor, *retina.bipolar.values()):
        names = [n.removeprefix("log_") for n, _ in stage.named_parameters()]
        positive = [n for n in names if n.endswith(("_ms", "_deg"))]
        assert positive
        assert all(stage.constant(name) >= 0 for name in positive)


def test_a_fixed_retina_has_nothing_to_train_or_save():
    retina = small(StagedRetinaConfig())
    assert not list(retina.parameters())
    assert not retina.state_dict()


def test_gradients_are_those_of_the_function_in_double_precision():
    torch.manual_seed(3)
    config = StagedRetinaConfig(
        cell_types=(ON_MIDGET, OFF_PARASOL), step_ms=25.0, tail_ms=50.0
    )
    retina = StagedRetina(config, 0.1, (3, 3), 50.0).double()
    image = (torch.rand(1, 1, 3, 3, dtype=torch.float64) - 0.5).requires_grad_()

    def rates(contrast):
        torch.manual_seed(4)  # the same noise at every call
        return retina(contrast)

    assert torch.autograd.gradcheck(rates, (image,), eps=1e-7, atol=1e-3)


def test_gradients_of_learned_constants_are_those_of_the_function():
    learnable = ("photoreceptor", "horizontal", "bipolar", "amacrine", "synapse")
    config = replace(
        PARASOLS, learnable=(*learnable, "ganglion"), step_ms=25.0, tail_ms=50.0
    )
    retina = StagedRetina(config, 0.1, (3, 3), 50.0).double()
    torch.manual_seed(3)
    image = torch.rand(1, 1, 3, 3, dtype=torch.float64) - 0.5
    parameters = list(retina.parameters())

    def total():
        return (retina(image) ** 2).mean()

    slopes = torch.autograd.grad(total(), parameters)
    for (name, parameter), slope in zip(retina.named_parameters(), slopes, strict=True):
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter += sign * 1e-6
                values.append(total().item())
                parameter -= sign * 1e-6
        numeric = (values[0] - values[1]) / 2e-6
        assert slope.item() == pytest.approx(numeric, rel=1e-4, abs=1e-4), name


def test_noise_is_keyed_by_trial():
    retina = small(StagedRetinaConfig())
    batch = images(n=2)
    with drawn_for(ObserverNoise(7, np.array([4, 9]))):
        both = retina(batch)
    with drawn_for(ObserverNoise(7, np.array([9]))):
        alone = retina(batch[1:])
    assert torch.allclose(both[1:], alone, atol=1e-3)
    assert not torch.allclose(both[:1], alone, atol=5.0)


def test_fifty_cell_types_are_fifty_channels():
    types = tuple(
        replace(
            PRIMATE[i % 4],
            name=f"type_{i}",
            pathway=f"type_{i}",
            centre_deg=0.05 + 0.005 * i,
            subunit_deg=0.05,
            latency_ms=40.0 + i,
        )
        for i in range(50)
    )
    retina = small(replace(QUIET, cell_types=types), size=12)
    rates = retina(images(size=12))
    assert rates.shape == (2, 15, 50, 6, 6)
    assert retina.n_channels == 50
    spread = rates.std(dim=(0, 1, 3, 4))
    assert (spread > 0.1).all()
    assert len(set(spread.tolist())) == 50


def test_a_front_takes_the_luminance_of_the_viewing():
    front = retina_front(0.05, (8, 8), 100.0, luminance_cd_m2=65.0)
    assert front.config.luminance_cd_m2 == 65.0
    assert front.config.trolands == pytest.approx(65 * math.pi * 1.5**2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell_types": ()}, r"cell_types must be one or more.*got \[\]"),
        ({"cell_types": (ON_MIDGET, ON_MIDGET)}, "each with a name of its own"),
        ({"step_ms": 0.0}, "step_ms must be more than 0, got 0.0"),
        ({"tail_ms": -1.0}, "tail_ms must be 0 or more, got -1.0"),
        ({"noise": "pink"}, "noise must be one of .*, got 'pink'"),
        ({"learnable": ("iris",)}, "learnable must be some of .*, got 'iris'"),
        (
            {"learnable": ("noise",), "noise": "poisson"},
            "noise must be 'gaussian' to learn it, got 'poisson'",
        ),
        (
            {"cell_types": (ON_MIDGET, replace(ON_PARASOL, pathway="midget"))},
            "surround_deg must be equal in all types of pathway 'midget'",
        ),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        StagedRetinaConfig(**change)


def test_frames_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"frames of \(16, 16\) pixels, got \(8, 16\)"):
        small()(torch.zeros(1, 1, 8, 16))


def test_a_latency_shorter_than_the_cones_is_refused():
    fast = replace(ON_MIDGET, latency_ms=20.0)
    with pytest.raises(ValueError, match="latency_ms must be more than the cone's 23"):
        small(replace(QUIET, cell_types=(fast,)))

"""What is published of midget and parasol cells, measured in the staged retina."""

import math
from dataclasses import replace

import pytest
import torch

from yoked.models.retina.cell_types import PRIMATE
from yoked.models.retina.gratings import (
    DifferenceOfGaussians,
    Grating,
    ganglion_rates,
    grating_responses,
    middle,
)
from yoked.models.retina.photoreceptor import Cone, Photoreceptor
from yoked.models.retina.staged import StagedRetina, StagedRetinaConfig

QUIET = StagedRetinaConfig(noise="none", tail_ms=0.0)
MIDGETS, PARASOLS = ("on_midget", "off_midget"), ("on_parasol", "off_parasol")


def movie_retina(deg_per_px=0.02, n=121, step_ms=10.0, config=QUIET):
    """A frame a step; an odd number of cells of every type across the frame."""
    timed = replace(config, step_ms=step_ms)
    return StagedRetina(timed, deg_per_px, (n, n), step_ms)


def fitted(names, cycles_per_deg, contrast, **shape):
    """Fit a difference of Gaussians to F1 at 2 Hz over spatial frequency."""
    retina = movie_retina(step_ms=12.5, **shape)
    found = [
        grating_responses(retina, Grating(frequency, 2.0, contrast))
        for frequency in cycles_per_deg
    ]
    return {
        name: DifferenceOfGaussians.fitted(
            cycles_per_deg, [responses[name].first for responses in found]
        )
        for name in names
    }


def test_midget_cells_have_the_receptive_fields_of_croner_and_kaplan():
    """Table 1 and figure 4: .03 degrees, 6.7 times that; abstract: .55."""
    config = replace(QUIET, cell_types=PRIMATE[:2])
    sf = [0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 15.0]
    for cell in fitted(
        MIDGETS, sf, 0.1, deg_per_px=0.01, n=123, config=config
    ).values():
        assert cell.centre_deg == pytest.approx(0.03, rel=0.05)
        assert cell.surround_deg == pytest.approx(6.7 * 0.03, rel=0.05)
        assert cell.surround_gain == pytest.approx(0.55, rel=0.05)


def test_parasol_cells_have_theirs_at_low_contrast():
    """Table 1 and figure 4: .10 degrees, 4.8 times that; abstract: .55."""
    config = replace(QUIET, cell_types=PRIMATE[2:])
    sf = [0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0]
    for cell in fitted(PARASOLS, sf, 0.01, config=config).values():
        assert cell.centre_deg == pytest.approx(0.10, rel=0.05)
        assert cell.surround_deg == pytest.approx(4.8 * 0.10, rel=0.05)
        assert cell.surround_gain == pytest.approx(0.55, rel=0.05)


def test_parasol_cells_answer_a_fine_reversing_grating_at_twice_its_frequency():
    """Cat Y cells: Hochstein & Shapley (1976), J. Physiol. 262, 265-284."""
    retina = movie_retina()
    phases = torch.linspace(0, math.pi, 5)[:-1].tolist()
    found = [
        grating_responses(retina, Grating(6.0, 4.0, 0.5, phase, reverses=True))
        for phase in phases  # the first is the null phase
    ]
    for name in PARASOLS:
        at_null = found[0][name]
        assert at_null.second > 5
        assert at_null.second / at_null.first > 10
        first, second = (
            sum(getattr(one[name], harmonic) for one in found)
            for harmonic in ("first", "second")
        )
        assert second / first > 1
    for name in MIDGETS:
        best = max(one[name].first for one in found)
        assert all(one[name].second < 0.1 * best for one in found)


def responses(retina, contrasts, cycles_per_deg=1.0, hertz=4.0):
    return [
        grating_responses(retina, Grating(cycles_per_deg, hertz, contrast))
        for contrast in contrasts
    ]


def test_the_contrast_gain_of_parasols_is_several_times_the_midgets():
    """Croner & Kaplan (1995): six times on average. Each at its best frequency."""
    retina = movie_retina()
    (coarse,), (fine,) = (responses(retina, [0.02], sf) for sf in (1.0, 3.0))
    for parasol, midget in zip(PARASOLS, MIDGETS, strict=True):
        ratio = coarse[parasol].first / fine[midget].first
        assert 4 < ratio < 12


def test_contrast_lowers_the_gain_of_parasols_and_advances_them():
    """Benardete, Kaplan & Knight (1992), doi 10.1017/S0952523800004995."""
    retina = movie_retina()
    low, middling, high = responses(retina, [0.02, 0.16, 0.64])
    for name in PARASOLS:
        gains = [
            one[name].first / contrast
            for one, contrast in ((low, 0.02), (middling, 0.16), (high, 0.64))
        ]
        assert gains[1] < 0.7 * gains[0]
        assert gains[2] < 0.35 * gains[0]
        assert high[name].first > middling[name].first  # but it never falls
        assert middling[name].phase_deg - low[name].phase_deg > 10
    for name in MIDGETS:
        assert high[name].first / low[name].first == pytest.approx(32, rel=0.1)
        assert high[name].phase_deg == pytest.approx(low[name].phase_deg, abs=3)


def published_gain(cell_type, stages, hertz):
    """Return A |1 - H_S / (1 + i w T_S)| |1 + i w T_L|^-N_L at 1 cycle/degree."""
    w = 2 * math.pi * hertz / 1000
    low_pass_ms, n_stages = stages
    high = abs(1 - cell_type.inhibition / (1 + 1j * w * cell_type.inhibition_ms))
    low = abs(1 + 1j * w * low_pass_ms / n_stages) ** -n_stages
    centre, surround = (
        math.exp(-((math.pi * radius) ** 2))  # at 1 cycle/degree
        for radius in (cell_type.centre_deg, cell_type.surround_deg)
    )
    share = centre - cell_type.surround_gain * surround
    return cell_type.gain_per_s * high * low * share


# N_L T_L and N_L: medians of Benardete & Kaplan (1997, 1999).
LOW_PASS = {
    "on_midget": (48.15, 38),
    "off_midget": (50.38, 27),
    "on_parasol": (40.33, 30),
    "off_parasol": (43.39, 22),
}


@pytest.mark.parametrize("hertz", [1.0, 2.0, 4.0, 8.0])
def test_the_gain_at_low_contrast_is_the_published_one_up_to_8_hertz(hertz):
    retina = movie_retina(n=61, deg_per_px=0.04, step_ms=5.0)
    (found,) = responses(retina, [0.005], hertz=hertz)
    for cell_type in PRIMATE:
        gain = found[cell_type.name].first / 0.005
        published = published_gain(cell_type, LOW_PASS[cell_type.name], hertz)
        assert gain == pytest.approx(published, rel=0.1)


def test_contrast_attenuates_low_temporal_frequencies_of_parasols():
    """Their best frequency rises with contrast; at 32 Hz the gain stays (1992)."""
    gains = {}
    for hertz in (2.0, 8.0, 16.0, 32.0):
        step_ms = 1000 / hertz / round(1000 / hertz / 5)
        retina = movie_retina(n=61, deg_per_px=0.04, step_ms=step_ms)
        for contrast in (0.02, 0.32):
            (found,) = responses(retina, [contrast], hertz=hertz)
            for name, one in found.items():
                gains[name, contrast, hertz] = one.first / contrast
    for name in PARASOLS:
        low, high = ([gains[name, c, hz] for hz in (8.0, 16.0)] for c in (0.02, 0.32))
        assert low[0] > low[1]
        assert high[1] > high[0]
        assert gains[name, 0.32, 2.0] < 0.6 * gains[name, 0.02, 2.0]
        assert gains[name, 0.32, 32.0] > 0.9 * gains[name, 0.02, 32.0]
    for name in MIDGETS:
        for hertz in (2.0, 8.0, 16.0, 32.0):
            kept = gains[name, 0.32, hertz] / gains[name, 0.02, hertz]
            assert kept == pytest.approx(1, abs=0.05)


def flashed(luminance):
    """Return each type's greatest departure from its rest, for a contrast of .2."""
    config = replace(QUIET, luminance_cd_m2=luminance, tail_ms=60.0)
    retina = StagedRetina(config, 0.04, (31, 31), 100.0)
    spot = torch.zeros(1, 1, 31, 31)
    spot[..., 13:18, 13:18] = 0.2
    with torch.no_grad():
        rates = ganglion_rates(retina, spot)
    return torch.stack(
        [(middle(one) - middle(one)[0]).abs().max() for one in rates.values()]
    )


def test_an_adapted_retina_answers_contrast_whatever_the_mean():
    """Weber's law over two log units, 5 to 500 cd/m2."""
    reference = flashed(50.0)
    for luminance in (5.0, 15.0, 150.0, 500.0):
        assert torch.allclose(flashed(luminance), reference, rtol=0.1)


def cones(trolands=350.0, step_ms=5.0):
    return Photoreceptor(Cone(), trolands, step_ms)


def test_cones_are_desensitised_as_published():
    """Half as sensitive at 1 / beta = 2,778 isomerisations/s (Angueyra et al. 2022)."""
    load = cones(trolands=2778 / 19.304).constant("load")
    assert load.item() == pytest.approx(1, rel=2e-3)


def gain_after(dark_ms, light_ms, trolands):
    """Return the response to 5 % more light, some time after a tenfold step of it."""
    step_ms = 5.0
    cell, end = cones(trolands), round((dark_ms + light_ms) / step_ms)
    background = torch.zeros(end + 60)
    background[: round(dark_ms / step_ms)] = -0.9
    probe = background.clone()
    probe[end : end + 4] = (1 + probe[end : end + 4]) * 1.05 - 1
    with torch.no_grad():
        both = cell(torch.stack([background, probe])[:, :, None, None])
    return (both[1] - both[0]).max().item()


def test_cones_adapt_to_a_tenfold_step_within_seconds():
    """The gain overshoots and settles: half-way by .2 s, within 5 % by 3 s."""
    final = gain_after(2000, 5000, 350.0)
    course = [gain_after(2000, light_ms, 350.0) / final for light_ms in (0, 200, 3000)]
    assert course[0] > 2
    assert 1.1 < course[1] < 1 + (course[0] - 1) / 2
    assert course[2] == pytest.approx(1, abs=0.05)

"""The stabilised supralinear network: summation, suppression, stability, signs."""

import pytest
import torch

from yoked.models.backbones.ssn import SSN, SSNConfig, SSNLayer


def bump(peak_deg, n=16):
    """Give input of height 1 to cells around an orientation, SD 30 degrees."""
    place = torch.arange(n) * 180 / n
    apart = (place - peak_deg).abs()
    apart = torch.minimum(apart, 180 - apart)
    return torch.exp(-(apart**2) / (2 * 30**2))[None, :, None, None]


def ring(drive):
    layer = SSNLayer(SSNConfig.ring())
    with torch.no_grad():
        return layer(drive, n_updates=400)[0, :, :, 0, 0]  # (E and I, orientation)


def summation(contrast):
    """Give the weight w of E(a + b) = w (E(a) + E(b)), for orthogonal inputs."""
    a, b = bump(45), bump(135)
    one, other, both = (ring(contrast * x)[0] for x in (a, b, a + b))
    return float((both * (one + other)).sum() / (one + other).square().sum())


def test_weak_inputs_add_up_supralinearly_and_strong_ones_normalise():
    weak, strong = summation(2.5), summation(40)
    assert 1.1 < weak < 1.5
    assert 0.6 < strong < 0.8


def test_the_response_grows_ever_less_with_contrast():
    peaks = [float(ring(c * bump(45))[0].max()) for c in (1, 2, 20, 40, 80)]
    assert peaks[1] / peaks[0] > 3  # a power of 2 and more
    assert peaks[3] / peaks[2] < 1.6
    assert peaks[4] / peaks[3] < 1.4


def test_strong_input_is_answered_by_inhibition():
    (e_weak, i_weak), (e_strong, i_strong) = (ring(c * bump(45)) for c in (5, 40))
    assert i_strong.max() / e_strong.max() > 1.5 * i_weak.max() / e_weak.max()


def test_excitation_alone_would_run_away_and_is_said_to():
    layer = SSNLayer(SSNConfig(ei=1e-6, ee=4, reach_ee=0, reach_ie=0))
    with pytest.raises(ValueError, match="must be weak enough for inhibition to hold"):
        layer(40 * bump(45), n_updates=1000)


def test_cells_without_connections_are_a_power_of_their_own_input():
    layer, drive = SSNLayer(SSNConfig.ring()), 20 * bump(45)
    with torch.no_grad():
        rates = layer(drive, n_updates=400, is_connected=False)[0, :, :, 0, 0]
        alone = layer(drive * (bump(45) == 1), n_updates=400, is_connected=False)
    expected = 0.04 * drive[0, :, 0, 0] ** 2
    assert torch.allclose(rates, expected.expand(2, -1), rtol=1e-5)
    assert alone[0, 0, 4, 0, 0] == pytest.approx(float(rates[0, 4]))


def size_tuning(contrast, radii):
    """Give E's response in the middle to discs of some radii, at 45 degrees."""
    layer = SSNLayer(SSNConfig())
    y, x = torch.meshgrid(torch.arange(33), torch.arange(33), indexing="ij")
    far = torch.hypot(y - 16.0, x - 16.0)
    discs = torch.stack([far <= radius for radius in radii]).float()
    with torch.no_grad():
        rates = layer(contrast * bump(45) * discs[:, None], n_updates=150)
    return rates[:, 0, 4, 16, 16]


def test_a_surround_suppresses_strong_input_and_not_weak_input():
    radii = (0, 1, 2, 3, 5, 8, 14)
    weak, strong = size_tuning(5, radii), size_tuning(80, radii)
    assert (strong.max() - strong[-1]) / strong.max() > 0.2
    assert (weak.max() - weak[-1]) / weak.max() < 0.05
    assert int(strong.argmax()) < int(weak.argmax())  # smaller fields when strong


def test_where_rates_settle_does_not_depend_on_the_time_step():
    drive, rates = 80 * bump(45).expand(-1, -1, 9, 9), []
    for dt_ms in (2.0, 0.5):
        layer = SSNLayer(SSNConfig(dt_ms=dt_ms))
        with torch.no_grad():
            rates.append(layer(drive, n_updates=int(300 / dt_ms)))
    assert torch.allclose(*rates, rtol=1e-2, atol=1e-2)


def test_full_contrast_drives_the_circuit_where_it_was_tested():
    place = torch.arange(64.0)
    for config in (SSNConfig(), SSNConfig.small()):
        network = SSN(1, 2, config)
        with torch.no_grad():
            for period_px in (6, 8, 12):
                grating = (2 * torch.pi * place / period_px).sin().expand(1, 1, 64, 64)
                drive = config.gain * network.steps(grating).at("v1", -1).max()
                assert 40 < drive < 150


def test_time_steps_continue_where_they_stopped():
    layer, drive = SSNLayer(SSNConfig()), 20 * bump(45).expand(-1, -1, 5, 5)
    with torch.no_grad():
        half = layer(drive, n_updates=5)
        assert torch.equal(layer(drive, half, 5), layer(drive, n_updates=10))


def test_signs_hold_after_a_step_of_training():
    layer = SSNLayer(SSNConfig.ring())
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.5)
    (-layer(20 * bump(45), n_updates=20)).sum().backward()
    before = layer.log_strengths.clone()
    optimiser.step()
    assert not torch.equal(before, layer.log_strengths)
    assert (layer.log_strengths.exp() > 0).all()


def test_the_network_takes_pictures_and_movies():
    network = SSN(1, 2, SSNConfig.small()).eval()
    picture = torch.randn(1, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    movie = picture[:, None].expand(-1, 5, -1, -1, -1)
    with torch.no_grad():
        assert torch.allclose(network(picture), network(movie), atol=1e-6)
        assert list(network.steps(picture)) == ["v1", "ssn"]


def test_wrong_constants_are_refused():
    with pytest.raises(ValueError, match="tau_e_ms must be more than 0, got 0"):
        SSNConfig(tau_e_ms=0)
    with pytest.raises(ValueError, match="reach_ee must be 0 or more, got -1"):
        SSNConfig(reach_ee=-1)

"""Every front before every backbone, forward and backward."""

import pytest
import torch

from yoked.models.backbones.fronted import Fronted
from yoked.models.backbones.vone_block import VOneBlock, VOneConfig
from yoked.models.networks.named import NAMES, build
from yoked.models.retina.staged import retina_front

SIDE, N_FRAMES = 32, 4


FRONTS = {
    "none": lambda: None,
    "retina": lambda: retina_front(0.1, (SIDE, SIDE), frame_ms=20.0),
    "vone-block": lambda: VOneBlock(1, VOneConfig.small()),
}


def fronted(front, name):
    made = FRONTS[front]()
    channels = 1 if made is None else made.n_channels
    backbone = build(name, channels, n_classes=3, size="small", seed=1)
    return Fronted(made, backbone).eval()


def movies(n=2, n_frames=N_FRAMES):
    generator = torch.Generator().manual_seed(0)
    return 0.3 * torch.randn(n, n_frames, SIDE, SIDE, generator=generator)


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_front_before_a_backbone_goes_forward_and_backward(front, name):
    network, contrast = fronted(front, name), movies().requires_grad_()
    answers = network(contrast)
    assert answers.shape == (2, 3)
    answers.square().sum().backward()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert gradients
    assert all(g.isfinite().all() for g in [*gradients, contrast.grad])
    assert contrast.grad.abs().sum() > 0


def test_a_still_backbone_gets_the_mean_of_the_steps():
    network, contrast = fronted("none", "cornet-z"), movies()
    with torch.no_grad():
        mean = network(contrast.mean(1, keepdim=True))
        assert torch.allclose(network(contrast), mean, atol=1e-6)


def test_a_still_backbone_can_have_the_steps_as_channels():
    backbone = build("cornet-z", N_FRAMES, n_classes=2, size="small", seed=1)
    network, contrast = Fronted(None, backbone, "channels"), movies()
    with torch.no_grad():
        assert torch.equal(network(contrast), backbone(contrast))
        assert not torch.allclose(network(contrast), network(contrast.flip(1)))


def test_a_recurrent_backbone_gets_the_steps_in_their_order():
    network, contrast = fronted("none", "cornet-rt"), movies()
    with torch.no_grad():
        assert not torch.allclose(network(contrast), network(contrast.flip(1)))


def test_one_frame_is_a_picture_that_lasts():
    network, contrast = fronted("none", "cornet-rt"), movies(n_frames=1)
    with torch.no_grad():
        assert torch.equal(network(contrast), network(contrast.expand(-1, 5, -1, -1)))


def test_without_a_front_contrast_goes_to_every_channel():
    network = Fronted(None, build("alexnet", 3, n_classes=2, size="small", seed=1))
    with torch.no_grad():
        assert network(movies(n_frames=1)).shape == (2, 2)


def test_a_backbone_for_other_channels_is_refused():
    backbone = build("cornet-z", 1, n_classes=2, size="small", seed=1)
    with pytest.raises(ValueError, match="must be the 4 channels of StagedRetina, got"):
        Fronted(FRONTS["retina"](), backbone)
    with pytest.raises(ValueError, match=r"4 channels of .* at every step, got 1"):
        Fronted(FRONTS["retina"](), backbone, "channels")

"""A network that looks: five gazes, the middle last; one drawn anew in training."""

import pytest
import torch

from yoked.models.backbones.fixation import (
    CorticalConfig,
    CorticalFixation,
    RetinalFixation,
)
from yoked.models.backbones.gazing import FIVE_GAZES, Gazing
from yoked.models.networks.layers import Layer
from yoked.models.networks.named import NAMES, build, known

SIDE = 48
EYES = {
    "retinal": RetinalFixation,
    "cortical": lambda size: CorticalFixation(size, CorticalConfig.small()),
}


def pictures(n=3, n_frames=1):
    generator = torch.Generator().manual_seed(0)
    return 0.3 * torch.randn(n, n_frames, SIDE, SIDE, generator=generator)


def looking(name="plain-cnn", eye="retinal"):
    front = EYES[eye]((SIDE, SIDE))
    backbone = build(name, front.n_channels, n_classes=2, size="small", seed=1)
    return Gazing(front, backbone, read=known(name).layer).eval()


@pytest.mark.parametrize("eye", EYES)
def test_the_answer_is_the_mean_of_five_answers(eye):
    network, x = looking(eye=eye), pictures()
    with torch.no_grad():
        each = []
        for gaze in FIVE_GAZES:
            seen = network.front(x, network.reach * torch.tensor(gaze).expand(3, 2))
            each.append(network.backbone(seen[:, 0]))
        assert torch.allclose(network(x), torch.stack(each).mean(0), atol=1e-6)
        assert not torch.allclose(each[0], each[-1], atol=1e-4)


def test_a_layer_by_name_is_read_at_the_middle_and_its_mean_over_gazes():
    network, x = looking(), pictures()
    with torch.no_grad():
        middle = network.front(x, torch.zeros(3, 2))[:, 0]
        features, calls = Layer(network.backbone, "decoder.average"), []
        stage = Layer(network, "backbone.stage2")
        for _ in range(2):  # the second time it is known how often it is called
            found = stage.read(x)
            assert torch.equal(found, Layer(network.backbone, "stage2").read(middle))
        for gaze in network.gazes(x):
            calls.append(features.read(network.front(x, gaze)[:, 0]))
        mean = Layer(network, "over_gazes").read(x)
    assert torch.allclose(mean, torch.stack(calls).mean(0), atol=1e-6)


def test_a_layer_is_read_right_after_training_mode_and_before():
    network, x = looking(), pictures()
    stage = Layer(network, "backbone.stage1")
    with torch.no_grad():
        first = stage.read(x)
        network.train()
        for _ in range(2):
            stage.read(x)
        network.eval()
        assert torch.equal(stage.read(x), first)


def test_gazes_in_training_are_even_drawn_for_each_picture_and_by_torchs_generator():
    network, many = looking().train(), torch.zeros(4000, 1, 2, 2)
    torch.manual_seed(3)
    (gazes,) = network.gazes(many)
    torch.manual_seed(3)
    assert torch.equal(gazes, network.gazes(many)[0])
    shares = gazes / network.reach
    assert shares.abs().max() <= 1
    assert shares.mean(0).tolist() == pytest.approx([0, 0], abs=0.05)
    assert shares.std(0).tolist() == pytest.approx([3**-0.5] * 2, rel=0.05)


def test_all_five_gazes_have_a_gradient():
    network, x = looking(), pictures(1).requires_grad_()
    for gaze in network.gazes(x):
        seen = network.front(x, gaze)
        (gradient,) = torch.autograd.grad(seen.sum(), x)
        assert gradient.abs().sum() > 0
    whole = torch.autograd.grad(network(x)[:, 0].sum(), x)[0]
    parts = [
        torch.autograd.grad(network.backbone(network.front(x, gaze)[:, 0])[0, 0], x)[0]
        for gaze in network.gazes(x)
    ]
    assert torch.allclose(whole, torch.stack(parts).mean(0), atol=1e-6)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("name", NAMES)
def test_every_network_looks_at_movies_forward_and_backward(name, eye):
    network, x = looking(name, eye), pictures(2, 4).requires_grad_()
    answers = network(x)
    assert answers.shape == (2, 2)
    answers.square().sum().backward()
    assert x.grad.isfinite().all()
    assert x.grad.abs().sum() > 0

"""Networks in time: who has had input, what a step sees, and what is refused."""

import pytest
import torch

from yoked.models.backbones.bl_net import BLConfig, BLNet, BLTConfig
from yoked.models.backbones.cornet_rt import CORnetRT, CORnetRTConfig
from yoked.models.backbones.unrolled import in_time


@pytest.fixture
def rt():
    """Return a small CORnet-RT."""
    torch.manual_seed(0)
    return CORnetRT(1, 2, CORnetRTConfig.small()).eval()


@pytest.fixture
def blt():
    """Return a small BLT."""
    torch.manual_seed(0)
    return BLNet(1, 2, BLTConfig.small()).eval()


def pictures(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_each_area_of_rt_is_a_step_behind_the_one_below(rt):
    steps = rt.steps(pictures(2, 1, 28, 28))
    silent = {area: [o is None for o in outputs] for area, outputs in steps.items()}
    assert silent == {
        "v1": [False, False, False, False, False],
        "v2": [True, False, False, False, False],
        "v4": [True, True, False, False, False],
        "it": [True, True, True, False, False],
    }


def test_an_area_without_input_is_not_called(rt):
    calls = []
    rt.it.register_forward_hook(lambda *_: calls.append("it"))
    rt(pictures(1, 1, 28, 28))
    assert len(calls) == 2


def test_asking_for_a_step_without_input_is_refused(rt):
    steps = rt.steps(pictures(1, 1, 28, 28))
    assert steps.at("it", 3).shape == steps.at("it", -1).shape
    rule = "area 'it' must have had input by step 2 to be read there, got its first at"
    with pytest.raises(ValueError, match=f"{rule} step 3"):
        steps.at("it", 2)
    with pytest.raises(LookupError, match="no area named 'v3'; there are v1, v2, v4"):
        steps.at("v3", 0)
    with pytest.raises(LookupError, match="step must be one of 5 steps, from 0, got 5"):
        steps.at("it", 5)


def test_a_movie_too_short_for_it_is_refused(rt):
    with pytest.raises(ValueError, match="by step 2 to be read there, got none in all"):
        rt(pictures(1, 3, 1, 28, 28))
    with pytest.raises(ValueError, match="n_steps must be at least 4, for IT"):
        CORnetRTConfig(n_steps=3)
    with pytest.raises(ValueError, match=r"input must be \(image, channel, y, x\) or"):
        rt.frames(pictures(1, 28, 28))


@pytest.mark.parametrize("name", ["rt", "blt"])
def test_a_picture_is_a_movie_that_stands_still(name, request):
    network = request.getfixturevalue(name)
    picture = pictures(2, 1, 28, 28)
    movie = picture[:, None].expand(-1, network.n_steps, -1, -1, -1)
    assert torch.equal(network(picture), network(movie))


def test_rt_sees_frame_t_at_step_t(rt):
    movie = pictures(1, 5, 1, 28, 28).requires_grad_()
    rt(movie).sum().backward()
    reached = movie.grad.abs().sum(dim=(0, 2, 3, 4)) > 0
    assert reached.tolist() == [True, True, False, False, False]  # 3 areas up to IT


def test_the_sweep_of_bl_reaches_all_layers_at_once(blt):
    steps = blt.steps(pictures(1, 1, 28, 28))
    assert all(output is not None for outputs in steps.values() for output in outputs)


def test_lateral_and_top_down_connections_count_from_the_second_step(blt):
    picture = pictures(1, 1, 30, 30)  # with odd maps on the way up
    with torch.no_grad():
        before = blt.steps(picture)
        blt.layer1.top_down.weight.zero_()
        after = blt.steps(picture)
        assert torch.equal(before.at("layer1", 0), after.at("layer1", 0))
        assert not torch.equal(before.at("layer1", 1), after.at("layer1", 1))
        blt.layer3.lateral.weight.zero_()
        again = blt.steps(picture)
    assert torch.equal(after.at("layer3", 0), again.at("layer3", 0))
    assert not torch.equal(after.at("layer3", 1), again.at("layer3", 1))


def test_bl_without_what_comes_back_is_a_network_of_one_step():
    torch.manual_seed(0)
    network = BLNet(1, 2, BLConfig.small()).eval()
    picture = pictures(1, 1, 28, 28)
    with torch.no_grad():
        for name in ("layer1", "layer2", "layer3", "layer4"):
            network.get_submodule(name).lateral.weight.zero_()
        steps = network.steps(picture)
        once = network.decoder(steps.at("layer4", 0))
        assert torch.allclose(network(picture), once, atol=1e-6)


@pytest.mark.parametrize("config", [BLConfig.small(), BLTConfig.small()])
def test_one_step_is_the_feedforward_network_of_the_same_weights(config):
    torch.manual_seed(0)
    network = BLNet(1, 2, config).eval()
    picture = pictures(2, 1, 28, 28)
    with torch.no_grad():
        x = picture
        for number in range(1, 5):
            layer = network.get_submodule(f"layer{number}")
            x = network.pool(x) if number > 1 else x
            x = torch.relu(layer.norm[0](layer.bottom_up(x)))
        whole = network(picture)
        assert torch.equal(in_time(network, steps=1)(picture), network.decoder(x))
        # First norms are alike at all steps, so that without recurrence all steps are.
        still = in_time(network, steps=4, recurrent=False)(picture)
    assert torch.allclose(still, network.decoder(x), atol=1e-6)
    assert not torch.allclose(whole, still, atol=1e-4)


def test_rt_without_recurrence_forgets_what_it_saw(rt):
    movie = pictures(1, 5, 1, 28, 28)
    with torch.no_grad():
        once = in_time(rt, recurrent=False)(movie)
        assert torch.equal(once, rt(torch.cat([movie[:, 1:2], movie[:, 1:]], dim=1)))
        in_time(rt)
        assert not torch.equal(rt(movie), once)


def test_wrong_sizes_of_bl_are_refused():
    with pytest.raises(ValueError, match="must be a channel count and a kernel for"):
        BLConfig(channels=(8, 8), kernels=(3,))
    with pytest.raises(ValueError, match="kernels must be odd"):
        BLConfig(channels=(8,), kernels=(4,))
    with pytest.raises(ValueError, match="n_steps must be at least 1, got 0"):
        BLConfig(n_steps=0)

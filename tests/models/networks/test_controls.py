"""Controls: weights, non-linearities, pooling and lesions of any network."""

import copy

import pytest
import torch
from torch import nn

from yoked.models.backbones.dale import dale
from yoked.models.backbones.unshared import unshared
from yoked.models.networks.controls import Controls, apply, lesion
from yoked.models.networks.named import NAMES, make

# All that is not linear in these are modules that controls replace. Not of the others:
# group normalisation, the energy of complex cells, HMAX and the power law stay.
LINEAR_WITHOUT = {
    "plain-cnn",
    "alexnet",
    "resnet-18",
    "cornet-z",
    "cornet-s",
    "bl",
    "blt",
    "mobilenet-v2",
    "efficientnet-lite0",
}
NO_POOLING = {"cornet-rt", "vonenet", "mobilenet-v2", "efficientnet-lite0"}
HAVE_POOLING = set(NAMES) - NO_POOLING


def network(name="cornet-z", controls=None):
    return make(name, in_channels=1, n_classes=2, seed=1, controls=controls)


def pictures(n=2, side=32):
    return torch.randn(n, 1, side, side, generator=torch.Generator().manual_seed(0))


def weights(module):
    return {n: p.detach().clone() for n, p in module.named_parameters()}


@pytest.mark.parametrize("name", NAMES)
def test_random_weights_are_those_of_another_individual(name):
    before = torch.get_rng_state()
    trained = network(name)
    drawn = apply(network(name), Controls(weights="random", seed=7))
    again = apply(network(name), Controls(weights="random", seed=7))
    assert torch.equal(before, torch.get_rng_state())
    for key, value in weights(drawn).items():
        assert torch.equal(value, weights(again)[key])
    differ = [k for k, v in weights(trained).items() if not v.equal(weights(drawn)[k])]
    assert all(weights(trained)[key].dim() > 1 or "bias" in key for key in differ)
    assert differ
    for key in differ:  # drawn from the same distribution
        old, new = weights(trained)[key], weights(drawn)[key]
        if old.numel() > 500:
            assert float(new.std() / old.std()) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("name", NAMES)
def test_shuffled_weights_are_the_same_values_in_other_places(name):
    trained = network(name)
    shuffled = apply(network(name), Controls(weights="shuffled", seed=7))
    other = apply(network(name), Controls(weights="shuffled", seed=8))
    moved = 0
    for key, value in weights(trained).items():
        mixed = weights(shuffled)[key]
        assert torch.equal(value.flatten().sort()[0], mixed.flatten().sort()[0])
        if value.dim() == 1:
            assert torch.equal(value, mixed)
        moved += not torch.equal(mixed, weights(other)[key])
    assert moved > 0


@pytest.mark.parametrize("name", sorted(LINEAR_WITHOUT))
@pytest.mark.parametrize("pooling", ["average", "none"])
def test_without_rectification_and_maxima_a_network_is_linear(name, pooling):
    controls = Controls(activation="linear", pooling=pooling)
    if name not in HAVE_POOLING:
        controls = Controls(activation="linear")
    linear = network(name, controls).double()
    a, b = pictures().double(), pictures().double().flip(0)
    with torch.no_grad():
        zero = linear(0 * a)
        apart = linear(a) - zero + linear(b) - zero
        assert torch.allclose(linear(a + b) - zero, apart, atol=1e-8)
        assert not torch.allclose(network(name)(pictures()), linear(a).float())


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"hmax"}))
@pytest.mark.parametrize("activation", ["tanh", "elu", "linear"])
def test_every_rectification_of_a_network_can_be_another(name, activation):
    changed = network(name, Controls(activation=activation))
    kinds = {type(module) for module in changed.modules()}
    assert not kinds & {nn.ReLU, nn.ReLU6}
    with torch.no_grad():
        assert changed(pictures()).isfinite().all()


@pytest.mark.parametrize("name", sorted(HAVE_POOLING))
def test_other_pooling_keeps_every_shape(name):
    shapes = {}
    for pooling in ("max", "average", "none"):
        found = network(name, Controls(pooling=pooling))
        seen = shapes[pooling] = []
        for module in found.modules():
            is_leaf = not list(module.children())
            if is_leaf and not isinstance(module, nn.Identity):
                module.register_forward_hook(
                    lambda _, __, output, seen=seen: seen.append(output.shape)
                )
        with torch.no_grad():
            found(pictures(side=37))
    assert shapes["max"] == shapes["average"] == shapes["none"]


def test_no_pooling_takes_the_middle_of_each_window():
    x = torch.arange(36.0).view(1, 1, 6, 6)

    def none(*geometry):
        return apply(nn.Sequential(nn.MaxPool2d(*geometry)), Controls(pooling="none"))

    assert none(3, 3)(x).flatten().tolist() == [7, 10, 25, 28]
    assert none(2)(x)[0, 0, 0].tolist() == [0, 2, 4]
    assert none(3, 2, 1)(x)[0, 0, :, 0].tolist() == [0, 12, 24]


def test_an_average_counts_no_padding():
    pool = apply(nn.Sequential(nn.MaxPool2d(3, 2, 1)), Controls(pooling="average"))
    assert torch.equal(pool(torch.ones(1, 1, 8, 8)), torch.ones(1, 1, 4, 4))


def outputs(module, layer):
    """Return what a layer puts out for some pictures, at its last call."""
    seen = []
    hook = module.get_submodule(layer).register_forward_hook(
        lambda _, __, output: seen.append(output)
    )
    with torch.no_grad():
        module(pictures())
    hook.remove()
    return seen[-1]


def test_a_lesioned_layer_puts_out_0():
    lesioned = network(controls=Controls(lesions=("v2",)))
    assert not outputs(lesioned, "v2").any()
    assert outputs(lesioned, "v1").any()


def test_a_lesioned_unit_puts_out_0_and_the_others_stay():
    before = outputs(network(), "it")
    unit = int(before.sum(dim=(0, 2, 3)).argmax())
    after = outputs(network(controls=Controls(lesions=(f"it:{unit}",))), "it")
    assert before[:, unit].any()
    assert not after[:, unit].any()
    kept = [each for each in range(64) if each != unit]
    assert torch.equal(before[:, kept], after[:, kept])


def test_a_lesion_survives_a_copy_training_mode_and_new_weights():
    lesioned = network(controls=Controls(lesions=("v2", "it:17")))
    copied = copy.deepcopy(lesioned).train()
    copied.load_state_dict(network().state_dict())
    assert not outputs(copied, "v2").any()
    assert not outputs(copied, "it")[:, 17].any()


def test_a_lesion_of_an_area_in_time_holds_at_every_step():
    lesioned = network("cornet-rt", Controls(lesions=("v2:3",)))
    steps = lesioned.steps(pictures())
    assert not any(output[:, 3].any() for output in steps["v2"][1:])
    assert steps.at("v2", -1)[:, 2].any()


def test_a_lesion_can_be_undone():
    whole = network()
    before = outputs(whole, "it")
    handle = lesion(whole, "v2")
    assert not torch.equal(outputs(whole, "it"), before)
    handle.remove()
    assert torch.equal(outputs(whole, "it"), before)


def test_unknown_layers_and_units_are_refused():
    with pytest.raises(LookupError, match="no layer named 'v22' in CORnetZ; did you m"):
        network(controls=Controls(lesions=("v22",)))
    with pytest.raises(LookupError, match="no layer named '' in CORnetZ"):
        network(controls=Controls(lesions=(":3",)))
    with pytest.raises(ValueError, match="a unit must be a whole number from 0, got"):
        network(controls=Controls(lesions=("v2:-1",)))
    with pytest.raises(ValueError, match=r"of one of 32 units, from 0, got 'v2\.0:32'"):
        network(controls=Controls(lesions=("v2.0:32",)))
    late = network(controls=Controls(lesions=("v2:32",)))  # only a pass can tell
    with pytest.raises(ValueError, match="of one of 32 units, from 0, got 'v2:32'"):
        late(pictures())


class Functional(nn.Module):
    """A user's network that rectifies by a function."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.own = nn.Parameter(torch.ones(4))

    def forward(self, x):
        return self.conv(x).relu().mean(dim=(2, 3)) * self.own


def test_what_a_users_network_lacks_is_said():
    rule = "the non-linearities of Functional must be modules, such as torch.nn.ReLU"
    with pytest.raises(ValueError, match=rule):
        apply(Functional(), Controls(activation="tanh"))
    with pytest.raises(ValueError, match="the pooling of Functional must be"):
        apply(Functional(), Controls(pooling="none"))
    user = Functional()
    before = weights(user)
    with pytest.raises(ValueError, match="parameter 'own' must be of a module with re"):
        apply(user, Controls(weights="random"))
    assert all(torch.equal(value, before[key]) for key, value in weights(user).items())
    with pytest.raises(ValueError, match="without dilation and indices, to be replace"):
        apply(nn.Sequential(nn.MaxPool2d(2, dilation=2)), Controls(pooling="none"))
    recurrent = nn.Sequential(nn.GRU(3, 4))
    apply(recurrent, Controls(lesions=("0",)))
    assert not recurrent(torch.ones(5, 2, 3))[0].any()
    apply(recurrent, Controls(lesions=("0:1",)))
    with pytest.raises(ValueError, match="in a layer that puts out one tensor, got '0"):
        recurrent(torch.ones(5, 2, 3))


def test_controls_work_on_users_modules_of_many_kinds():
    user = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.SiLU(), nn.Sequential(nn.PReLU(), nn.MaxPool2d(2))
    )
    apply(user, Controls(weights="random", activation="elu", pooling="average"))
    assert [type(m).__name__ for m in user[2]] == ["ELU", "AvgPool2d"]
    attention = nn.ModuleList([nn.MultiheadAttention(8, 2)])
    apply(attention, Controls(weights="random"))


def test_constrained_and_unshared_networks_can_be_controlled():
    signed = apply(dale(network()), Controls(weights="shuffled"))
    assert (signed.v2[0].weight.sign() == signed.v2[0].weight.sign()[:1]).all()
    own = nn.Sequential(unshared(nn.Conv2d(1, 2, 3), (6, 6)))
    before = own[0].weight.clone()
    apply(own, Controls(weights="random"))
    assert not torch.equal(own[0].weight, before)


def test_unknown_controls_are_refused():
    with pytest.raises(ValueError, match="weights must be one of trained, random, shu"):
        Controls(weights="shuffle")
    with pytest.raises(ValueError, match="got 'relu6'; did you mean 'relu'"):
        Controls(activation="relu6")
    with pytest.raises(ValueError, match="pooling must be one of max, average, none"):
        Controls(pooling="sum")

"""HMAX: published filters, tolerance of its maxima, prototypes that are laid down."""

import numpy as np
import pytest
import torch

from yoked.models.backbones.hmax import HMAX, HMAXConfig, gabors


@pytest.fixture
def network():
    """Return a small HMAX of a gray picture."""
    torch.manual_seed(0)
    return HMAX(1, 2, HMAXConfig.small()).eval()


def edge_at(column, side=48):
    picture = torch.zeros(1, 1, side, side)
    picture[..., column : column + 6] = 1
    return picture


def test_filters_have_mean_0_and_norm_1_at_all_16_scales():
    for scale in range(16):
        filters = gabors(scale, 4)
        assert filters.shape == (4, 1, 7 + 2 * scale, 7 + 2 * scale)
        assert np.allclose(filters.sum(axis=(1, 2, 3)), 0, atol=1e-5)
        assert np.allclose(np.linalg.norm(filters, axis=(2, 3)), 1, atol=1e-5)


def test_s1_does_not_depend_on_contrast_or_its_sign(network):
    picture = edge_at(20) - 0.3
    with torch.no_grad():
        once, twice = network.s1[0](picture), network.s1[0](2 * picture)
        assert torch.allclose(once, twice, atol=1e-3)
        assert torch.allclose(once, network.s1[0](-picture), atol=1e-6)
        assert float(network.s1[0](torch.zeros(1, 1, 16, 16)).abs().max()) == 0
    assert once.max() <= 1


def test_c1_prefers_the_orientation_of_the_bar(network):
    with torch.no_grad():
        c1 = network.bands(edge_at(20))[0][0]  # (orientation, row, column)
    assert int(c1.amax(dim=(1, 2)).argmax()) == 0  # modulation along x


def test_c2_hardly_changes_when_the_picture_moves(network):
    network.imprint(edge_at(20), seed=1)
    with torch.no_grad():
        here, there, other = (
            network.c2(network.matches(x))
            for x in (edge_at(20), edge_at(28), edge_at(20).mT)
        )
    assert (here - there).abs().mean() < 0.05
    assert (here - other).abs().mean() > 0.1


def test_an_imprinted_prototype_is_found_again(network):
    network.imprint(edge_at(20), seed=1)
    with torch.no_grad():
        assert network.c2(network.matches(edge_at(20))).min() > 0.999


def test_a_picture_too_small_for_a_prototype_is_refused():
    network = HMAX(1, 2, HMAXConfig(n_bands=1))
    with pytest.raises(ValueError, match="must be at least 12 C1 units high and wide"):
        network(torch.zeros(1, 1, 32, 32))


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match="n_bands must be 1 to 8, got 9"):
        HMAXConfig(n_bands=9)
    with pytest.raises(ValueError, match="n_prototypes must be a multiple of the 4"):
        HMAXConfig(n_prototypes=10)

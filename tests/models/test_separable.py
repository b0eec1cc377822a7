"""Separable sums: right, and the same at every place in a batch."""

import pytest
import torch

from yoked.models.separable import SeparableSums

SIZES = [(31, 31, 10, 10), (9, 9, 7, 5), (1, 13, 1, 6), (52, 52, 26, 26)]


@pytest.mark.parametrize(("height", "width", "rows", "columns"), SIZES)
def test_an_images_sums_do_not_depend_on_its_place(height, width, rows, columns):
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(64, height, width, generator=generator)
    weights = torch.randn(rows, height, generator=generator)
    across = torch.randn(columns, width, generator=generator)
    sums = SeparableSums(weights, across)
    found = sums(images)
    exact = weights.double() @ images.double() @ across.double().T
    torch.testing.assert_close(found.double(), exact, rtol=1e-4, atol=1e-3)
    for _ in range(5):
        order = torch.randperm(64, generator=generator)
        assert torch.equal(sums(images[order]), found[order])

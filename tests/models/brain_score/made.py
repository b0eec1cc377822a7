"""Pictures in files, and networks of which every response is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import yoked

SIZE = 12


class Known(nn.Module):
    """Two linear layers of the pixels, one upon the other."""

    def __init__(self, seed=1):
        super().__init__()
        rng = np.random.default_rng(seed)
        self.first = nn.Linear(SIZE * SIZE, 5, bias=False)
        self.second = nn.Linear(5, 3, bias=False)
        for layer in (self.first, self.second):
            weights = rng.normal(size=layer.weight.shape)
            layer.weight.data = torch.from_numpy(weights).float()

    def forward(self, x):
        return self.second(self.first(x.flatten(1)))


class Brief(nn.Module):
    """Puts out its input's mean times 1, 2 and 3, one step after the other."""

    def __init__(self):
        super().__init__()
        self.step = nn.Identity()

    def forward(self, x):
        mean = x.mean((1, 2, 3))[:, None]
        return torch.stack([self.step(k * mean) for k in (1, 2, 3)]).sum(0)


class Noisy(nn.Module):
    """Puts out noise alone."""

    def __init__(self):
        super().__init__()
        self.noise = nn.Identity()

    def forward(self, x):
        return self.noise(yoked.noise_like(x.flatten(1)[:, :4]))


def observer(net=None, **options):
    """Return a network that sees contrast, 12 px over 4 degrees."""
    options = {"preprocess": "contrast", "field_deg": 4.0, "size_px": SIZE, **options}
    net = Known() if net is None else net
    return yoked.from_torch(net, name=options.pop("name", "known"), **options)


def drawn(n=6, seed=3):
    """Return code values of pictures."""
    shape = (n, SIZE, SIZE)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def written(folder, pictures=None, **columns):
    """Write pictures, and return a table of them."""
    image = pytest.importorskip("PIL.Image")
    pictures = drawn() if pictures is None else pictures
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"picture-{k}" for k in range(len(pictures))]
    for name, each in zip(names, pictures, strict=True):
        image.fromarray(each).save(folder / f"{name}.png")
    files = [str(folder / f"{name}.png") for name in names]
    return pd.DataFrame({"stimulus_id": names, "path": files, **columns})


def contrast(pictures):
    """Return pictures as a network of contrast sees them."""
    return 2.0 * pictures.reshape(len(pictures), -1) / 255 - 1

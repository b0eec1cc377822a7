"""Pictures, and responses of units that copy a layer of a network by name."""

import numpy as np
import torch

import yoked
from yoked.experiments.recordings.population import PopulationRecording
from yoked.models.probing.pictures import PictureReader


def recording(layer="v4", n=90, units=12, noise=0.5, repeats=4, seed=1, name="made"):
    """Return a recording whose signal is a linear function of a layer's features."""
    rng = np.random.default_rng(seed)
    pictures = rng.uniform(-1, 1, (n, 1, 4, 4)).repeat(5, 2).repeat(5, 3)
    pictures = pictures.astype(np.float32)
    observer = yoked.load_observer("cornet-z", seed=1)
    reader = PictureReader(observer, [layer], 0.2, (1, 20, 20))
    rows = reader.read(torch.from_numpy(pictures))[layer].flatten(1).numpy()
    weights = np.random.default_rng(99).normal(size=(rows.shape[1], units))
    signal = (rows - rows.mean(axis=0)) @ weights
    signal /= signal.std(axis=0)
    return PopulationRecording(
        name,
        signal + noise * rng.normal(size=(repeats, n, units)),
        tuple(f"{name}-{k}" for k in range(n)),
        tuple(f"unit-{k}" for k in range(units)),
        regions=("V4", "IT") * (units // 2),
        subjects=("a", "a", "b", "b", "c", "c") * (units // 6),
        pictures=pictures,
        deg_per_px=0.2,
    )


def write(made, path):
    """Write a recording as arrays."""
    keys = ("responses", "stimuli", "units", "regions", "subjects", "pictures")
    arrays = {key: getattr(made, key) for key in keys}
    np.savez(path, **arrays, deg_per_px=made.deg_per_px, name=made.name)
    return path

"""Face experiments as they are done: parameters, people, and the obvious sums."""

import csv
from pathlib import Path

import numpy as np

VECTORS = Path(__file__).parents[2] / "vectors"
RCICR = VECTORS / "rcicr"
RCPYCI = VECTORS / "rcpyci"
HEADER = ("subject", "stimulus", "response")


def layer_images(size, n_scales):
    """Give every sinusoid as a whole picture, by the formulas of rcicr's guide."""
    images = []
    for scale in 2 ** np.arange(n_scales):
        n = size // scale
        along = np.tile(np.linspace(0, 2, n), (n, 1))
        for angle in np.deg2rad([0, 30, 60, 90, 120, 150]):
            turns = 2 * np.pi * (along * np.cos(angle) + along.T * np.sin(angle))
            for phase in (0, np.pi / 2):
                for column in range(scale):
                    for row in range(scale):
                        image = np.zeros((size, size))
                        rows = slice(n * row, n * row + n)
                        columns = slice(n * column, n * column + n)
                        image[rows, columns] = np.sin(turns + phase)
                        images.append(image)
    return np.array(images)


def noise_images(parameters, size, n_scales):
    """Give the noise of each stimulus: the mean over layers, as rcicr has it."""
    images = layer_images(size, n_scales).reshape(parameters.shape[-1], -1)
    return (parameters @ images / (12 * n_scales)).reshape(-1, size, size)


def linear_responses(parameters, template, noise_sd, bias=0.0, seed=1):
    """Give 1 where the original looks more like a template, else -1."""
    rng = np.random.default_rng(seed)
    seen = parameters @ template / np.linalg.norm(template) / np.sqrt(1 / 3)
    return np.where(seen + bias + rng.normal(0, noise_sd, len(seen)) > 0, 1, -1)


def write_table(path, rows, header=HEADER):
    """Write a table of responses."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def correlation(one, other):
    """Give the correlation of two images."""
    return float(np.corrcoef(np.ravel(one), np.ravel(other))[0, 1])

"""Benchmark of a classification image: beside a whole picture for every layer."""

from collections.abc import Mapping

import numpy as np

from ..experiments.protocols.basis import Sinusoids
from ..experiments.protocols.image_kinds import images_of
from ..experiments.protocols.rcicr_sinusoids import as_shown, layers
from .contest import Contest, run_contest

_SIZE, _N_SCALES, _N_TRIALS = 512, 5, 770  # what rcicr and rcpyci have by default


def face_ratio(
    rounds: int = 7, size: int = _SIZE, n_scales: int = _N_SCALES
) -> list[Mapping[str, object]]:
    """Measure classification images of 770 choices between faces.

    Both sides have their images already: ours every distinct sinusoid once, the other
    a picture of each layer and of the number of its coefficients, as rcpyci has them.

    Parameters
    ----------
    rounds
        Calls of each side; the fastest counts.
    size, n_scales
        Of the picture.
    """
    basis, grid = Sinusoids("sinusoids", n_scales, layout="rcicr"), (1, size, size)
    images = as_shown(basis, grid, images_of(basis, grid))
    rng = np.random.default_rng(1)
    parameters = rng.uniform(-1, 1, (_N_TRIALS, images.n))
    choices = np.where(rng.random(_N_TRIALS) < 0.5, 1.0, -1.0)
    patches, index = _pictures(basis, grid)
    contest = Contest(
        f"classification image, {size} x {size}, {images.n} images",
        "images",
        1,
        lambda: images.drawn(choices @ parameters / _N_TRIALS),
        lambda: ((parameters * choices[:, None]).mean(axis=0)[index] * patches).mean(
            axis=2
        ),
        "rcpyci's formula: a picture for every layer, weighted, and their mean",
    )
    return [run_contest(contest, rounds)]


def _pictures(
    basis: Sinusoids, grid: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Give the pixels of every layer, and the coefficient of each pixel."""
    pictures, numbers, first = [], [], 0
    for scale, patch in layers(basis, grid):
        n = 2**scale
        own = first + np.arange(n * n).reshape(n, n).T
        pictures.append(np.tile(patch, (n, n)))
        numbers.append(own.repeat(len(patch), axis=0).repeat(len(patch), axis=1))
        first += n * n
    return np.stack(pictures, axis=-1), np.stack(numbers, axis=-1)

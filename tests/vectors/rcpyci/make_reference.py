"""Write a classification image as rcpyci computes it, for tests to compare with.

Run by a Python that has rcpyci (0.10.1), whose pins are not ours:

    python3 -m venv rcpyci && rcpyci/bin/pip install rcpyci==0.10.1
    rcpyci/bin/python make_reference.py reference.npz
"""

import sys
from importlib.metadata import version

import numpy as np
from rcpyci.core import compute_ci

SEED, N_TRIALS, N_SCALES, SIZE = 7, 120, 3, 32


def main(path: str) -> None:
    """Write the image, the responses, and what they are of."""
    responses = np.where(np.random.default_rng(20261129).random(N_TRIALS) < 0.6, 1, -1)
    image = compute_ci(
        np.zeros((SIZE, SIZE)),
        responses[:, None],
        n_trials=N_TRIALS,
        n_scales=N_SCALES,
        seed=SEED,
    )
    np.savez_compressed(
        path,
        image=image,
        responses=responses.astype(np.int8),
        seed=SEED,
        n_trials=N_TRIALS,
        n_scales=N_SCALES,
        noise_type="sinusoid",
        label="rcpyci",
        version=version("rcpyci"),
    )


if __name__ == "__main__":
    main(sys.argv[1])

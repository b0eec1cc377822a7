"""Draw a trial of every shipped protocol, and its signal alone, for docs/protocols.md.

.venv/bin/python docs/images/make_protocol_pictures.py
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.stimulus.render import render
from yoked.experiments.stimulus.sources import noise_source

FOLDER = Path(__file__).parent / "protocols"
SEED = 4
HEIGHT = 1.5  # inches, of a field


def trial(protocol: Protocol, contrast: float, target: int = 1) -> np.ndarray:
    """Give the frames of one trial, (interval, frame, y, x)."""
    table = {
        "stimulus_id": [1_000_000_000],  # of practice, where seeds were published
        "contrast": [contrast],
        "target": [target],
        "block_kind": ["main"],
    }
    source = noise_source(protocol.noise.source, protocol, SEED)
    return render(protocol, source, table)[0]


def draw(protocol: Protocol) -> None:
    """Write what a trial shows: intervals in order, frames of a movie below."""
    contrast = max(protocol.contrast.values)
    frames = trial(protocol, contrast)
    signal = frames[-1].astype(int) - trial(protocol, 0.0)[-1]
    by = 100 / np.abs(signal).max()
    n_intervals, n_frames = frames.shape[:2]
    ratio = frames.shape[3] / frames.shape[2]
    shown = [0, n_frames // 2, n_frames - 1] if n_frames > 1 else [0]
    size = ((n_intervals + 1) * HEIGHT * min(ratio, 2) + 0.2, len(shown) * HEIGHT + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(shown), n_intervals + 1, squeeze=False)
    titles = [f"interval {k + 1}" for k in range(n_intervals)]
    titles = ["what is seen"] if n_intervals == 1 else titles
    titles[-1] += " (target)"
    titles += [f"the signal, × {by:.0f}" if by >= 1.5 else "the signal"]
    for row, frame in enumerate(shown):
        columns = [*frames[:, frame], 128 + by * signal[frame]]
        for k, pixels in enumerate(columns):
            axis = axes[row, k]
            axis.imshow(pixels, cmap="gray", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
            if row == 0:
                axis.set_title(titles[k], fontsize=8)
            if n_frames > 1 and k == 0:
                axis.set_ylabel(f"frame {frame + 1}", fontsize=8)
    figure.savefig(FOLDER / f"{protocol.name}.png", dpi=110)


def main() -> None:
    """Draw all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name in protocol_names():
        draw(load_protocol(name))


if __name__ == "__main__":
    main()

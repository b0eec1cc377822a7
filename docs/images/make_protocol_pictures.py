"""Draw a trial of every shipped protocol, and its signal alone, for docs/protocols.md.

.venv/bin/python docs/images/make_protocol_pictures.py
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from yoked.experiments.protocols.files import load_protocol, protocol_names
from yoked.experiments.protocols.protocol import Protocol
from yoked.experiments.stimulus.render import render
from yoked.experiments.stimulus.scene_frames import in_turn
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
        **in_turn(protocol, 1),
    }
    source = noise_source(protocol.noise.generator, protocol, SEED)
    return render(protocol, source, table)[0]


def shown(protocol: Protocol) -> list[tuple[str, list[np.ndarray]]]:
    """Give the rows of a picture: a label, and the intervals and the signal."""
    if protocol.conditions:
        named = (
            (each.name, protocol.of_condition(each.name))
            for each in protocol.conditions
        )
        return [(name, shown(own)[0][1]) for name, own in named]
    frames = trial(protocol, max(protocol.contrast.values))
    signal = frames[-1].astype(int) - trial(protocol, 0.0)[-1]
    n = len(frames[0])
    some = [0, n // 2, n - 1] if n > 1 else [0]
    labels = [f"frame {frame + 1}" if n > 1 else "" for frame in some]
    if protocol.cue.kind:
        some, labels = [0, protocol.n_before], ["the cue", "then"]
    rows = [[*frames[:, frame], signal[frame]] for frame in some]
    return list(zip(labels, rows, strict=True))


def draw(protocol: Protocol) -> None:
    """Write what a trial shows, a row a condition, or some frames of a movie."""
    rows = shown(protocol)
    by = 100 / max(np.abs(row[-1]).max() for _, row in rows)
    n_intervals = len(rows[0][1]) - 1
    height, width = rows[0][1][0].shape
    size = (n_intervals + 1) * HEIGHT * min(width / height, 2) + 0.2, len(rows) * HEIGHT
    figure = Figure(figsize=(size[0], size[1] + 0.3), layout="constrained")
    axes = figure.subplots(len(rows), n_intervals + 1, squeeze=False)
    titles = [f"interval {k + 1}" for k in range(n_intervals)]
    titles = ["what is seen"] if n_intervals == 1 else titles
    titles[-1] += " (target)"
    titles += [f"the signal, × {by:.0f}" if by >= 1.5 else "the signal"]
    for k, (label, (*frames, signal)) in enumerate(rows):
        for axis, pixels in zip(axes[k], [*frames, 128 + by * signal], strict=True):
            axis.imshow(pixels, cmap="gray", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
        axes[k, 0].set_ylabel(label, fontsize=8)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=8)
    figure.savefig(FOLDER / f"{protocol.name}.png", dpi=110)


def main() -> None:
    """Draw all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name in protocol_names():
        draw(load_protocol(name))


if __name__ == "__main__":
    main()

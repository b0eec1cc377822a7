"""Draw the README's picture from the trial log of `yoked demo`.

.venv/bin/python docs/images/make_picture.py demo/results.db
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import yoked
from yoked.analysis.kernels.weighted_sum import session_kernel
from yoked.experiments.stimulus.render import render
from yoked.experiments.store.sqlite import open_store


def main(db: str) -> None:
    """Write trial-and-kernels.png beside this file."""
    store = open_store(db, create=False)
    rows = [row for row in store.sessions() if row.protocol_name == "disk-polarity"]
    store.close()
    sessions = [yoked.load_session(db, row.id) for row in rows]
    shown = {session.observer: session for session in sessions}
    human = sessions[0]
    trial = human.trials[human.trials["contrast"] > 0.24].iloc[[0]]
    frames = render(human.protocol, human.noise, trial)[0]
    names = [human.observer, "template", "retina-cnn"]
    kernels = [session_kernel(shown[name]).kernel[0] for name in names]
    limit = max(np.abs(kernel).max() for kernel in kernels)

    figure = Figure(figsize=(10, 2.35), layout="constrained")
    axes = figure.subplots(1, 5, width_ratios=[1, 1, 1, 1, 1])
    target = int(trial["target"].iloc[0])
    for k in (0, 1):
        axes[k].imshow(frames[k, 0], cmap="gray", vmin=0, vmax=255)
        mark = " (target)" if k == target else ""
        axes[k].set_title(f"interval {k + 1}{mark}", fontsize=9)
    titles = ["a person's kernel", "the ideal template's", "a network's"]
    for axis, kernel, title in zip(axes[2:], kernels, titles, strict=True):
        axis.imshow(kernel, cmap="PuOr_r", vmin=-limit, vmax=limit)
        axis.set_title(title, fontsize=9)
    for axis in axes:
        axis.set(xticks=[], yticks=[])
    figure.savefig(Path(__file__).parent / "trial-and-kernels.png", dpi=140)


if __name__ == "__main__":
    main(sys.argv[1])

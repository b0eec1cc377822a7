"""Draw the two pictures of docs/retina.md, and print the figures that it quotes.

.venv/bin/python docs/images/make_retina_pictures.py
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from yoked.models.retina.cell_types import PRIMATE
from yoked.models.retina.gratings import (
    DifferenceOfGaussians,
    Grating,
    Harmonics,
    ganglion_rates,
    grating_responses,
    middle,
)
from yoked.models.retina.signatures import (
    motion_reversal,
    omitted_stimulus,
    polarity_changes,
)
from yoked.models.retina.staged import StagedRetina, StagedRetinaConfig

HERE = Path(__file__).parent
QUIET = StagedRetinaConfig(noise="none", tail_ms=0.0)
COLOURS = {
    "on_midget": "tab:orange",
    "off_midget": "tab:brown",
    "on_parasol": "tab:cyan",
    "off_parasol": "tab:blue",
}
LABELS = {name: name.replace("_", " ").replace("on", "ON", 1) for name in COLOURS}
LABELS |= {name: name.replace("off_", "OFF ") for name in COLOURS if "off" in name}
LABELS |= {"on_parasol": "ON parasol"}


def retina_of_movies(step_ms: float, deg: float = 0.02, n: int = 121) -> StagedRetina:
    """Make one in which a frame is a step."""
    config = replace(QUIET, step_ms=step_ms)
    return StagedRetina(config, deg, (n, n), step_ms)


def swept(
    grating: Grating, over: str, values: list[float]
) -> dict[str, list[Harmonics]]:
    """Give every type's harmonics while one of a grating's properties changes."""
    found: dict[str, list[Harmonics]] = {name: [] for name in COLOURS}
    for value in values:
        shown = replace(grating, **{over: value})
        step_ms = 1000 / shown.hertz / round(1000 / shown.hertz / 5)
        for name, one in grating_responses(retina_of_movies(step_ms), shown).items():
            found[name].append(one)
    return found


def stages() -> None:
    """Draw what a spot of 100 ms does in every stage."""
    retina = StagedRetina(
        replace(QUIET, step_ms=2.0, tail_ms=150.0), 0.02, (61, 61), 100
    )
    spot = torch.zeros(1, 1, 61, 61)
    spot[..., 25:36, 25:36] = 0.4
    found: dict[str, np.ndarray] = {}
    for name, stage in retina.named_modules():
        if name.count(".") == 1 or name == "photoreceptor":
            stage.register_forward_hook(
                lambda _stage, _inputs, out, name=name: found.update(
                    {name: middle(out).numpy()}
                )
            )
    with torch.no_grad():
        retina(spot)
    ms = (np.arange(retina.n_steps(1)) + 0.5) * 2.0
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    axes = figure.subplots(2, 3, sharex=True)
    axes[0, 0].plot(ms, found["photoreceptor"], "k")
    axes[0, 0].set_title("photoreceptor, in the spot", fontsize=9)
    for name, style in (("midget", "-"), ("parasol", "--")):
        axes[0, 1].plot(ms, found[f"horizontal.{name}"], f"k{style}", label=name)
    axes[0, 1].set_title("horizontal cells", fontsize=9)
    axes[0, 1].legend(fontsize=7)
    for axis, stage in zip(
        (axes[0, 2], axes[1, 0], axes[1, 1], axes[1, 2]),
        ("bipolar", "amacrine", "synapse", "ganglion"),
        strict=True,
    ):
        for name, colour in COLOURS.items():
            axis.plot(ms, found[f"{stage}.{name}"], color=colour, label=LABELS[name])
        unit = "spikes/s" if stage == "ganglion" else "contrast"
        axis.set_title(f"{stage} ({unit})", fontsize=9)
    axes[1, 2].legend(fontsize=7, loc="upper left", framealpha=0.6)
    for axis in axes.flat:
        axis.axvspan(0, 100, color="0.92", zorder=0)
        axis.tick_params(labelsize=7)
    for axis in axes[1]:
        axis.set_xlabel("ms from onset", fontsize=8)
    figure.savefig(HERE / "retina-stages.png", dpi=110)


def physiology() -> None:
    """Draw responses to gratings: size, subunits, contrast, frequency."""
    figure = Figure(figsize=(10, 6.2), layout="constrained")
    (size, subunits), (contrast, frequency) = figure.subplots(2, 2)
    _receptive_fields(size)
    _subunits(subunits)
    values = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0]
    for sf, names in ((1.0, ("on_parasol", "off_parasol")), (3.0, list(COLOURS)[:2])):
        found = swept(Grating(sf, 4.0, 0.1), "contrast", values)
        for name in names:
            amplitudes = [one.first for one in found[name]]
            contrast.plot(values, amplitudes, "o-", color=COLOURS[name], ms=3)
            turn = found[name][5].phase_deg - found[name][1].phase_deg
            print(
                name,
                f"contrast gain at .02: {amplitudes[1] / 0.02:.0f}, at .32:",
                f"{amplitudes[5] / 0.32:.0f} spikes/s; phase {turn:+.0f} degrees",
                f"mean {found[name][0].mean:.0f} to {found[name][-1].mean:.0f}",
            )
    contrast.set(xlabel="contrast", ylabel="F1 (spikes/s)")
    contrast.set_title("drifting at 4 Hz, each at its best frequency", fontsize=9)
    hertz = [1.0, 2.0, 4.0, 8.0, 12.5, 16.0, 25.0, 40.0]
    for level, style in ((0.02, "-"), (0.32, "--")):
        found = swept(Grating(1.0, 4.0, level), "hertz", hertz)
        for name in ("on_midget", "on_parasol"):
            gains = [one.first / level for one in found[name]]
            label = f"{LABELS[name]}, contrast {level}"
            frequency.plot(hertz, gains, style, color=COLOURS[name], label=label)
            print(name, level, "gain by Hz", [round(gain) for gain in gains])
    frequency.set(xlabel="Hz", ylabel="F1 / contrast", xscale="log", yscale="log")
    frequency.set_title("drifting at 1 cycle/degree", fontsize=9)
    frequency.legend(fontsize=7)
    for axis in (size, subunits, contrast, frequency):
        axis.tick_params(labelsize=7)
        axis.xaxis.label.set_size(8)
        axis.yaxis.label.set_size(8)
    figure.savefig(HERE / "retina-physiology.png", dpi=110)


def _receptive_fields(axis: Axes) -> None:
    sf = [0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0]
    fine = np.geomspace(0.1, 14, 100).tolist()
    retina = retina_of_movies(12.5, deg=0.01, n=241)
    found = [grating_responses(retina, Grating(one, 2.0, 0.01)) for one in sf]
    for name, colour in COLOURS.items():
        amplitudes = [one[name].first for one in found]
        n = 8 if "parasol" in name else len(sf)
        cell = DifferenceOfGaussians.fitted(sf[:n], amplitudes[:n])
        print(name, cell)
        axis.plot(sf, np.array(amplitudes) * 100, "o", color=colour, ms=3)
        axis.plot(fine, cell.at(fine) * 100, color=colour, lw=1, label=LABELS[name])
    axis.set(xlabel="cycles/degree", ylabel="F1 / contrast", xscale="log", yscale="log")
    axis.set_ylim(1, 400)
    axis.set_title("drifting at 2 Hz, contrast .01; lines: fitted", fontsize=9)
    axis.legend(fontsize=7)


def _subunits(axis: Axes) -> None:
    sf = [0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0]
    found = {
        phase: swept(Grating(1.0, 4.0, 0.5, phase, True), "cycles_per_deg", sf)
        for phase in (0.0, np.pi / 2)
    }
    for name in ("on_midget", "off_parasol"):
        first = [one.first for one in found[np.pi / 2][name]]
        second = [one.second for one in found[0.0][name]]
        colour, label = COLOURS[name], LABELS[name]
        axis.plot(sf, first, color=colour, label=f"{label}: F1, best phase")
        axis.plot(sf, second, "--", color=colour, label=f"{label}: F2, null phase")
    for name in COLOURS:
        null, best = found[0.0][name][7], found[np.pi / 2][name][7]
        print(
            name,
            f"reversing, 6 c/deg: null F1 {null.first:.2f} F2 {null.second:.2f},",
            f"best F1 {best.first:.2f} F2 {best.second:.2f}",
        )
    axis.set(xlabel="cycles/degree", ylabel="spikes/s", xscale="log")
    axis.set_title("reversing at 4 Hz, contrast .5", fontsize=9)
    axis.legend(fontsize=7)


def surprises() -> None:
    """Print signatures and what adaptation leaves of the mean's influence."""
    for period in (60.0, 80.0, 100.0, 120.0, 160.0):
        one = omitted_stimulus(period)["off_parasol"]
        print(f"omission, {period} ms: ratio {one.ratio:.2f}, {one.delay_ms} ms late")
    for speed in (2.0, 4.0, 8.0):
        for name, one in motion_reversal(speed).items():
            print(
                f"turn, {speed} deg/s, {name}: {one.ratio:.2f}, {one.apart_ms:.0f} ms"
            )
    print("polarity changes", polarity_changes())
    for luminance in (5.0, 50.0, 500.0):
        config = replace(QUIET, luminance_cd_m2=luminance, tail_ms=60.0)
        retina = StagedRetina(config, 0.04, (31, 31), 100.0)
        spot = torch.zeros(1, 1, 31, 31)
        spot[..., 13:18, 13:18] = 0.2
        with torch.no_grad():
            cells = {n: middle(r) for n, r in ganglion_rates(retina, spot).items()}
        peaks = {n: f"{(r - r[0]).abs().max():.1f}" for n, r in cells.items()}
        print(luminance, "cd/m2: response to .2", peaks)


if __name__ == "__main__":
    assert [one.name for one in PRIMATE] == list(COLOURS)
    stages()
    physiology()
    surprises()

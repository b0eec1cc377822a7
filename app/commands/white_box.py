"""Kernels of a model from its gradients."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from ..figures import check_plot_name, write_figure
from ..options import OUTPUT_FILE, decision_options
from ..output import Row, output
from ..progress import progress
from .simulate import as_option

FORMAT = "yoked-white-box/1"  # of the plain form, which docs/json.md describes


def _brief(row: Row) -> Row:
    """Leave the arrays to JSON."""
    kept = {name: value for name, value in row.items() if name not in ("one", "two")}
    layer: Any = kept.pop("layer")
    units = () if layer is None else layer.units
    return {**kept, "layer": layer and layer.layer, "units": len(units) or None}


@click.command()
@click.argument("protocol")
@click.argument("observer")
@click.option("-o", "--output", "path", type=OUTPUT_FILE, help="The picture, if any.")
@click.option(
    "--order",
    type=click.IntRange(1, 2),
    default=1,
    show_default=True,
    help="1: mean gradients. 2: mean Hessians too, which the picture then shows.",
)
@click.option(
    "--trials",
    type=click.IntRange(100),
    default=4096,
    show_default=True,
    help="Trials to average over.",
)
@click.option(
    "--contrast",
    type=click.FloatRange(0, 1),
    help="Contrast of the signal, instead of the protocol's median.",
)
@decision_options()
@click.option("--layer", help="Also kernels of this module of the network's.")
@click.option(
    "--unit",
    help="Of the layer: 17 is channel 17 at the middle, 17,4,4 exactly there; not "
    "given, every channel at the middle, up to 64.",
)
@click.option(
    "--pixels",
    is_flag=True,
    help="Let the layer's noise be independent in every pixel.",
)
@click.option("--signal", is_flag=True, help="Show the layer the signal too.")
@click.option(
    "--option",
    "options",
    metavar="NAME=VALUE",
    multiple=True,
    help="What the observer can be told, such as seed=2; may be repeated.",
)
@click.option(
    "--batch",
    type=click.IntRange(2),
    default=32,
    show_default=True,
    help="Trials in the network at once; the fewer, the less memory.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the noise."
)
@output(_brief)
def white_box(
    protocol: str,
    observer: str,
    path: Path | None,
    order: int,
    trials: int,
    contrast: float | None,
    internal_noise: float,
    criterion: float | None,
    layer: str | None,
    unit: str | None,
    pixels: bool,
    signal: bool,
    options: tuple[str, ...],
    batch: int,
    seed: int,
) -> Row:
    """Compute a model's kernels from its gradients, also those of any layer.

    They are what `yoked analyse` estimates from its responses, in the same units, from
    a twentieth of the trials. With --layer, kernels of the units of that layer too.

    \b
    Examples:
        yoked white-box bar-in-noise energy --contrast 0.3 --order 2 -o kernels.svg
        yoked white-box bar-in-noise energy --layer 0 -o filters.svg
    """
    from ...analysis.plot import figure
    from ...experiments.protocols.files import load_protocol
    from ...models.registry import load
    from ...models.white_box.kernels import white_box as kernels_of

    if path is not None:
        check_plot_name(path)
    task = load_protocol(protocol)
    model = load(observer, **dict(map(as_option, options)))
    with progress(model.name) as update:
        found = kernels_of(
            task,
            model,
            orders=order,
            trials=trials,
            contrast=contrast,
            internal_noise=internal_noise,
            criterion=criterion,
            layer=layer,
            unit=unit,
            grid="pixels" if pixels else "elements",
            with_signal=signal,
            seed=seed,
            batch=batch,
            progress=update,
        )
    if path is not None:
        write_figure(path, figure.white_box(found, order))
    parts = {each.name: getattr(found, each.name) for each in fields(found)}
    return {"format": FORMAT, **parts, "picture": None if path is None else str(path)}

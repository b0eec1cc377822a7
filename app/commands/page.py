"""A page that runs a protocol without our server."""

from pathlib import Path

import click

from ..options import variant_options
from ..output import Row, output


@click.command()
@click.argument("protocol")
@click.option(
    "-o",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder to write; new or empty.",
)
@variant_options(has_seed=False)
@click.option(
    "--lut",
    type=click.Choice(["srgb", "identity"]),
    default="srgb",
    show_default=True,
    help="Of the screens: ordinary, or linear.",
)
@click.option(
    "--language", default="en", show_default=True, help="Of instructions and buttons."
)
@output()
def page(
    protocol: str,
    folder: Path,
    trials: int | None,
    contrast: float | None,
    lut: str,
    language: str,
) -> Row:
    """Write a jsPsych page that runs a protocol without our server.

    The page makes the noise from a seed of its own and scores the responses; it can be
    changed, and put on any web server. Its data come back with `yoked import page`.
    Calibration falls away: the contrast is the protocol's, or --contrast.

    \b
    Example:
        yoked page bar-in-noise -o bars/
    """
    from ...experiments.protocols.files import load_protocol
    from ..web.page import page_protocol, write_page

    asked = load_protocol(protocol)
    variant = page_protocol(asked.with_options(trials=trials, contrast=contrast))
    write_page(variant, folder, lut, language)
    return {
        "folder": str(folder),
        "protocol": variant.name,
        "hash": variant.hash,
        "stimulus_hash": variant.stimulus_hash,
        "main_trials": variant.n_main_trials,
        "contrasts": list(variant.contrast.values),
    }

"""Single plots, for papers and slides."""

from pathlib import Path

import click

from ..figures import check_plot_name, write_figure
from ..options import DATABASE, OUTPUT_FILE
from .analyse import to_analyse
from .trials import opened

# Functions of `analysis.plot.figure`; there `second-order` is `second_order`.
PLOTS = (
    "measures",
    "course",
    "roc",
    "psychometric",
    "kernels",
    "second-order",
    "spectra",
    "agreement",
    "depth",
    "equivalent-noise",
)


@click.command()
@click.argument("db", type=DATABASE)
@click.argument("what", type=click.Choice(PLOTS))
@click.argument("chosen", nargs=-1, metavar="[SESSION]...")
@click.option(
    "-o",
    "--output",
    "path",
    type=OUTPUT_FILE,
    help="The picture; WHAT.svg if not given.",
)
@click.option(
    "--method",
    type=click.Choice(["fitted", "weighted_sum", "optimal", "whitened"]),
    default="fitted",
    show_default=True,
    help="How first-order kernels are estimated.",
)
@click.option(
    "--unfinished", is_flag=True, help="Also take sessions that are not finished."
)
def plot(
    db: Path,
    what: str,
    chosen: tuple[str, ...],
    path: Path | None,
    method: str,
    unfinished: bool,
) -> None:
    """Write one plot as SVG, PNG or PDF.

    Of every finished session, or of those named. Sessions on one picture must have the
    same stimuli; SESSION/CONDITION is one condition. `agreement` and `depth` compare
    sessions that share trials.

    \b
    Example:
        yoked plot results.db kernels -o kernels.svg
        yoked plot results.db depth -o depth.png
    """
    from ...analysis.plot import figure
    from ...experiments.session.results import session_data

    path = path or Path(f"{what}.svg")
    check_plot_name(path)
    with opened(db) as store:
        names = to_analyse(store, chosen, unfinished, split=True)
        sessions = [session_data(store, name) for name in names]
    if not sessions:
        raise ValueError(f"{str(db)!r} must hold a finished session, got none")
    draw = getattr(figure, what.replace("-", "_"))
    options = {"method": method} if what == "kernels" else {}
    write_figure(path, draw(sessions, **options))
    click.echo(f"Wrote {path}.", err=True)

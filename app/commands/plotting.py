"""Single plots, for papers and slides."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..files import whole_file
from ..options import DATABASE, OUTPUT_FILE
from .analyse import to_analyse
from .trials import opened

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
)
FORMATS = (".svg", ".png", ".pdf")


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
    same stimuli. `agreement` and `depth` compare sessions with the one that they are
    yoked to.

    \b
    Example:
        yoked plot results.db kernels -o kernels.svg
        yoked plot results.db depth -o depth.png
    """
    from ...analysis.plot import figure
    from ...experiments.session.results import session_data

    path = path or Path(f"{what}.svg")
    require_format(path)
    with opened(db) as store:
        names = to_analyse(store, chosen, unfinished)
        sessions = [session_data(store, name) for name in names]
    if not sessions:
        raise ValueError(f"{str(db)!r} must hold a finished session, got none")
    draw = getattr(figure, what.replace("-", "_"))
    options = {"method": method} if what == "kernels" else {}
    write_figure(draw(sessions, **options), path)
    click.echo(f"Wrote {path}.", err=True)


def require_format(path: Path) -> None:
    """Raise ValueError if a picture cannot be written under this name."""
    if path.suffix not in FORMATS:
        rule = f"a name that ends in {', '.join(FORMATS)}"
        raise ValueError(f"--output must be {rule}, got {str(path)!r}")


def write_figure(figure: "Figure", path: Path) -> None:
    """Write a picture in the format of its name; the same data give the same file."""
    metadata = (
        {}
        if path.suffix == ".png"
        else {"Date" if path.suffix == ".svg" else "CreationDate": None}
    )
    import matplotlib

    # Without a salt, names within an SVG are drawn at random.
    salt: Any = {"svg.hashsalt": "yoked"}
    with matplotlib.rc_context(salt), whole_file(path, "wb") as file:
        figure.savefig(file, format=path.suffix[1:], dpi=200, metadata=metadata)

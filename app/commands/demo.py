"""The whole platform once."""

import sys
from pathlib import Path

import click

from ..progress import progress


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Where trial log and report go.",
)
@click.option("--no-serve", is_flag=True, help="End after the report.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port of the study; 0 takes any that is free.",
)
@click.option(
    "--trials", type=click.IntRange(1), default=200, show_default=True,
    help="Main trials of your own session.",
)  # fmt: skip
def demo(folder: Path, no_serve: bool, port: int, trials: int) -> None:
    """Run people and models side by side, then take part yourself.

    Imports a published human observer, lets template, guesser and retina-cnn take part
    on bar-in-noise and on that human's own trials, writes the report, and serves the
    study on this machine. What is done already is not done again.

    \b
    Example:
        yoked demo --no-serve
    """
    from ..demo import PROTOCOL, ReportKeeper, run_demo

    def say(sentence: str) -> None:
        click.echo(sentence, err=True)

    places = run_demo(folder, say, progress)
    if no_serve or not sys.stdin.isatty():
        return
    from ...experiments.protocols.files import load_protocol
    from ..hosting.logs import log_to_stderr
    from ..hosting.settings import Settings
    from ..web.serving import serve

    protocol = load_protocol(PROTOCOL).with_options(trials=trials)
    keeper = ReportKeeper(places, say)
    keeper.start()
    log_to_stderr(Settings.log_level)
    try:
        serve(
            places.db,
            protocol,
            Settings(port=port),
            announce=lambda url: say(f"Take part yourself at {url} (Ctrl-C ends it)."),
        )
    finally:
        keeper.stop()

"""A protocol to begin with."""

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--like",
    metavar="PROTOCOL",
    help="Copy this shipped protocol instead of the skeleton.",
)
def new(file: Path, like: str | None) -> None:
    """Write a protocol file to change: a commented skeleton, or a shipped one.

    It runs as it is, named as the file. A file that exists is left alone.

    \b
    Examples:
        yoked new my-task.toml
        yoked new my-task.toml --like gabor-in-noise
    """
    from ...experiments.protocols.files import protocol_text, skeleton_text
    from ..files import write_text

    if file.suffix != ".toml":
        raise click.UsageError(f"FILE must end in .toml, got {str(file)!r}")
    if file.exists():
        raise FileExistsError(f"{str(file)!r} must be new, got a file that exists")
    text = skeleton_text(file.stem) if like is None else protocol_text(like, file.stem)
    write_text(file, text)
    click.echo(f"Look at it with: yoked preview {file} -o trial.png", err=True)

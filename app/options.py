"""Kinds of arguments that several commands share."""

from pathlib import Path

import click

DATABASE = click.Path(dir_okay=False, path_type=Path)
OUTPUT_FILE = click.Path(dir_okay=False, path_type=Path)
SEED = click.IntRange(0, 2**63 - 1)  # and of stimulus ids: the contract's range

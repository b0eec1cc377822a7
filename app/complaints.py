"""What a command says when it cannot go on: one sentence instead of a traceback."""

import errno
import os

import click

# The package whose absence an ImportError reports: what people call it, and our extra.
EXTRAS = {
    "torch": ("PyTorch", "models"),
    "safetensors": ("safetensors", "models"),
    "matplotlib": ("Matplotlib", "plot"),
    "PIL": ("Pillow", "plot"),
    "psychopy": ("PsychoPy", "lab"),
    "pyarrow": ("pyarrow", "data"),
    "rdata": ("rdata", "data"),
    "psignifit": ("psignifit", "psignifit"),
    "sklearn": ("scikit-learn", "brain"),
    "rsatoolbox": ("rsatoolbox", "brain"),
    "xarray": ("xarray", "brain"),
    "h5netcdf": ("h5netcdf", "brain"),
    "foolbox": ("foolbox", "attacks"),
    "imagecorruptions": ("imagecorruptions-imaug", "attacks"),
}
AGAIN = "run the same command again"
FULL_DISK = f"the disk is full: {{}}; free some space and {AGAIN}"


def one_line(error: Exception) -> str | None:
    """Return what to tell the user about an error, or None if it is not foreseen.

    A value out of range, an unknown name, a file or database that cannot be read or
    written and a missing extra are foreseen. Anything else is a mistake of ours, and
    its traceback is worth more than a sentence.

    Examples
    --------
    >>> one_line(ValueError("contrast must be >= 0, got -1"))
    'contrast must be >= 0, got -1'
    >>> one_line(KeyError("contrast")) is None
    True
    """
    sentence = _sentence(error)
    if sentence is None:
        return None
    for note in getattr(error, "__notes__", ()):  # whoever wrote it knows a better way
        has_way = AGAIN in sentence
        sentence = sentence.replace(AGAIN, note) if has_way else f"{sentence}; {note}"
    return sentence


def _sentence(error: Exception) -> str | None:
    if isinstance(error, OSError):
        return about_file(error)
    if type(error).__module__ == "sqlite3":
        return about_database(str(error))
    if isinstance(error, ModuleNotFoundError):
        return about_extra(error)
    foreseen = isinstance(error, ValueError | LookupError)
    if not foreseen or isinstance(error, KeyError | IndexError):
        return None
    return str(error)  # of a bad protocol: one line a fault


def about_file(error: OSError) -> str | None:
    """Return the sentence about a file, port or disk; None for a closed pipe."""
    if error.errno == errno.EPIPE:  # `yoked export | head`: click ends this quietly
        return None
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return FULL_DISK.format(error.filename or os.strerror(error.errno))
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{os.fsdecode(error.filename)}: {error.strerror.lower()}"


def about_database(message: str) -> str:
    """Return the sentence about what SQLite refused."""
    if "disk is full" in message:
        return FULL_DISK.format(message)
    if "malformed" in message or "not a database" in message:
        return f"the database is damaged or not a database of ours: {message}"
    if "locked" in message:
        return "the database is in use by another program; close it and try again"
    return f"the database refused: {message}"


def about_extra(error: ModuleNotFoundError) -> str | None:
    """Return the sentence about an optional package that is not installed."""
    if "pip install" in str(error):  # it says already who needs what
        return str(error)
    package = (error.name or "").split(".")[0]
    if package not in EXTRAS:
        return None
    name, extra = EXTRAS[package]
    command = click.get_current_context().invoked_subcommand
    return f'yoked {command} needs {name}: pip install "yoked[{extra}]"'

"""Foreseen errors become a sentence; mistakes of ours keep their traceback."""

import errno
import sqlite3

import click
import pytest

from yoked.app.complaints import one_line
from yoked.experiments.protocols.checks import ProtocolError


def test_every_fault_of_a_protocol_gets_its_line():
    faults = [
        "noise.sd must be in (0, 1], got 3",
        "task.kind must be one of a, b, got c",
    ]
    assert one_line(ProtocolError(faults)) == "\n".join(faults)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (LookupError("no observer named 'x'"), "no observer named 'x'"),
        (
            ModuleNotFoundError("timm:a needs timm: pip install timm", name="timm"),
            "timm:a needs timm",
        ),
        (FileNotFoundError(2, "No such file", "a.db"), "a.db: no such file"),
        (FileNotFoundError("a.db must exist"), "a.db must exist"),
        (sqlite3.OperationalError("database is locked"), "in use by another program"),
        (sqlite3.OperationalError("database or disk is full"), "the disk is full"),
        (sqlite3.DatabaseError("file is not a database"), "not a database of ours"),
        (sqlite3.DatabaseError("disk image is malformed"), "damaged"),
        (OSError(errno.ENOSPC, "No space left on device", "out.csv"), "out.csv"),
        (OSError(errno.EFBIG, "File too large"), "the disk is full"),
        (OverflowError("Python int too large to convert to SQLite INTEGER"), None),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), None),
        (KeyError("contrast"), None),
        (IndexError("list index out of range"), None),
        (TypeError("unsupported operand"), None),
        (ModuleNotFoundError("No module named 'x'", name="x"), None),
    ],
)
def test_one_line_for_what_a_user_can_act_on(error, sentence):
    if sentence is None:
        assert one_line(error) is None
    else:
        assert sentence in one_line(error)


def test_a_missing_extra_names_the_command_and_what_to_install():
    context = click.Context(click.Command("yoked"))
    context.invoked_subcommand = "preview"
    with context:
        missing = one_line(ModuleNotFoundError("No module named 'PIL'", name="PIL"))
    assert missing == 'yoked preview needs Pillow: pip install "yoked[plot]"'


def test_a_missing_extra_is_not_explained_twice():
    message = 'retina-cnn needs PyTorch: pip install "yoked[models]"'
    assert one_line(ModuleNotFoundError(message, name="torch")) == message

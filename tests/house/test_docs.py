"""The words around the code: help, examples and README agree with what there is."""

import doctest
import importlib
import inspect
import warnings
from functools import cache

import click
import pytest

import yoked
from tests import ROOT
from yoked.app.cli import COMMANDS, cli
from yoked.experiments.protocols.files import protocol_names
from yoked.models import registry

NEEDS_AN_EXTRA = {"psychopy"}  # not installed by make


@cache
def pages() -> str:
    """Return the README and what was written of docs/ as one text."""
    files = {ROOT / "README.md", *(ROOT / "docs").rglob("*.md")}
    made = {ROOT / "docs" / "api.md"}  # it has every name: no proof that one is told of
    return "\n".join(file.read_text() for file in sorted(files - made))


def all_commands() -> dict[str, click.Command]:
    """Return every command by its full name: "simulate", "import murray2015"."""
    context = click.Context(cli)
    commands = {}
    for name in COMMANDS:
        command = cli.get_command(context, name)
        commands[name] = command
        if isinstance(command, click.Group):
            children = command.commands.items()
            commands |= {f"{name} {child}": found for child, found in children}
    return commands


COMMANDS_BY_NAME = all_commands()
MODULES = sorted(
    ".".join(("yoked", *path.relative_to(ROOT).with_suffix("").parts))
    for room in ("analysis", "app", "experiments", "models")
    for path in (ROOT / room).rglob("*.py")
    if path.name != "__init__.py"
)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_command_says(name):
    assert COMMANDS_BY_NAME[name].help.splitlines()[0] == COMMANDS[name][1]


@pytest.mark.parametrize("name", COMMANDS_BY_NAME)
def test_every_command_ends_with_an_example(name):
    command = COMMANDS_BY_NAME[name]
    *_, example = command.help.split("\b\n")
    assert f"yoked {name}" in example, "end the docstring with \\b and an example"


@pytest.mark.parametrize("name", COMMANDS_BY_NAME)
def test_every_option_has_help(name):
    options = [p for p in COMMANDS_BY_NAME[name].params if isinstance(p, click.Option)]
    assert not [option.name for option in options if not option.help]


@pytest.mark.parametrize("name", COMMANDS_BY_NAME)
def test_every_command_is_in_the_readme_or_the_docs(name):
    assert f"yoked {name}" in pages()


@pytest.mark.parametrize("name", yoked.__all__)
def test_every_public_name_has_an_example(name):
    doc = inspect.getdoc(getattr(yoked, name)) or ""
    assert doc, f"yoked.{name} needs a docstring"
    assert "Examples\n---" in doc or f"yoked.{name}" in pages()


@pytest.mark.parametrize("name", MODULES)
def test_every_example_in_a_docstring_runs(name, monkeypatch):
    # What an example registers is not there for the tests that follow.
    monkeypatch.setattr(registry, "_registered", {})
    try:
        with warnings.catch_warnings():  # of what PsychoPy itself is made of
            warnings.simplefilter("ignore")
            module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in NEEDS_AN_EXTRA:
            raise
        pytest.skip(f"{name} needs {error.name}, which is an extra")
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(module, optionflags=flags).failed == 0


@pytest.mark.parametrize("name", protocol_names())
def test_every_shipped_protocol_has_its_picture_in_the_docs(name):
    picture = f"images/protocols/{name}.png"
    assert f"![{name}]({picture})" in (ROOT / "docs/protocols.md").read_text()
    assert (ROOT / "docs" / picture).read_bytes().startswith(b"\x89PNG")

"""Everything that is built can be reached: by a command, a page or a public name."""

from collections.abc import Collection
from pathlib import Path

import pytest

from tests import ROOT

from .definitions import House
from .reach import Walk, named_in_docs, roots, unreached

WITH_RATES_HELD = "the table of errors in print; plans take the information of a pair"
# Nobody can reach these yet, nor what they alone use.
EXEMPT = {
    "analysis/kernels/closed_forms.py:gamma_standard_error": WITH_RATES_HELD,
}


@pytest.fixture(scope="module")
def house() -> House:
    """Return what this checkout defines."""
    return House(ROOT)


def listed(house: House, exempt: Collection[str] = ()) -> dict[str, int]:
    """Return what is neither reached nor exempt, with how many lines it has.

    What is exempt reaches what it uses, and a class its methods.
    """
    uses = roots(house)
    for each in house.definitions.values():
        if {each.label, each.label.rpartition(".")[0]} & set(exempt):
            uses.names.add(each.name)
    reached = Walk(house).start(uses).reached
    return {each.label: each.lines for each in unreached(house, reached)}


def test_everything_that_is_built_can_be_reached(house):
    found = listed(house, EXEMPT)
    table = "\n".join(f"{lines:5} {label}" for label, lines in found.items())
    assert not found, f"tests alone reach {sum(found.values())} lines:\n{table}"


def test_what_is_exempt_is_there_and_not_reached(house):
    assert not EXEMPT.keys() - listed(house).keys(), "gone, or reached: exempt no more"


def test_what_the_docs_import_by_its_path_is_printed(house):
    """The face does not have it; `pytest -rP` shows the list."""
    reached = Walk(house).start(roots(house)).reached
    for name in sorted(named_in_docs(house)):
        alone = "" if name in reached else ", and nothing else reaches it"
        print(f"named in the docs by its path: {house.definitions[name].label}{alone}")


def made_up(root: Path, **files: str) -> set[str]:
    """Write a house, its files by `house__module`; return the names not reached."""
    start = "from yoked.app.cli import cli\n\n\ndef main():\n    cli()\n\n\nmain()\n"
    for name, text in {"yoked____main__": start, "app__cli": "", **files}.items():
        path = root / (name.replace("__", "/", 1) + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {label.partition(":")[2] for label in listed(House(root))}


def test_a_test_an_import_and_an_example_reach_nothing(tmp_path):
    text = '"""Do.\n\n>>> lonely()\n"""\nfrom ..analysis.one import lonely\n'
    one = "def lonely():\n    pass\n"
    tests = "from yoked.analysis.one import lonely\nlonely()\n"
    found = made_up(
        tmp_path,
        app__cli=f"{text}def cli():\n    pass\n",
        analysis__one=one,
        tests__test_one=tests,
    )
    assert found == {"lonely"}


def test_names_are_followed_through_aliases_and_modules(tmp_path):
    cli = (
        "from ..analysis import one, two as second\n"
        "from ..analysis.face import other_name as mine\n"
        "def cli():\n"
        "    from ..analysis.one import late\n"
        "    one.plain(), second.renamed(), mine(), late()\n"
    )
    one = "def plain():\n    pass\ndef late():\n    pass\ndef renamed():\n    pass\n"
    two = "LIMIT = 3\nUNUSED = 4\ndef renamed():\n    return LIMIT\n"
    face = "from .three import original as other_name\n"
    three = "def original():\n    pass\n"
    found = made_up(
        tmp_path,
        app__cli=cli,
        analysis__one=one,
        analysis__two=two,
        analysis__face=face,
        analysis__three=three,
    )
    assert found == {"renamed", "UNUSED"}  # one.renamed, not two.renamed


def test_a_variable_hides_the_name_of_a_function(tmp_path):
    cli = (
        "def kernel():\n    pass\ndef size():\n    pass\ndef part():\n    pass\n"
        "def cli(kernel=None):\n    size = 1\n"
        "    return kernel, size, [part for part in ()]\n"
    )
    assert made_up(tmp_path, app__cli=cli) == {"kernel", "size", "part"}


def test_strings_in_tables_reach_what_they_name(tmp_path):
    cli = (
        'TABLE = {"power": "commands.power:power"}\n'
        'SCRIPT = f"from yoked.app.commands.bench import measure; measure()"\n'
        "def cli():\n    return TABLE, SCRIPT\n"
    )
    command = "def power():\n    pass\ndef measure():\n    pass\n"
    files = {"app__commands/power": command, "app__commands/bench": command}
    assert made_up(tmp_path, app__cli=cli, **files) == {"power", "measure"}


def test_the_face_reaches_what_its_table_names(tmp_path):
    face = (
        '_HOMES = {"run": ("models.one", "go"), "plot": ("analysis.figure", "")}\n'
        "def __getattr__(name):\n    return _HOMES[name]\n"
    )
    found = made_up(
        tmp_path,
        yoked____init__=face,
        app__cli="def cli():\n    pass\n",
        models__one="def go():\n    pass\ndef stay():\n    pass\n",
        analysis__figure='__all__ = ["draw"]\nfrom .lines import draw, erase\n',
        analysis__lines="def draw():\n    pass\ndef erase():\n    pass\n",
    )
    assert found == {"stay", "erase"}


def test_attributes_of_something_unknown_reach_methods_alone(tmp_path):
    cli = (
        "class Thing:\n"
        "    def __init__(self):\n        self._start()\n"
        "    def _start(self):\n        pass\n"
        "    @property\n    def size(self):\n        return 1\n"
        "    def ratio(self):\n        pass\n"
        "    def other(self):\n        pass\n"
        "class Unused:\n    def size(self):\n        pass\n"
        "def size():\n    pass\n"
        "def cli(name='ratio'):\n    return Thing().size, getattr(Thing(), name)\n"
    )
    assert made_up(tmp_path, app__cli=cli) == {"Thing.other", "Unused", "size"}


def test_what_others_call_is_reached_with_its_class(tmp_path):
    cli = (
        "import threading\nfrom typing import Protocol\n"
        "class Worker(threading.Thread):\n"
        "    def run(self):\n        pass\n"
        "    def idle(self):\n        pass\n"
        "class Interface(Protocol):\n    def member(self): ...\n"
        "def cli(x: 'Interface'):\n    Worker()\n"
    )
    assert made_up(tmp_path, app__cli=cli) == {"Worker.idle"}


def test_decorators_register_and_statements_count(tmp_path):
    cli = (
        "from . import pages\n"
        "def hook():\n    pass\n"
        "pages.blueprint.before(hook)\n"
        "def cli():\n    return pages.blueprint\n"
    )
    pages = (
        "from functools import cache\nfrom flask import Blueprint\n"
        "blueprint = Blueprint()\n"
        "@blueprint.get('/')\ndef page():\n    pass\n"
        "@cache\ndef kept():\n    pass\n"
    )
    assert made_up(tmp_path, app__cli=cli, app__pages=pages) == {"kept"}


def test_templates_reach_methods_and_docs_are_told_apart(tmp_path):
    cli = (
        "class Row:\n    def shown(self):\n        pass\n"
        "    def hidden(self):\n        pass\n"
        "def named():\n    pass\n"
        "def cli():\n    Row()\n"
    )
    (tmp_path / "app/templates").mkdir(parents=True)
    page = "<p>row.hidden {{ row.shown }}</p>"
    (tmp_path / "app/templates/page.html").write_text(page)
    (tmp_path / "README.md").write_text("\n    from yoked.app.cli import named\n")
    assert made_up(tmp_path, app__cli=cli) == {"Row.hidden", "named"}
    assert named_in_docs(House(tmp_path)) == {"yoked.app.cli.named"}


def test_what_is_exempt_covers_what_it_alone_uses(tmp_path):
    later = (
        "class Later:\n    def made(self):\n        return used()\n"
        "def used():\n    pass\ndef lonely():\n    pass\n"
    )
    cli = "def cli():\n    pass\n"
    assert made_up(tmp_path, app__cli=cli, analysis__later=later) == {
        "Later",
        "used",
        "lonely",
    }
    exempt = ["analysis/later.py:Later"]
    assert listed(House(tmp_path), exempt) == {"analysis/later.py:lonely": 2}

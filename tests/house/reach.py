"""Which definitions of the house nothing outside the tests can reach.

They are reached from what a user starts or names: the face, the command, a page. This
errs to the safe side: `x.name` on something unknown reaches every method of that name.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from .definitions import Definition, House
from .uses import Uses

IN_TEMPLATE = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
IN_PAGE = re.compile(
    r"```python\n(.*?)```|((?:^(?: {4}[^\n]*)?\n)+)", re.DOTALL | re.MULTILINE
)


class Walk:
    """Goes from the roots to all that they use.

    Attributes
    ----------
    reached
        Names of definitions, in full.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        self.reached: set[str] = set()
        self.modules: set[str] = set()
        self.attributes: set[str] = set()
        self._queue: list[str] = []
        self._methods: dict[str, list[Definition]] = {}
        for each in house.definitions.values():
            if each.owner:
                last = each.name.rpartition(".")[2]
                self._methods.setdefault(last, []).append(each)

    def start(self, uses: Uses) -> "Walk":
        """Go from what some code uses, as far as it leads."""
        self._use(uses)
        while self._queue:
            self._enter(self.house.definitions[self._queue.pop()])
        return self

    def _reach(self, name: str) -> None:
        if name not in self.reached:
            self.reached.add(name)
            self._queue.append(name)

    def _enter(self, one: Definition) -> None:
        if one.module.name not in self.modules:
            self.modules.add(one.module.name)
            self._use(one.module.statements)
        if one.owner:
            self._reach(one.owner)
        self._use(one.uses)
        if one.module.is_dynamic:  # any string may be what getattr is given
            for text in one.uses.strings:
                self._use_attribute(text)
        for member in self.house.members.get(one.name, []):
            last = member.name.rpartition(".")[2]
            if member.with_owner or last in self.attributes:
                self._reach(member.name)
        for name in self.house.registers.get(one.name, ()):
            self._reach(name)

    def _use(self, uses: Uses) -> None:
        for name in uses.names:
            self._use_name(name)
        for attribute in uses.attributes:
            self._use_attribute(attribute)
        for cls, attribute in uses.own:
            self._reach_member(cls, attribute)
        for text in uses.strings:
            for name in self.house.named(text):
                self._reach(name)
        for home, name in uses.pairs:
            self._use_pair(f"yoked.{home}", name)

    def _use_name(self, name: str) -> None:
        found = self.house.find(name)
        if found is None or found[0] not in self.house.definitions:
            return
        target, rest = found
        self._reach(target)
        if rest and self._reach_member(target, rest[0]):
            del rest[0]
        for attribute in rest:
            self._use_attribute(attribute)

    def _reach_member(self, cls: str, name: str) -> bool:
        """Reach what a class and its relatives call a name; return whether any does."""
        members = {f"{each}.{name}" for each in self.house.family(cls)}
        for each in members & self.house.definitions.keys():
            self._reach(each)
        return bool(members & self.house.definitions.keys())

    def _use_attribute(self, attribute: str) -> None:
        if attribute not in self.attributes:
            self.attributes.add(attribute)
            for each in self._methods.get(attribute, []):
                if each.owner in self.reached:
                    self._reach(each.name)

    def _use_pair(self, home: str, name: str) -> None:
        if home in self.house.modules:
            for each in [name] if name else self.house.modules[home].exports:
                self._use_name(f"{home}.{each}")


def roots(house: House) -> Uses:
    """Return what is there for users: the face, the command, templates, examples."""
    uses = Uses()
    for name in house.modules:
        if house.modules[name].file.startswith("yoked/") or name.endswith("__main__"):
            uses |= house.modules[name].statements
    project = house.root / "pyproject.toml"
    if project.exists():
        about = tomllib.loads(project.read_text())["project"]
        uses.strings |= set(about.get("scripts", {}).values())
        for group in about.get("entry-points", {}).values():
            uses.strings |= set(group.values())
    for path in (house.root / "app").rglob("templates/**/*.html"):
        for code in IN_TEMPLATE.findall(path.read_text()):
            uses.attributes |= set(re.findall(r"\.([a-z_]\w*)", code))
    for text in pages(house.root):
        uses.attributes |= {a for code in examples(text) for a in dotted(code)}
    return uses


def pages(root: Path) -> list[str]:
    """Return the README and the docs."""
    files = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    return [file.read_text() for file in files if file.exists()]


def examples(page: str) -> Iterator[ast.Module]:
    """Yield the Python examples of a page."""
    for fenced, indented in IN_PAGE.findall(page):
        try:
            yield ast.parse(fenced or dedent(indented))
        except SyntaxError:  # a command, a table
            continue


def dotted(code: ast.Module) -> set[str]:
    """Return the attributes that an example reads."""
    return {n.attr for n in ast.walk(code) if isinstance(n, ast.Attribute)}


def named_in_docs(house: House) -> set[str]:
    """Return the definitions that the docs import by their path."""
    return {name for text in pages(house.root) for name in house.named(text)}


def unreached(house: House, reached: set[str]) -> list[Definition]:
    """Return what is not reached; a class stands for all of its methods."""
    missing = [d for d in house.definitions.values() if d.name not in reached]
    return [each for each in missing if not each.owner or each.owner in reached]

"""What the house defines: functions, classes, methods and constants of modules."""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from .uses import FUNCTIONS, Reader, Scope, Uses, chain, imported

HOUSES = ("analysis", "app", "experiments", "models", "yoked")
BY_NAME = re.compile(r"\.?([\w.]+):(\w+)")  # "observers.guesser:Guesser"
BY_IMPORT = re.compile(r"from (yoked\.[\w.]+) import ([\w, ]+)")
INTERFACES = {"typing.Protocol", "abc.ABC"}


@dataclass
class Definition:
    """A function, class, method or constant.

    Attributes
    ----------
    name
        In full: "yoked.analysis.trials.score.Score.at".
    lines
        How many it has, with decorators and comments inside.
    owner
        The class of a method, in full.
    bases
        Of a class, in full.
    with_owner
        Whether it is reached as soon as its class is.
    """

    name: str
    module: "Module"
    lines: int
    uses: Uses
    owner: str | None = None
    bases: list[str] = field(default_factory=list)
    with_owner: bool = False

    @property
    def label(self) -> str:
        """The file and the name in it."""
        return f"{self.module.file}:{self.name.removeprefix(self.module.name + '.')}"


@dataclass
class Module:
    """A file: its names, definitions, and the statements that run on its import."""

    name: str
    package: str
    file: str
    names: Scope = field(default_factory=dict)
    statements: Uses = field(default_factory=Uses)
    exports: list[str] = field(default_factory=list)
    is_dynamic: bool = False  # somewhere in it


def theirs(place: str, name: str) -> object:
    """Return somebody else's class; what their modules warn of is theirs too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(import_module(place), name)


def is_dunder(name: str) -> bool:
    """Return whether Python itself calls a name."""
    is_shown = name == "_repr_html_"  # a notebook calls it
    return is_shown or (name.startswith("__") and name.endswith("__"))


def flattened(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, also those under `if` and `try`."""
    for node in body:
        match node:
            case ast.If() | ast.Try():
                parts = [node.body, node.orelse, getattr(node, "finalbody", [])]
                handlers = getattr(node, "handlers", [])
                for part in [*parts, *(handler.body for handler in handlers)]:
                    yield from flattened(part)
            case _:
                yield node


def assigned(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module gives a value."""
    match node:
        case ast.Assign(targets=targets):
            nodes = [n for target in targets for n in ast.walk(target)]
        case ast.AnnAssign(target=target):
            nodes = [target]
        case _:
            return []
    return [
        n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]


class House:
    """Everything that is defined, and what it uses.

    Parameters
    ----------
    root
        The checkout, or a folder that is made up like one.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.modules: dict[str, Module] = {}
        self.definitions: dict[str, Definition] = {}
        self.members: dict[str, list[Definition]] = {}
        self.relatives: dict[str, set[str]] = {}  # classes, one step up or down
        self.registers: dict[str, set[str]] = {}  # what a decorator's object is told
        for house in HOUSES:
            for path in sorted((root / house).rglob("*.py")):
                self._add(path)
        for each in self.definitions.values():
            if each.owner:
                self.members.setdefault(each.owner, []).append(each)
                each.with_owner |= self._is_override(each)
            for base, _ in filter(None, map(self.find, each.bases)):
                self.relatives.setdefault(base, set()).add(each.name)
                self.relatives.setdefault(each.name, set()).add(base)

    def _add(self, path: Path) -> None:
        file = path.relative_to(self.root)
        parts = ["yoked", *file.with_suffix("").parts]
        parts = parts[1:] if parts[1] == "yoked" else parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        package = name if is_package else name.rpartition(".")[0]
        module = Module(name, package, file.as_posix())
        self.modules[name] = module
        body = list(flattened(ast.parse(path.read_text()).body))
        for node in body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                module.names |= imported(node, package)
            elif isinstance(node, FUNCTIONS | ast.ClassDef):
                module.names[node.name] = f"{name}.{node.name}"
            module.names |= {each: f"{name}.{each}" for each in assigned(node)}
        for node in body:
            self._define(module, node)

    def _define(self, module: Module, node: ast.stmt) -> None:
        names = [node.name] if isinstance(node, FUNCTIONS) else assigned(node)
        if isinstance(node, ast.ClassDef):
            self._define_class(module, node)
        elif "__all__" in names and isinstance(node, ast.Assign):
            module.exports = ast.literal_eval(node.value)
        elif not names or is_dunder(names[0]):
            module.statements |= self._read(module, [node])
        else:
            uses = self._read(module, [node])
            for name in names:
                self._note(module, node, f"{module.name}.{name}", uses)
        if isinstance(node, FUNCTIONS):
            self._note_registers(module, node, f"{module.name}.{node.name}")

    def _define_class(self, module: Module, node: ast.ClassDef) -> None:
        name = f"{module.name}.{node.name}"
        own = [n for n in node.body if not isinstance(n, FUNCTIONS)]
        head = [*node.decorator_list, *node.bases, *node.keywords]
        self._note(module, node, name, self._read(module, [*head, *own]))
        self.definitions[name].bases = [
            ".".join([module.names.get(start.id) or start.id, *after])
            for start, after in map(chain, node.bases)
            if isinstance(start, ast.Name)
        ]
        for each in node.body:
            if isinstance(each, FUNCTIONS):
                uses = self._read(module, [each], name)
                self._note(module, each, f"{name}.{each.name}", uses, name)

    def _read(
        self, module: Module, nodes: Iterable[ast.AST], owner: str | None = None
    ) -> Uses:
        return Reader(module.package, module.names, owner).read(nodes)

    def _note(
        self,
        module: Module,
        node: ast.stmt,
        name: str,
        uses: Uses,
        owner: str | None = None,
    ) -> None:
        """Add a definition; a second of that name (a setter) joins the first."""
        module.is_dynamic |= uses.is_dynamic
        decorators = getattr(node, "decorator_list", [])
        first = min(each.lineno for each in (node, *decorators))
        lines = (node.end_lineno or first) - first + 1
        is_called = is_dunder(name.rpartition(".")[2])
        made = Definition(name, module, lines, uses, owner, with_owner=is_called)
        known = self.definitions.setdefault(name, made)
        if known is not made:
            known.uses |= uses
            known.lines += lines

    def _note_registers(self, module: Module, node: FUNCTIONS, name: str) -> None:
        """Note who is told of a function: `@blueprint.get("/")`, `@migrations(...)`."""
        for decorator in node.decorator_list:
            is_call = isinstance(decorator, ast.Call)
            start, after = chain(decorator.func if is_call else decorator)
            if isinstance(start, ast.Name) and (after or is_call):
                by = module.names.get(start.id) or start.id
                self.registers.setdefault(by, set()).add(name)

    def _is_override(self, method: Definition) -> bool:
        """Return whether a class of somebody else's knows this method."""
        return self._knows(method.owner or "", method.name.rpartition(".")[2])

    def _knows(self, cls: str, method: str) -> bool:
        """Return whether somebody else's class above one of ours has a method."""
        for base in self.definitions[cls].bases:
            if base in INTERFACES:
                return True
            place, _, name = base.rpartition(".")
            found = self.find(base)
            is_ours = found is not None and found[0] in self.definitions
            if is_ours and self._knows(found[0], method):
                return True
            is_theirs = place and found is None
            if is_theirs and hasattr(theirs(place, name), method):
                return True
        return False

    def find(self, name: str) -> tuple[str, list[str]] | None:
        """Return the module or definition that a full name means, and what follows it.

        None if it is not ours.
        """
        parts = name.split(".")
        cuts = range(len(parts), 0, -1)
        homes = (c for c in cuts if ".".join(parts[:c]) in self.modules)
        cut = next(homes, 0)
        if not cut:
            return None
        home, rest = ".".join(parts[:cut]), parts[cut:]
        if not rest:
            return home, []
        if f"{home}.{rest[0]}" in self.definitions:
            return f"{home}.{rest[0]}", rest[1:]
        imported_from = self.modules[home].names.get(rest[0])
        if imported_from is None or imported_from == f"{home}.{rest[0]}":
            return None
        return self.find(".".join([imported_from, *rest[1:]]))

    def named(self, text: str) -> set[str]:
        """Return the definitions that a string names.

        Either by its end, such as "commands.power:power", or as code of its own:
        "from yoked.app.bench import measure; measure()".
        """
        found = set()
        if match := BY_NAME.fullmatch(text):
            homes = (h for h in self.modules if f".{h}".endswith(f".{match[1]}"))
            found = {f"{home}.{match[2]}" for home in homes}
        for home, names in BY_IMPORT.findall(text):
            each = (self.find(f"{home}.{name.strip()}") for name in names.split(","))
            found |= {name for name, _ in filter(None, each)}
        return found & self.definitions.keys()

    def family(self, cls: str) -> set[str]:
        """Return a class with all that it inherits from and that inherit from it."""
        found, new = set(), {cls}
        while new:
            found |= new
            new = {r for each in new for r in self.relatives.get(each, ())} - found
        return found

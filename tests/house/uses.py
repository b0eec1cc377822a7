"""What the code of one definition uses: names in full, attributes, strings.

A name is followed through imports, aliases and scopes; a parameter or local variable
hides the module's name. Types that are written as strings are read too.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
Scope = dict[str, str | None]  # what a name is in full; None for a variable


@dataclass
class Uses:
    """What some code uses.

    Attributes
    ----------
    names
        In full, as far as their dots go: "yoked.analysis.plot.figure.kernels.savefig".
    attributes
        Of things that are not known: `x.name`, or getattr(x, "name").
    own
        Of `self` or `cls`: this class, and the attribute.
    strings, pairs
        Constants, and tuples of two.
    is_dynamic
        Whether some attribute is read whose name is not written there.
    """

    names: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    own: set[tuple[str, str]] = field(default_factory=set)
    strings: set[str] = field(default_factory=set)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    is_dynamic: bool = False

    def __ior__(self, more: "Uses") -> "Uses":
        self.names |= more.names
        self.attributes |= more.attributes
        self.own |= more.own
        self.strings |= more.strings
        self.pairs |= more.pairs
        self.is_dynamic |= more.is_dynamic
        return self


def imported(node: ast.Import | ast.ImportFrom, package: str) -> Scope:
    """Return the names that one import statement binds, with what they are in full."""
    if isinstance(node, ast.Import):
        return {
            a.asname or a.name.split(".")[0]: a.name
            if a.asname
            else a.name.split(".")[0]
            for a in node.names
        }
    base = package.split(".")
    base = base[: len(base) - node.level + 1] if node.level else []
    prefix = ".".join([*base, *([node.module] if node.module else [])])
    return {a.asname or a.name: f"{prefix}.{a.name}" for a in node.names}


def in_scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Walk through code without entering the scopes inside it."""
    for node in nodes:
        yield node
        if isinstance(node, COMPREHENSIONS):
            inner = (n for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
            yield from (n.target for n in inner)
        elif not isinstance(node, SCOPES):
            yield from in_scope(ast.iter_child_nodes(node))


def bound(nodes: Iterable[ast.AST], package: str) -> Scope:
    """Return the names that code binds in its own scope."""
    found: Scope = {}
    outer: set[str] = set()
    for node in in_scope(nodes):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                found[name] = None
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found[name] = None
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                found[name] = None
            case ast.Import() | ast.ImportFrom():
                found |= imported(node, package)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                outer |= set(names)
    return {name: target for name, target in found.items() if name not in outer}


def chain(node: ast.expr) -> tuple[ast.expr, list[str]]:
    """Split `x.y.z` into what stands before the first dot, and the names after it."""
    after: list[str] = []
    while isinstance(node, ast.Attribute):
        after.insert(0, node.attr)
        node = node.value
    return node, after


class Reader(ast.NodeVisitor):
    """Reads code and notes what it uses.

    Parameters
    ----------
    package
        Where relative imports start.
    scope
        The names of the module.
    owner
        The class in full, of a method: what its first parameter is an instance of.
    """

    def __init__(self, package: str, scope: Scope, owner: str | None = None) -> None:
        self.package = package
        self.scopes: list[Scope] = [scope]
        self.owner = owner
        self.me: str | None = None
        self.uses = Uses()

    def read(self, nodes: Iterable[ast.AST]) -> Uses:
        """Read some code in this scope."""
        for node in nodes:
            self.visit(node)
        return self.uses

    def within(self, scope: Scope, nodes: Iterable[ast.AST]) -> None:
        """Read what has a scope of its own."""
        self.scopes.append(scope)
        self.read(nodes)
        self.scopes.pop()

    def meaning(self, name: str) -> str | None:
        """Return what a name is in full; None for a variable and for Python's own."""
        scopes = (scope for scope in reversed(self.scopes) if name in scope)
        return next(scopes, {}).get(name)

    def visit_Name(self, node: ast.Name) -> None:
        """Note a name."""
        meaning = self.meaning(node.id)
        if meaning is not None and isinstance(node.ctx, ast.Load):
            self.uses.names.add(meaning)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note a name with what follows its dots, or the dots of something unknown."""
        start, after = chain(node)
        if not isinstance(start, ast.Name):
            self.uses.attributes |= set(after)
            self.visit(start)
        elif (meaning := self.meaning(start.id)) is not None:
            self.uses.names.add(".".join([meaning, *after]))
        elif self.owner and start.id == self.me:
            self.uses.own.add((self.owner, after[0]))
            self.uses.attributes |= set(after[1:])
        else:
            self.uses.attributes |= set(after)

    def visit_Call(self, node: ast.Call) -> None:
        """Note getattr, with the name if it is written there."""
        if isinstance(node.func, ast.Name) and node.func.id in ("getattr", "hasattr"):
            match node.args[1]:
                case ast.Constant(value=str(name)):
                    self.uses.attributes.add(name)
                case _:
                    self.uses.is_dynamic = True
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Note a string."""
        if isinstance(node.value, str):
            self.uses.strings.add(node.value)

    def visit_Tuple(self, node: ast.Tuple) -> None:
        """Note a pair of strings: a table of modules and names has them."""
        match node.elts:
            case [ast.Constant(value=str(one)), ast.Constant(value=str(two))]:
                self.uses.pairs.add((one, two))
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """Pass over docstrings: an example is no use."""
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    def visit_Import(self, node: ast.Import) -> None:
        """Pass over imports: to import is not to use."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Pass over imports: to import is not to use."""

    def annotation(self, node: ast.expr | None) -> None:
        """Read a type; one that is a string as the code that it is."""
        match node:
            case None:
                return
            case ast.Constant(value=str(text)) if not text.startswith(" "):
                self.visit(ast.parse(text, mode="eval").body)
            case _:
                self.visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Read a variable with its type."""
        self.annotation(node.annotation)
        self.read([node.target, *([node.value] if node.value else [])])

    def visit_FunctionDef(self, node: FUNCTIONS) -> None:
        """Read a function: decorators and types outside its scope, its body inside."""
        self.read(node.decorator_list)
        self.annotation(node.returns)
        named = self._parameters(node.args)
        variables = {name: None for name in named} | bound(node.body, self.package)
        if len(self.scopes) == 1:
            self.me = named[0] if named else None
        self.within(variables, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Read a function without a name."""
        named = self._parameters(node.args)
        self.within({name: None for name in named}, [node.body])

    def _parameters(self, args: ast.arguments) -> list[str]:
        """Read types and defaults of parameters; return their names."""
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        every += [a for a in (args.vararg, args.kwarg) if a is not None]
        for each in every:
            self.annotation(each.annotation)
        self.read(d for d in (*args.defaults, *args.kw_defaults) if d is not None)
        return [each.arg for each in every]

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Read a class that stands inside a function, all of it."""
        self.read([*node.decorator_list, *node.bases, *node.keywords])
        self.within(bound(node.body, self.package), node.body)

    def _comprehension(self, node: COMPREHENSIONS) -> None:
        """Read a comprehension: its first source outside its scope, the rest inside."""
        first, *others = node.generators
        self.visit(first.iter)
        targets = [generator.target for generator in node.generators]
        parts = [part for g in others for part in (g.iter, *g.ifs)]
        values = (
            [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        )
        self.within(bound(targets, self.package), [*first.ifs, *parts, *values])

    visit_ListComp = visit_SetComp = _comprehension
    visit_DictComp = visit_GeneratorExp = _comprehension

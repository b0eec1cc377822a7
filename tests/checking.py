"""The run-time checker of signatures: in the tests, every call keeps its annotations.

Types are beartype's, shapes are jaxtyping's. The import hook that jaxtyping brings
binds the arguments of every call by hand and checks them twice, and compiles anew what
a module imports from other packages: that was two thirds of the tests' time.
"""

import ast
import dataclasses
import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import Any

import jaxtyping
from beartype import BeartypeConf, beartype

# An int is a float, as PEP 484 says.
CONF = BeartypeConf(is_pep484_tower=True, violation_type=jaxtyping.TypeCheckError)
check = beartype(conf=CONF)
# Within it, dimensions of one name must have one length.
one_call = jaxtyping.jaxtyped("context")


def checked(thing: Any) -> Any:
    """Return a function, or a dataclass, whose calls must fit its annotations."""
    if isinstance(thing, type):
        if dataclasses.is_dataclass(thing) and not hasattr(thing.__init__, CHECKED):
            thing.__init__ = checked(thing.__init__)
        return thing
    hints = resolved(thing)
    if needs_jaxtyping(thing, hints):
        wrapper = jaxtyping.jaxtyped(thing, typechecker=check)
    else:
        wrapper = check(annotated(thing, hints))
        if any("jaxtyping" in str(hint) for hint in hints.values()):
            wrapper = in_one_call(wrapper)
        functools.update_wrapper(wrapper, thing)
    setattr(wrapper, CHECKED, True)
    return wrapper


CHECKED = "is_checked"


def resolved(function: types.FunctionType) -> dict[str, Any]:
    """Return a function's annotations; one that cannot be resolved is `Any`."""
    found = {}
    for name, hint in function.__annotations__.items():
        one = types.SimpleNamespace(__annotations__={name: hint})
        space = function.__globals__
        try:
            found |= typing.get_type_hints(one, space, include_extras=True)
        except NameError:  # it is imported for types alone, or comes later
            found[name] = Any
    return found


def needs_jaxtyping(function: Callable, hints: dict[str, Any]) -> bool:
    """Say whether only jaxtyping's own decorator checks a function as it should.

    Of a generator the object is checked, not what it yields; and `{n}` in a shape is
    the value of an argument.
    """
    has_values = any("{" in str(hint) for hint in hints.values())
    return inspect.isgeneratorfunction(function) or has_values


def annotated(function: types.FunctionType, hints: dict[str, Any]) -> Callable:
    """Return a copy of a function with other annotations."""
    copy = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__qualname__ = function.__qualname__
    copy.__module__ = function.__module__
    copy.__annotations__ = hints
    return copy


def in_one_call(function: Callable) -> Callable:
    """Return a function that keeps lengths of dimensions for the time of a call."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with one_call:
            return function(*args, **kwargs)

    return wrapper


class Decorate(ast.NodeTransformer):
    """Put the decorator on every function and class but those of `no_type_check`."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if is_left_out(node):
            return node
        # It comes last, so that it sees the function that was written.
        node.decorator_list.append(decorator(node))
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        if is_left_out(node):
            return node
        # It comes first, so that `@dataclass` has made `__init__`.
        node.decorator_list.insert(0, decorator(node))
        return self.generic_visit(node)


def is_left_out(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Say whether a definition asks not to be checked."""
    names = (ast.unparse(each).split(".")[-1] for each in node.decorator_list)
    return "no_type_check" in names


def decorator(node: ast.AST) -> ast.AST:
    """Return the decorator as it is written on a definition."""
    return ast.copy_location(ast.Name("__checked__", ast.Load()), node)


class Loader(SourceFileLoader):
    """Load a module with every definition decorated; nothing is kept on the disk."""

    def get_code(self, fullname: str) -> types.CodeType:
        path = self.get_filename(fullname)
        tree = Decorate().visit(ast.parse(self.get_source(fullname), path))
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__checked__"] = checked
        super().exec_module(module)


class Finder(MetaPathFinder):
    """Find the modules of a package, to be loaded with their calls checked."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname.split(".")[0] != self.package:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


def check_calls_of(package: str) -> None:
    """Have every call of a package's functions checked, from its import on."""
    if package in sys.modules:
        raise RuntimeError(f"{package} must not be imported yet")
    sys.meta_path.insert(0, Finder(package))

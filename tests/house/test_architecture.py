"""The house: who may import whom, how, and how long a file may be."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import ROOT

MAY_IMPORT = {
    "experiments": set(),
    "models": {"experiments"},
    "analysis": {"experiments"},
    "app": {"experiments", "models", "analysis"},
    "yoked": {"experiments", "models", "analysis", "app"},
}
# Which files may import a heavy or peripheral package at all, and which of them only
# inside a function, so that importing the module stays light.
THIRD_PARTY = {
    "psychopy": ["experiments/lab*.py"],
    "torch": [
        "models/*.py",
        "experiments/stimulus/noise_torch.py",
        "analysis/trials/exact_products.py (lazily)",
        "app/**/*.py (lazily)",
    ],
    "flask": ["app/**/*.py"],
    "werkzeug": ["app/**/*.py"],
    "waitress": ["app/**/*.py"],
    "click": ["app/**/*.py"],
    "sqlite_utils": ["experiments/store*.py", "app/**/*.py"],
    "matplotlib": ["analysis/plot*.py (lazily)", "app/**/*.py (lazily)"],
    "psignifit": ["analysis/psychometric/psignifit.py (lazily)"],
    "pyarrow": ["experiments/import*.py (lazily)"],
    "rdata": ["experiments/gabor*.py (lazily)"],
}
MAX_LINES = 400
LONGER_FOR_A_REASON: dict[str, str] = {
    "experiments/store/sqlite.py": "the schema, and what reads and writes its tables",
}

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for room in MAY_IMPORT
    for path in (ROOT / room).rglob("*.py")
)


class Import(NamedTuple):
    """One import statement's target, in full, and how it is written."""

    name: str  # "yoked.models.decision", "torch.nn"
    line: int
    is_relative: bool
    is_lazy: bool  # inside a function
    is_typing: bool  # under `if TYPE_CHECKING`


def imports(file: str) -> list[Import]:
    """Return every import of a file, relative ones resolved to `yoked.…`."""
    package = ["yoked", *Path(file).parent.parts]
    if package[1] == "yoked":
        del package[0]
    tree = ast.parse((ROOT / file).read_text())
    return [
        Import(name, line, level > 0, is_lazy, is_typing)
        for node, is_lazy, is_typing in statements(tree)
        for name, line, level in targets(node, package)
    ]


def statements(
    node: ast.AST, is_lazy: bool = False, is_typing: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    """Walk down to the import statements, noting functions and TYPE_CHECKING."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, is_lazy, is_typing
            continue
        yield from statements(
            child,
            is_lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef),
            is_typing
            or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)),
        )


def targets(
    node: ast.Import | ast.ImportFrom, package: list[str]
) -> Iterator[tuple[str, int, int]]:
    """Yield (full name, line, relative level) of what one statement imports."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name, node.lineno, 0
        return
    base = package[: len(package) - node.level + 1] if node.level else []
    prefix = ".".join([*base, *([node.module] if node.module else [])])
    for alias in node.names:
        yield f"{prefix}.{alias.name}", node.lineno, node.level


def room_of(name: str) -> str | None:
    """Return the room that a full module name is in, or None outside the house."""
    parts = name.split(".")
    if parts[0] != "yoked":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in MAY_IMPORT else "yoked"


@pytest.mark.parametrize("file", FILES)
def test_imports_point_one_way(file):
    here = file.split("/")[0]
    allowed = MAY_IMPORT[here] | {here, None}
    wrong = [i for i in imports(file) if room_of(i.name) not in allowed]
    assert not wrong, f"{here} may import {MAY_IMPORT[here] or 'no other room'}"


@pytest.mark.parametrize("file", FILES)
def test_imports_inside_the_house_are_relative(file):
    here = file.split("/")[0]
    wrong = [
        i
        for i in imports(file)
        if i.name.split(".")[0] in {"yoked", *MAY_IMPORT}
        and not i.is_relative
        and here != "yoked"  # the face writes what a user would
    ]
    assert not wrong, "write `from ..room.module import name`"


@pytest.mark.parametrize("package", THIRD_PARTY)
def test_peripheral_packages_are_imported_where_they_belong(package):
    rules = [rule.removesuffix(" (lazily)") for rule in THIRD_PARTY[package]]
    lazy = [rule.endswith("(lazily)") for rule in THIRD_PARTY[package]]
    allowed: dict[str, bool] = {}
    for rule, only_lazily in zip(rules, lazy, strict=True):
        for path in ROOT.glob(rule):
            allowed[path.relative_to(ROOT).as_posix()] = only_lazily
    wrong = [
        (file, i.line)
        for file in FILES
        for i in imports(file)
        if i.name.split(".")[0] == package
        and not i.is_typing
        and (file not in allowed or (allowed[file] and not i.is_lazy))
    ]
    assert not wrong, f"{package} belongs in {THIRD_PARTY[package]}"


def test_the_checks_see_a_forbidden_import(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "bad.py").write_text(
        "from ..analysis.dprime import dprime\n"
        "def f():\n    import torch\n"
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import flask\n"
    )
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    found = imports("models/bad.py")
    assert found[0] == Import("yoked.analysis.dprime.dprime", 1, True, False, False)
    assert room_of(found[0].name) == "analysis"
    assert found[1] == Import("torch", 3, False, True, False)
    assert found[3] == Import("flask", 6, False, False, True)


def test_no_file_is_a_drawer():
    drawers = {"utils.py", "util.py", "helpers.py", "misc.py", "common.py"}
    assert not [file for file in FILES if Path(file).name in drawers]


@pytest.mark.parametrize("file", FILES)
def test_files_are_short_or_have_a_reason(file):
    n_lines = len((ROOT / file).read_text().splitlines())
    assert (n_lines > MAX_LINES) == (file in LONGER_FOR_A_REASON)

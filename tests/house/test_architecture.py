"""The house: who may import whom, how, and how long a file may be."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import ROOT

# Who may import whom. A room is a folder; what stands in a house itself is for all.
HOUSES = {
    "experiments": set(),
    "models": {"experiments"},
    "analysis": {"experiments"},
    "app": {"experiments", "models", "analysis"},
    "yoked": {"experiments", "models", "analysis", "app"},
}
# Within a house: the rooms that a room may import.
ROOMS = {
    "experiments/protocols": set(),
    "experiments/stimulus": {"protocols"},
    "experiments/store": {"protocols", "stimulus"},
    "experiments/session": {"protocols", "stimulus", "store"},
    "experiments/imports": {
        "protocols",
        "stimulus",
        "store",
        "session",
        "pictures",
    },
    "experiments/monitors": {"protocols"},
    "experiments/recordings": {"protocols", "stimulus", "pictures"},
    "experiments/pictures": set(),
    "experiments/lab": {"protocols", "stimulus", "store", "session", "monitors"},
    "models/observers": set(),
    "models/retina": set(),
    "models/ganglion_cells": {"retina"},
    "models/backbones": set(),
    "models/training": {"retina"},
    "models/networks": {"retina", "ganglion_cells", "backbones", "training"},
    "models/recipes": {"retina", "backbones", "training", "networks"},
    "models/white_box": {"retina", "backbones", "training", "networks"},
    "models/probing": {"networks"},
    "models/brain_score": {"networks", "training", "retina", "probing"},
    "models/robustness": {"retina", "networks", "white_box", "probing"},
    "models/regimes": {
        "backbones",
        "training",
        "networks",
        "recipes",
        "probing",
        "robustness",
    },
    "analysis/trials": set(),
    "analysis/double_pass": {"trials"},
    "analysis/sensitivity": {"trials", "double_pass"},
    "analysis/psychometric": {"trials", "sensitivity"},
    "analysis/probit": {"trials"},
    "analysis/kernels": {"trials", "sensitivity", "double_pass", "probit"},
    "analysis/second_order": {"trials", "sensitivity", "probit", "kernels"},
    "analysis/spikes": {"trials", "kernels", "second_order"},
    "analysis/brain": {"trials"},
    "analysis/tuning": {"trials"},
    "analysis/robustness": {"trials"},
    "analysis/sessions": {
        "trials",
        "sensitivity",
        "double_pass",
        "psychometric",
        "probit",
        "kernels",
        "second_order",
    },
    "analysis/agreement": {
        "trials",
        "sensitivity",
        "double_pass",
        "kernels",
        "second_order",
        "sessions",
    },
    "analysis/objects": {"trials"},
    "analysis/plot": {
        "trials",
        "sensitivity",
        "psychometric",
        "kernels",
        "second_order",
        "sessions",
        "agreement",
        "tuning",
        "robustness",
    },
    "app/studies": set(),
    "app/hosting": set(),
    "app/accounts": set(),
    "app/exports": {"studies"},
    "app/web": {"studies", "hosting", "accounts", "exports"},
    "app/planning": set(),
    "app/reports": set(),
    "app/scores": set(),
    "app/sweeps": set(),
    "app/recordings": set(),
    "app/brain": set(),
    "app/robustness": set(),
    "app/reproduce": {"brain", "scores", "sweeps"},
    "app/commands": {
        "studies",
        "hosting",
        "accounts",
        "web",
        "planning",
        "reports",
        "exports",
        "scores",
        "sweeps",
        "recordings",
        "brain",
        "robustness",
        "reproduce",
    },
}
# Which files may import a heavy or peripheral package at all, and which of them only
# inside a function, so that importing the module stays light.
THIRD_PARTY = {
    "psychopy": ["experiments/lab/*.py"],
    "torch": [
        "models/**/*.py",
        "experiments/stimulus/*_torch.py",
        "analysis/trials/exact_products.py (lazily)",
        "app/**/*.py (lazily)",
    ],
    "babel": ["app/web/*.py"],
    "flask": ["app/hosting/*.py", "app/web/**/*.py"],
    "werkzeug": ["app/hosting/*.py", "app/web/**/*.py"],
    "waitress": ["app/hosting/*.py", "app/web/*.py"],
    "click": ["app/*.py", "app/commands/*.py"],
    "sqlite_utils": ["experiments/store/*.py", "app/**/*.py"],
    "matplotlib": ["analysis/plot/*.py (lazily)", "app/**/*.py (lazily)"],
    "argon2": ["app/accounts/*.py"],
    "pyotp": ["app/accounts/*.py"],
    "segno": ["app/web/researchers/*.py"],
    "psignifit": ["analysis/psychometric/psignifit.py (lazily)"],
    "PIL": [
        "app/reports/picture.py (lazily)",
        "experiments/imports/picture_folder.py (lazily)",
        "experiments/recordings/stimulus_set.py (lazily)",
        "models/brain_score/screen.py (lazily)",
        "experiments/pictures/as_file.py (lazily)",
    ],
    "sklearn": ["models/probing/readout.py (lazily)", "analysis/brain/*.py (lazily)"],
    "xarray": [
        "models/brain_score/*.py (lazily)",
        "experiments/imports/*.py (lazily)",
        "experiments/recordings/*.py (lazily)",
    ],
    "h5py": ["experiments/imports/*.py (lazily)"],
    "openpyxl": ["experiments/imports/*.py (lazily)"],
    "pyarrow": [
        "experiments/imports/*.py (lazily)",
        "app/exports/trials_parquet.py (lazily)",
    ],
    "rdata": ["experiments/imports/*.py (lazily)"],
    "pynwb": ["experiments/recordings/*.py (lazily)"],
    "rsatoolbox": ["analysis/brain/*.py (lazily)"],
    "foolbox": ["models/robustness/ascent.py (lazily)"],
    "eagerpy": ["models/robustness/ascent.py (lazily)"],
    "imagecorruptions": ["models/robustness/corruptions.py (lazily)"],
    "h5netcdf": [
        "models/brain_score/*.py (lazily)",
        "experiments/recordings/*.py (lazily)",
    ],
    "dask": ["app/sweeps/*.py (lazily)"],
    "distributed": ["app/sweeps/*.py (lazily)"],
    "dask_jobqueue": ["app/sweeps/*.py (lazily)"],
}
MAX_LINES = 400
LONGER_FOR_A_REASON = {
    "yoked/__init__.py": "the table of public names: one idea, three lines a name",
}

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for house in HOUSES
    for path in (ROOT / house).rglob("*.py")
)


class Import(NamedTuple):
    """One import statement's target, in full, and how it is written."""

    name: str  # "yoked.models.decision", "torch.nn"
    line: int
    is_relative: bool
    is_lazy: bool  # inside a function
    is_typing: bool  # under `if TYPE_CHECKING`


@cache
def imports(file: str, root: Path = ROOT) -> list[Import]:
    """Return every import of a file, relative ones resolved to `yoked.…`."""
    package = ["yoked", *Path(file).parent.parts]
    if package[1] == "yoked":
        del package[0]
    tree = ast.parse((root / file).read_text())
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


def house_of(name: str) -> str | None:
    """Return the house that a full module name is in, or None for somebody else's."""
    parts = name.split(".")
    if parts[0] != "yoked":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in HOUSES else "yoked"


def place_of(name: str, root: Path = ROOT) -> str | None:
    """Return the file that an imported name of a house comes from, without `.py`."""
    path = name.removeprefix("yoked.").replace(".", "/")
    for place in (path, path.rpartition("/")[0]):
        if (root / f"{place}.py").is_file():
            return place
    return None


def needs(file: str, root: Path = ROOT) -> set[str]:
    """Return the files of ours that a file imports, without `.py`."""
    places = (place_of(i.name, root) for i in imports(file, root) if house_of(i.name))
    return {place for place in places if place is not None}


def strangers(file: str, root: Path = ROOT) -> set[str]:
    """Return the rooms of its own house that a file imports and may not."""
    house, *rest = Path(file).parent.parts
    if not rest:  # what stands in the house itself composes its rooms
        return set()
    rooms = {room_of(place) for place in needs(file, root)}
    here = room_of(file)
    allowed = {here, house} | {f"{house}/{room}" for room in ROOMS[here]}
    return {room for room in rooms if room.startswith(house)} - allowed


def room_of(file: str) -> str:
    """Return the room of a file; a folder in a room is a part of it."""
    return "/".join(Path(file).parent.parts[:2])


def circle(needed: Mapping[str, set[str]]) -> list[str]:
    """Return a circle of imports, or nothing."""
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        return error.args[1]
    return []


@pytest.mark.parametrize("house", HOUSES)
def test_imports_point_one_way(house):
    allowed = HOUSES[house] | {house, None}
    wrong = [
        (file, i)
        for file in FILES
        for i in imports(file)
        if file.startswith(f"{house}/") and house_of(i.name) not in allowed
    ]
    assert not wrong, f"{house} may import {HOUSES[house] or 'no other house'}"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_the_rooms_before_it(room):
    here = [file for file in FILES if file.startswith(f"{room}/")]
    assert here, "a room without files"
    wrong = {file: strangers(file) for file in here if strangers(file)}
    assert not wrong, f"{room} may import {ROOMS[room] or 'no other room'}"


def test_every_room_has_a_charter_and_its_place_in_the_order():
    folders = {str(Path(file).parent) for file in FILES} - {"yoked"}
    assert {room_of(file) for file in FILES} - set(HOUSES) == set(ROOMS)
    for room in folders:
        tree = ast.parse((ROOT / room / "__init__.py").read_text())
        assert ast.get_docstring(tree), f"{room} needs a charter"
        assert len(tree.body) == 1, f"the charter of {room} must import nothing"


def test_the_order_of_rooms_has_no_circle():
    by_house = {
        room: {f"{room.split('/')[0]}/{n}" for n in ROOMS[room]} for room in ROOMS
    }
    assert not circle(by_house)


def test_no_files_import_each_other():
    """Also not for types only: where two need each other, something is in one place."""
    assert not circle({file.removesuffix(".py"): needs(file) for file in FILES})


def test_imports_inside_the_house_are_relative():
    wrong = [
        (file, i)
        for file in FILES
        for i in imports(file)
        if i.name.split(".")[0] in {"yoked", *HOUSES}
        and not i.is_relative
        and not file.startswith("yoked/")  # the face writes what a user would
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


def write(folder: Path, file: str, text: str) -> str:
    """Write a file of a house that is made up, and return its name."""
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)
    return file


def test_the_checks_see_a_forbidden_import(tmp_path):
    file = write(
        tmp_path,
        "models/bad.py",
        "from ..analysis.dprime import dprime\n"
        "def f():\n    import torch\n"
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import flask\n",
    )
    found = imports(file, tmp_path)
    assert found[0] == Import("yoked.analysis.dprime.dprime", 1, True, False, False)
    assert house_of(found[0].name) == "analysis"
    assert found[1] == Import("torch", 3, False, True, False)
    assert found[3] == Import("flask", 6, False, False, True)


def test_the_checks_see_a_room_that_imports_a_later_one(tmp_path):
    write(tmp_path, "analysis/sessions/depths.py", "")
    text = "def f():\n    from ..sessions.depths import depths\n"
    file = write(tmp_path, "analysis/trials/design.py", text)
    assert strangers(file, tmp_path) == {"analysis/sessions"}


def test_the_checks_see_a_circle(tmp_path):
    one = write(tmp_path, "analysis/trials/one.py", "from .other import x\n")
    text = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import one\n"
    )
    other = write(tmp_path, "analysis/trials/other.py", text)
    found = circle({f.removesuffix(".py"): needs(f, tmp_path) for f in (one, other)})
    assert set(found) == {"analysis/trials/one", "analysis/trials/other"}


def test_no_file_is_a_drawer():
    drawers = {"utils.py", "util.py", "helpers.py", "misc.py", "common.py"}
    assert not [file for file in FILES if Path(file).name in drawers]


def test_files_are_short_or_have_a_reason():
    long = {f for f in FILES if len((ROOT / f).read_text().splitlines()) > MAX_LINES}
    assert long == set(LONGER_FOR_A_REASON)

"""docs/methods.md: what it names exists, and what exists is on it."""

import ast
import itertools
import re
from dataclasses import replace
from functools import cache
from importlib import import_module

import pytest

import yoked
from tests import ROOT
from yoked.analysis.agreement.kernels import similarity
from yoked.app.reports.formulas import formulas
from yoked.experiments.protocols.parts import Contrast

ROOMS = ("analysis", "app", "experiments", "models")
PAGE = (ROOT / "docs" / "methods.md").read_text()
LINES = PAGE.splitlines()
ENTRIES = re.findall(r"^- \*\*`.*\n(?: .*\n)*", PAGE, re.MULTILINE)
SECTIONS = re.findall(r"^#+ (\d+(?:\.\d+)*) ", PAGE, re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
FUNCTION = re.compile(rf"(?:{'|'.join(ROOMS)})(?:\.\w+)+")
NAME = re.compile(r"[\w{},-]+/(?:\d+|\{\w*\})")
NUMBERS = r"\d+(?:\.\d+)*(?:(?:, | and | to )\d+(?:\.\d+)*)*"

# Placeholders of estimates that are never shown: nobody has to look them up.
NEVER_SHOWN = {"given/1", "none/1", "r/1"}
# Of JSON: docs/json.md has them.
FORMATS = {f"yoked-{name}" for name in ("analyse/3", "compare/2")}
FORMATS |= {
    f"yoked-{name}" for name in ("closer/1", "closer-people/1", "match/1", "sweep/1")
} | {"yoked-deep-vs-shallow/1", "yoked-learned-retina/1", "yoked-brain/1", "yoked-v1/1"}
FORMATS |= {f"yoked-{name}/1" for name in ("attack", "corrupt", "sensitivity")}
FORMATS |= {"yoked-v1-controls/1", "yoked-control-claims/1", "yoked-regimes/1"}
FORMATS |= {"yoked-pictures/1"}
FORMATS |= {"yoked-brainlike-vs-seeing/1", "yoked-brainlike-links/1"}
OTHERS = {"CHANGES.md"}  # a file of every Psych-DS data set


def named(pattern):
    """Return (line number, name) of all code on the page that is of a kind."""
    return [
        (number, code)
        for number, line in enumerate(LINES, 1)
        for code in CODE.findall(line)
        if pattern.fullmatch(code)
    ]


@pytest.mark.parametrize(("line", "path"), named(FUNCTION))
def test_every_function_on_the_page_exists(line, path):
    module, _, attribute = f"yoked.{path}".rpartition(".")
    try:
        import_module(f"{module}.{attribute}")
    except ModuleNotFoundError:
        try:
            assert callable(getattr(import_module(module), attribute))
        except (ModuleNotFoundError, AttributeError, AssertionError):
            pytest.fail(f"docs/methods.md:{line}: there is no function yoked.{path}")


@pytest.mark.parametrize(("line", "name"), named(re.compile(r"yoked\.\w+")))
def test_every_public_name_on_the_page_exists(line, name):
    assert name.removeprefix("yoked.") in yoked.__all__, f"docs/methods.md:{line}"


@pytest.mark.parametrize(("line", "path"), named(re.compile(r"[\w/]+\.py")))
def test_every_file_on_the_page_exists(line, path):
    is_test = path.rpartition("/")[2].startswith("test_")
    file = (ROOT / "tests" if is_test else ROOT) / path
    assert file.is_file(), f"docs/methods.md:{line}: there is no file {file}"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: CODE.findall(entry)[0])
def test_every_formula_on_the_page_says_what_computes_and_what_holds_it(entry):
    codes = CODE.findall(entry)
    assert any(FUNCTION.fullmatch(code) for code in codes), "say: By `room.file.name`"
    assert any(code.endswith(".py") for code in codes), "say: held by `room/test_x.py`"


# --- formulas ------------------------------------------------------------------------


def expanded(name):
    """Give every name that `a-{b,c}` stands for; `{word}` is left as it is."""
    parts = re.split(r"(\{[^{}]*,[^{}]*\})", name)
    choices = [p.strip("{}").split(",") if "," in p else [p] for p in parts]
    return ["".join(chosen) for chosen in itertools.product(*choices)]


@cache
def on_the_page():
    return [
        each
        for entry in ENTRIES
        for name in re.findall(r"\*\*`([^`]+)`\*\*", entry)
        for each in expanded(name)
    ]


def fits(pattern, name):
    """Whether a name is one that a pattern with {placeholders} stands for."""
    parts = re.split(r"\{\w*\}", pattern)
    return re.fullmatch(r"[\w{}-]+".join(map(re.escape, parts)), name) is not None


def makes(constant, name):
    """Whether code with this text makes this name: all of it, or its end."""
    return fits(constant, name) or fits("{}-" + constant, name)


def text_of(node):
    """Give a string in the source, {} for what is put into it; None if it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}"
            for part in node.values
        )
    return None


# Of the house, files that make a formula of their own.
APP = [ROOT / "app" / "matched_noise.py"]


def constants():
    """Return (file, name) of every string in the source that names a formula."""
    found = []
    for room in ("analysis", "app/planning", "models/white_box", "models/brain_score"):
        for path in sorted([*(ROOT / room).rglob("*.py"), *APP]):
            nodes = list(ast.walk(ast.parse(path.read_text())))
            docs = {id(n.value) for n in nodes if isinstance(n, ast.Expr)}
            parts = {
                id(v) for n in nodes if isinstance(n, ast.JoinedStr) for v in n.values
            }
            texts = (text_of(n) for n in nodes if id(n) not in docs | parts)
            # In "{}/1" all of the name is put in: its parts are strings of their own.
            names = [t for t in texts if t and NAME.fullmatch(t) and t[:3] != "{}/"]
            found += [(path.relative_to(ROOT).as_posix(), name) for name in names]
    return [
        pair for pair in dict.fromkeys(found) if pair[1] not in NEVER_SHOWN | FORMATS
    ]


CONSTANTS = constants()


def test_there_are_formulas_to_look_for():
    assert len(CONSTANTS) > 70
    assert len(on_the_page()) > 70


@pytest.mark.parametrize(("file", "constant"), CONSTANTS)
def test_every_formula_of_the_source_is_on_the_page(file, constant):
    assert any(makes(constant, name) for name in on_the_page()), (
        f"docs/methods.md must have an entry for {constant}, which {file} makes"
    )


@pytest.mark.parametrize("name", on_the_page())
def test_every_formula_on_the_page_is_made_somewhere(name):
    # The depth profile's three are put together by words: "order-0-share" + "/1".
    made = [constant for _, constant in CONSTANTS]
    depth = re.fullmatch(r"order-[012]-(correlation|ceiling|share)/1", name)
    assert depth or any(makes(constant, name) for constant in made)


def test_names_that_are_put_together_are_on_the_page():
    one = yoked.load_protocol("bar-in-noise").with_options(contrast=0.1, trials=600)
    protocol = replace(one, contrast=Contrast((0.1, 0.2, 0.3)))
    template = yoked.load_observer("template")
    one, other = (
        yoked.run(protocol, template, seed=seed, internal_noise=1) for seed in (1, 2)
    )
    found = [yoked.depths(one, orders=0), similarity(one, other)]
    met = {name for _, name in formulas([each.to_dict() for each in found])}
    assert {"gamma-pooled-closed-form/2", "threshold-weibull-log-ml/1"} < met
    known = on_the_page()
    assert not [each for each in met if not any(fits(name, each) for name in known)]


# --- citations -----------------------------------------------------------------------


def sources():
    """Yield (file, text) of all Python here, each text on one line."""
    for room in (*ROOMS, "tests", "yoked", "docs"):
        for path in sorted((ROOT / room).rglob("*.py")):
            text = re.sub(r"\s*\n\s*(?:# )?", " ", path.read_text())
            yield path.relative_to(ROOT).as_posix(), text


def test_every_section_that_is_cited_is_on_the_page():
    assert len(set(SECTIONS)) == len(SECTIONS) > 40
    cited, missing = 0, []
    for file, text in sources():
        if file == "tests/house/test_methods.py":
            continue
        for mention in re.finditer(rf"(?<![/(\[])methods\.md(?: ({NUMBERS}))?", text):
            numbers = re.findall(r"\d+(?:\.\d+)*", mention[1] or "no section")
            cited += len(numbers)
            if not numbers or set(numbers) - set(SECTIONS):
                missing.append(f"{file}: {mention[0]}")
    assert cited > 20
    assert not missing, missing


def test_sections_are_numbered_in_order_and_links_lead_to_them():
    numbers = [tuple(map(int, section.split("."))) for section in SECTIONS]
    assert numbers == sorted(numbers)
    headings = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
    assert not set(re.findall(r"\]\(#([^)]+)\)", PAGE)) - anchors


def test_no_page_is_cited_that_a_stranger_has_not():
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    ours = {path.name for path in files} | OTHERS
    strange = {
        f"{file}: {page}"
        for file, text in sources()
        for page in re.findall(r"\b[\w-]+\.md\b", text)
        if page not in ours
    }
    assert not strange

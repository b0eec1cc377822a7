"""Every file and every pipe that is read or written as text names its encoding."""

import ast

import pytest

from tests import ROOT

FILES = [
    *(f for r in ("app", "analysis", "experiments", "models", "yoked", "docs")
      for f in sorted((ROOT / r).rglob("*.py"))),
    ROOT / ".ci" / "quick-tests",
]  # fmt: skip
# What has an `open` that reads no text.
NO_TEXT = {"os", "webbrowser", "Image", "zipfile", "archive", "tarfile", "gzip"}
PLACE = {"read_text": 0, "write_text": 1, "open": 2}  # of a path's encoding
OF_NUMPY = {"loadtxt", "genfromtxt", "savetxt"}
TEMPORARY = {"NamedTemporaryFile", "TemporaryFile", "fdopen"}


def without_encoding(text: str) -> list[int]:
    """Return the lines of calls that leave the encoding to the system."""
    calls = (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call))
    return [call.lineno for call in calls if _leaves_it_open(call)]


def _leaves_it_open(call: ast.Call) -> bool:
    is_of_something = isinstance(call.func, ast.Attribute)
    name = call.func.attr if is_of_something else getattr(call.func, "id", "")
    of = getattr(call.func.value, "id", "") if is_of_something else ""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if "encoding" in given or None in given or of in NO_TEXT:
        return False
    if name in ("read_text", "write_text"):
        return is_of_something and len(call.args) <= PLACE[name]
    if name == "open":
        mode = given.get("mode", *call.args[0 if is_of_something else 1 :][:1])
        return not _is_binary(mode) and len(call.args) <= PLACE["open"]
    if name in TEMPORARY:
        return not (name != "fdopen" and "mode" not in given) and not _is_binary(
            given.get("mode")
        )
    is_pipe = of == "subprocess" and {"text", "universal_newlines"} & set(given)
    return bool(is_pipe) or name in OF_NUMPY


def _is_binary(mode: ast.expr | None) -> bool:
    return isinstance(mode, ast.Constant) and "b" in str(mode.value)


def test_no_file_is_read_or_written_in_the_systems_code_page():
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in FILES
        for line in without_encoding(file.read_text(encoding="utf-8"))
    ]
    assert len(FILES) > 150
    assert found == []


@pytest.mark.parametrize(
    ("code", "is_open"),
    [
        ("open(p)", True),
        ("open(p, 'w')", True),
        ("open(p, 'rb')", False),
        ("open(p, encoding='utf-8')", False),
        ("path.open()", True),
        ("path.open('w', newline='')", True),
        ("path.open('xb')", False),
        ("path.read_text()", True),
        ("path.read_text('utf-8')", False),
        ("path.write_text(t)", True),
        ("path.write_text(t, 'utf-8')", False),
        ("write_text(path, t)", False),
        ("os.open(p, 0)", False),
        ("subprocess.run(c, text=True)", True),
        ("subprocess.run(c, encoding='utf-8')", False),
        ("np.loadtxt(p)", True),
        ("tempfile.NamedTemporaryFile(mode='w')", True),
        ("tempfile.NamedTemporaryFile()", False),
    ],
)
def test_the_rule_knows_text_from_bytes(code, is_open):
    assert bool(without_encoding(code)) == is_open

"""Make docs/api.md from the docstrings of the public names: `python docs/make_api.py`.

Types are read from the source, as they were written. Besides the public names the page
has every class of ours that functions take or give, and what those are made of.
"""

import ast
import inspect
import re
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, get_args

import yoked

PAGE = Path(__file__).with_name("api.md")
INTRO = """# The public names

`import yoked`, and these are there. What numbers mean is in [methods.md](methods.md).
Made from the docstrings: change those, and run `python docs/make_api.py`."""


class Member(NamedTuple):
    """An attribute, property or method: a method has no type here."""

    module: str
    kind: str
    given: str = ""
    said: str = ""


@cache
def definition(thing: Any) -> Any:
    """Return the node that defines a function or class."""
    nodes = ast.parse(inspect.getsource(sys.modules[thing.__module__])).body
    return next(n for n in nodes if getattr(n, "name", "") == thing.__name__)


def written(node: ast.expr | None) -> str:
    """Give a type as it was written, without quotes around it or a shape's space."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    text = ast.unparse(node) if node else ""
    return re.sub(r"(nd\w+), ' ?([^']*)'\]", r'\1, "\2"]', text)


def declared(cls: type) -> dict[str, Member]:
    """Return what a class and its bases of ours offer, by name."""
    found = {}
    for base in reversed(cls.__mro__):
        module = base.__module__
        for node in definition(base).body if module.startswith("yoked.") else ():
            if isinstance(node, ast.AnnAssign):
                name = ast.unparse(node.target)
                found[name] = Member(module, written(node.annotation))
            elif isinstance(node, ast.FunctionDef):
                given = [n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg)]
                marks = " ".join(map(ast.unparse, node.decorator_list))
                kind = written(node.returns) if "property" in marks else ""
                said = summary(ast.get_docstring(node))
                found[node.name] = Member(module, kind, ", ".join(given[1:]), said)
    return {name: member for name, member in found.items() if name[0] != "_"}


def classes_in(functions: list[Any]) -> dict[str, type]:
    """Return the classes of ours that functions take or give, and those in these."""
    nodes = [(f.__module__, n) for f in functions for n in ast.walk(definition(f))]
    todo = [(m, written(n.annotation)) for m, n in nodes if isinstance(n, ast.arg)]
    todo += [(f.__module__, written(definition(f).returns)) for f in functions]
    found: dict[str, type] = {}
    while todo:
        module, kind = todo.pop()
        things = [vars(sys.modules[module]).get(n) for n in re.findall(r"\w+", kind)]
        for cls in [one for thing in things for one in get_args(thing) or (thing,)]:
            is_ours = inspect.isclass(cls) and cls.__module__.startswith("yoked.")
            if is_ours and cls.__name__ not in found:
                found[cls.__name__] = cls
                todo += [(each.module, each.kind) for each in declared(cls).values()]
    return found


def prose(text: str) -> str:
    """Turn a paragraph into one line of Markdown."""
    text = re.sub(r"\[(\d+)\]_", r"[\1]", " ".join(text.split())).replace("``", "`")
    return re.sub(r"(`[^`]*`)|<", lambda m: m[1] or r"\<", text)


def summary(doc: str | None) -> str:
    """Return the first paragraph of a docstring."""
    return prose((doc or "").split("\n\n")[0])


def blocks(text: str) -> list[str]:
    """Turn paragraphs, indented blocks and examples into Markdown."""
    made = []
    for block in filter(None, re.split(r"\n\s*\n", text.strip("\n"))):
        if block.startswith((">>> ", "    ")):
            kind = "python" if block[0] == ">" else "text"
            made.append(f"```{kind}\n{inspect.cleandoc(block)}\n```")
        else:
            made.append("\n".join(map(prose, re.split(r"\n(?=- )", block))))
    return made


def table(head: str, rows: list[tuple[str, ...]]) -> list[str]:
    """Make a table; nothing where there are no rows."""
    cells = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    lines = [head.split(), ["---"] * len(head.split()), *cells]
    return ["\n".join(f"| {' | '.join(line)} |" for line in lines)] if rows else []


def sections(thing: Any) -> defaultdict[str, str]:
    """Split a docstring by its underlined headings; "" is what stands above them."""
    doc = (inspect.getdoc(thing) or "") + "\n"
    top, *rest = re.split(r"^(\w[\w ]*)\n-{3,}\n", doc, flags=re.MULTILINE)
    return defaultdict(str, zip(["", *rest[::2]], [top, *rest[1::2]], strict=True))


def items(section: str) -> list[tuple[str, str]]:
    """Return (names as code, meaning) of each entry of a section."""
    entries = re.findall(r"^(\S.*)\n((?:[ \t].*\n|\n)*)", section, re.MULTILINE)
    return [(f"`{n.replace(', ', '`, `')}`", prose(said)) for n, said in entries]


def called(name: str, function: Any, known: dict[str, type]) -> list[str]:
    """Give how a function is called, as the source has it, and links to its types."""
    head = r'(?sm)^def \w+(.*?):\n    r?"""'
    text = "".join(re.findall(head, inspect.getsource(function)))
    text = re.sub(r'(: |-> )"([^"]*)"', r"\1\2", text)
    kinds = [kind for kind in known if re.search(rf"\b{kind}\b", text)]
    links = ", ".join(f"[{kind}](#{kind.lower()})" for kind in kinds)
    return [f"```python\n{name}{text}\n```", *([f"Types: {links}"] if kinds else [])]


def linked(member: Member, known: dict[str, type]) -> str:
    """Give a type with links to what is on the page, array types spelled out."""

    def one(word: re.Match[str]) -> str:
        thing = vars(sys.modules[member.module]).get(word[0])
        if getattr(thing, "__module__", "") == "jaxtyping" and "[" in thing.__name__:
            return thing.__name__.replace("[nd", "[np.nd").replace("'", '"')
        return f"[{word[0]}](#{word[0].lower()})" if word[0] in known else word[0]

    kind = re.sub(r"\w+", one, member.kind)
    return kind if "](" in kind else f"`{kind}`"


def members(cls: type, known: dict[str, type]) -> list[str]:
    """Make tables of what a class has and can do."""
    own, entries = declared(cls), items(sections(cls)["Attributes"])
    told = re.findall(r"\w+", " ".join(names for names, _ in entries))
    entries += [(f"`{n}`", m.said) for n, m in own.items() if m.kind and n not in told]
    rows = []
    for names, said in entries:
        kinds = [linked(own[n], known) for n in re.findall(r"\w+", names) if n in own]
        rows.append((names, ", ".join(dict.fromkeys(kinds)), said))
    can = [(f"`{n}({m.given})`", m.said) for n, m in own.items() if not m.kind]
    return table("attribute type meaning", rows) + table("method meaning", can)


def described(name: str, thing: Any, known: dict[str, type]) -> list[str]:
    """Turn a docstring into Markdown, with how it is called or what a class has."""
    doc = sections(thing)
    made = [] if inspect.isclass(thing) else called(name, thing, known)
    made += blocks(doc[""]) + table("parameter meaning", items(doc["Parameters"]))
    made += members(thing, known) if inspect.isclass(thing) else []
    for title in ("Returns", "Raises"):
        made += [f"{title} {what}: {said}" for what, said in items(doc[title])]
    made += blocks(doc["Notes"]) + blocks(doc["Examples"])
    if "]_" in "".join(doc.values()):  # one list of sources may serve a whole module
        sources = (sections(sys.modules[thing.__module__]) | doc)["References"]
        made += blocks(sources.replace(".. [", "\n[").replace("\n   ", " "))
    return made


def page() -> str:
    """Return the whole page."""
    names = {f"yoked.{name}": getattr(yoked, name) for name in yoked.__all__}
    for name, module in [(n, m) for n, m in names.items() if type(m) is ModuleType]:
        del names[name]
        names |= {f"{name}.{each}": getattr(module, each) for each in module.__all__}
    functions = {n: f for n, f in names.items() if inspect.isfunction(f)}
    classes = {c.__name__: c for c in names.values() if inspect.isclass(c)}
    classes = dict(sorted((classes_in(list(functions.values())) | classes).items()))
    to = {t: n.lower().replace(".", "") for n, t in (functions | classes).items()}
    rows = [(f"[`{n}`](#{to[t]})", summary(t.__doc__)) for n, t in names.items()]
    made = [INTRO, *table("name meaning", rows)]
    for title, group in (("Functions", functions), ("Classes", classes)):
        made.append(f"## {title}")
        for name, thing in group.items():
            made += [f"### {name}", *described(name, thing, classes)]
    return "\n\n".join(made) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

"""docs/api.md is what docs/make_api.py makes of the docstrings of today."""

import re
import runpy

import pytest

import yoked
from tests import ROOT

SCRIPT = ROOT / "docs" / "make_api.py"
PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")


@pytest.fixture(scope="module")
def made():
    return runpy.run_path(str(SCRIPT))


def test_the_page_is_current(made):
    assert made["page"]() == PAGE, "docs/api.md is old; run: python docs/make_api.py"


@pytest.mark.parametrize("name", sorted({*yoked.__all__} - {"plot"}))
def test_every_public_name_is_on_the_page(name):
    assert f"| [`yoked.{name}`](#" in PAGE


def test_every_link_leads_to_a_heading():
    headings = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", each.lower()) for each in headings]
    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) <= set(anchors)


def test_every_table_has_its_columns():
    for block in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        lines = block.splitlines()
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} in ({3}, {4})
        assert re.fullmatch(r"\|( --- \|)+", lines[1])


def test_a_docstring_becomes_markdown(made):
    class Example:
        r"""Give |x| < 1, as ``numpy`` does [1]_.

            indented = 1

        Parameters
        ----------
        a, b
            One
            meaning.

        Returns
        -------
        float
            A number.

        Examples
        --------
        >>> 1 < 2
        True

        References
        ----------
        .. [1] Somebody (1990), A journal,
           volume 1.
        """

    assert made["described"]("Example", Example, {}) == [
        r"Give |x| \< 1, as `numpy` does [1].",
        "```text\nindented = 1\n```",
        "| parameter | meaning |\n| --- | --- |\n| `a`, `b` | One meaning. |",
        "Returns `float`: A number.",
        "```python\n>>> 1 < 2\nTrue\n```",
        "[1] Somebody (1990), A journal, volume 1.",
    ]

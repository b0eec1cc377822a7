"""Cells of an exported table: no formula, no rounded number, and the way back."""

import io
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoked.experiments.store.cells import exact, from_cell, whole_text, written

# What Excel, LibreOffice and Google Sheets may calculate (OWASP, "CSV Injection").
FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "=",
    "-",
    "－1+1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_cannot_become_a_formula(text):
    assert written(text) == f"'{text}"
    assert from_cell(written(text)) == text


@pytest.mark.parametrize(
    "text", ["ann", "", "-5", "+0.25", "-1e-07", "1=1", "a-b", "'tis", '{"a":-1}', "[]"]
)
def test_numbers_and_other_texts_stay_as_they_are(text):
    assert written(text) == from_cell(text) == text


@pytest.mark.parametrize("value", [None, 3, -3, -0.5, True, float("nan")])
def test_what_is_no_text_stays_as_it_is(value):
    assert written(value) is value


@given(st.text())
def test_every_text_comes_back(text):
    assert from_cell(written(text)) == text
    assert from_cell(written(written(text))) == written(text)


@given(st.integers(-(2**63), 2**63))
def test_an_integer_comes_back_and_no_double_rounds_it(n):
    cell = written(n)
    assert whole_text(str(cell)) == n
    if isinstance(cell, int):
        assert int(float(cell)) == n
    assert re.fullmatch(r"seed:-?\d+", exact(n, "seed"))
    assert whole_text(exact(n, "seed")) == n


def test_pandas_keeps_a_seed_as_it_is():
    """R's `type.convert`, too, makes a number only of what is one."""
    seeds = [2640386212269488957, 5]
    text = "seed\n" + "\n".join(exact(seed, "seed") for seed in seeds)
    table = pd.read_csv(io.StringIO(text))
    assert [whole_text(cell) for cell in table["seed"]] == seeds

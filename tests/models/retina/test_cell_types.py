"""The table of cell types: the page says what the code has, and rows are checked."""

import math
import re
from dataclasses import fields, replace

import pytest

from tests import ROOT
from yoked.models.retina.cell_types import ON_MIDGET, ON_PARASOL, PRIMATE, CellType

PAGE = (ROOT / "docs" / "retina.md").read_text()
NOT_NUMBERS = {"name", "polarity", "pathway"}


def test_the_page_has_every_number_of_the_table():
    rows = re.findall(r"^\| (\w+)(?: \([^)]*\))? \|(.*)\|[^|]*\|$", PAGE, re.MULTILINE)
    table = {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}
    for field in fields(CellType):
        if field.name not in NOT_NUMBERS:
            values = [getattr(cell_type, field.name) for cell_type in PRIMATE]
            assert [float(cell) for cell in table[field.name]] == pytest.approx(values)


def test_a_centre_is_subunits_and_their_pooling():
    assert ON_MIDGET.pool_deg == 0
    pooled = math.hypot(ON_PARASOL.pool_deg, ON_PARASOL.subunit_deg)
    assert pooled == pytest.approx(ON_PARASOL.centre_deg)


def test_neighbours_are_two_standard_deviations_apart():
    assert ON_MIDGET.spacing_deg == pytest.approx(2 * 0.03 / math.sqrt(2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "on midget"}, "name must be letters, digits and underscores"),
        ({"polarity": 0}, "polarity must be 1 or -1, got 0"),
        ({"centre_deg": 0.0}, "centre_deg must be more than 0, got 0"),
        ({"inhibition": -0.1}, "inhibition must be 0 or more, got -0"),
        ({"rectification": 2.0}, r"rectification must be in \[0, 1\], got 2.0"),
        ({"subunit_deg": 0.2}, r"subunit_deg must be centre_deg, 0.03, or less"),
        ({"surround_ratio": 1.0}, r"surround_ratio must be wide enough .* got 1.0"),
        ({"latency_ms": math.inf}, "latency_ms must be more than 0, got inf"),
    ],
)
def test_a_cell_type_that_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(ON_MIDGET, **change)

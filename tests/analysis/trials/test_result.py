"""Results: one plain form, one table, one data frame for all of them."""

import json
import math
from dataclasses import dataclass

import numpy as np

from yoked.analysis.trials.estimate import Estimate
from yoked.analysis.trials.result import MOST_NUMBERS, Result, as_plain

DPRIME = Estimate(1.5, 0.1, 1.3, 1.7, 300, "dprime/1")


@dataclass(frozen=True)
class Part(Result):
    """Numbers of a contrast."""

    contrast: float | None
    dprime: Estimate


@dataclass(frozen=True, eq=False)
class Whole(Result):
    """A bit of everything."""

    observer: str
    pooled: Part
    by_contrast: tuple[Part, ...]
    p: tuple[float, ...]
    n_trials: np.int64
    kernel: np.ndarray
    inside: dict[str, np.ndarray]
    formula: str = "whole/1"


ENDLESS = Estimate(2.0, None, 1.0, math.inf, 100, "dprime/1")
WHOLE = Whole(
    "<b>ann</b>",
    Part(None, DPRIME),
    (Part(0.1, DPRIME), Part(0.2, ENDLESS)),
    (0.5, math.nan),
    np.int64(300),
    np.zeros((64, 64)),
    {"large": np.zeros(MOST_NUMBERS + 1), "flag": np.array([True])},
)


def test_the_plain_form_is_strict_json_and_leaves_large_arrays_out():
    row = json.loads(json.dumps(WHOLE.to_dict(), allow_nan=False))
    assert list(row)[:2] == ["observer", "pooled"]
    assert row["pooled"]["contrast"] is None
    assert row["by_contrast"][1]["dprime"]["high"] == "Infinity"
    assert (row["p"], row["n_trials"]) == ([0.5, None], 300)
    assert np.shape(row["kernel"]) == (64, 64)
    assert row["inside"] == {"large": None, "flag": [True]}


def test_no_shape_gets_round_the_limit():
    for shape in ((4097,), (65, 64), (17, 16, 16)):
        assert as_plain(np.zeros(shape)) is None
    for shape in ((4096,), (1, 4096), (16, 16, 16)):
        assert np.size(as_plain(np.zeros(shape))) == MOST_NUMBERS


def test_every_array_is_there_by_its_path():
    arrays = WHOLE.arrays()
    assert list(arrays) == ["kernel", "inside.large", "inside.flag"]
    assert arrays["inside.large"] is WHOLE.inside["large"]


def test_the_frame_has_a_row_for_each_quantity_and_contrast():
    frame = WHOLE.to_frame()
    dprimes = ["pooled.dprime", "by_contrast.dprime", "by_contrast.dprime"]
    assert frame["quantity"].tolist() == [*dprimes, "p.0", "p.1", "n_trials"]
    assert np.array_equal(frame["contrast"][:3], [np.nan, 0.1, 0.2], equal_nan=True)
    assert frame["high"][2] == math.inf
    for name in ("contrast", "value", "se", "low", "high"):
        assert frame[name].dtype == np.float64
    assert frame["n"].tolist()[:3] == [300, 300, 100]
    assert frame["n"].isna().tolist()[3:] == [True] * 3
    assert set(frame["observer"]) == {"<b>ann</b>"}
    assert "formula" in frame
    assert "whole/1" not in frame["formula"].tolist()


def test_a_result_without_numbers_is_an_empty_frame():
    @dataclass(frozen=True)
    class Nothing(Result):
        why: str

    frame = Nothing("no trial counts").to_frame()
    assert (len(frame), frame["value"].dtype) == (0, np.float64)
    assert Nothing("no trial counts").table() == []


def test_the_table_is_short_texts_and_the_notebook_shows_it():
    assert WHOLE.table()[2] == {
        "quantity": "by_contrast.dprime",
        "contrast": "0.2",
        "value": "2.000 [1.000, ∞]",
    }
    page = WHOLE._repr_html_()
    assert page.startswith("<table><tr><th>quantity</th><th>contrast</th>")
    assert page.count("<tr>") == 1 + len(WHOLE.table())


def test_a_name_in_a_notebook_cannot_be_markup():
    @dataclass(frozen=True)
    class Named(Result):
        observer: str

        def table(self):
            return [{"observer": self.observer, "trials": 300}]

    page = Named("<b>ann</b>")._repr_html_()
    assert "<th>observer</th><td>&lt;b&gt;ann&lt;/b&gt;</td>" in page


def test_results_are_equal_only_if_they_say_so():
    assert Part(0.1, DPRIME) == Part(0.1, DPRIME)
    assert Whole(**vars(WHOLE)) != WHOLE

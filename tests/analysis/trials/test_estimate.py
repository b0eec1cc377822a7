"""Estimates: what they refuse, how they travel to JSON, and through a function."""

import json
import math

import pytest

from yoked.analysis.trials.estimate import Estimate, mapped


def test_a_missing_value_needs_its_reason():
    assert Estimate.missing("x/1", "no trials").note == "no trials"
    with pytest.raises(ValueError, match="x/1 without a value must say why"):
        Estimate(None, None, None, None, 0, "x/1")


def test_nan_is_refused():
    with pytest.raises(ValueError, match="x/1 must be free of NaN"):
        Estimate(math.nan, 0.1, 0.0, 1.0, 10, "x/1")


def test_limits_enclose_the_value():
    with pytest.raises(
        ValueError, match=r"must rise in this order, got \(2.0, 1.0, 3.0\)"
    ):
        Estimate(1.0, 0.1, 2.0, 3.0, 10, "x/1")


def test_a_negative_se_is_refused():
    with pytest.raises(ValueError, match=r"se must be >= 0, got -0\.1"):
        Estimate(1.0, -0.1, 0.0, 3.0, 10, "x/1")


def test_a_normal_interval_is_196_standard_errors_wide():
    estimate = Estimate.normal(2.0, 0.5, 10, "x/1")
    assert (estimate.low, estimate.high) == pytest.approx((1.02, 2.98), abs=1e-4)


def test_infinite_is_told_from_unknown_in_json_without_reading_the_note():
    endless = Estimate(math.inf, None, 1.0, math.inf, 10, "x/1", "at chance")
    data = json.loads(json.dumps(endless.to_dict(), allow_nan=False))
    assert (data["value"], data["high"]) == ("Infinity", "Infinity")
    assert float(data["high"]) == math.inf
    assert (data["se"], data["note"]) == (None, "at chance")
    assert Estimate(0.0, None, -math.inf, 1.0, 10, "x/1").to_dict()["low"] == (
        "-Infinity"
    )
    assert Estimate.missing("x/1", "no trials").to_dict()["value"] is None


def test_infinite_is_told_from_unknown_in_a_table_and_a_line():
    endless = Estimate(math.inf, None, 1.0, math.inf, 10, "x/1")
    assert endless.short() == "∞ [1.000, ∞]"
    assert str(endless) == "∞ [1.000, ∞] n=10 (x/1)"
    assert Estimate(0.5, None, -math.inf, math.inf, 10, "x/1").short() == (
        "0.500 [-∞, ∞]"
    )
    assert Estimate(0.5, None, None, None, 10, "x/1").short() == "0.500"
    assert Estimate.missing("x/1", "no trials").short() == "-"


def test_a_falling_function_swaps_the_limits():
    estimate = mapped(
        Estimate.normal(1.0, 0.1, 10, "x/1"), lambda x: -2 * x, "y/1", -2.0
    )
    assert (estimate.value, estimate.se) == (-2.0, 0.2)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.formula == "y/1"


def test_a_missing_estimate_stays_missing_through_a_function():
    assert mapped(Estimate.missing("x/1", "why"), abs, "y/1").note == "why"


def test_an_estimate_prints_as_one_line():
    assert str(Estimate.missing("x/1", "no trials")) == "none: no trials (x/1)"
    line = str(Estimate.normal(1.0, 0.1, 10, "x/1"))
    assert line == "1.000 SE 0.100 [0.804, 1.196] n=10 (x/1)"

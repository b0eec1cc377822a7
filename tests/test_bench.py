"""Benchmarks run and give positive ratios; how large they are is never asserted."""

import json

import pytest

from yoked.app.bench import run_benchmarks


def test_every_contest_gives_a_ratio_of_its_rates():
    result = run_benchmarks(rounds=1)
    json.dumps(result)
    assert result["machine"]["cores"] >= 1
    for row in result["contests"]:
        assert row["ratio"] > 0
        rates = row["ours_per_s"] / row["against_per_s"]
        assert rates == pytest.approx(row["ratio"])

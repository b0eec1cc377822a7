"""Benchmarks run and give positive ratios; how large they are is never asserted."""

import json

import pytest

from yoked.app.bench import large_kernels, run_benchmarks


def test_every_contest_gives_a_ratio_of_its_rates():
    result = run_benchmarks(rounds=1)
    json.dumps(result)
    assert result["machine"]["cores"] >= 1
    for row in result["contests"]:
        assert row["ratio"] > 0
        rates = row["ours_per_s"] / row["against_per_s"]
        assert rates == pytest.approx(row["ratio"])


@pytest.mark.slow
def test_kernels_of_a_million_trials_stay_small():
    result = large_kernels(1_000_000)
    assert result["trials"] == 1_000_000
    assert result["ratio"] > 0
    assert result["peak_gib"] is None or result["peak_gib"] < 2


def test_large_kernels_are_measured_in_a_process_of_their_own():
    result = large_kernels(500)
    assert result["seconds"] > 0
    assert result["ratio"] == result["baseline_seconds"] / result["seconds"]

"""Benchmarks run and give positive ratios; how large they are is never asserted."""

import json

import pytest

from yoked.app.bench import large_kernels
from yoked.app.bench_analyse import analyse_ratios
from yoked.app.bench_basis import basis_ratios
from yoked.app.bench_faces import face_ratio
from yoked.app.bench_models import measure_device


def test_a_device_is_measured_with_its_observers_and_its_memory():
    result = measure_device("cpu", rounds=1)
    json.dumps(result)
    assert {"guesser", "template"} <= {row["observer"] for row in result["observers"]}
    assert result["generator_share"] > 0
    for row in result["observers"]:
        assert row["trials_per_s"] > 0
        assert 0 < row["generation_share"] < 1


def test_a_classification_image_is_measured_beside_its_formula():
    (row,) = face_ratio(1, size=64, n_scales=3)
    assert row["ratio"] > 0
    assert "252 images" in row["what"]


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="device must be cpu or cuda, got 'tpu'"):
        measure_device("tpu")
    with pytest.raises(ValueError, match="device must be available, got 'cuda:99'"):
        measure_device("cuda:99")


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


def test_an_analysis_is_measured_beside_a_product_of_its_noise():
    one, two, both = analyse_ratios(400, 6)
    json.dumps([one, two, both])
    assert both["what"] == "compare two observers of 400 trials of 31 x 31"
    for row, order in ((one, 1), (two, 2)):
        assert row["what"] == f"analyse 400 trials of 6 x 6, order {order}"
    for row in (one, two, both):
        assert row["ratio"] == row["seconds"] / row["product_seconds"] > 0
        assert row["peak_mib"] is None or row["peak_mib"] > 0
    assert (one["goal"], two["goal"], both["goal"]) == (10, 40, 40)


def test_noise_on_a_basis_is_measured_one_at_a_time_and_in_batches():
    rows = basis_ratios(rounds=1)
    assert len(rows) == 14
    assert all(row["ratio"] > 0 for row in rows)
    large = [row["peak"] for row in rows if row.get("stored_mb", 0) > 0.5]
    assert len(large) == 5
    assert max(large) < 2

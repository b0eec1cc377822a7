"""Exact products: the same whole numbers by both ways, at the extremes too."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from yoked.analysis.trials import exact_products
from yoked.analysis.trials.exact_products import GramSum, fastest, gram

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs PyTorch"
)
levels = st.sampled_from([-128, -127, -1, 0, 1, 127]) | st.integers(-127, 127)
matrices = arrays(
    np.int8, st.tuples(st.integers(0, 40), st.integers(1, 12)), elements=levels
)


@pytest.fixture(scope="module", params=["int8", "float32"])
def way(request):
    if request.param == "int8" and not exact_products._int8_is_exact():
        pytest.skip("needs PyTorch, and a processor on which its products are exact")
    return request.param


def exact(x, y):
    return x.astype(np.int64).T @ y.astype(np.int64)


@given(matrices)
def test_a_gram_matrix_is_exact(way, x):
    np.testing.assert_array_equal(gram(x, way), exact(x, x))


@pytest.mark.parametrize("level", [-128, -127, 127])
def test_sums_beyond_32_bits_are_exact(way, level):
    # 127^2 x 140,000 is more than 2^31, and far more than float32's 2^24.
    x = np.full((140_000, 2), level, np.int8)
    x[:, 1] = -127
    assert abs(int(gram(x, way)[0, 0])) > 2**31
    np.testing.assert_array_equal(gram(x, way), exact(x, x))


@pytest.mark.parametrize("n_elements", [255, 256, 257, 530])
def test_strips_of_a_wide_matrix_make_it_whole(way, n_elements):
    rng = np.random.default_rng(n_elements)
    x = rng.integers(-127, 128, (70, n_elements)).astype(np.int8)
    np.testing.assert_array_equal(gram(x, way), exact(x, x))


@settings(max_examples=25)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_chunks_add_up_to_the_whole(way, sizes, seed):
    rng = np.random.default_rng(seed)
    chunks = [rng.integers(-127, 128, (n, 6)).astype(np.int8) for n in sizes]
    whole, total = np.concatenate(chunks), GramSum(6, way)
    for chunk in chunks:
        total.add(chunk)
    np.testing.assert_array_equal(total.matrix(), exact(whole, whole))
    total.matrix()[:] = 0  # a copy
    np.testing.assert_array_equal(total.matrix(), exact(whole, whole))


def test_arrays_that_cannot_be_written_to_are_read(way):
    x = np.arange(8, dtype=np.int8).reshape(4, 2)
    x.setflags(write=False)
    np.testing.assert_array_equal(gram(x, way), exact(x, x))
    np.testing.assert_array_equal(gram(x[:, ::-1], way), exact(x, x)[::-1, ::-1])


def test_without_pytorch_the_int8_way_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(exact_products, "_int8_is_exact", lambda: False)
    assert fastest(10**15) == "float32"
    with pytest.raises(RuntimeError, match="int8 products need PyTorch"):
        gram(np.ones((2, 2), np.int8), "int8")


@needs_torch
@pytest.mark.parametrize("processor", ["AVX2"])
def test_a_processor_on_which_pytorch_saturates_is_found_out(processor):
    # The variable makes oneDNN use what older x86 processors have; others ignore it.
    code = """
import numpy as np, torch
from yoked.analysis.trials.exact_products import fastest, gram
x = np.random.default_rng(0).choice([-127, 127], (300, 64)).astype(np.int8)
assert np.array_equal(gram(x), x.astype(int).T @ x.astype(int)), fastest(0)
"""
    environment = os.environ | {"ONEDNN_MAX_CPU_ISA": processor}
    command = [sys.executable, "-c", code]
    subprocess.run(command, check=True, timeout=60, env=environment)


def test_a_small_product_starts_no_pytorch():
    code = """
import sys, numpy as np
from yoked.analysis.trials.exact_products import gram
gram(np.ones((50, 5), np.int8))
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

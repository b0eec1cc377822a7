"""Exact products of integer matrices: second moments of noise levels without rounding.

Noise levels are int8, so sums of their products are whole numbers, and equal whatever
made them. Where PyTorch is installed its int8 matrix product does the work; elsewhere
float32 BLAS does, in blocks of rows so few that every sum is a whole number of at most
2^24 and therefore exact. Coefficients of noise on a basis are int16; products of these
are added up in float64, where a sum is exact up to 2^53.

PyTorch's product is wrong without a word in two cases: on processors that have no 8-bit
dot product (VNNI), where sums of two products saturate at 16 bits [1]_, and where a
factor has one column [2]_. It is used only where it has passed a test of extreme
levels, and never for one column.

References
----------
.. [1] https://github.com/pytorch/pytorch/issues/136746
.. [2] https://github.com/pytorch/pytorch/issues/195066
"""

import importlib.util
import sys
from collections.abc import Iterator
from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Int, Int8, Int64

Method = Literal["auto", "int8", "float32"]

# Multiply-adds from which the start of PyTorch, a second or two, is paid back.
LARGE = 2**38
_EXACT = {
    "float32": 2**24,
    "int8": 2**31 - 1,
    "float64": 2**53,
}  # largest sum that a block may reach
_STRIP = 256  # columns of a strip of a symmetric product


class GramSum:
    """A sum of products X' X, to which chunks of rows are added.

    Parameters
    ----------
    n_elements
        Columns of X.
    method
        'int8' is PyTorch's product, 'float32' BLAS; 'auto' takes the first where
        PyTorch is loaded already. The sums are the same.

    Raises
    ------
    RuntimeError
        If `method` is 'int8' and PyTorch, or an exact product of its, is not there.

    Examples
    --------
    >>> total = GramSum(2)
    >>> total.add(np.array([[1, 2]], np.int8))
    >>> total.add(np.array([[3, -4]], np.int8))
    >>> total.matrix().tolist()
    [[10, -10], [-10, 20]]
    """

    def __init__(self, n_elements: int, method: Method = "auto") -> None:
        self.method = fastest(0, method)
        self._total = np.zeros((n_elements, n_elements), np.int64)

    def add(self, x: Int[np.ndarray, " trial element"]) -> None:
        """Add X' X of some rows; only its part from the diagonal on is made.

        Rows of more than 8 bits are multiplied as float64, whatever the method.
        """
        if x.dtype != np.int8:
            for block in _blocks(x, _EXACT["float64"] // _bound(x, x)):
                double = block.astype(np.float64)
                _add(self._total, double.T @ double)
            return
        if self.method == "float32":
            for block in _blocks(x, _EXACT["float32"] // _bound(x, x)):
                single = block.astype(np.float32)
                _add(self._total, single.T @ single)  # BLAS sees that it is symmetric
            return
        for block in _blocks(x, _EXACT["int8"] // _bound(x, x)):
            for start in range(0, x.shape[1], _STRIP):
                strip = block[:, start : start + _STRIP]
                to = self._total[start : start + _STRIP, start:]
                _add(to, _int8_product(strip, block[:, start:]))

    def matrix(self) -> Int64[np.ndarray, " element element"]:
        """Return the sum so far."""
        total = self._total
        for stop in range(_STRIP, len(total), _STRIP):
            start = stop - _STRIP  # within a strip's own columns nothing is missing
            total[stop:, start:stop] = total[start:stop, stop:].T
        return total.copy()


def gram(
    x: Int8[np.ndarray, " trial element"], method: Method = "auto"
) -> Int64[np.ndarray, " element element"]:
    """Multiply X' X exactly: sums over trials of products of elements.

    Parameters and errors are those of `GramSum`; 'auto' also starts PyTorch for a large
    product.

    Examples
    --------
    >>> gram(np.array([[1, 2], [3, -4]], np.int8)).tolist()
    [[10, -10], [-10, 20]]
    """
    total = GramSum(x.shape[1], fastest(x.size * x.shape[1], method))
    total.add(x)
    return total.matrix()


def fastest(n_products: int, method: Method = "auto") -> Literal["int8", "float32"]:
    """Say by which way so many multiply-adds are done soonest here.

    Raises
    ------
    RuntimeError
        If 'int8' is asked for and cannot be had.

    Examples
    --------
    >>> fastest(10**12, "float32")
    'float32'
    """
    if method == "int8" and not _int8_is_exact():
        rule = 'PyTorch (pip install "torch") and a processor on which its are exact'
        raise RuntimeError(f"int8 products need {rule}")
    if method != "auto":
        return method
    if "torch" not in sys.modules and n_products < LARGE:
        return "float32"
    return "int8" if _int8_is_exact() and _int8_is_faster() else "float32"


@cache
def _int8_is_exact() -> bool:
    """Try PyTorch's product on the levels that saturate a processor without VNNI."""
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    if not hasattr(torch, "_int_mm"):
        return False
    rng = np.random.default_rng(0)
    for sizes in ((2, 2), (13, 13), (64, 64), (_STRIP, 600)):
        x, y = (rng.choice([-128, -127, 127], (67, n)).astype(np.int8) for n in sizes)
        if not np.array_equal(_int8_product(x, y), x.T.astype(np.int64) @ y):
            return False
    return True


@cache
def _int8_is_faster() -> bool:
    """Race the two ways once."""
    from timeit import repeat

    x = np.ones((4096, 128), np.int8)
    int8, float32 = (
        min(repeat(lambda way=way: way(x, x), number=1, repeat=4))
        for way in (_int8_product, _float32_product)
    )
    return int8 < float32


def _blocks(x: np.ndarray, n_rows: int) -> Iterator[np.ndarray]:
    return (x[start : start + n_rows] for start in range(0, len(x), n_rows))


def _bound(x: np.ndarray, y: np.ndarray) -> int:
    """Return what no product of two of their elements exceeds."""
    return max(_largest(x) * _largest(y), 1)


def _largest(x: np.ndarray) -> int:
    return max(int(x.max(initial=0)), -int(x.min(initial=0)))


def _add(total: np.ndarray, block: np.ndarray) -> None:
    np.add(total, block, out=total, casting="unsafe")  # floats here are whole numbers


def _float32_product(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return x.astype(np.float32).T @ y.astype(np.float32)


def _int8_product(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if x.shape[1] == 1 or y.shape[1] == 1:
        return x.T.astype(np.int64) @ y
    import torch

    left, right = (torch.from_numpy(np.require(a, None, "W")) for a in (x, y))
    multiply = getattr(torch, "_int_mm")  # noqa: B009 -- not in its type stubs
    return multiply(left.t(), right).numpy()  # the transposed view costs no copy

"""The same sums each time a training is repeated."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .practice import one_thread


@contextmanager
def repeatable(is_cuda: bool = False) -> Iterator[None]:
    """Let the CPU give the same sums each time: one thread, and no oneDNN.

    Its convolutions differ in the last digits from the first call to later ones, and
    AdamW makes steps of any gradient, however small. A GPU is left as it is.
    """
    if is_cuda:
        yield
        return
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False  # pyright: ignore[reportAttributeAccessIssue]
    try:
        with one_thread():
            yield
    finally:
        torch.backends.mkldnn.enabled = before  # pyright: ignore[reportAttributeAccessIssue]

"""The kernel that a network is to have: an observer's, a session's, or a file's.

All are measured as `yoked.kernel_moments` measures the network's, with whole choices in
place of soft ones, so that both are the same quantity.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from ...experiments.protocols.protocol import Protocol
from ...experiments.stimulus.seeds import derived_seed
from ..training.losses import KernelMoments, choice_weights

_AT_ONCE = 4096  # trials whose noise is held together
_FORMATS = (".npy", ".csv", ".json")


class Kernels(NamedTuple):
    """Kernels of order one and two; None for what is not asked for."""

    first: Float[Tensor, " element"] | None
    second: Float[Tensor, " element element"] | None

    def permuted(self, order: Int[Tensor, " element"]) -> "Kernels":
        """Give them with elements at other places, the same at both orders."""
        first, second = self
        return Kernels(
            None if first is None else first[order],
            None if second is None else second[order][:, order],
        )


@dataclass(frozen=True)
class KernelTarget:
    """What is to be reached, and what it was before elements changed places.

    Attributes
    ----------
    true
        Of the observer.
    wanted
        What is learnt: the true kernel, or the shuffled one.
    is_shuffled
        Whether that is another.
    """

    true: Kernels
    wanted: Kernels
    is_shuffled: bool

    @classmethod
    def of(cls, true: Kernels, shuffled: bool, seed: int) -> "KernelTarget":
        """Make it; the seed says where elements go."""
        if not shuffled:
            return cls(true, true, False)
        known = next(each for each in true if each is not None)
        rng = np.random.default_rng(derived_seed("shuffled kernel", seed))
        order = torch.from_numpy(rng.permutation(len(known)))
        return cls(true, true.permuted(order), True)


def cosines(
    moments: KernelMoments, kernels: Kernels
) -> tuple[float | None, float | None]:
    """Give the cosine of a network's kernel with another, at each order known."""

    def cosine(own: Tensor | None, other: Tensor | None) -> float | None:
        if own is None or other is None:
            return None
        given = (own.flatten(), other.to(own).flatten())
        return functional.cosine_similarity(*given, dim=0).item()

    return cosine(moments.first, kernels.first), cosine(moments.second, kernels.second)


def kernels_of(
    protocol: Protocol,
    wanted: Tensor,
    classes: Int[np.ndarray, " trial"],
    noise: Callable[[slice], Float[Tensor, " trial alternative element"]],
    second: bool,
) -> Kernels:
    """Give the kernels of responses.

    Parameters
    ----------
    protocol
        Whose task it is.
    wanted
        The responses, as the loss takes them.
    classes
        Stimulus class of each trial.
    noise
        Gives that of some of the trials, in SDs.
    second
        Whether order two is wanted.

    Raises
    ------
    ValueError
        If all responses of every class are the same.
    """
    if protocol.task.takes_largest:
        n_alternatives = protocol.n_intervals
        chosen = functional.one_hot(wanted, n_alternatives).to(torch.float64)
    else:
        chosen = wanted[:, None].to(torch.float64)
    weights = choice_weights(chosen, torch.from_numpy(classes))
    if not weights.any():
        rule = "more than one within a stimulus class to have a kernel"
        raise ValueError(f"responses must be {rule}, got one")
    first: Tensor | None = None
    square: Tensor | None = None
    for start in range(0, len(wanted), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        flat = noise(rows).flatten(0, 1).to(torch.float64)
        weight = weights[rows].flatten()
        one = weight @ flat
        first = one if first is None else first + one
        if second:
            two = (flat * weight[:, None]).T @ flat
            square = two if square is None else square + two
    return Kernels(first, square)


def kernels_in(path: Path, orders: tuple[int, ...], n_elements: int) -> Kernels:
    """Read kernels from a file.

    Parameters
    ----------
    path
        .npy or .csv: a number an element is order one, in a list or on the noise grid,
        and one a pair of them is order two. .json: a table with `first` and `second`.
    orders
        Which are wanted.
    n_elements
        Of the noise.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is of another kind, lacks an order, or has other elements.
    """
    if not path.is_file():
        raise FileNotFoundError(f"a kernel must be a file, got {str(path)!r}")
    given = _read(path, n_elements)
    shapes = {1: (n_elements,), 2: (n_elements, n_elements)}
    found: dict[int, Tensor] = {}
    for order, values in given.items():
        if order not in orders:
            continue
        right = values.size == n_elements**order and np.isfinite(values).all()
        if not (right and values.any()):
            rule = f"{n_elements**order} numbers that are not all 0"
            got = f"{values.size} in {path.name}"
            raise ValueError(f"a kernel of order {order} must be {rule}, got {got}")
        found[order] = torch.from_numpy(values.reshape(shapes[order]))
    for order in orders:
        if order not in found:
            rule = f"given in {path.name}"
            raise ValueError(f"a kernel of order {order} must be {rule}, got none")
    return Kernels(found.get(1), found.get(2))


def _read(path: Path, n_elements: int) -> dict[int, Float[np.ndarray, " ..."]]:
    """Give the arrays in a file by their order."""
    try:
        if path.suffix == ".json":
            data = json.loads(path.read_text(encoding="utf-8"))
            named = zip(("first", "second"), (1, 2), strict=True)
            return {
                order: np.asarray(data[name], np.float64)
                for name, order in named
                if data.get(name) is not None
            }
        if path.suffix == ".csv":
            table = pd.read_csv(path, header=None, encoding="utf-8")
            values = table.to_numpy(np.float64)
        elif path.suffix == ".npy":
            values = np.load(path, allow_pickle=False).astype(np.float64)
        else:
            rule = f"one of {', '.join(_FORMATS)}"
            raise ValueError(f"its format must be {rule}, got {path.suffix!r}")
    except (ValueError, TypeError, AttributeError, UnicodeDecodeError) as error:
        what = f"a kernel in {str(path)!r} must be one that can be read"
        raise ValueError(f"{what}, got: {error}") from error
    return {2 if values.size > n_elements else 1: values}

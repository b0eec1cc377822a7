"""Circuits with known answers: six small stages of vision whose kernels are known.

Each sees the elements of a field in SDs of the protocol's noise, and weighs them with
the protocol's own signal, which it sees a little blurred. What it then does is its
name, and so is what it makes of the places of a scene. `signatures` says what it leaves
in the kernels of a 2AFC session of white noise with one patch; they test the analysis
and the networks, which can be trained to do the same.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from .circuit import END, Circuit, Signatures, number
from .filters import Template, distances, quadrature_pair, shifted
from .stages import Divided, Largest, Power, Sum, Weights

Pool = float | Literal["all"]


class Linear(Circuit):
    """Weighs the elements and sums: a template that looks more broadly than the signal.

    In a scene it sums over all places, and so is linear in all elements.

    Examples
    --------
    >>> Linear(spread=0).signatures.trace
    0
    """

    name = "linear"
    signatures = Signatures(
        cascade="linear",
        other_to_target=(0.85, 1.15),
        trace=0,
        eigenvalues=(),
        off_diagonal=None,
        in_words="both halves are the template; no second order",
    )

    def _built(self, template: Template, unit: float) -> nn.Module:
        return nn.Sequential(Weights(template[None], unit), Sum())


class LN(Circuit):
    """Weighs and sums, then rectifies and raises to a power.

    In a scene it does so at every place, and sums what comes out.

    Parameters
    ----------
    exponent
        1 or more.
    spread
        As in `Circuit`.

    Raises
    ------
    ValueError
        If an option is out of range.
    """

    name = "ln"
    signatures = Signatures(
        cascade="LN",
        other_to_target=(0.15, 0.85),
        trace=1,
        eigenvalues=(1,),
        off_diagonal=(0.3, 1.0),
        in_words="both halves are the template, the target's the larger; one positive "
        "eigenvalue, whose vector is the template",
    )

    def __init__(self, exponent: float = 2.0, spread: float = 1.2) -> None:
        super().__init__(spread)
        self.exponent = number("exponent", exponent, at_least=1)

    @property
    def parameters(self) -> dict[str, object]:
        """What the trial log keeps of it."""
        return {"exponent": self.exponent, **super().parameters}

    def _built(self, template: Template, unit: float) -> nn.Module:
        drive = Weights(template[None], unit)
        return nn.Sequential(drive, nn.ReLU(), Power(self.exponent), Sum())


class Hammerstein(Circuit):
    """Rectifies every element, then weighs and sums: in a scene over all places.

    Parameters
    ----------
    exponent
        Of the rectified elements; 1 or more. Sums are exact where it is 1 or 2.
    spread
        As in `Circuit`.

    Raises
    ------
    ValueError
        If an option is out of range.
    """

    name = "hammerstein"
    signatures = Signatures(
        cascade="Hammerstein",
        other_to_target=(0.15, 0.95),
        trace=1,
        eigenvalues=None,
        off_diagonal=(0.0, 0.3),
        in_words="the target's half is the sharper, at the signal; the second-order "
        "kernel is diagonal, and its diagonal like the template",
    )

    def __init__(self, exponent: float = 1.0, spread: float = 1.2) -> None:
        super().__init__(spread)
        self.exponent = number("exponent", exponent, at_least=1)

    @property
    def parameters(self) -> dict[str, object]:
        """What the trial log keeps of it."""
        return {"exponent": self.exponent, **super().parameters}

    def _built(self, template: Template, unit: float) -> nn.Module:
        weights = Weights(template[None], unit**self.exponent)
        return nn.Sequential(nn.ReLU(), Power(self.exponent), weights, Sum())


class Energy(Circuit):
    """Sums the squares of two filters in quadrature: a complex cell.

    The filters are the signal, blurred, and the same with every phase turned by 90
    degrees, along the axis on which the signal varies most (in time, if it varies in
    nothing else). They have length 1 and are orthogonal; neither sees the mean along
    that axis. In a scene there is a pair at every place, and energies are summed.
    """

    name = "energy"
    signatures = Signatures(
        cascade="energy",
        other_to_target=(-0.15, 0.15),
        trace=1,
        eigenvalues=(1, 1),
        off_diagonal=(0.3, 1.0),
        in_words="the other's half is nought, the target's is the signal as the pair "
        "sees it; two positive eigenvalues, whose vectors span the pair",
    )

    def _built(self, template: Template, unit: float) -> nn.Module:
        pair = quadrature_pair(template)
        if pair is None:
            rule = "vary in space or time for an energy"
            raise ValueError(f"the signal must {rule}, got one that does not")
        return nn.Sequential(Weights(pair, unit), Power(2.0), Sum())


class Max(Circuit):
    """Takes the largest of one template at many positions, of all places in a scene.

    Parameters
    ----------
    pool
        'all' positions, or those up to so many elements from the signal, along rows and
        along columns. The field is taken as a ring.
    spread
        As in `Circuit`.

    Raises
    ------
    ValueError
        If an option is out of range, or positions times elements are beyond 2^26.
    """

    name = "max"
    signatures = Signatures(
        cascade="MAX",
        other_to_target=(0.15, 0.85),
        trace=1,
        eigenvalues=None,
        off_diagonal=(0.3, 1.0),
        in_words="the other's half is flat, the target's tuned; the second-order "
        "kernel has a broad positive diagonal and two or more positive eigenvalues",
    )

    def __init__(self, pool: Pool = "all", spread: float = 1.2) -> None:
        super().__init__(spread)
        self.pool = _pool(pool)

    @property
    def parameters(self) -> dict[str, object]:
        """What the trial log keeps of it."""
        return {"pool": self.pool, **super().parameters}

    def _built(self, template: Template, unit: float) -> nn.Module:
        reach = END if isinstance(self.pool, str) else self.pool
        rows, columns = (
            [step for step in range(n) if min(step, n - step) <= reach]
            for n in template.shape[1:]
        )
        n = len(rows) * len(columns) * template.size
        if n > 2**26:
            rule = "at most 2^26 positions x elements"
            raise ValueError(f"pool must leave {rule}, got {n}")
        bank = shifted(template, rows, columns)
        return nn.Sequential(Weights(bank, unit), Largest())

    def _pooled(
        self, outputs: Float[Tensor, " trial alternative place"]
    ) -> Float[Tensor, " trial alternative"]:
        return outputs.amax(-1)


class GainControl(Circuit):
    """Divides what the template sees by the energy of the noise around it.

    w.x / (c^2 + mean of x_i^2 over the pool), x in noise SDs. In a scene each place is
    divided by its own energy, and the quotients are summed.

    Parameters
    ----------
    semi_saturation
        c, in noise SDs; the smaller, the stronger the division.
    pool
        'all' elements, or the SD in elements of a gaussian about the signal's middle.
    spread
        As in `Circuit`.

    Raises
    ------
    ValueError
        If an option is out of range.
    """

    name = "gain-control"
    signatures = Signatures(
        cascade="gain control",
        other_to_target=(0.95, END),
        trace=-1,
        eigenvalues=None,
        off_diagonal=(0.0, 0.8),
        in_words="the target's half is a little the smaller; the second-order kernel "
        "is negative, with a diagonal that is near uniform and dips at the signal",
    )

    def __init__(
        self, semi_saturation: float = 0.577, pool: Pool = "all", spread: float = 1.2
    ) -> None:
        super().__init__(spread)
        self.semi_saturation = number("semi_saturation", semi_saturation, above=0)
        self.pool = _pool(pool)

    @property
    def parameters(self) -> dict[str, object]:
        """What the trial log keeps of it."""
        own = {"semi_saturation": self.semi_saturation, "pool": self.pool}
        return {**own, **super().parameters}

    def _built(self, template: Template, unit: float) -> nn.Module:
        weights = np.ones(template.shape)
        if not isinstance(self.pool, str):
            middle = distances(template)
            weights = np.exp(-0.5 * (middle / max(self.pool, 1e-9)) ** 2)
        mean = Weights((weights / weights.sum())[None], unit**2)
        drive = Weights(template[None], unit)
        return Divided(drive, mean, self.semi_saturation**2)


def _pool(pool: Pool) -> Pool:
    try:
        return "all" if pool == "all" else number("pool", pool, at_least=0)
    except ValueError:
        rule = "'all' or a number of elements, 0 or more"
        raise ValueError(f"pool must be {rule}, got {pool!r}") from None

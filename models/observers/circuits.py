"""Circuits with known answers: six small stages of vision whose kernels are known.

Each sees the elements of a field in SDs of the protocol's noise, and weighs them with
the protocol's own signal, which it sees a little blurred. What it then does is its
name. `signatures` says what that leaves in the kernels of a 2AFC session of white
noise; they test the analysis and the networks, which can be trained to do the same.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor, nn

from ...experiments.protocols.parts import BACKGROUND, FULL_CONTRAST
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.signal import signal_template
from ...experiments.session.observer import ObserverNoise, Practice, Viewing
from .filters import blurred, distances, quadrature_pair, shifted

END = math.inf
# Weights are whole multiples of this, and levels are integers: their sums are exact in
# float64 in any order, so that no decision depends on the other trials of its batch.
_STEP = 2.0**-20

Template = Float64[np.ndarray, " frame row column"]
Pool = float | Literal["all"]


@dataclass(frozen=True)
class Signatures:
    """What a circuit leaves in the kernels of a 2AFC session in white noise.

    For a signal of a single element and a spread of 1.2, at 75 % correct.

    Attributes
    ----------
    cascade
        Its name in `yoked.depths(session).two.signature`.
    other_to_target
        Range of the other's half of the first-order kernel, along the target's half.
    trace
        Sign of the trace of the second-order kernel; 0 where there is none.
    eigenvalues
        Sign of each eigenvalue that stands out, the largest first; None where how many
        do depends on the size of the field.
    off_diagonal
        Range of the share of the second-order kernel's energy off its diagonal; None
        where there is no second order.
    in_words
        The same as a sentence.
    """

    cascade: str
    other_to_target: tuple[float, float]
    trace: int
    eigenvalues: tuple[int, ...] | None
    off_diagonal: tuple[float, float] | None
    in_words: str


class Weights(nn.Module):
    """Weighs levels by templates: (row, element) to (row, template).

    Parameters
    ----------
    templates
        (template, frame, row, column).
    unit
        What a level counts.
    """

    def __init__(
        self, templates: Float64[np.ndarray, " template f r c"], unit: float
    ) -> None:
        super().__init__()
        exact = _STEP * np.rint(templates.reshape(len(templates), -1) / _STEP)
        self.templates: Tensor
        self.register_buffer("templates", torch.from_numpy(exact.T.copy()))
        self.unit = unit

    def forward(
        self, levels: Float[Tensor, " row element"]
    ) -> Float[Tensor, " row template"]:
        """Give the sums."""
        return (levels @ self.templates.to(levels.dtype)) * self.unit


class _Power(nn.Module):
    def __init__(self, exponent: float) -> None:
        super().__init__()
        self.exponent = exponent

    def forward(self, x: Float[Tensor, " *shape"]) -> Float[Tensor, " *shape"]:
        return x if self.exponent == 1 else x**self.exponent


class _Sum(nn.Module):
    def forward(self, x: Float[Tensor, " row part"]) -> Float[Tensor, " row"]:
        return x.sum(-1)


class _Largest(nn.Module):
    def forward(self, x: Float[Tensor, " row part"]) -> Float[Tensor, " row"]:
        return x.amax(-1)


class _Divided(nn.Module):
    """Divides what a template sees by the energy around it."""

    def __init__(self, drive: Weights, pool: Weights, constant: float) -> None:
        super().__init__()
        self.drive, self.pool, self.constant = drive, pool, constant

    def forward(self, levels: Float[Tensor, " row element"]) -> Float[Tensor, " row"]:
        energy = self.pool(levels**2)[:, 0]
        return self.drive(levels)[:, 0] / (self.constant + energy)


class Circuit:
    """An observer around a circuit; each of the circuits below is one.

    Parameters
    ----------
    spread
        SD in elements of the gaussian that blurs the signal within every frame: how
        much more broadly than the signal the circuit looks. 0 leaves it as it is.

    Raises
    ------
    ValueError
        If it is out of range.
    """

    name: str
    signatures: ClassVar[Signatures]

    def __init__(self, spread: float = 1.2) -> None:
        self.spread = _number("spread", spread, at_least=0)
        self.network: nn.Module | None = None
        self._grid: tuple[int, int, int] | None = None
        self._element_px = (1, 1)

    @property
    def parameters(self) -> dict[str, object]:
        """What the trial log keeps of it."""
        return {"spread": self.spread}

    def prepare(self, viewing: Viewing) -> None:
        """Take in how many pixels an element has."""
        self._element_px = viewing.element_px

    def learn(self, practice: Practice) -> None:
        """Read the signal, on the noise grid.

        Raises
        ------
        ValueError
            If the protocol does not say what its signal is, or it gives this circuit
            nothing to see.
        """
        protocol = practice.protocol
        template = blurred(_signal(protocol, self.name), self.spread)
        size = float(np.linalg.norm(template))
        unit = 1 / (FULL_CONTRAST * protocol.noise.sd)  # noise SDs in a level
        self.network = self._built(template / size, unit)
        self._grid = protocol.noise.grid

    def decide(
        self,
        frames: UInt8[np.ndarray, " trial alternative frame y x"],
        noise: ObserverNoise,
    ) -> Float64[np.ndarray, " trial alternative"]:
        """Give a decision variable for every alternative of every trial."""
        with torch.inference_mode():
            elements = self._elements(torch.from_numpy(frames).to(torch.float64))
            return self._of_levels(elements - BACKGROUND).numpy()

    def scores(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative"]:
        """Give decision variables that can be differentiated by the contrast."""
        return self._of_levels(FULL_CONTRAST * self._elements(contrast))

    def input_of(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " row element"]:
        """Give what the circuit's network takes: levels of elements, row by row."""
        return (FULL_CONTRAST * self._elements(contrast)).flatten(0, 1)

    def _built(self, template: Template, unit: float) -> nn.Module:
        """Make the circuit of a template of length 1."""
        raise NotImplementedError

    def _of_levels(
        self, levels: Float[Tensor, " trial alternative element"]
    ) -> Float[Tensor, " trial alternative"]:
        assert self.network is not None
        return self.network(levels.flatten(0, 1)).view(levels.shape[:2])

    def _elements(
        self, frames: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative element"]:
        """Average the pixels of every element; of equal integers that is exact."""
        if self._grid is None:
            rule = "learn before it decides"
            raise ValueError(f"{self.name} must {rule}, got no learn call")
        n_frames, rows, columns = self._grid
        high, wide = self._element_px
        wanted = (n_frames, rows * high, columns * wide)
        if frames.shape[2:] != wanted:
            got = tuple(frames.shape[2:])
            raise ValueError(f"frames must be {wanted} px, got {got}")
        parts = frames.reshape(*frames.shape[:3], rows, high, columns, wide)
        return (parts.sum(4).sum(-1) / (high * wide)).flatten(2)


class Linear(Circuit):
    """Weighs the elements and sums: a template that looks more broadly than the signal.

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
        return nn.Sequential(Weights(template[None], unit), _Sum())


class LN(Circuit):
    """Weighs and sums, then rectifies and raises to a power.

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
        self.exponent = _number("exponent", exponent, at_least=1)

    @property
    def parameters(self) -> dict[str, object]:
        """What the trial log keeps of it."""
        return {"exponent": self.exponent, **super().parameters}

    def _built(self, template: Template, unit: float) -> nn.Module:
        drive = Weights(template[None], unit)
        return nn.Sequential(drive, nn.ReLU(), _Power(self.exponent), _Sum())


class Hammerstein(Circuit):
    """Rectifies every element, then weighs and sums.

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
        self.exponent = _number("exponent", exponent, at_least=1)

    @property
    def parameters(self) -> dict[str, object]:
        """What the trial log keeps of it."""
        return {"exponent": self.exponent, **super().parameters}

    def _built(self, template: Template, unit: float) -> nn.Module:
        weights = Weights(template[None], unit**self.exponent)
        return nn.Sequential(nn.ReLU(), _Power(self.exponent), weights, _Sum())


class Energy(Circuit):
    """Sums the squares of two filters in quadrature: a complex cell.

    The filters are the signal, blurred, and the same with every phase turned by 90
    degrees, along the axis on which the signal varies most. They have length 1 and are
    orthogonal; neither sees the mean along that axis.
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
            rule = "vary along rows or columns for an energy"
            raise ValueError(f"the signal must {rule}, got one that does not")
        return nn.Sequential(Weights(pair, unit), _Power(2.0), _Sum())


class Max(Circuit):
    """Takes the largest of one template at many positions.

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
        return nn.Sequential(Weights(bank, unit), _Largest())


class GainControl(Circuit):
    """Divides what the template sees by the energy of the noise around it.

    w.x / (c^2 + mean of x_i^2 over the pool), x in noise SDs.

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
        self.semi_saturation = _number("semi_saturation", semi_saturation, above=0)
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
        return _Divided(drive, mean, self.semi_saturation**2)


def _signal(protocol: Protocol, name: str) -> Template:
    """Give what the target has more than the other alternative; any scale."""
    without, with_target = protocol.signal.gains
    signal = np.sign(with_target - without) * signal_template(protocol)
    if not signal.any():
        rule = "known, and not nought everywhere,"
        raise ValueError(f"the signal must be {rule} for {name}, got none")
    return signal


def _number(
    what: str, value: float, at_least: float = -END, above: float = -END
) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and at_least <= value < END and value > above):
        rule = f"{at_least:g} or more" if at_least > -END else f"more than {above:g}"
        raise ValueError(f"{what} must be {rule}, got {value!r}")
    return float(value)


def _pool(pool: Pool) -> Pool:
    try:
        return "all" if pool == "all" else _number("pool", pool, at_least=0)
    except ValueError:
        rule = "'all' or a number of elements, 0 or more"
        raise ValueError(f"pool must be {rule}, got {pool!r}") from None

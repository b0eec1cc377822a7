"""What noise on a basis makes of a task: how hard it is, and what is clipped."""

import math
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float64

from .basis_rules import Together, shown_together
from .images import Images
from .noise_and_signal import FULL_CONTRAST
from .projection import DENSE, conjugate_gradients, in_images
from .protocol import Protocol
from .signal import remainder_levels, signal_units

_ROUNDING = 1 / 12  # variance of a level by its rounding
_MOST_ALIKE = 4.0  # times the template's d' that the ideal observer may reach
_TOLERANCE = 1e-9
_MOST_STEPS = 500


@dataclass(frozen=True)
class BasisFacts:
    """Facts of a protocol with noise on a basis, at its highest main contrast.

    Where patterns are identified, d' is between the two that are most alike.

    Attributes
    ----------
    n_images
        Coefficients of a field, K.
    sha256
        Which images.
    share
        Of the signal's energy, what the images can show.
    ideal_dprime
        d' of one field for who is told the coefficients: nobody does better, unless
        the signal's remainder is shown.
    linear_dprime
        For the best weighted sum of pixels.
    template_dprime
        For the signal itself as weights.
    outside_dprime
        For who uses the shown remainder alone; None where there is none.
    clipped_elements
        Expected in a field.
    """

    n_images: int
    sha256: str
    share: float
    ideal_dprime: float
    linear_dprime: float
    template_dprime: float
    outside_dprime: float | None
    clipped_elements: float

    @property
    def warning(self) -> str:
        """Say where a network may have it much easier than who uses a template."""
        if self.ideal_dprime <= _MOST_ALIKE * self.template_dprime:
            return ""
        ratio = self.ideal_dprime / self.template_dprime
        return (
            f"the ideal observer's d' is {ratio:.1f} times that of the template: "
            "a network can do this where the noise is weak"
        )

    def plain(self) -> dict[str, Any]:
        """Give the facts as plain data."""
        return {**asdict(self), "warning": self.warning or None}


def basis_facts(protocol: Protocol) -> BasisFacts | None:
    """Give the facts of noise on a basis; None where the noise is white.

    Examples
    --------
    >>> import yoked
    >>> facts = basis_facts(yoked.load_protocol("orientation-noise"))
    >>> facts.n_images, round(facts.ideal_dprime, 2), round(facts.template_dprime, 2)
    (24, 3.22, 2.26)
    """
    if protocol.noise.basis is None:
        return None
    main = next(shown_together(protocol))
    main = Together(
        protocol,
        main.key,
        max(protocol.contrast.values),
        main.coefficients,
        main.images,
    )
    units, outside = _told_apart(protocol, main)
    signal = main.images.drawn(units) * FULL_CONTRAST / main.unit
    floor = _ROUNDING + (FULL_CONTRAST * protocol.noise.floor_sd) ** 2
    whole = signal if outside is None else signal + outside
    noise = _Covariance(main, floor)
    spread = float((whole * noise.times(whole)).sum())
    energy = float((whole**2).sum())
    return BasisFacts(
        n_images=main.images.n,
        sha256=main.images.sha256,
        share=min(
            in_images(own.signal, protocol.noise).share for own in protocol.variants
        ),
        ideal_dprime=_distance(units, main),
        linear_dprime=math.sqrt(max(0.0, float((whole * noise.solved(whole)).sum()))),
        template_dprime=energy / math.sqrt(spread) if energy else 0.0,
        outside_dprime=None
        if outside is None
        else math.sqrt(float((outside**2).sum()) / floor),
        clipped_elements=max(
            _clipped(replace(main, protocol=own), floor) for own in protocol.variants
        ),
    )


def _told_apart(
    protocol: Protocol, main: Together
) -> tuple[
    Float64[np.ndarray, " image"], Float64[np.ndarray, " frame row column"] | None
]:
    """Give by what two alternatives differ: in units, and outside the images."""
    gains = protocol.signal.gains
    shown = [(protocol, gain * main.contrast) for gain in gains]
    if protocol.task.identifies:
        shown = [(own, gains[1] * main.contrast) for own in protocol.variants]
    pairs = combinations([(signal_units(*s), remainder_levels(*s)) for s in shown], 2)
    (one, left), (other, right) = min(
        pairs, key=lambda pair: _distance(pair[1][0] - pair[0][0], main)
    )
    outside = None if left is None or right is None else right - left
    return (
        (other - one).astype(np.float64),
        None if outside is None else outside.astype(np.float64),
    )


def _distance(units: np.ndarray, main: Together) -> float:
    """Give d' of who is told the coefficients."""
    return float(np.sqrt(((units / main.coefficients.unit_sds) ** 2).sum()))


def _clipped(main: Together, floor: float) -> float:
    """Give the expected number of clipped elements, with the signal that clips most."""
    from scipy.special import ndtr

    sd, end, edge = np.sqrt(main.variance() + floor), main.end(), FULL_CONTRAST + 0.5
    expected = []
    for levels in main.beside():
        share = ndtr(-(edge - levels) / sd) + ndtr(-(edge + levels) / sd)
        can_be = np.abs(levels) + end > edge
        expected.append(float(share[can_be].sum()))
    return max(expected)


class _Covariance:
    """The covariance of levels: that of the images' coefficients, and a white rest."""

    def __init__(self, main: Together, white: float) -> None:
        self._images: Images = main.images
        self._white = white
        # SD of each coefficient times an image of peak 1, in levels.
        sds = main.coefficients.unit_sds / main.protocol.noise.fineness
        self._variances: Float64[np.ndarray, " image"] = sds**2

    def times(self, field: np.ndarray) -> np.ndarray:
        """Give covariance times a field."""
        weights = self._variances * self._images.products(field)
        return self._images.drawn(weights) + self._white * field

    def solved(self, field: np.ndarray) -> np.ndarray:
        """Give the field that times the covariance is this one."""
        images = self._images
        if images.n * field.size <= DENSE:
            b = images.dense().reshape(images.n, -1) / FULL_CONTRAST
            inner = (b @ b.T) / self._white
            inner[np.diag_indices(images.n)] += 1 / self._variances
            weights = np.linalg.solve(inner, b @ field.ravel() / self._white)
            return (field - (weights @ b).reshape(field.shape)) / self._white
        return conjugate_gradients(self.times, field, _TOLERANCE, _MOST_STEPS)

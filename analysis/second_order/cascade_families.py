"""Seven families of cascades: what each makes of a stimulus, and its derivatives.

A family turns stimuli x, noise and signal in noise SDs, into a response R(x; theta).
All are fitted alike (`cascade_fits.py`), so each says only R, dR / dtheta, and where a
fit may start. Curves h are quadratic splines: a line and half-parabolas [u - knot]+^2,
so that half-squaring, saturation and powers from 1 to 3 are close to some member.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

Stimuli = Float[np.ndarray, " field element"]
Theta = Float[np.ndarray, " parameter"]
Response = tuple[
    Float[np.ndarray, " field"],
    Float[np.ndarray, " field parameter"],
]
KNOTS = (-1.0, 0.0, 1.0, 2.0)  # of a curve, in SDs of what goes in
TAPS = {
    1: 7,
    2: 5,
    3: 3,
}  # of the template of a MAX, by the axes that are longer than 1
SHARPEST = 5.0  # log of a MAX's sharpness
STEEPEST = 1e3  # of a curve: where all answers are alike, nothing else holds it


@dataclass(frozen=True, eq=False)
class Clues:
    """What the linear fit leaves to start from.

    Attributes
    ----------
    template
        Weights of the linear fit.
    residual
        Second-order matrix of its residuals.
    signal
        What the target has more than the other, as an element has it.
    scaled
        Gives the coefficients with which features, a column each, explain most.
    variant
        Parameters of another variant of the family that was fitted before, if any was.
    """

    template: Float[np.ndarray, " element"]
    residual: Float[np.ndarray, " element element"]
    signal: Float[np.ndarray, " element"]
    scaled: Callable[[np.ndarray], np.ndarray]
    variant: Theta | None = None

    @property
    def axes(self) -> Float[np.ndarray, " element axis"]:
        """Eigenvectors of the residual matrix, the most extreme first."""
        values, vectors = np.linalg.eigh(self.residual)
        return vectors[:, np.argsort(-np.abs(values))]


@runtime_checkable
class Family(Protocol):
    """A family of cascades, or a variant of one."""

    @property
    def cascade(self) -> str:
        """Name of the family, which its variants share."""
        ...

    def n_parameters(self, n_elements: int) -> int:
        """Count what can be chosen of the response."""
        ...

    def response(self, x: Stimuli, theta: Theta) -> Response:
        """Give the response to each field, and its derivatives."""
        ...

    def starts(self, x: Stimuli, clues: Clues) -> Iterator[Theta]:
        """Give parameters to start from."""
        ...

    def inside(self, theta: Theta) -> Theta:
        """Give the nearest parameters that are allowed."""
        ...


@dataclass(frozen=True)
class Features:
    """Any response that is linear in its parameters: a weighted sum of columns."""

    cascade: str
    of: Callable[[Stimuli], np.ndarray]

    def n_parameters(self, n_elements: int) -> int:
        """Count what can be chosen of the response."""
        return n_elements

    def response(self, x: Stimuli, theta: Theta) -> Response:
        """Give the response to each field, and its derivatives."""
        columns = self.of(x)
        return columns @ theta, columns

    def starts(self, x: Stimuli, clues: Clues) -> Iterator[Theta]:
        """Give parameters to start from."""
        yield clues.scaled(self.of(x))

    def inside(self, theta: Theta) -> Theta:
        """Give the nearest parameters that are allowed."""
        return theta


LINEAR = Features("linear", lambda x: x)
SQUARED = Features("squared elements", lambda x: x**2 / 2)


@dataclass(frozen=True)
class Curve:
    """A static nonlinearity: sum of a line and half-parabolas, or of two powers."""

    knots: tuple[float, ...] | None = KNOTS

    @property
    def n(self) -> int:
        """How many coefficients it has."""
        return 2 if self.knots is None else 1 + len(self.knots)

    def each(self, u: np.ndarray) -> Iterator[np.ndarray]:
        """Give one part after the other: those of a whole field would be large."""
        yield u
        if self.knots is None:
            yield u**2 / 2
        for knot in self.knots or ():
            yield np.square(np.maximum(u - knot, 0)) / 2

    def parts(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give all parts and their derivatives, (..., part)."""
        if self.knots is None:
            bends = u[..., None]
        else:
            bends = np.maximum(u[..., None] - np.array(self.knots), 0)
        slopes = np.concatenate([np.ones((*u.shape, 1)), bends], -1)
        return np.stack(list(self.each(u)), -1), slopes


@dataclass(frozen=True)
class LN:
    """A curve of a weighted sum: theta is the weights, then the coefficients."""

    curve: Curve = field(default_factory=Curve)
    cascade: str = "LN"

    def n_parameters(self, n_elements: int) -> int:
        """Count what can be chosen of the response."""
        return n_elements - 1 + self.curve.n

    def response(self, x: Stimuli, theta: Theta) -> Response:
        """Give the response to each field, and its derivatives."""
        weights, alpha = theta[: x.shape[1]], theta[x.shape[1] :]
        size = np.linalg.norm(weights)
        unit = weights / size
        u = x @ unit
        parts, slopes = self.curve.parts(u)
        along = (x - u[:, None] * unit) * ((slopes @ alpha) / size)[:, None]
        return parts @ alpha, np.concatenate([along, parts], 1)

    def starts(self, x: Stimuli, clues: Clues) -> Iterator[Theta]:
        """Give parameters to start from."""
        for weights in _to_start_from(clues, clues.axes[:, 0]):
            unit = weights / np.linalg.norm(weights)
            yield np.concatenate([unit, clues.scaled(self.curve.parts(x @ unit)[0])])

    def inside(self, theta: Theta) -> Theta:
        """Give the nearest parameters that are allowed."""
        return _unit_weights(theta, self.curve.n)


@dataclass(frozen=True)
class Hammerstein:
    """A weighted sum of a curve of each element: weights, then the coefficients."""

    curve: Curve = field(default_factory=Curve)
    cascade: str = "Hammerstein"

    def n_parameters(self, n_elements: int) -> int:
        """Count what can be chosen of the response."""
        return n_elements - 1 + self.curve.n

    def response(self, x: Stimuli, theta: Theta) -> Response:
        """Give the response to each field, and its derivatives."""
        weights, alpha = theta[: x.shape[1]], theta[x.shape[1] :]
        size = np.linalg.norm(weights)
        unit = weights / size
        curved, by_part = np.zeros_like(x), []
        for share, part in zip(alpha, self.curve.each(x), strict=True):
            curved += share * part
            by_part.append(part @ unit)
        response = curved @ unit
        by_weight = (curved - response[:, None] * unit) / size
        return response, np.concatenate([by_weight, np.stack(by_part, 1)], 1)

    def starts(self, x: Stimuli, clues: Clues) -> Iterator[Theta]:
        """Give parameters to start from."""
        for weights in _to_start_from(clues, np.diag(clues.residual)):
            unit = weights / np.linalg.norm(weights)
            columns = np.stack([part @ unit for part in self.curve.each(x)], 1)
            yield np.concatenate([unit, clues.scaled(columns)])

    def inside(self, theta: Theta) -> Theta:
        """Give the nearest parameters that are allowed."""
        return _unit_weights(theta, self.curve.n)


@dataclass(frozen=True)
class Energy:
    """The sum of the squares of two filters."""

    cascade: str = "energy"

    def n_parameters(self, n_elements: int) -> int:
        """Count what can be chosen of the response."""
        return 2 * n_elements - (n_elements > 1)  # the pair may turn in its plane

    def response(self, x: Stimuli, theta: Theta) -> Response:
        """Give the response to each field, and its derivatives."""
        filters = theta.reshape(2, -1)
        out = x @ filters.T
        by_filter = [out[:, i, None] * x for i in range(2)]
        return (out**2).sum(1) / 2, np.concatenate(by_filter, 1)

    def starts(self, x: Stimuli, clues: Clues) -> Iterator[Theta]:
        """Give parameters to start from."""
        values, vectors = np.linalg.eigh(clues.residual)
        pair = vectors[:, -2:].T if len(values) > 1 else np.ones((2, 1))
        scale = clues.scaled((x @ pair.T) ** 2 / 2)
        yield (np.sqrt(np.maximum(scale, 0.01))[:, None] * pair).ravel()

    def inside(self, theta: Theta) -> Theta:
        """Give the nearest parameters that are allowed."""
        return theta


@dataclass(frozen=True)
class Max:
    """The largest of one template at every position, softly: (1/t) log sum exp(t f*x).

    Theta is the template, then the log of the sharpness t.

    Attributes
    ----------
    places
        Element under each tap at each position; one beyond the last is outside.
    """

    places: Int[np.ndarray, " position tap"]
    cascade: str = "MAX"

    @classmethod
    def of(cls, shape: tuple[int, ...], is_ring: bool) -> "Max":
        """Make the family for a field of (frames, rows, columns)."""
        n_axes = max(sum(size > 1 for size in shape), 1)
        reach = [min(TAPS[n_axes], size - (size % 2 == 0)) // 2 for size in shape]
        axes = [np.arange(-r, r + 1) for r in reach]
        steps = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(shape))
        middles = np.argwhere(np.ones(shape))
        at = middles[:, None] + steps
        strides = np.cumprod((*shape[1:], 1)[::-1])[::-1]
        place = (at % np.array(shape)) @ strides
        if not is_ring:
            is_out = ((at < 0) | (at >= np.array(shape))).any(-1)
            place = np.where(is_out, int(np.prod(shape)), place)
        return cls(place)

    def n_parameters(self, n_elements: int) -> int:
        """Count what can be chosen of the response."""
        return self.places.shape[1] + 1

    def _filters(self, template: np.ndarray, n_elements: int) -> np.ndarray:
        """Return the template at every position, (element, position)."""
        filters = np.zeros((n_elements + 1, len(self.places)))
        position = np.arange(len(self.places))
        for tap, weight in enumerate(template):
            filters[self.places[:, tap], position] += weight
        return filters[:-1]

    def response(self, x: Stimuli, theta: Theta) -> Response:
        """Give the response to each field, and its derivatives."""
        template, sharpness = theta[:-1], np.exp(theta[-1])
        driven = sharpness * (x @ self._filters(template, x.shape[1]))
        most = driven.max(1, keepdims=True)
        share = np.exp(driven - most)
        total = share.sum(1, keepdims=True)
        share /= total
        response = (most + np.log(total))[:, 0] / sharpness
        padded = np.concatenate([x, np.zeros((len(x), 1))], 1)
        by_tap = np.stack(
            [np.einsum("fp,fp->f", share, padded[:, at]) for at in self.places.T], 1
        )
        by_sharpness = by_tap @ template - response
        return response, np.concatenate([by_tap, by_sharpness[:, None]], 1)

    def starts(self, x: Stimuli, clues: Clues) -> Iterator[Theta]:
        """Give parameters to start from."""
        at = self.places[int(np.argmax(np.abs(clues.signal)))]
        shapes = [np.append(one, 0.0)[at] for one in (clues.signal, clues.template)]
        shapes.append(shapes[0] + shapes[1] / np.abs(shapes[1]).max())
        for shape in shapes:
            if not np.any(shape):
                continue
            unit = shape / np.linalg.norm(shape)
            start = np.append(unit, np.log(3.0))
            scale = float(clues.scaled(self.response(x, start)[0][:, None])[0])
            scale = max(scale, 0.05)
            yield np.append(scale * unit, np.log(3.0 / scale))

    def inside(self, theta: Theta) -> Theta:
        """Give the nearest parameters that are allowed."""
        return np.append(theta[:-1], np.clip(theta[-1], -SHARPEST, SHARPEST))


@dataclass(frozen=True)
class GainControl:
    """A weighted sum over 1 + e x the mean square of the elements: weights, then e."""

    cascade: str = "gain control"

    def n_parameters(self, n_elements: int) -> int:
        """Count what can be chosen of the response."""
        return n_elements + 1

    def response(self, x: Stimuli, theta: Theta) -> Response:
        """Give the response to each field, and its derivatives."""
        power = (x**2).mean(1)
        below = 1 / (1 + theta[-1] * power)
        response = (x @ theta[:-1]) * below
        by_gain = -response * power * below
        return response, np.concatenate([x * below[:, None], by_gain[:, None]], 1)

    def starts(self, x: Stimuli, clues: Clues) -> Iterator[Theta]:
        """Give parameters to start from."""
        for gain in (0.05, 0.5):
            below = 1 + gain * (x**2).mean(1)
            scale = clues.scaled((x @ clues.template / below)[:, None])
            yield np.append(scale * clues.template, gain)

    def inside(self, theta: Theta) -> Theta:
        """Give the nearest parameters that are allowed."""
        return np.append(theta[:-1], max(theta[-1], 0.0))


def families(shape: tuple[int, ...]) -> tuple[Family, ...]:
    """Return the seven families for fields of a shape, the linear one first."""
    bent = Curve(None)
    return (
        LINEAR,
        LN(bent),
        LN(),
        Hammerstein(bent),
        Hammerstein(),
        SQUARED,
        Energy(),
        Max.of(shape, is_ring=True),
        Max.of(shape, is_ring=False),
        GainControl(),
    )


def _to_start_from(clues: Clues, second: np.ndarray) -> list[np.ndarray]:
    """Weights: of the linear fit, of its residuals, of the variant with fewer bends."""
    before = [] if clues.variant is None else [clues.variant[: len(clues.template)]]
    return [clues.template, second, *before]


def _unit_weights(theta: Theta, n_after: int) -> Theta:
    weights, alpha = theta[:-n_after], theta[-n_after:]
    alpha = np.clip(alpha, -STEEPEST, STEEPEST)
    return np.concatenate([weights / np.linalg.norm(weights), alpha])

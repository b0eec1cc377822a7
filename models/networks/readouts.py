"""Read-outs: from what a layer gives to one number an alternative.

A difference of two logits, a named unit, the network's own single output, or a linear
read-out of frozen features that is fitted on generated trials.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

_FORM = re.compile(r"(logit):(\d+)-(\d+)|(unit):(\d+(?:,\d+)*)|(linear|output)")
_COLUMNS = 4096  # features that are in double precision at a time
_MOST_NUMBERS = 2**30  # 4 GiB in single precision
PENALTIES = tuple(10.0**power for power in range(-4, 7))


class ConstantFeatures(ValueError):
    """A layer gives the same for all trials, so that nothing can be read of it."""


@dataclass(frozen=True)
class Readout:
    """What is read of a layer's output.

    Attributes
    ----------
    kind
        'output': the one number that there is. 'logit': the first unit less the second.
        'unit': a unit; of a map, a channel's is in its middle unless all its places are
        given. 'linear': a weighted sum of all units, to be fitted.
    units
        The units that the text names.
    """

    kind: str
    units: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Readout":
        """Read 'output', 'logit:281-985', 'unit:17', 'unit:17,4,4' or 'linear'.

        Raises
        ------
        ValueError
            If the text is none of these.

        Examples
        --------
        >>> Readout.parse("logit:281-985")
        Readout(kind='logit', units=(281, 985))
        """
        found = _FORM.fullmatch(text)
        if found is None:
            rule = "output, linear, logit:A-B, unit:A or unit:A,Y,X"
            raise ValueError(f"readout must be {rule}, got {text!r}")
        logit, a, b, unit, place, word = found.groups()
        if logit:
            return cls("logit", (int(a), int(b)))
        if unit:
            return cls("unit", tuple(map(int, place.split(","))))
        return cls(word)

    def read(self, features: Float[Tensor, " image *unit"]) -> Float[Tensor, " image"]:
        """Give one number an image; not for 'linear', whose weights are elsewhere.

        Raises
        ------
        ValueError
            If the layer has no such unit, or 'output' is not one number.
        """
        shape = tuple(features.shape[1:])
        if self.kind == "output":
            if math.prod(shape) != 1:
                rule = "one number an image, unless a readout says what is taken of it"
                raise ValueError(f"a network's output must be {rule}, got {shape}")
            return features.flatten()
        if self.kind == "logit":
            flat = features.flatten(1)
            first, second = (self._of(flat, (unit,)) for unit in self.units)
            return first - second
        return self._of(features, self.units)

    def _of(
        self, features: Float[Tensor, " image *unit"], units: tuple[int, ...]
    ) -> Float[Tensor, " image"]:
        shape = tuple(features.shape[1:])
        place = units
        if len(place) == 1 and len(shape) > 1:
            place = (*place, *(n // 2 for n in shape[1:]))
        fits = len(place) == len(shape)
        if not fits or any(i >= n for i, n in zip(place, shape, strict=True)):
            rule = f"within the layer's {shape}"
            raise ValueError(f"a readout's unit must be {rule}, got {units}")
        return features[(slice(None), *place)]


@dataclass(frozen=True)
class LinearReadout:
    """A fitted linear read-out.

    Attributes
    ----------
    weights, offset
        The decision variable is features @ weights + offset.
    penalty
        The ridge penalty that was chosen, in units of one standardised feature's sum of
        squares.
    proportion_correct
        Cross-validated: of left-out alternatives, the chance that one with the target
        comes out above one without.
    n_samples
        Alternatives that it was fitted on.
    """

    weights: Float[Tensor, " feature"]
    offset: float
    penalty: float
    proportion_correct: float
    n_samples: int

    @property
    def described(self) -> dict[str, Any]:
        """What the trial log keeps of the fit."""
        return {
            "penalty": self.penalty,
            "cross_validated_proportion_correct": self.proportion_correct,
            "n_samples": self.n_samples,
            "n_features": self.weights.numel(),
        }


def fit_linear(
    features: Float[Tensor, " sample feature"],
    is_target: Bool[Tensor, " sample"],
    penalties: tuple[float, ...] = PENALTIES,
) -> LinearReadout:
    """Fit a linear read-out by ridge regression on the class, and choose its penalty.

    The features are standardised; one that never varies gets no weight. The penalty is
    the one with the least squared error where each sample is left out in turn, which
    ridge regression has in closed form (PRESS, Allen 1974): residual / (1 - leverage).
    With equal covariances in both classes the weights are those of Fisher's linear
    discriminant, shrunk.

    Parameters
    ----------
    features
        Of frozen layers: one row an alternative.
    is_target
        Whether it held the target; both kinds must be there.
    penalties
        To choose from, times the number of samples.

    Raises
    ------
    ValueError
        If no feature varies, one is not finite, or they are too many.

    References
    ----------
    .. [1] Allen (1974), The relationship between variable selection and data
       augmentation and a method for prediction. Technometrics 16, 125-127.
    """
    if not torch.isfinite(features).all():
        raise ValueError("a layer's features must be finite, got nan or inf")
    n = len(features)
    if features.numel() > _MOST_NUMBERS:
        rule = f"at most {_MOST_NUMBERS:.0e} numbers over all samples"
        hint = "read a smaller layer, or set fewer fit_trials"
        got = f"{n} x {features.shape[1]}"
        raise ValueError(f"a layer's features must be {rule}, got {got}; {hint}")
    labels = torch.where(is_target, 1.0, -1.0).double()
    # Equally much weight for both classes, also where one alternative of many has it.
    share = is_target.double().mean()
    root = torch.where(is_target, 0.5 / share, 0.5 / (1 - share)).sqrt()
    total = (root**2).sum()
    level = (root**2 @ labels) / total
    y = (labels - level) * root
    basis, squares = _decompose(features, root)
    projected = basis.T @ y
    best = (math.inf, 0.0, projected, projected)
    for penalty in penalties:
        shrink = squares / (squares + penalty * n)
        fitted = basis @ (shrink * projected)
        leverage = (basis**2 @ shrink + root**2 / total).clamp(max=1 - 1e-9)
        left_out = (y - fitted) / (1 - leverage)
        error = float((left_out**2).sum())
        if error < best[0]:
            coefficients = projected / (squares + penalty * n)
            # Less the others' mean, which is lower where the one left out is high.
            mean_of_others = (level * total - root**2 * labels) / (total - root**2)
            predicted = labels - left_out / root - mean_of_others
            best = (error, penalty, coefficients, predicted)
    _, penalty, coefficients, predicted = best
    combined, weights, offset = basis @ coefficients, [], level.clone()
    for x, mean, scale in _standardised(features, root):
        part = (combined @ x) / scale
        weights.append(part.float())
        offset -= mean @ part
    return LinearReadout(
        weights=torch.cat(weights),
        offset=float(offset),
        penalty=penalty,
        proportion_correct=_above(predicted[is_target], predicted[~is_target]),
        n_samples=n,
    )


def _standardised(
    features: Float[Tensor, " sample feature"], root: Float[Tensor, " sample"]
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield columns by the thousand: standardised and weighted, mean, and scale.

    All of them in double precision would be several times as large as the features. A
    column that never varies is 0 and has an infinite scale.
    """
    total = (root**2).sum()
    for part in features.split(_COLUMNS, dim=1):
        x = part.double()
        mean = (root**2 @ x) / total
        largest = x.abs().amax(0).clamp(min=1e-30)
        x = (x - mean) * root[:, None]
        sd = (x**2).sum(0).div(total).sqrt()
        scale = torch.where(sd > 1e-9 * largest, sd, math.inf)
        yield x / scale, mean, scale


def _decompose(
    features: Float[Tensor, " sample feature"], root: Float[Tensor, " sample"]
) -> tuple[Float[Tensor, " sample k"], Float[Tensor, " k"]]:
    """Give U and S^2 of the standardised features, U S V'."""
    n, n_features = features.shape
    if n_features > n or n_features > _COLUMNS:
        gram = torch.zeros(n, n, dtype=torch.float64)
        for x, _, _ in _standardised(features, root):
            gram += x @ x.T
        squares, basis = torch.linalg.eigh(gram)
        kept = squares > max(1e-10 * float(squares[-1]), 1e-30)
        basis = basis[:, kept]
    else:
        x, _, _ = next(_standardised(features, root))
        squares, axes = torch.linalg.eigh(x.T @ x)
        kept = squares > max(1e-10 * float(squares[-1]), 1e-30)
        basis = x @ axes[:, kept] / squares[kept].sqrt()
    if not kept.any():
        raise ConstantFeatures(
            "a layer's features must vary over trials, got constants; a lesion?"
        )
    return basis, squares[kept]


def _above(with_target: Tensor, without: Tensor) -> float:
    """Give the chance that one of the first lies above one of the second; ties half."""
    order = torch.sort(without).values
    low = torch.searchsorted(order, with_target, right=False)
    high = torch.searchsorted(order, with_target, right=True)
    return float((low + high).double().mean() / (2 * len(without)))

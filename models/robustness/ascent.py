"""Projected gradient ascent by foolbox, averaged over a network's own noise.

A network with noise is attacked through the mean of its gradients over many draws, new
ones at every step (expectation over transformation [1]_): the gradient of a single draw
points elsewhere, and the network would look more robust than it is.

References
----------
.. [1] Athalye, Carlini & Wagner (2018), Proc. ICML, 274-283.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..white_box.network import gradient

NORMS = ("linf", "l2")
NO_FOOLBOX = 'attacks need foolbox: pip install "yoked[attacks]"'
# All steps together, in eps: 2.5 as Madry et al. (2018) have it. In L2, where a random
# start is almost at right angles to any gradient, a path of s turns that angle a into
# tan(a / 2) = exp(-s): 5 leaves a ten-thousandth of the change unused, 2.5 a 75th.
_REACH = {"linf": 2.5, "l2": 5.0}

Objective = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Ascent:
    """How a stimulus is changed for the worse.

    Attributes
    ----------
    norm
        'linf': the largest change of a pixel's contrast; 'l2': the Euclidean norm of
        the change over all pixels of a trial.
    steps
        Of the gradient; each is 2.5 eps / steps long, 5 eps / steps in L2.
    noise_draws
        Draws of the network's noise that each step's gradient is averaged over.
    random_start
        Whether it begins anywhere within eps.

    Raises
    ------
    ValueError
        If one is out of range.
    """

    norm: str = "linf"
    steps: int = 40
    noise_draws: int = 8
    random_start: bool = True

    def __post_init__(self) -> None:
        if self.norm not in NORMS:
            raise ValueError(
                f"norm must be one of {', '.join(NORMS)}, got {self.norm!r}"
            )
        for name in ("steps", "noise_draws"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")


def require_eps(eps: float) -> float:
    """Return eps if it is one.

    Raises
    ------
    ValueError
        If it is negative or not finite.
    """
    if not 0 <= eps < math.inf:
        raise ValueError(f"eps must be 0 or more, got {eps}")
    return float(eps)


def ascend(
    objective: Objective,
    start: Float[Tensor, " row *shape"],
    eps: float,
    how: Ascent,
    bounds: tuple[float, float] = (-1.0, 1.0),
) -> Float[Tensor, " row *shape"]:
    """Change each row within eps so that its objective rises.

    Foolbox's PGD takes the steps; where it asks for a gradient it is given the mean
    over `noise_draws` calls of the objective, and a random direction where that is
    exactly 0.

    Parameters
    ----------
    objective
        From rows to a number for each; its noise must be another at every call.
    start
        Within the bounds.
    eps
        Norm of the change, at most.
    how
        Norm, steps, draws.
    bounds
        What every number must stay within.

    Raises
    ------
    ModuleNotFoundError
        If foolbox is not installed.

    Examples
    --------
    >>> weights = torch.tensor([1.0, -2.0])
    >>> how = Ascent("linf", steps=4, noise_draws=1)
    >>> changed = ascend(lambda x: x @ weights, torch.zeros(1, 2), 0.1, how)
    >>> [round(value, 3) for value in changed[0].tolist()]
    [0.1, -0.1]
    """
    require_eps(eps)
    foolbox = _foolbox()
    if eps == 0:
        return start.clone()
    attack = _averaged(foolbox, how)
    model = foolbox.PyTorchModel(_Module(objective).eval(), bounds, start.device)
    labels = torch.zeros(len(start), dtype=torch.long, device=start.device)
    return attack.run(model, start.detach(), labels, epsilon=eps).detach()


def _foolbox() -> ModuleType:
    """Import foolbox, which imports names that SciPy has moved."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", r"Please import `?\w+`? from", DeprecationWarning
            )
            import foolbox
    except ModuleNotFoundError as error:
        if error.name != "foolbox":
            raise
        raise ModuleNotFoundError(NO_FOOLBOX, name="foolbox") from error
    return foolbox


class _Module(nn.Module):
    """An objective as foolbox takes models."""

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self._objective = objective

    def forward(self, x: Tensor) -> Tensor:
        return self._objective(x)


def _averaged(foolbox: ModuleType, how: Ascent) -> Any:
    """Give foolbox's PGD of a norm with gradients averaged over noise."""
    import eagerpy

    astensor: Any = eagerpy.astensor  # pyright: ignore[reportPrivateImportUsage]
    attacks: Any = foolbox.attacks
    base: Any = attacks.LinfPGD if how.norm == "linf" else attacks.L2PGD

    class Averaged(base):
        def get_loss_fn(self, model: Any, labels: Any) -> Any:
            return lambda inputs: model(inputs).sum()

        def value_and_grad(self, loss_fn: Any, x: Any) -> tuple[Any, Any]:
            total, sum_of_values = torch.zeros_like(x.raw), 0.0
            for _ in range(how.noise_draws):
                inputs = x.raw.detach().clone().requires_grad_()
                with torch.enable_grad():
                    value = loss_fn(astensor(inputs)).raw
                total += gradient(value, inputs)
                sum_of_values = sum_of_values + value.detach()
            n = how.noise_draws
            return astensor(sum_of_values / n), astensor(total / n)

        def normalize(self, gradients: Any, *, x: Any, bounds: Any) -> Any:
            # Where there is no gradient at all, any direction is as good.
            raw = gradients.raw
            is_flat = raw.flatten(1).abs().amax(1) == 0
            if bool(is_flat.any()):
                raw = raw.clone()
                raw[is_flat] = torch.randn_like(raw[is_flat])
            return super().normalize(astensor(raw), x=x, bounds=bounds)

    return Averaged(
        rel_stepsize=_REACH[how.norm] / how.steps,
        steps=how.steps,
        random_start=how.random_start,
    )

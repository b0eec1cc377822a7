"""How likely spikes are at a rate: any number of them in a step, or one at most.

With eta the logarithm of the expected count u of a step, and n its spikes:

    Poisson    n eta - u - log n!
    Bernoulli  log(1 - exp(-u)) where there is a spike, -u where there is none

Bernoulli is what is left of a Poisson process when one only sees whether a step has a
spike. Each comes with its slope over eta and the expected curvature, which fits need.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

LIKELIHOODS = ("poisson", "bernoulli")
LARGEST = 20.0  # of eta: e^20 spikes in a step are no cell's


class Slopes(NamedTuple):
    """Derivatives of the log-likelihood of each step over eta.

    Attributes
    ----------
    value
        The log-likelihood itself.
    slope
        The first derivative.
    curvature
        Minus the expected second one: 0 or more.
    """

    value: Float[Tensor, " *step"]
    slope: Float[Tensor, " *step"]
    curvature: Float[Tensor, " *step"]


def require_likelihood(name: str) -> None:
    """Refuse what is no likelihood.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in LIKELIHOODS:
        rule = f"one of {', '.join(LIKELIHOODS)}"
        raise ValueError(f"the likelihood must be {rule}, got {name!r}")


def log_likelihood(
    counts: Float[Tensor, " *step"], eta: Float[Tensor, " *step"], likelihood: str
) -> Float[Tensor, " *step"]:
    """Give the log-likelihood of each step in nats.

    Examples
    --------
    >>> n, eta = torch.tensor([0.0, 1.0, 2.0]), torch.zeros(3)
    >>> log_likelihood(n, eta, "poisson")
    tensor([-1.0000, -1.0000, -1.6931])
    >>> log_likelihood(n, eta, "bernoulli")
    tensor([-1.0000, -0.4587, -0.4587])
    """
    require_likelihood(likelihood)
    eta = eta.clamp(max=LARGEST)
    u = eta.exp()
    if likelihood == "poisson":
        return counts * eta - u - torch.lgamma(counts + 1)
    return torch.where(counts > 0, torch.log(-torch.expm1(-u)), -u)


def slopes(
    counts: Float[Tensor, " *step"], eta: Float[Tensor, " *step"], likelihood: str
) -> Slopes:
    """Give the log-likelihood of each step and its derivatives over eta.

    Examples
    --------
    >>> one = slopes(torch.tensor([2.0]), torch.zeros(1), "poisson")
    >>> one.slope.item(), one.curvature.item()
    (1.0, 1.0)
    """
    value = log_likelihood(counts, eta, likelihood)
    u = eta.clamp(max=LARGEST).exp()
    if likelihood == "poisson":
        return Slopes(value, counts - u, u)
    share = torch.where(u < 1e-4, 1 - u / 2, u / torch.expm1(u))  # u / (e^u - 1)
    return Slopes(value, torch.where(counts > 0, share, -u), u * share)

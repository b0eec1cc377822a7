"""What a network is trained toward: the task, somebody's choices, or a kernel.

All take the decision variables that a network gives and are numbers to be minimised, so
that they serve in a loop of one's own and add up with weights. A soft choice is the
logistic (softmax) of the decision variables: the chance of a choice if the internal
noise is logistic and of that size.

Kernels are made of soft choices as they are of an observer's: with p_a the soft choice
of alternative a, n_a its noise, and means over the trials of one stimulus class,

    k1 = mean of sum_a (p_a - mean p_a) n_a,
    k2 = mean of sum_a (p_a - mean p_a) n_a n_a^T,

noise in its SD. They are differentiable sums, the covariance of choice and noise
(Neri 2004 [1]_), and so are their cosines with a target.

References
----------
.. [1] Neri (2004), J. Vision 4(2):2, 82-91.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from ...experiments.protocols.parts import Task

Variables = Float[Tensor, " trial alternative"]


def task_loss(
    task: Task, variables: Variables, targets: Int[Tensor, " trial"]
) -> Float[Tensor, ""]:
    """Give the cross entropy of the correct response.

    With two alternatives that is softplus(-(target's variable - the other's)); in
    yes/no and rating, of the logistic of the one decision variable.

    Parameters
    ----------
    task
        Of the protocol.
    variables
        One for each alternative; in yes/no and rating one.
    targets
        The correct alternative from 0; in yes/no and rating 1 is signal.

    Examples
    --------
    >>> import yoked
    >>> task = yoked.load_protocol("bar-in-noise").task
    >>> variables = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> round(yoked.task_loss(task, variables, torch.tensor([1, 0])).item(), 4)
    0.3133
    """
    if task.takes_largest:
        return functional.cross_entropy(variables, targets)
    return functional.binary_cross_entropy_with_logits(
        variables[:, 0], targets.to(variables.dtype)
    )


def choice_loss(task: Task, variables: Variables, choices: Tensor) -> Float[Tensor, ""]:
    """Give the cross entropy of the responses that another observer gave.

    The network is not told which was correct. Its decision variables come to be in
    units of that observer's internal noise.

    Parameters
    ----------
    task
        Of the protocol; in a rating a response is the chance of "signal" that it
        stands for.
    variables
        One for each alternative; in yes/no and rating one.
    choices
        The response of each trial from 0, whole numbers; or its chance: (trial,
        alternative) in forced choice, (trial,) of "yes" else.

    Raises
    ------
    ValueError
        If a chance is outside [0, 1].

    Examples
    --------
    >>> import yoked
    >>> task = yoked.load_protocol("bar-in-noise").task
    >>> variables = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> sure = yoked.choice_loss(task, variables, torch.tensor([1, 0]))
    >>> chance = yoked.choice_loss(task, variables, torch.full((2, 2), 0.5))
    >>> round(sure.item(), 4), round(chance.item(), 4)
    (0.3133, 0.8133)
    """
    if not choices.is_floating_point():
        if task.takes_largest:
            return functional.cross_entropy(variables, choices.long())
        choices = choices.to(variables.dtype) / (len(task.keys) - 1)
    low, high = choices.min().item(), choices.max().item()
    if low < 0 or high > 1:
        raise ValueError(f"choices must be chances in [0, 1], got {low:g} to {high:g}")
    if task.takes_largest:
        return functional.cross_entropy(variables, choices.to(variables.dtype))
    return functional.binary_cross_entropy_with_logits(
        variables[:, 0], choices.to(variables.dtype)
    )


def soft_choices(task: Task, variables: Variables) -> Variables:
    """Give the chance of each alternative; in yes/no and rating of "yes"."""
    return variables.softmax(1) if task.takes_largest else variables.sigmoid()


class KernelMoments(NamedTuple):
    """Kernels of a network's soft choices.

    Attributes
    ----------
    first
        Of order one, per SD of the noise.
    second
        Of order two, per variance of the noise; None where it was not asked for.
    """

    first: Float[Tensor, " element"]
    second: Float[Tensor, " element element"] | None


def kernel_moments(
    task: Task,
    variables: Variables,
    noise: Float[Tensor, " trial alternative element"],
    classes: Int[Tensor, " trial"],
    second: bool = True,
) -> KernelMoments:
    """Give the kernels of soft choices, to be differentiated.

    Parameters
    ----------
    task
        Of the protocol.
    variables
        The decision variables.
    noise
        Of each alternative, in SDs of the noise.
    classes
        Stimulus class of each trial: trials of one target and contrast have the same
        whole number.
    second
        Whether order two is wanted: elements squared by trials.

    Raises
    ------
    ValueError
        If shapes do not fit, or a class has a single trial.

    Examples
    --------
    A template that looks at the first of three elements:

    >>> import yoked
    >>> task = yoked.load_protocol("bar-in-noise").task
    >>> noise = torch.randn(20_000, 2, 3, generator=torch.manual_seed(0))
    >>> classes = torch.zeros(20_000, dtype=torch.long)
    >>> found = yoked.kernel_moments(task, noise[:, :, 0], noise, classes)
    >>> [round(value, 2) + 0 for value in (found.first / found.first[0]).tolist()]
    [1.0, 0.0, 0.0]
    """
    if noise.shape[:2] != variables.shape:
        rule = f"(trial, alternative) {tuple(variables.shape)} and elements"
        raise ValueError(f"noise must be {rule}, got {tuple(noise.shape)}")
    chosen = soft_choices(task, variables)
    weight = choice_weights(chosen, classes).flatten()
    flat = noise.flatten(0, 1).to(chosen.dtype)
    first = weight @ flat
    return KernelMoments(first, (flat * weight[:, None]).T @ flat if second else None)


def choice_weights(
    chosen: Variables, classes: Int[Tensor, " trial"]
) -> Float[Tensor, " trial alternative"]:
    """Give what each field of noise counts in the kernels of choices.

    Parameters
    ----------
    chosen
        Chance of each alternative, or 0 and 1; in yes/no and rating of "yes".
    classes
        Stimulus class of each trial.

    Raises
    ------
    ValueError
        If a class has a single trial.
    """
    _, number, n = classes.unique(return_inverse=True, return_counts=True)
    if int(n.min()) < 2:
        raise ValueError("trials of a class must be two or more, got 1")
    mean = torch.zeros(len(n), chosen.shape[1], dtype=chosen.dtype, device=n.device)
    mean = mean.index_add(0, number, chosen) / n[:, None]
    # A class loses a degree of freedom to its mean.
    free = (n / (n - 1)).to(chosen.dtype)[number, None]
    return (chosen - mean[number]) * free / len(chosen)


def kernel_loss(
    moments: KernelMoments,
    first: Float[Tensor, " element"] | None = None,
    second: Float[Tensor, " element element"] | None = None,
) -> Float[Tensor, ""]:
    """Give 1 less the cosine with a target kernel, averaged over the orders given.

    The length of a kernel is left free: it is what internal noise changes.

    Parameters
    ----------
    moments
        From `kernel_moments`.
    first, second
        Target of either order; an order without one is left free.

    Raises
    ------
    ValueError
        If there is no target, one is of another shape or nothing but zeros, or the
        second moment was not made.

    Examples
    --------
    >>> import yoked
    >>> moments = KernelMoments(torch.tensor([1.0, 0.0]), None)
    >>> yoked.kernel_loss(moments, first=torch.tensor([2.0, 0.0])).item()
    0.0
    """
    lacking = []
    for name, made, target in (
        ("first", moments.first, first),
        ("second", moments.second, second),
    ):
        if target is None:
            continue
        if made is None:
            raise ValueError(f"moments must have the {name} order, got None")
        if made.shape != target.shape:
            rule = f"of shape {tuple(made.shape)}"
            got = tuple(target.shape)
            raise ValueError(f"the {name} target must be {rule}, got {got}")
        if not target.any():
            raise ValueError(f"the {name} target must differ from 0, got zeros alone")
        goal = target.to(made).flatten()
        lacking.append(1 - functional.cosine_similarity(made.flatten(), goal, dim=0))
    if not lacking:
        raise ValueError("a target must be given for one order or both, got none")
    return torch.stack(lacking).mean()

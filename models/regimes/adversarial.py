"""Adversarial training: pictures are learnt as an attack has changed them.

The attack is projected gradient ascent of the cross-entropy within eps of every pixel,
as in [1]_; the control changes pixels by eps to a random side instead.

References
----------
.. [1] Madry, Makelov, Schmidt, Tsipras & Vladu (2018), Towards deep learning models
   resistant to adversarial attacks, ICLR.
"""

import torch
from torch import Tensor
from torch.nn import functional

from ..robustness.ascent import Ascent, ascend
from .learner import Learner
from .term import Batch, Term

_BOUNDS = (-1.0, 1.0)


class Adversarial(Term):
    """Changes pictures for the worse before they are learnt.

    Parameters
    ----------
    eps, steps
        Of the attack.
    by_chance
        The control.
    """

    def __init__(self, eps: float, steps: int, by_chance: bool = False) -> None:
        super().__init__()
        self._eps, self._by_chance = eps, by_chance
        self._how = Ascent("linf", steps, noise_draws=1)

    def changed(self, learner: Learner, batch: Batch) -> Tensor:
        """Give the pictures after the attack."""
        if self._by_chance:
            signs = torch.randn_like(batch.contrast).sign()
            return (batch.contrast + self._eps * signs).clamp(*_BOUNDS)
        learner.train(False)  # an attack is no statistic of what is learnt
        learner.network.requires_grad_(False)

        def wrong(x: Tensor) -> Tensor:
            logits = learner.logits(x)
            return functional.cross_entropy(logits, batch.labels, reduction="none")

        try:
            return ascend(wrong, batch.contrast, self._eps, self._how, _BOUNDS)
        finally:
            learner.network.requires_grad_(True)
            learner.train(True)

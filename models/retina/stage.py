"""What every stage of the retina shares: constants that are fixed or learned."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Stage(nn.Module):
    """A named module of the retina with its constants.

    A constant that must be more than 0 is kept as its logarithm, so that no step of
    learning can make it negative. One that is fixed is no parameter and is not saved:
    it follows from the config.
    """

    def keep(
        self,
        learnable: bool,
        positive: Mapping[str, float],
        free: Mapping[str, float] | None = None,
    ) -> None:
        """Keep the constants: `positive` ones by their logarithm, `free` ones as is."""
        logs = {f"log_{name}": math.log(value) for name, value in positive.items()}
        for name, value in {**logs, **(free or {})}.items():
            tensor = torch.tensor(float(value))
            if learnable:
                self.register_parameter(name, nn.Parameter(tensor))
            else:
                self.register_buffer(name, tensor, persistent=False)

    def constant(self, name: str) -> Tensor:
        """Give a constant's present value, with its gradient where it is learned.

        Examples
        --------
        >>> stage = Stage()
        >>> stage.keep(learnable=False, positive={"tau_ms": 10.0})
        >>> round(stage.constant("tau_ms").item(), 3)
        10.0
        """
        if name in self._parameters or name in self._buffers:
            return getattr(self, name)
        return getattr(self, f"log_{name}").exp()

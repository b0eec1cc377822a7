"""Networks that run in time, and areas that have had no input yet."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from ...experiments.protocols.checks import suggestion


class Steps(dict[str, list[Tensor | None]]):
    """What each area put out at each step; None before its first input."""

    def at(self, area: str, step: int) -> Tensor:
        """Give an area's output at a step.

        Parameters
        ----------
        area
            The name of an area.
        step
            From 0; negative ones count from the last.

        Raises
        ------
        LookupError
            If there is no such area or step.
        ValueError
            If no input had reached the area by then: it has no output, not even 0.
        """
        if area not in self:
            near = suggestion(area, self)
            known = "" if near else f"; there are {', '.join(self)}"
            raise LookupError(f"no area named {area!r}{near}{known}")
        outputs = self[area]
        if not -len(outputs) <= step < len(outputs):
            rule = f"one of {len(outputs)} steps, from 0"
            raise LookupError(f"step must be {rule}, got {step}")
        step %= len(outputs)
        found = outputs[step]
        if found is None:
            rule = f"must have had input by step {step} to be read there"
            first = next((t for t, o in enumerate(outputs) if o is not None), None)
            got = "none in all steps" if first is None else f"its first at step {first}"
            raise ValueError(f"area {area!r} {rule}, got {got}")
        return found


class Unrolled(nn.Module):
    """A backbone that runs in time; subclasses say what an area does at a step.

    It takes a picture (image, channel, y, x), shown for `n_steps` steps, or a movie
    (image, step, channel, y, x), whose frame t is seen at step t.

    Attributes
    ----------
    n_steps
        How long a picture is shown; another number may be set.
    is_recurrent
        False for a control without recurrence: the same bottom-up weights, and nothing
        that an area gave at an earlier step comes back to it or to one below.
    """

    takes_steps = True
    n_steps: int
    is_recurrent = True

    def frames(
        self, x: Float[Tensor, " image *step_channel y x"]
    ) -> list[Float[Tensor, " image channel y x"]]:
        """Give the input of each step."""
        if x.dim() not in (4, 5):
            rule = "(image, channel, y, x) or (image, step, channel, y, x)"
            raise ValueError(f"input must be {rule}, got shape {tuple(x.shape)}")
        return [x] * self.n_steps if x.dim() == 4 else list(x.unbind(1))

    def steps(self, x: Float[Tensor, " image *step_channel y x"]) -> Steps:
        """Give the output of each area at each step, None before its first input."""
        raise NotImplementedError


def in_time(
    network: nn.Module, steps: int | None = None, recurrent: bool = True
) -> nn.Module:
    """Say how a network runs in time, in place, and return it; its weights stay.

    Parameters
    ----------
    network
        One that takes no steps stays as it is.
    steps
        How long it is shown a picture; by default as it was made.
    recurrent
        False for a control without recurrence; see `Unrolled`.

    Examples
    --------
    >>> from yoked.models.backbones.bl_net import BLNet, BLTConfig
    >>> in_time(BLNet(1, 2, BLTConfig.small()), steps=1).n_steps
    1
    """
    if isinstance(network, Unrolled):
        network.n_steps = steps or network.n_steps
        network.is_recurrent = recurrent
    return network


def names_of(prefix: str, sizes: Sequence[int]) -> tuple[str, ...]:
    """Give numbered names, from 1.

    Examples
    --------
    >>> names_of("layer", (8, 16))
    ('layer1', 'layer2')
    """
    return tuple(f"{prefix}{number}" for number in range(1, len(sizes) + 1))

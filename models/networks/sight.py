"""What it takes to show pictures of any size to a network that was made for a task."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import nn

from ...experiments.session.observer import Viewing
from .inputs import InputMaker, Preprocess


@dataclass(frozen=True, eq=False)
class Sight:
    """A network, and what it sees of the world.

    Attributes
    ----------
    build
        Gives the network for an input and a viewing: frozen, on its device.
    preprocess
        How contrast becomes its input.
    field_deg, size_px
        Degrees across its input (the longer side), and its pixels; None where they are
        the stimulus's own.
    device
        Where the network is.
    n_frames
        Frames that it takes of an alternative; a still picture is shown in all.
    takes_trials
        Whether its input has axes for trials and alternatives: (trial, alternative,
        frame, y, x) of contrast.
    """

    build: Callable[[InputMaker, Viewing], nn.Module]
    preprocess: Preprocess
    field_deg: float | None
    size_px: int | Sequence[int] | None
    device: str
    n_frames: int = 1
    takes_trials: bool = False


@runtime_checkable
class SeesPictures(Protocol):
    """An observer to which any picture can be shown."""

    name: str

    def sight(self) -> Sight:
        """Say what it takes to show it a picture."""
        ...

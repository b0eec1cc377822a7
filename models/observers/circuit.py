"""What every circuit is: an observer around a small network on the noise grid."""

import math
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Float64, Shaped, UInt8
from torch import Tensor, nn

from ...experiments.protocols.parts import BACKGROUND, FULL_CONTRAST
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.scene import Rectangle
from ...experiments.protocols.signal import signal_template
from ...experiments.session.observer import ObserverNoise, Practice, Viewing
from .filters import Template, blurred
from .pooling import require_one_scene

END = math.inf


@dataclass(frozen=True)
class Signatures:
    """What a circuit leaves in the kernels of a 2AFC session in white noise.

    For a signal of a single element and a spread of 1.2, at 75 % correct.

    Attributes
    ----------
    cascade
        Its name in `yoked.depths(session).two.signature`.
    other_to_target
        Range of the other's half of the first-order kernel, along the target's half.
    trace
        Sign of the trace of the second-order kernel; 0 where there is none.
    eigenvalues
        Sign of each eigenvalue that stands out, the largest first; None where how many
        do depends on the size of the field.
    off_diagonal
        Range of the share of the second-order kernel's energy off its diagonal; None
        where there is no second order.
    in_words
        The same as a sentence.
    """

    cascade: str
    other_to_target: tuple[float, float]
    trace: int
    eigenvalues: tuple[int, ...] | None
    off_diagonal: tuple[float, float] | None
    in_words: str


class Circuit:
    """An observer around a circuit; each of the circuits below is one.

    In a scene it stands at every place, the same with the same weights, and its
    decision variable is the sum of what it gives at the places, unless its name says
    otherwise. It has no use for a cue, and does not look at one.

    Parameters
    ----------
    spread
        SD in elements of the gaussian that blurs the signal within every frame: how
        much more broadly than the signal the circuit looks. 0 leaves it as it is.

    Raises
    ------
    ValueError
        If it is out of range.
    """

    name: str
    signatures: ClassVar[Signatures]

    def __init__(self, spread: float = 1.2) -> None:
        self.spread = number("spread", spread, at_least=0)
        self.network: nn.Module | None = None
        self._grid: tuple[int, int, int] | None = None
        self._element_px = (1, 1)
        self._places: tuple[Rectangle, ...] = ()
        self._scene: tuple[int, int, int] | None = None  # shape of its frames
        self._first = 0  # frame of the patches: a cue may be before them

    @property
    def parameters(self) -> dict[str, object]:
        """What the trial log keeps of it."""
        return {"spread": self.spread}

    def prepare(self, viewing: Viewing) -> None:
        """Take in how many pixels an element has, and where a scene's places are."""
        self._element_px, self._places = viewing.element_px, viewing.places

    def learn(self, practice: Practice) -> None:
        """Read the signal, on the noise grid.

        Raises
        ------
        ValueError
            If the protocol does not say what its signal is, or it gives this circuit
            nothing to see; or if its conditions have patches elsewhere, or at another
            time.
        """
        protocol = practice.protocol
        require_one_scene(protocol, self.name)
        template = blurred(_signal(protocol, self.name), self.spread)
        size = float(np.linalg.norm(template))
        unit = 1 / (FULL_CONTRAST * protocol.noise.sd)  # noise SDs in a level
        self.network = self._built(template / size, unit)
        self._grid = protocol.noise.grid
        self._scene = protocol.frame_shape if self._places else None
        self._first = protocol.n_before

    def decide(
        self,
        frames: UInt8[np.ndarray, " trial alternative frame y x"],
        noise: ObserverNoise,
    ) -> Float64[np.ndarray, " trial alternative"]:
        """Give a decision variable for every alternative of every trial."""
        with torch.inference_mode():
            patches = self._patches(torch.from_numpy(frames)).to(torch.float64)
            return self._of_levels(self._elements(patches) - BACKGROUND).numpy()

    def scores(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative"]:
        """Give decision variables that can be differentiated by the contrast."""
        return self._of_levels(self._levels_of(contrast))

    def input_of(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " row element"]:
        """Give what the circuit's network takes: levels of elements, row by row.

        Of every trial a row for each alternative; in a scene one for each place of it.
        """
        return self._levels_of(contrast).flatten(0, 2)

    def _built(self, template: Template, unit: float) -> nn.Module:
        """Make the circuit of a template of length 1."""
        raise NotImplementedError

    def _pooled(
        self, outputs: Float[Tensor, " trial alternative place"]
    ) -> Float[Tensor, " trial alternative"]:
        """Make one decision variable of what the circuit gives at the places.

        They are added one by one: in an order that no batch changes.
        """
        return reduce(torch.add, outputs.unbind(-1))

    def _of_levels(
        self, levels: Float[Tensor, " trial alternative place element"]
    ) -> Float[Tensor, " trial alternative"]:
        assert self.network is not None
        outputs = self.network(levels.flatten(0, 2))
        return self._pooled(outputs.view(levels.shape[:3]))

    def _levels_of(
        self, contrast: Float[Tensor, " trial alternative frame y x"]
    ) -> Float[Tensor, " trial alternative place element"]:
        return FULL_CONTRAST * self._elements(self._patches(contrast))

    def _patches(
        self, frames: Shaped[Tensor, " trial alternative frame y x"]
    ) -> Shaped[Tensor, " trial alternative place shown height width"]:
        """Cut a scene's patches out of the frames that show them, without the cue's."""
        if self._grid is None:
            rule = "learn before it decides"
            raise ValueError(f"{self.name} must {rule}, got no learn call")
        n_frames, rows, columns = self._grid
        high, wide = self._element_px
        wanted = self._scene or (n_frames, rows * high, columns * wide)
        if frames.shape[2:] != wanted:
            got = tuple(frames.shape[2:])
            raise ValueError(f"frames must be {wanted} px, got {got}")
        if not self._places:
            return frames.unsqueeze(2)
        shown = frames[:, :, self._first : self._first + n_frames]
        patches = [
            shown[..., top : top + height, left : left + width]
            for top, left, height, width in self._places
        ]
        return torch.stack(patches, dim=2)

    def _elements(
        self, patches: Float[Tensor, " trial alternative place shown height width"]
    ) -> Float[Tensor, " trial alternative place element"]:
        """Average the pixels of every element; of equal integers that is exact."""
        assert self._grid is not None
        _, rows, columns = self._grid
        high, wide = self._element_px
        parts = patches.reshape(*patches.shape[:4], rows, high, columns, wide)
        return (parts.sum(5).sum(-1) / (high * wide)).flatten(3)


def _signal(protocol: Protocol, name: str) -> Template:
    """Give what the target has more than the other alternative; any scale.

    Of a signal with variants, the first of them.
    """
    if protocol.task.identifies:
        rule = "one that tells two alternatives apart"
        raise ValueError(f"the task must be {rule} for {name}, got identify")
    protocol = protocol.variants[0]
    without, with_target = protocol.signal.gains
    signal = np.sign(with_target - without) * signal_template(protocol)
    if not signal.any():
        rule = "known, and not nought everywhere,"
        raise ValueError(f"the signal must be {rule} for {name}, got none")
    return signal


def number(
    what: str, value: float, at_least: float = -END, above: float = -END
) -> float:
    """Return an option as a number within its range, or raise ValueError."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and at_least <= value < END and value > above):
        rule = f"{at_least:g} or more" if at_least > -END else f"more than {above:g}"
        raise ValueError(f"{what} must be {rule}, got {value!r}")
    return float(value)

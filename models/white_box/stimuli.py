"""The stimuli that gradients are taken at: practice's noise, as tensors of elements."""

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from ...experiments.protocols.parts import FULL_CONTRAST
from ...experiments.protocols.picture import picture_levels
from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.signal import interval_gains, signal_levels
from ...experiments.session.observer import Practice
from ...experiments.stimulus.noise_torch import repeat_on_device
from ...experiments.stimulus.sources import GeneratedNoise, as_contrast

STREAM = 1  # of practice; what observers learn and are calibrated from is stream 0
MOST_SEEDS = 2**20
_TRIALS_A_SEED = 2**40
_N_FOR_SD = 1024  # fields, where the SD of the noise is not known exactly

Fields = Float32[Tensor, " trial alternative frame row column"]


class Stimuli:
    """Noise and signal of trials that no session shows.

    Parameters
    ----------
    protocol
        The task.
    contrast
        Of the signal.
    seed
        Another seed gives other noise.
    device
        Where tensors lie.

    Raises
    ------
    ValueError
        If the noise is not Gaussian and white: the formulas hold for no other. If the
        signal is one of several variants or patterns.
    """

    def __init__(
        self, protocol: Protocol, contrast: float, seed: int, device: torch.device
    ) -> None:
        if protocol.noise.kind != "gaussian":
            rule = "gaussian for white-box kernels"
            raise ValueError(f"noise must be {rule}, got {protocol.noise.kind}")
        if protocol.noise.basis is not None:
            rule = "white for white-box kernels"
            raise ValueError(f"noise must be {rule}, got noise on a basis of images")
        if (n := len(protocol.variants)) > 1:
            rule = "one for white-box kernels"
            raise ValueError(f"the signal must be {rule}, got one of {n}")
        if n := protocol.places.count:
            rule = "left out for white-box kernels"
            raise ValueError(f"places must be {rule}, got {n}")
        if isinstance(seed, bool) or not 0 <= seed < MOST_SEEDS:
            raise ValueError(f"seed must be in [0, 2^20), got {seed}")
        self.protocol, self.contrast = protocol, contrast
        self.device = device
        self._practice = Practice(protocol, stream=STREAM)
        is_ours = isinstance(self._practice.source, GeneratedNoise)
        # The seeds of other noise are numbers of 31 bits.
        self._first = seed * (_TRIALS_A_SEED if is_ours else 1000)
        self.noise_sd = self._noise_sd()

    @property
    def n_alternatives(self) -> int:
        """Noise fields of a trial."""
        return self.protocol.n_intervals

    def trials(self, first: int, n: int) -> Int64[np.ndarray, " trial"]:
        """Give the numbers of `n` trials from `first`."""
        return self._table(first, n)["trial"]

    def targets(self, first: int, n: int) -> Int64[np.ndarray, " trial"]:
        """Give what holds the target: in turn."""
        return self._table(first, n)["target"]

    def noise(self, first: int, n: int) -> Fields:
        """Give the noise of `n` trials from `first`, in contrast."""
        table = self._table(first, n)
        fields = [
            as_contrast(self._practice.source.field(table, interval))
            for interval in range(self.n_alternatives)
        ]
        return torch.from_numpy(np.stack(fields, axis=1)).to(self.device)

    def signal(self, targets: Int64[np.ndarray, " trial"]) -> Fields:
        """Give signal and picture of every alternative of trials with these targets."""
        gains = interval_gains(self.protocol, targets)
        values, which = np.unique(gains, return_inverse=True)
        levels = [signal_levels(self.protocol, gain * self.contrast) for gain in values]
        picture = picture_levels(self.protocol)
        behind = 0 if picture is None else picture
        shown = torch.from_numpy(
            (np.stack(levels) + behind).astype(np.float32) / FULL_CONTRAST
        )
        return shown[torch.from_numpy(which.reshape(gains.shape))].to(self.device)

    def pixels(
        self, elements: Float[Tensor, " trial alternative frame row column"]
    ) -> Float[Tensor, " trial alternative frame y x"]:
        """Repeat elements to their size in pixels; gradients add up again."""
        return repeat_on_device(elements, self.protocol.display.element_px)

    def note(self) -> str | None:
        """Say what the noise lacks of being Gaussian, if anything."""
        cut = self.protocol.noise.truncate_sd
        if not 0 < cut < 3:
            return None
        return (
            f"the noise is cut off at {cut:g} SD; the formula takes it as Gaussian, of "
            "the SD that it really has"
        )

    def _table(self, first: int, n: int) -> dict[str, np.ndarray]:
        return self._practice.table(n, self._first + first, self.contrast)

    def _noise_sd(self) -> float:
        source, table = self._practice.source, self._table(0, _N_FOR_SD)
        if isinstance(source, GeneratedNoise):
            ((_, levels),) = source.tables(table)
            return float(levels.astype(np.float64).std() / FULL_CONTRAST)
        fields = as_contrast(source.field(table, 0)).astype(np.float64)
        return float(np.sqrt(np.mean(fields**2)))

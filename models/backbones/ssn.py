"""A stabilised supralinear network: excitation and inhibition with a power law.

tau dr/dt = -r + k [W r + h]_+^n for excitatory (E) and inhibitory (I) rates at each
place and preferred orientation. Weak input adds up supralinearly; strong input recruits
inhibition, and then responses to two inputs are less than their sum (normalisation) and
a surround suppresses.

References
----------
.. [1] Rubin, Van Hooser & Miller (2015), The stabilized supralinear network: a unifying
   circuit motif underlying multi-input integration in sensory cortex, Neuron 85,
   402-417. Ring of orientations: k .04, n 2, tau 20 and 10 ms, J_EE .044, J_IE .042,
   J_EI .023, J_II .018, SD 32 degrees (checked in a public re-implementation, not in
   the paper). Line of places: E to E over .67 degrees, E to I over 1.33 (from memory).
.. [2] Ahmadian, Rubin & Miller (2013), Neural Computation 25, 1994-2037: the analysis.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from .decoder import Decoder
from .unrolled import Steps, Unrolled


@dataclass(frozen=True)
class SSNConfig:
    """The circuit, and the network around it.

    Attributes
    ----------
    ee, ie, ei, ii
        Summed strength of connections: `ie` is that from E to I. By default (ours)
        twice those of the line in [1]_: 1, 1.25, 1, .75.
    k, n_e, n_i
        Gain and powers.
    tau_e_ms, tau_i_ms
        Time constants.
    orientation_sd_deg
        How far connections reach across orientations.
    reach_ee, reach_ie
        SD of the connections of E across places, in places; inhibition is local.
    dt_ms, step_ms
        An update, and how long a frame lasts.
    n_orientations
        Of the filters in front.
    kernel, stride
        Of these filters.
    gain
        Input for a response of 1 of these filters: full contrast is then near 100.
    n_steps
        Frames that a picture lasts.
    """

    ee: float = 2.0
    ie: float = 2.5
    ei: float = 2.0
    ii: float = 1.5
    k: float = 0.01
    n_e: float = 2.0
    n_i: float = 2.2
    tau_e_ms: float = 20.0
    tau_i_ms: float = 10.0
    orientation_sd_deg: float = 32.0
    reach_ee: float = 1.0
    reach_ie: float = 2.0
    dt_ms: float = 2.0
    step_ms: float = 20.0
    n_orientations: int = 16
    kernel: int = 11
    stride: int = 4
    gain: float = 25.0
    n_steps: int = 5

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = 0 if name in ("reach_ee", "reach_ie") else None
            if not math.isfinite(value) or (value < 0 if least == 0 else value <= 0):
                rule = "0 or more" if least == 0 else "more than 0"
                raise ValueError(f"{name} must be {rule}, got {value}")

    @classmethod
    def ring(cls) -> "SSNConfig":
        """Give the published ring of orientations, nothing across places."""
        total = math.sqrt(2 * math.pi) * 32  # of a Gaussian of height 1 over 180 cells
        ee, ie, ei, ii = (total * j for j in (0.044, 0.042, 0.023, 0.018))
        return cls(ee, ie, ei, ii, k=0.04, n_i=2.0, reach_ee=0, reach_ie=0, dt_ms=1.0)

    @classmethod
    def small(cls) -> "SSNConfig":
        """Give a variant for 28 to 64 px."""
        return cls(n_orientations=8, kernel=7, stride=2, gain=40.0)


class SSNLayer(nn.Module):
    """Rates of E and I cells at each place (y, x) and preferred orientation.

    The strengths are learnable; as they are exponentials, E stays excitatory and I
    inhibitory.

    Parameters
    ----------
    config
        The circuit.

    Examples
    --------
    >>> layer = SSNLayer(SSNConfig.ring())
    >>> rates = layer(torch.full((1, 16, 1, 1), 5.0), n_updates=100)
    >>> rates.shape  # (image, E and I, orientation, y, x)
    torch.Size([1, 2, 16, 1, 1])
    """

    across: Tensor

    def __init__(self, config: SSNConfig) -> None:
        super().__init__()
        self.config = config
        strengths = [[config.ee, config.ei], [config.ie, config.ii]]  # to E; to I
        self.first_strengths = strengths
        self.log_strengths = nn.Parameter(torch.empty(2, 2))
        across = ring_weights(config.n_orientations, config.orientation_sd_deg)
        self.register_buffer("across", across, persistent=False)
        for name, sd in (("ee", config.reach_ee), ("ie", config.reach_ie)):
            self.register_buffer(f"reach_{name}", line_weights(sd), persistent=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the strengths to those of the config."""
        with torch.no_grad():
            self.log_strengths.copy_(torch.tensor(self.first_strengths).log())

    def forward(
        self,
        drive: Float[Tensor, " image orientation y x"],
        rates: Float[Tensor, " image 2 orientation y x"] | None = None,
        n_updates: int = 1,
        is_connected: bool = True,
    ) -> Float[Tensor, " image 2 orientation y x"]:
        """Give the rates after some updates with a constant drive to E and I.

        Parameters
        ----------
        drive
            h, to both kinds of cells.
        rates
            Where to start; silence by default.
        n_updates
            Steps of `dt_ms`, by Euler's method.
        is_connected
            False for cells by themselves: all strengths are 0, and rates go to
            k [h]_+^n.

        Raises
        ------
        ValueError
            If rates grow without limit: inhibition is then too weak for the drive.
        """
        config = self.config
        (ee, ei), (ie, ii) = self.log_strengths.exp() * is_connected
        e, i = (drive * 0, drive * 0) if rates is None else rates.unbind(1)
        for _ in range(n_updates):
            near_e, near_i = self._mixed(e), self._mixed(i)
            to_e = drive + ee * self._spread(near_e, "ee") - ei * near_i
            to_i = drive + ie * self._spread(near_e, "ie") - ii * near_i
            e = e + config.dt_ms / config.tau_e_ms * (self._rate(to_e, config.n_e) - e)
            i = i + config.dt_ms / config.tau_i_ms * (self._rate(to_i, config.n_i) - i)
        found = torch.stack([e, i], dim=1)
        if not found.detach().isfinite().all():
            rule = "weak enough for inhibition to hold it"
            got = float(drive.detach().max())
            raise ValueError(f"drive of an SSN must be {rule}, got up to {got:.3g}")
        return found

    def _rate(self, x: Tensor, power: float) -> Tensor:
        return self.config.k * x.relu().pow(power)

    def _mixed(self, rates: Tensor) -> Tensor:
        """Give what arrives over the ring of orientations."""
        return torch.einsum("op,ipyx->ioyx", self.across, rates)

    def _spread(self, rates: Tensor, name: str) -> Tensor:
        """Give what arrives over places: a Gaussian down, then along."""
        line = self.get_buffer(f"reach_{name}")
        if len(line) == 1:
            return rates
        n, pad = rates.shape[1], len(line) // 2
        down = line.expand(n, 1, -1)[..., None]  # (orientation, 1, size, 1)
        rates = functional.conv2d(rates, down, padding=(pad, 0), groups=n)
        return functional.conv2d(rates, down.mT, padding=(0, pad), groups=n)


class SSN(Unrolled):
    """Oriented filters (`v1`), the circuit (`ssn`), pooling and a read-out (`decoder`).

    Parameters
    ----------
    in_channels, n_classes
        Of the input, and of the output.
    config
        The circuit and sizes.

    Examples
    --------
    >>> network = SSN(1, 2, SSNConfig.small())
    >>> network(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self, in_channels: int, n_classes: int, config: SSNConfig | None = None
    ) -> None:
        super().__init__()
        config = config or SSNConfig()
        self.config = config
        self.in_channels = in_channels
        self.n_steps = config.n_steps
        n, kernel = config.n_orientations, config.kernel
        conv = nn.Conv2d(in_channels, n, kernel, config.stride, kernel // 2, bias=False)
        self.v1 = nn.Sequential(conv, nn.ReLU())
        self.ssn = SSNLayer(config)
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.features = nn.Conv2d(n, 4 * n, 3, padding=1)
        self.relu = nn.ReLU()
        self.decoder = Decoder(4 * n, n_classes)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Make the filters of V1 Gabors, equal in all channels, one an orientation."""
        with torch.no_grad():
            conv = self.v1[0]
            filters = oriented(self.config.n_orientations, self.config.kernel)
            conv.weight.copy_(filters[:, None].expand_as(conv.weight))  # type: ignore[union-attr]
            conv.weight.div_(self.in_channels)  # type: ignore[union-attr, operator]

    def steps(self, x: Float[Tensor, " image *step_channel y x"]) -> Steps:
        """Give the drive of V1 and the rates of E at each step."""
        config, rates = self.config, None
        n_updates = max(1, round(config.step_ms / config.dt_ms))
        outputs = Steps({"v1": [], "ssn": []})
        is_still = x.dim() == 4
        drive = None
        for frame in self.frames(x):
            if drive is None or not is_still:
                drive = self.v1(frame)
            to_all = config.gain * drive
            rates = self.ssn(to_all, rates, n_updates, self.is_recurrent)
            outputs["v1"].append(drive)
            outputs["ssn"].append(rates[:, 0])
        return outputs

    def forward(
        self, x: Float[Tensor, " image *step_channel y x"]
    ) -> Float[Tensor, " image n_classes"]:
        """Give a number for each class, from the rates of E at the last step."""
        rates = self.steps(x).at("ssn", -1) / self.config.gain
        return self.decoder(self.relu(self.features(self.pool(rates))))


def ring_weights(n: int, sd_deg: float) -> Tensor:
    """Give how orientations reach each other: a Gaussian on the circle."""
    place = torch.arange(n) * 180 / n
    apart = (place[:, None] - place).abs()
    apart = torch.minimum(apart, 180 - apart)
    weights = torch.exp(-(apart**2) / (2 * sd_deg**2))
    return weights / weights.sum(dim=1, keepdim=True)


def line_weights(sd: float) -> Tensor:
    """Give a Gaussian of sum 1, out to 3 SD."""
    far = math.ceil(3 * sd)
    if far == 0:
        return torch.ones(1)
    weights = torch.exp(-(torch.arange(-far, far + 1) ** 2) / (2 * sd**2))
    return weights / weights.sum()


def oriented(n: int, size: int) -> Tensor:
    """Give odd-symmetric Gabors (orientation, y, x) of one cycle, norm 1."""
    place = torch.arange(size) - size // 2
    y, x = torch.meshgrid(place, place, indexing="ij")
    theta = (torch.arange(n) * math.pi / n)[:, None, None]
    across = x * theta.cos() + y * theta.sin()
    envelope = torch.exp(-(x**2 + y**2) / (2 * (size / 5) ** 2))
    gabor = envelope * torch.sin(2 * math.pi * across / (0.6 * size))
    return gabor / torch.linalg.vector_norm(gabor, dim=(1, 2), keepdim=True)

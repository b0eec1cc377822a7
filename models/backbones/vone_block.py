"""VOneBlock: a fixed V1 of simple and complex cells with noise like that of neurons.

Cells are Gabors whose parameters are drawn from measured distributions; the draw is the
published one, number for number, for a given seed.

References
----------
.. [1] Dapello, Marques et al. (2020), Simulating a primary visual cortex at the front
   of CNNs improves robustness to image perturbations, NeurIPS.
.. [2] De Valois, Albrecht & Thorell (1982) and De Valois, Yund & Hepler (1982), Vision
   Research 22: peak spatial frequencies and preferred orientations.
.. [3] Ringach (2002), Journal of Neurophysiology 88, 455-463: sizes in cycles.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from scipy.special import ndtr
from torch import Tensor, nn
from torch.nn import functional

from ..noise import noise_like

# Cells counted, by orientation in degrees and by spatial frequency in c/deg.
_ORIENTATIONS = (-22.5, 22.5, 67.5, 112.5, 157.5)
_N_BY_ORIENTATION = (66, 49, 77, 54)
_FREQUENCIES = (0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.6, 8)
_N_BY_FREQUENCY = (4, 4, 8, 25, 32, 26, 28, 12)
# ... and by size across (rows) and along (columns) the bars, in cycles.
_LOG_SIZES = np.linspace(-1, 0.2, 6)
_N_BY_SIZES = np.array(
    [
        [2, 0, 1, 0, 0],
        [8, 9, 4, 1, 0],
        [1, 2, 19, 17, 3],
        [0, 0, 1, 7, 4],
        [0, 0, 0, 0, 0],
    ]
)
_SIZE_WITH_FREQUENCY = 0.75  # correlation of the two behind the Gaussian copula


@dataclass(frozen=True)
class VOneConfig:
    """What the cells are.

    Attributes
    ----------
    n_simple, n_complex
        Cells at each place.
    kernel, stride
        Of the filters, in px; odd.
    px_per_deg
        Pixels across a degree: 224 px over 8 degrees as published.
    gain
        Factor on responses, so that their means are like spike counts.
    noise
        'neuronal' (variance like a Poisson count's), 'gaussian' (one SD) or 'none'.
    noise_scale, noise_level
        s and l of [1]_: the noise is that of counts s response + l.
    gaussian_sd
        SD of the Gaussian noise.
    sf_max
        Highest peak spatial frequency in c/deg.
    seed
        Of the cells' parameters.
    is_shuffled
        True for a control: the values of each filter change places, in both of a pair
        alike, so that every cell keeps its mean, its norm and the right angle of its
        pair, and has no orientation or frequency.
    """

    n_simple: int = 256
    n_complex: int = 256
    kernel: int = 25
    stride: int = 4
    px_per_deg: float = 28.0
    gain: float = 25.0
    noise: str = "neuronal"
    noise_scale: float = 0.35
    noise_level: float = 0.07
    gaussian_sd: float = 4.0
    sf_max: float = 9.0
    seed: int = 0
    is_shuffled: bool = False

    def __post_init__(self) -> None:
        if self.noise not in ("neuronal", "gaussian", "none"):
            rule = "'neuronal', 'gaussian' or 'none'"
            raise ValueError(f"noise must be {rule}, got {self.noise!r}")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, got {self.kernel}")
        if self.sf_max <= _FREQUENCIES[1]:
            raise ValueError(f"sf_max must be more than 0.7, got {self.sf_max}")

    @classmethod
    def small(cls) -> "VOneConfig":
        """Give a variant for 28 to 64 px, of 16 px to a degree."""
        return cls(n_simple=16, n_complex=16, kernel=15, stride=2, px_per_deg=16.0)


@dataclass(frozen=True)
class GaborParameters:
    """Parameters of n Gabors.

    Attributes
    ----------
    frequency
        Peak spatial frequency in c/deg.
    orientation, phase
        In degrees.
    size_across, size_along
        SD of the envelope in cycles, along and across the change of the carrier.
    """

    frequency: Float64[np.ndarray, " n"]
    orientation: Float64[np.ndarray, " n"]
    phase: Float64[np.ndarray, " n"]
    size_across: Float64[np.ndarray, " n"]
    size_along: Float64[np.ndarray, " n"]


def draw_gabors(n: int, seed: int = 0, sf_max: float = 9.0) -> GaborParameters:
    """Draw the parameters of n Gabors from what was measured in macaque V1.

    By NumPy's legacy generator in the published order: phase, orientation, a bivariate
    normal that ties size to frequency, then the size along the bars given that across.

    Examples
    --------
    >>> draw_gabors(512).frequency[:3].round(4).tolist()
    [2.2152, 5.4342, 4.2983]
    """
    rng = np.random.RandomState(seed)
    phase = _inverse_cdf(rng.rand(n), (1,), (0, 360))
    orientation = _inverse_cdf(rng.rand(n), _N_BY_ORIENTATION, _ORIENTATIONS)
    orientation = np.where(orientation < 0, orientation + 180, orientation)
    tie = _SIZE_WITH_FREQUENCY
    share = ndtr(rng.multivariate_normal([0, 0], [[1, tie], [tie, 1]], n))
    across = _inverse_cdf(share[:, 0], _N_BY_SIZES.sum(1), _LOG_SIZES)
    edges = [each for each in _FREQUENCIES if each < sf_max]
    frequency = _inverse_cdf(
        share[:, 1], _N_BY_FREQUENCY[: len(edges) - 1], np.log2(edges)
    )
    rows = np.clip(np.searchsorted(_LOG_SIZES, across) - 1, 0, len(_N_BY_SIZES) - 1)
    uniform = rng.rand(n)
    along = [
        _inverse_cdf(u, _N_BY_SIZES[row], _LOG_SIZES)
        for u, row in zip(uniform, rows, strict=True)
    ]
    return GaborParameters(
        2**frequency, orientation, phase, 10**across, 10 ** np.array(along)
    )


def _inverse_cdf(
    share: np.ndarray | float,
    counts: np.ndarray | tuple[int, ...],
    edges: np.ndarray | tuple[float, ...],
) -> np.ndarray:
    """Give where a histogram's cumulative share is reached, linear within its bins."""
    total = np.cumsum(counts)
    found = np.interp(share, np.r_[0, total / total[-1]], np.asarray(edges, float))
    return np.asarray(found)


def gabors(
    parameters: GaborParameters, phase_deg: float, kernel: int, px_per_deg: float
) -> Float32[np.ndarray, " n kernel kernel"]:
    """Give Gabor filters with an integral-one envelope; x counts rows.

    Parameters
    ----------
    parameters
        Of the Gabors.
    phase_deg
        Added to each phase: 0 and 90 are a quadrature pair.
    kernel, px_per_deg
        Size in px, and px to the degree.
    """
    place = np.arange(kernel) - kernel // 2
    x, y = np.meshgrid(place, place, indexing="ij")
    column = (slice(None), None, None)  # (n, 1, 1)
    theta = np.deg2rad(parameters.orientation)[column]
    cycles = (parameters.frequency / px_per_deg)[column]  # per px
    phase = np.deg2rad(parameters.phase + phase_deg)[column]
    sd_x = parameters.size_across[column] / cycles
    sd_y = parameters.size_along[column] / cycles
    along_x = x * np.cos(theta) + y * np.sin(theta)
    along_y = -x * np.sin(theta) + y * np.cos(theta)
    envelope = np.exp(-((along_x / sd_x) ** 2 + (along_y / sd_y) ** 2) / 2)
    envelope /= 2 * math.pi * sd_x * sd_y
    return (envelope * np.cos(2 * math.pi * cycles * along_x + phase)).astype("float32")


def _shuffled(
    filters: Float32[np.ndarray, " n kernel kernel"], seed: int
) -> Float32[np.ndarray, " n kernel kernel"]:
    """Let the values of each filter change places, the same for the same seed."""
    flat = filters.reshape(len(filters), -1)
    order = np.random.default_rng([seed, 1]).random(flat.shape).argsort(axis=1)
    return np.take_along_axis(flat, order, axis=1).reshape(filters.shape)


class VOneBlock(nn.Module):
    """Simple cells, then complex cells, as channels.

    Fixed: nothing here is learned. Each cell sees one input channel, drawn at random
    after its other parameters (the published draw of it is torch's, so ours differs;
    with one channel there is no choice).

    Parameters
    ----------
    in_channels
        Of the input, which is 0 at gray and goes from -1 to 1: contrast, or a picture
        less its mean .5, over .5.
    config
        What the cells are.

    Examples
    --------
    >>> front = VOneBlock(1, VOneConfig.small())
    >>> front(torch.zeros(4, 1, 32, 32)).shape
    torch.Size([4, 32, 16, 16])
    """

    takes_pictures = True
    filters: Tensor

    def __init__(self, in_channels: int = 1, config: VOneConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or VOneConfig()
        self.in_channels = in_channels
        self.n_channels = n = config.n_simple + config.n_complex
        self.parameters_of_cells = draw_gabors(n, config.seed, config.sf_max)
        # The generator's state after the draw above is no part of what is published.
        channels = np.random.default_rng(config.seed).integers(in_channels, size=n)
        filters = np.zeros((2, n, in_channels, config.kernel, config.kernel), "float32")
        for pair, phase in enumerate((0, 90)):
            made = gabors(
                self.parameters_of_cells, phase, config.kernel, config.px_per_deg
            )
            if config.is_shuffled:
                made = _shuffled(made, config.seed)
            filters[pair, np.arange(n), channels] = made
        # Not persistent: they follow from the config, and are no weights.
        shaped = torch.tensor(filters).flatten(0, 1)  # (2 cell, channel, …)
        self.register_buffer("filters", shaped, persistent=False)
        self.simple = nn.ReLU()

    def forward(
        self, x: Float[Tensor, " image channel y x"]
    ) -> Float[Tensor, " image cell row column"]:
        """Give responses, 0 or more."""
        config = self.config
        pad = config.kernel // 2
        x = functional.conv2d(x, self.filters, stride=config.stride, padding=pad)
        pair = x.unflatten(1, (2, self.n_channels))  # (image, pair, cell, row, column)
        simple = self.simple(pair[:, 0, : config.n_simple])
        # The length of the pair; its gradient at gray is 0, where that of a root of
        # squares would be no number. A vector norm over a dimension that is not the
        # last takes over ten times as long.
        even, odd = pair[:, :, config.n_simple :].unbind(1)
        length = torch.complex(even, odd).abs()
        responses = torch.cat([simple, length / math.sqrt(2)], dim=1) * config.gain
        return self._with_noise(responses)

    def _with_noise(self, x: Tensor) -> Tensor:
        """Give responses with noise; the gradient goes through mean and SD."""
        config = self.config
        if config.noise == "none":
            return x
        if config.noise == "gaussian":
            return (x + config.gaussian_sd * noise_like(x)).relu()
        counts = config.noise_scale * x + config.noise_level
        counts = counts + noise_like(x) * (counts.relu() + 1e-4).sqrt()
        return ((counts - config.noise_level) / config.noise_scale).relu()

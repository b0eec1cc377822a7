"""A retina in stages: cones, horizontal, bipolar, amacrine and ganglion cells, noise.

    contrast -> photoreceptor -> horizontal -> bipolar -> amacrine -> synapse
             -> ganglion -> noise -> a grid that all channels share

Every stage is a submodule of that name, those of a pathway or a cell type one below it
(`bipolar.on_parasol`): a forward hook reads or silences it, and `learnable` makes its
constants parameters. Nothing is kept from one call to the next: each image begins with
a retina that has adapted to the background.

The smaller `mosaic.Retina` has the same midget receptive fields without time or noise.
"""

import math
from dataclasses import asdict, dataclass, field, replace
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .amacrine import Amacrine
from .bipolar import Bipolar, Synapse
from .cell_types import PRIMATE, CellType
from .ganglion import Ganglion
from .horizontal import Horizontal
from .noise import FANO_FACTOR, GaussianNoise, PoissonNoise
from .photoreceptor import Cone, Photoreceptor
from .places import Axis, across_frame, onto, pooled
from .steps import n_steps, shown_in_steps

STAGES = (
    "photoreceptor",
    "horizontal",
    "bipolar",
    "amacrine",
    "synapse",
    "ganglion",
    "noise",
)
NOISES = ("gaussian", "poisson", "none")


@dataclass(frozen=True)
class StagedRetinaConfig:
    """What the retina consists of, and how time is cut.

    Attributes
    ----------
    cell_types
        The channels, in order; `cell_types.PRIMATE` has four.
    cone
        Constants of the photoreceptors.
    luminance_cd_m2
        Mean luminance: that of the background. 50 is our choice, a monitor's.
    pupil_mm
        Diameter of the pupil; our choice.
    grid_deg
        Spacing of the grid onto which every type's mosaic is brought: a finer mosaic is
        averaged (with its noise), a coarser one interpolated.
    step_ms
        Duration of a time step.
    tail_ms
        How long the background is seen after the last frame: about a latency, so that
        the response to the end of an interval is not cut off.
    noise
        "gaussian", "poisson" (surrogate gradient: for training alone) or "none".
    fano_factor
        Variance of a spike count over its mean, for Gaussian noise.
    learnable
        Stages whose constants are parameters, of `STAGES`.
    """

    cell_types: tuple[CellType, ...] = PRIMATE
    cone: Cone = field(default_factory=Cone)
    luminance_cd_m2: float = 50.0
    pupil_mm: float = 3.0
    grid_deg: float = 0.1
    step_ms: float = 10.0
    tail_ms: float = 50.0
    noise: str = "gaussian"
    fano_factor: float = FANO_FACTOR
    learnable: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [cell_type.name for cell_type in self.cell_types]
        if not names or len(set(names)) < len(names):
            rule = "one or more, each with a name of its own"
            raise ValueError(f"cell_types must be {rule}, got {names}")
        for name in (
            "luminance_cd_m2",
            "pupil_mm",
            "grid_deg",
            "step_ms",
            "fano_factor",
        ):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be more than 0, got {value}")
        if not 0 <= self.tail_ms < math.inf:
            raise ValueError(f"tail_ms must be 0 or more, got {self.tail_ms}")
        if self.noise not in NOISES:
            raise ValueError(f"noise must be one of {NOISES}, got {self.noise!r}")
        for stage in self.learnable:
            if stage not in STAGES:
                raise ValueError(f"learnable must be some of {STAGES}, got {stage!r}")
        if "noise" in self.learnable and self.noise != "gaussian":
            raise ValueError(
                f"noise must be 'gaussian' to learn it, got {self.noise!r}"
            )
        _pathways(self.cell_types)

    @property
    def trolands(self) -> float:
        """Retinal illuminance of the background."""
        return self.luminance_cd_m2 * math.pi * (self.pupil_mm / 2) ** 2


class StagedRetina(nn.Module):
    """Turns contrast into the firing rates of mosaics of ganglion cells.

    Parameters
    ----------
    config
        Cell types, luminance, steps, noise.
    deg_per_px
        Degrees of visual angle across a pixel.
    size_px
        Height and width of a frame.
    frame_ms
        How long each frame stays; for a still image the whole interval.
    is_bar
        Whether a frame is one row of pixels that are endlessly high.

    Examples
    --------
    A still image of 100 ms:

    >>> retina = StagedRetina(StagedRetinaConfig(), 0.05, (52, 52), frame_ms=100.0)
    >>> retina(torch.zeros(8, 1, 52, 52)).shape
    torch.Size([8, 15, 4, 26, 26])
    >>> retina.channels
    ('on_midget', 'off_midget', 'on_parasol', 'off_parasol')
    """

    def __init__(
        self,
        config: StagedRetinaConfig,
        deg_per_px: float,
        size_px: tuple[int, int],
        frame_ms: float,
        is_bar: bool = False,
    ) -> None:
        super().__init__()
        if is_bar and size_px[0] != 1:
            raise ValueError(f"bars must be 1 pixel high, got {size_px[0]}")
        for name, value in (("deg_per_px", deg_per_px), ("frame_ms", frame_ms)):
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be more than 0, got {value}")
        self.config = config
        self.frame_ms = frame_ms
        self.described = {
            **asdict(config),
            "deg_per_px": deg_per_px,
            "frame_ms": frame_ms,
        }
        rows = Axis(1, math.inf) if is_bar else Axis(size_px[0], deg_per_px)
        self.pixels = (rows, Axis(size_px[1], deg_per_px))
        self.grid = across_frame(self.pixels, config.grid_deg)
        step_ms, learned = config.step_ms, set(config.learnable)
        self.photoreceptor = Photoreceptor(
            config.cone, config.trolands, step_ms, "photoreceptor" in learned
        )
        self.horizontal = nn.ModuleDict(
            {
                name: Horizontal(one, self.pixels, step_ms, "horizontal" in learned)
                for name, one in _pathways(config.cell_types).items()
            }
        )
        self.bipolar = nn.ModuleDict()
        self.amacrine = nn.ModuleDict()
        self.synapse = nn.ModuleDict()
        self.ganglion = nn.ModuleDict()
        for cell_type in config.cell_types:
            self._add(cell_type, learned)
        self.noise = _noise(config, "noise" in learned)

    def _add(self, cell_type: CellType, learned: set[str]) -> None:
        """Make the stages of one cell type."""
        step_ms, name = self.config.step_ms, cell_type.name
        delay_ms = cell_type.latency_ms - self.config.cone.delay_ms
        if delay_ms <= 0:
            rule = f"more than the cone's {self.config.cone.delay_ms:.4g} ms"
            raise ValueError(f"latency_ms must be {rule}, got {cell_type.latency_ms}")
        bipolar = Bipolar(
            cell_type,
            cast(Horizontal, self.horizontal[cell_type.pathway]),
            self.pixels,
            delay_ms,
            step_ms,
            "bipolar" in learned,
        )
        self.bipolar[name] = bipolar
        self.amacrine[name] = Amacrine(
            cell_type, bipolar.axes, step_ms, "amacrine" in learned
        )
        self.synapse[name] = Synapse(cell_type, "synapse" in learned)
        self.ganglion[name] = Ganglion(
            cell_type, bipolar.axes, self.pixels, "ganglion" in learned
        )

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels: the cell types."""
        return tuple(cell_type.name for cell_type in self.config.cell_types)

    @property
    def n_channels(self) -> int:
        """How many there are."""
        return len(self.config.cell_types)

    @property
    def n_cells(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return self.grid[0].n, self.grid[1].n

    def n_steps(self, n_frames: int) -> int:
        """Count the steps that so many frames give."""
        config = self.config
        return n_steps(n_frames, self.frame_ms, config.step_ms, config.tail_ms)

    def forward(
        self, contrast: Float[Tensor, " image frame y x"]
    ) -> Float[Tensor, " image step channel row column"]:
        """Give firing rates in spikes/s, at the middle of every step."""
        config, size_px = self.config, (self.pixels[0].n, self.pixels[1].n)
        if contrast.shape[2:] != size_px:
            rule = f"frames of {size_px} pixels"
            raise ValueError(
                f"contrast must be {rule}, got {tuple(contrast.shape[2:])}"
            )
        shown = shown_in_steps(
            contrast.shape[1], self.frame_ms, config.step_ms, config.tail_ms
        ).to(contrast)
        cones = self.photoreceptor(
            (shown @ contrast.flatten(2)).view(-1, len(shown), *contrast.shape[2:])
        )
        around = {name: cells(cones) for name, cells in self.horizontal.items()}
        channels = [self._rates(cones, around, one) for one in config.cell_types]
        return torch.stack(channels, dim=2)

    def _rates(
        self, cones: Tensor, around: dict[str, Tensor], cell_type: CellType
    ) -> Float[Tensor, " image step row column"]:
        """Give one channel on the grid."""
        name = cell_type.name
        bipolar = self.bipolar[name](cones, around[cell_type.pathway])
        release = self.synapse[name](bipolar, self.amacrine[name](bipolar))
        ganglion = cast(Ganglion, self.ganglion[name])
        rates = self.noise(ganglion(release))
        along_y, along_x = (
            onto(*axes, rates) for axes in zip(self.grid, ganglion.axes, strict=True)
        )
        return pooled(along_y, rates, along_x)


def _noise(config: StagedRetinaConfig, learnable: bool) -> nn.Module:
    if config.noise == "gaussian":
        return GaussianNoise(config.fano_factor, config.step_ms, learnable)
    return PoissonNoise(config.step_ms) if config.noise == "poisson" else nn.Identity()


def _pathways(cell_types: tuple[CellType, ...]) -> dict[str, CellType]:
    """Give one type for each pathway's horizontal cells; they have to agree."""
    found: dict[str, CellType] = {}
    for cell_type in cell_types:
        first = found.setdefault(cell_type.pathway, cell_type)
        for name in ("surround_deg", "surround_ms", "pool_deg"):
            values = getattr(first, name), getattr(cell_type, name)
            if values[0] != values[1]:
                rule = f"equal in all types of pathway {cell_type.pathway!r}"
                raise ValueError(f"{name} must be {rule}, got {values}")
    return found


def retina_front(
    deg_per_px: float,
    size_px: tuple[int, int],
    frame_ms: float,
    luminance_cd_m2: float | None = None,
    config: StagedRetinaConfig | None = None,
) -> StagedRetina:
    """Make a retina for a viewing, to stand before any backbone.

    Parameters
    ----------
    deg_per_px
        Degrees of visual angle across a pixel.
    size_px
        Height and width of a frame.
    frame_ms
        How long each frame stays; for a still image the whole interval.
    luminance_cd_m2
        Background luminance where the viewing knows it.
    config
        Cell types, steps and noise; the default has four types.

    Examples
    --------
    >>> front = retina_front(0.05, (52, 52), frame_ms=100.0, luminance_cd_m2=65.0)
    >>> front.n_channels, front.n_steps(1), front.n_cells
    (4, 15, (26, 26))
    """
    config = config or StagedRetinaConfig()
    if luminance_cd_m2 is not None:
        config = replace(config, luminance_cd_m2=luminance_cd_m2)
    return StagedRetina(config, deg_per_px, size_px, frame_ms)

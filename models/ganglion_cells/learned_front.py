"""A retina that was learned from a recording, as the first layers of a network.

Each recorded cell becomes a channel: the same cell at every place of a square mosaic.
A filter of bars becomes the isotropic field with these line integrals (`isotropic`). A
recording has elements where an image has degrees, and units where it has contrast, so
three scales are declared, and kept in the trial log:

- space: the mean centre of the fields is as large as that of M cells at
  `eccentricity_deg`; neighbours are 2 SDs of it apart, as in `cell_types`;
- contrast: `contrast_of_sd` is as far from the background as one SD of the recorded
  stimulus was from its mean;
- time: a frame is held for a whole number of steps, its duration within 2 %.

Noise is Gaussian with the Fano factors and the correlations between cells that the
model's own simulated spikes have at rest, so gradients flow.
"""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..noise import noise_like
from ..retina.places import Axis, across_frame, from_pixels, pooled
from ..retina.steps import n_steps, shown_in_steps
from .coupled import Coupled
from .eccentricity import centre_radius_deg
from .fitted_file import FittedModel
from .isotropic import SIGMAS, Field, field_of_bars
from .learned_config import LearnedConfig, whole_steps
from .learned_staged import LESIONS as STAGED_LESIONS
from .learned_staged import LearnedStaged
from .linear import Linear
from .spiking import coupled_spikes, mean_preserving_drive

LESIONS = ("surround", "rectification", "noise-correlations", "noise")
MOST_PER_S = 500.0  # spikes: an exponential ends there
_WINDOW_MS = 125 / 3  # that noise is measured in
_REST_S, _SEED = 30.0, 1
_REPEATS = 20
_SPACING_SD = 2.0


def learned_front(
    fitted: FittedModel,
    config: LearnedConfig,
    deg_per_px: float,
    size_px: tuple[int, int],
    frame_ms: float,
) -> "LearnedRetina | LearnedStaged":
    """Make the front that a fitted model can be; see `LearnedRetina`."""
    if fitted.model.kind.removesuffix("+couplings") == "staged-retina":
        return LearnedStaged(fitted, config, deg_per_px, size_px, frame_ms)
    return LearnedRetina(fitted, config, deg_per_px, size_px, frame_ms)


def lesions_of(fitted: FittedModel) -> tuple[str, ...]:
    """Say which parts of a front can be taken away, so that something changes.

    Raises
    ------
    ValueError
        If the model can be no front.
    """
    if fitted.model.kind.removesuffix("+couplings") == "staged-retina":
        return STAGED_LESIONS
    _linear(fitted.model)
    is_coupled = isinstance(fitted.model, Coupled)
    return tuple(n for n in LESIONS if is_coupled or n != "noise-correlations")


class LearnedRetina(nn.Module):
    """Turns contrast into the rates of recorded cells, each a mosaic.

    Parameters
    ----------
    fitted
        The model and what it was fitted to.
    config
        Scales, noise, lesions.
    deg_per_px
        Degrees of visual angle across a pixel.
    size_px
        Height and width of a frame.
    frame_ms
        How long each frame stays.

    Raises
    ------
    ValueError
        If the model has no linear filters of bars, a frame's duration is no whole
        number of steps, or a lesion is of what is not there.
    """

    weights: Tensor
    courses: Tensor
    rest: Tensor
    fano: Tensor
    mixing: Tensor

    def __init__(
        self,
        fitted: FittedModel,
        config: LearnedConfig,
        deg_per_px: float,
        size_px: tuple[int, int],
        frame_ms: float,
    ) -> None:
        super().__init__()
        config.require_lesions(LESIONS)
        linear = _linear(fitted.model)
        fields = [field_of_bars(filters[0]) for filters in linear.by_lag()]
        self.config = config
        self.channels = linear.cells
        per_step, held = whole_steps(frame_ms, linear.step_ms)
        self.step_ms = per_step * linear.step_ms
        self.frame_ms = held * self.step_ms
        radius = float(np.mean([field.radius for field in fields]))
        centre_deg = centre_radius_deg(config.eccentricity_deg)
        element_deg = config.element_deg or centre_deg / radius
        sd_deg = radius * element_deg / math.sqrt(2)
        spacing_deg = config.spacing_deg or _SPACING_SD * sd_deg
        self.pixels = (Axis(size_px[0], deg_per_px), Axis(size_px[1], deg_per_px))
        self.grid = across_frame(self.pixels, spacing_deg)
        self.described: dict[str, Any] = {
            **asdict(config),
            "recording": fitted.of.name,
            "recording_sha256": fitted.of.sha256,
            "model": fitted.model.kind,
            "element_deg": element_deg,
            "spacing_deg": spacing_deg,
            "density_per_deg2": 1 / spacing_deg**2,
            "step_ms": self.step_ms,
            "frame_ms": self.frame_ms,
            "time_scale": self.frame_ms / frame_ms,
            "share_of_filters": [round(field.share, 4) for field in fields],
        }
        self._keep(linear, fields, fitted, per_step, element_deg)

    def _keep(
        self,
        linear: Linear,
        fields: list[Field],
        fitted: FittedModel,
        per_step: int,
        element_deg: float,
    ) -> None:
        """Keep weights, as parameters or as buffers, and the noise."""
        config, scale = self.config, fitted.of
        n_parts = max(len(field.courses) for field in fields)
        n_lags = -(-linear.basis.length // per_step)
        weights = np.zeros((len(fields), n_parts, len(SIGMAS)))
        courses = np.zeros((len(fields), n_parts, n_lags))
        for i, field in enumerate(fields):
            kept = field.weights
            if "surround" in config.lesions:
                in_middle = (kept / np.array(SIGMAS) ** 2).sum(axis=1, keepdims=True)
                kept = np.where(kept * in_middle > 0, kept, 0.0)
            n = len(field.courses)
            weights[i, :n] = kept
            courses[i, :n] = _in_steps(field.courses, per_step)
        rest = linear.bias + linear.by_lag().sum(axis=(1, 2, 3)) * (
            scale.stimulus_mean - linear.background
        )
        tensors = {
            "weights": weights * scale.stimulus_sd / config.contrast_of_sd,
            "courses": courses,
            "rest": rest - math.log(linear.step_ms / 1000),  # log of spikes/s
        }
        for name, values in tensors.items():
            tensor = torch.from_numpy(values).float()
            if config.learnable:
                self.register_parameter(name, nn.Parameter(tensor))
            else:
                self.register_buffer(name, tensor)
        fano, mixing = noise_at_rest(fitted.model, rest)
        if "noise-correlations" in config.lesions:
            mixing = np.eye(len(fano))
        self.register_buffer("fano", torch.from_numpy(fano).float())
        self.register_buffer("mixing", torch.from_numpy(mixing).float())
        self._sigmas_deg = [sigma * element_deg for sigma in SIGMAS]

    @property
    def n_channels(self) -> int:
        """How many there are: the recorded cells."""
        return len(self.channels)

    @property
    def n_cells(self) -> tuple[int, int]:
        """Rows and columns of the mosaic."""
        return self.grid[0].n, self.grid[1].n

    def n_steps(self, n_frames: int) -> int:
        """Count the steps that so many frames give."""
        return n_steps(n_frames, self.frame_ms, self.step_ms, self.config.tail_ms)

    def forward(
        self, contrast: Float[Tensor, " image frame y x"]
    ) -> Float[Tensor, " image step channel row column"]:
        """Give noisy firing rates in spikes/s of every step."""
        # In one piece: torch draws noise for what is not six times as slowly.
        rates = self.rates(contrast).contiguous()
        if "noise" in self.config.lesions:
            return rates
        drawn = torch.einsum("nskyx,ck->nscyx", noise_like(rates), self.mixing)
        per_step = self.fano.view(-1, 1, 1) * 1000 / self.step_ms
        return rates + (per_step * (rates.clamp(min=0) + 1e-3)).sqrt() * drawn

    def rates(
        self, contrast: Float[Tensor, " image frame y x"]
    ) -> Float[Tensor, " image step channel row column"]:
        """Give the rates without noise."""
        drive = self._above_rest(contrast)
        rest = self.rest.view(-1, 1, 1)
        if "rectification" in self.config.lesions:
            return rest.exp() * (1 + drive)
        return (rest + drive).clamp(max=math.log(MOST_PER_S)).exp()

    def _above_rest(self, contrast: Tensor) -> Tensor:
        """Give what a stimulus adds to the logarithm of the rates."""
        size = (self.pixels[0].n, self.pixels[1].n)
        if tuple(contrast.shape[2:]) != size:
            got = tuple(contrast.shape[2:])
            raise ValueError(f"contrast must be frames of {size} pixels, got {got}")
        shown = shown_in_steps(
            contrast.shape[1], self.frame_ms, self.step_ms, self.config.tail_ms
        ).to(contrast)
        parts: Tensor | float = 0.0
        for k, sigma in enumerate(self._sigmas_deg):
            like = contrast.new_tensor(sigma)
            rows, columns = (
                from_pixels(cells, pixels, like)
                for cells, pixels in zip(self.grid, self.pixels, strict=True)
            )
            at = pooled(rows, contrast, columns)  # (image, frame, row, column)
            weights = self.weights[..., k]  # (cell, component)
            parts = parts + torch.einsum("nfyx,cr->nfcryx", at, weights)
        held = torch.einsum("crst,tf->crsf", self._in_time(len(shown)), shown)
        return torch.einsum("crsf,nfcryx->nscyx", held, parts)

    def _in_time(self, n: int) -> Float[Tensor, " cell component step step"]:
        """Give each course as a matrix over steps."""
        lags = torch.arange(n, device=self.courses.device)
        lag = lags[:, None] - lags
        is_known = (lag >= 0) & (lag < self.courses.shape[2])
        at = lag.clamp(0, self.courses.shape[2] - 1)
        return torch.where(is_known, self.courses[:, :, at], self.courses.new_zeros(()))


def _linear(model: object) -> Linear:
    """Give the linear filters of bars that a model has."""
    inside = model.alone if isinstance(model, Coupled) else model
    if isinstance(model, Coupled) and model.correction == "none":
        # Its filters are right only together with its couplings.
        rule = "of a model whose rates are its filters' (ln, two-step-glm)"
        raise ValueError(f"a learned front must be {rule}, got {model.kind}")
    if not isinstance(inside, Linear) or inside.shape[0] != 1:
        rule = "of linear filters of bars (ln, two-step-glm) or a staged-retina"
        got = getattr(model, "kind", type(model).__name__)
        if isinstance(inside, Linear):
            got = f"{got} of {inside.shape[0]} x {inside.shape[1]} elements"
        raise ValueError(f"a learned front must be {rule}, got {got}")
    return inside


def _in_steps(courses: np.ndarray, per_step: int) -> np.ndarray:
    """Add up lags that a step of the front has: its frame is the same in them."""
    n = -(-courses.shape[1] // per_step) * per_step
    padded = np.pad(courses, [(0, 0), (0, n - courses.shape[1])])
    return padded.reshape(len(courses), -1, per_step).sum(axis=2)


def noise_at_rest(
    model: object, log_u: Float[np.ndarray, " cell"]
) -> tuple[np.ndarray, np.ndarray]:
    """Measure the noise of simulated spikes at the background, in 42 ms.

    Returns
    -------
    tuple
        Each cell's Fano factor; the matrix that makes correlated noise of independent,
        the Cholesky factor of the correlations.
    """
    n = len(log_u)
    if not isinstance(model, Coupled):
        return np.ones(n), np.eye(n)
    drive = np.tile(log_u, (round(_REST_S * 1000 / model.step_ms), 1))
    lags, refractory = model.by_lag(), model.refractory
    if model.correction != "none":
        drive = mean_preserving_drive(
            drive, lags, refractory, 100, _SEED, model.likelihood
        )
    spikes = coupled_spikes(drive, lags, refractory, _REPEATS, _SEED, model.likelihood)
    width = max(1, round(_WINDOW_MS / model.step_ms))
    n_bins = spikes.shape[1] // width
    binned = spikes[:, : n_bins * width].reshape(-1, n_bins, width, n).sum(axis=2)
    counts = binned.reshape(-1, n).astype(float)
    is_heard = counts.var(axis=0) > 0  # a cell that is silent at rest is as Poisson
    fano, correlations = np.ones(n), np.eye(n)
    fano[is_heard] = counts.var(axis=0)[is_heard] / counts.mean(axis=0)[is_heard]
    if is_heard.sum() > 1:
        found = np.corrcoef(counts[:, is_heard].T)
        correlations[np.ix_(is_heard, is_heard)] = found
    return fano, np.linalg.cholesky(correlations + 1e-9 * np.eye(n))

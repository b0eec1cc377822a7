"""How far a small change of a picture can move a single unit's response [1]_.

References
----------
.. [1] Guo et al. (2022), Proc. ICML, 8072-8092: IT neurons and adversarially trained
   units.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from ...experiments.session.observer import ObserverNoise
from ...experiments.stimulus.seeds import derived_seed
from ..networks.layers import Layer
from ..noise import drawn_for, without_noise
from ..probing.pictures import PictureReader
from .ascent import Ascent, ascend, require_eps

Progress = Callable[[int, int], None]
_ATTACK = 1 << 50  # numbers of attacked pictures begin here
_MEAN_DRAWS = 32  # of noise, for mean responses to pictures


@dataclass(frozen=True, eq=False)
class MovedUnits:
    """What pictures and their worst changes do to units of a layer.

    Attributes
    ----------
    units
        Places in the layer's flattened response.
    eps
        L2 norms of the change.
    change
        The largest |r(x + d) - r(x)| found, of mean responses, in the unit's own scale.
    range, sd
        Of each unit's mean response over the pictures: largest less least, and SD.
    noise_sd
        SD of a single response over its own noise, root mean square over pictures; 0
        without noise.
    n_varying, n_looked_at
        Units whose response differs between pictures, and all of the layer.
    has_surrogate
        Whether a module's gradient is not that of what it computes, such as a count's.
    """

    units: Int64[np.ndarray, " unit"]
    eps: tuple[float, ...]
    change: Float[np.ndarray, " eps unit picture"]
    range: Float[np.ndarray, " unit"]
    sd: Float[np.ndarray, " unit"]
    noise_sd: Float[np.ndarray, " unit"]
    n_varying: int
    n_looked_at: int
    has_surrogate: bool = False


def moved_units(
    observer: Any,
    layer: str,
    pictures: Float32[Tensor, " picture frame y x"],
    deg_per_px: float,
    eps: Sequence[float],
    *,
    frame_ms: float = 100.0,
    units: int = 16,
    attacked: int = 8,
    steps: int = 40,
    noise_draws: int = 8,
    noise: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> MovedUnits:
    """Find how far changes of norm eps move single units' mean responses.

    Each unit is driven up and driven down from every picture, by L2 PGD with gradients
    averaged over the network's noise, and the larger of both is kept. Changed and plain
    picture are then shown with the same new noise. A response with time steps
    (picture, step, channel, row, column) is averaged over them, and one to frames that
    a network sees one by one over these.

    Parameters
    ----------
    observer
        A network that sees pictures.
    layer
        A module of it, such as 'front' where there is a retina.
    pictures
        Contrast in [-1, 1]; ranges are over all of them.
    deg_per_px
        Degrees of visual angle across a pixel.
    eps
        L2 norms over a picture's pixels, in contrast.
    frame_ms
        How long a frame stays.
    units
        How many at most, drawn from those that vary with the picture: the variance of
        their mean responses is more than 4 times what noise alone would give it.
    attacked
        How many of the pictures are changed.
    steps, noise_draws
        Of the attack. A change is a mean over 4 times as many draws; responses to the
        pictures are means over 32, and what noise that leaves is taken off their SD,
        not off their range.
    noise
        False for the network without its noise.
    seed
        Of the choice of units and of noise.
    progress
        Called with changes made and all there are.

    Raises
    ------
    ValueError
        If pictures are fewer than 2 or beyond [-1, 1], no unit varies, or an option is
        out of range.
    LookupError
        If there is no such layer.
    """
    _require(pictures, eps, units, attacked)
    how = Ascent("l2", steps, noise_draws, random_start=False)
    shape = tuple(int(n) for n in pictures.shape[1:])
    reader = PictureReader(
        observer, [layer], deg_per_px, (shape[0], shape[1], shape[2]), frame_ms, seed
    )
    seen = _Responses(reader, layer, noise, seed)
    is_noisy = seen.has_noise(pictures)
    n_draws = 4 * noise_draws if is_noisy else 1
    if not is_noisy:
        how = Ascent("l2", steps, 1, random_start=False)
    mean, noise_sd = seen.mean_and_noise(pictures, _MEAN_DRAWS if is_noisy else 1)
    left = noise_sd**2 / _MEAN_DRAWS  # variance that noise leaves in a mean
    variance = mean.var(0, ddof=1)
    sd = np.sqrt(np.maximum(variance - left, 0))
    # Four times what noise alone would give; without noise, more than rounding.
    is_varying = variance > np.maximum(4 * left, 1e-12 * variance.max())
    varying = np.flatnonzero(is_varying)
    if not len(varying):
        rule = "one that responds otherwise to some picture"
        raise ValueError(f"a unit of layer {layer!r} must be {rule}, got none")
    rng = np.random.default_rng(derived_seed("units", seed))
    chosen = np.sort(rng.permutation(varying)[:units])
    some = pictures[:attacked]
    found = []
    for k, each in enumerate(eps):
        tell = _part(progress, k, len(eps))
        found.append(seen.moved(some, chosen, each, how, n_draws, tell))
    return MovedUnits(
        units=chosen,
        eps=tuple(map(float, eps)),
        change=np.stack(found),
        range=np.ptp(mean[:, chosen], axis=0),
        sd=sd[chosen],
        noise_sd=noise_sd[chosen],
        n_varying=len(varying),
        n_looked_at=mean.shape[1],
        has_surrogate=any(
            getattr(module, "has_surrogate_gradient", False)
            for module in reader.network.modules()
        ),
    )


class _Responses:
    """Responses of a layer to pictures, with gradients."""

    def __init__(
        self, reader: PictureReader, layer: str, noise: bool, seed: int
    ) -> None:
        self._reader, self._noise, self._seed = reader, noise, seed
        self._layer = Layer(reader.network, layer)

    def __call__(self, pictures: Tensor) -> Float[Tensor, " picture unit"]:
        found = self._layer.read(self._reader.input_of(pictures))
        n = len(pictures)
        if found.dim() < 2 or len(found) % n:
            rule = f"one row for each of {n} pictures, or of their frames"
            got = tuple(found.shape)
            raise ValueError(f"layer {self._layer.name!r} must have {rule}, got {got}")
        if found.dim() == 5:  # (picture, step, channel, row, column)
            found = found.mean(1)
        return found.flatten(1).view(n, len(found) // n, -1).mean(1)

    def drawn(self, what: str, ids: np.ndarray) -> Any:
        """Let noise be drawn for these pictures, or not at all."""
        if not self._noise:
            return without_noise()
        return drawn_for(ObserverNoise(derived_seed(what, self._seed), ids))

    def has_noise(self, pictures: Tensor) -> bool:
        """Whether a response differs from one showing to the next."""
        with torch.no_grad(), self.drawn("try", np.arange(2)):
            return not torch.equal(self(pictures[:2]), self(pictures[:2]))

    def mean_and_noise(
        self, pictures: Tensor, n_draws: int
    ) -> tuple[Float[np.ndarray, " picture unit"], Float[np.ndarray, " unit"]]:
        """Give mean responses, and each unit's SD about them."""
        means, variances = [], []
        size = self._reader.batch
        for first in range(0, len(pictures), size):
            part = pictures[first : first + size]
            ids = np.arange(first, first + len(part))
            with torch.no_grad(), self.drawn("mean", ids):
                draws = torch.stack([self(part).double() for _ in range(n_draws)])
            means.append(draws.mean(0))
            if n_draws > 1:
                variances.append(draws.var(0))
        mean = torch.cat(means).cpu().numpy()
        if n_draws == 1:
            return mean, np.zeros(mean.shape[1])
        return mean, torch.cat(variances).mean(0).sqrt().cpu().numpy()

    def moved(
        self,
        pictures: Tensor,
        units: np.ndarray,
        eps: float,
        how: Ascent,
        n_draws: int,
        tell: Progress,
    ) -> Float[np.ndarray, " unit picture"]:
        """Give the largest change of each unit from each picture."""
        places = [(u, p, s) for u in units for p in range(len(pictures)) for s in _SIGN]
        parts, size = [], self._reader.batch
        for first in range(0, len(places), size):
            rows = np.array(places[first : first + size])
            parts.append(self._moved_rows(pictures, rows, first, eps, how, n_draws))
            tell(min(first + size, len(places)), len(places))
        both = np.concatenate(parts).reshape(len(units), len(pictures), len(_SIGN))
        return np.maximum(both.max(2), 0.0)

    def _moved_rows(
        self,
        pictures: Tensor,
        rows: np.ndarray,
        first: int,
        eps: float,
        how: Ascent,
        n_draws: int,
    ) -> np.ndarray:
        """Give by how much each row's unit moves in the row's direction."""
        unit, sign = torch.from_numpy(rows[:, 0]), torch.from_numpy(rows[:, 2])
        start = pictures[rows[:, 1]].float()

        def toward(x: Tensor) -> Tensor:
            responses = self(x)
            place = unit.to(responses.device)[:, None]
            return sign.to(responses) * responses.gather(1, place)[:, 0]

        ids = _ATTACK + first + np.arange(len(rows))
        with torch.random.fork_rng(devices=[]), self.drawn("attack", ids):
            torch.manual_seed(derived_seed("flat", self._seed, first))
            changed = ascend(toward, start, eps, how)
        ends = []
        for each in (changed, start):  # the same noise for both
            with torch.no_grad(), self.drawn("evaluate", ids):
                ends.append(sum(toward(each).double() for _ in range(n_draws)))
        return ((ends[0] - ends[1]) / n_draws).cpu().numpy()


_SIGN = (1, -1)


def _part(progress: Progress | None, k: int, n: int) -> Progress:
    """Tell the progress of one of n equal parts as that of all."""
    if progress is None:
        return lambda done, total: None
    return lambda done, total: progress(k * total + done, n * total)


def _require(pictures: Tensor, eps: Sequence[float], units: int, attacked: int) -> None:
    if len(pictures) < 2:
        raise ValueError(f"pictures must be 2 or more, got {len(pictures)}")
    least, most = float(pictures.min()), float(pictures.max())
    if not -1 <= least <= most <= 1:
        rule = "of contrast in [-1, 1]"
        raise ValueError(f"pictures must be {rule}, got {least:g} to {most:g}")
    for name, value in (("units", units), ("attacked", attacked)):
        if value < 1:
            raise ValueError(f"{name} must be 1 or more, got {value}")
    if not eps:
        raise ValueError("eps must be one or more, got none")
    for each in eps:
        require_eps(each)

"""White-box kernels of an observer: of its responses, and of a layer of its network."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from ...experiments.protocols.protocol import Protocol
from ...experiments.session.observer import Practice
from ..decision import reference_contrast
from ..simulate import teach
from .decisions import Decisions
from .layers import Fields, Layer, LayerKernels, layer_kernels, require_room
from .responses import Progress, ResponseKernel, response_kernels
from .stimuli import Stimuli

MANY_EQUAL = 0.02  # scores of a network that rectifies none coincide by chance alone
TRIALS = 4096
FEWEST_TRIALS = 100
BATCH = 32


@dataclass(frozen=True, eq=False, repr=False)
class WhiteBox:
    """What gradients say of an observer.

    Attributes
    ----------
    observer, protocol
        Their names.
    contrast
        Of the signal.
    n
        Trials averaged over.
    shape
        Frames, rows and columns of the noise.
    noise_sd
        Realised SD of the noise, contrast.
    internal_noise
        gamma, internal / external SD per interval.
    smoothing
        Share of the external SD that stands in for internal noise; 0 where there is
        internal noise, and then nothing is biased.
    smoothing_bias
        Relative error that the smoothing brings to the amplitude of a linear observer's
        first-order kernel, which is of the size to expect of any.
    is_crossed
        Whether the target of every trial was compared with the other field of every
        trial of its batch: in 2AFC, where alternatives are scored alike and each by
        itself.
    probability
        Of being correct; in yes/no and rating, of "yes" with and without the signal.
    one, two
        Kernels of the responses by order; `two` is None where it was not asked for.
    layer
        Kernels of the units of a layer, or None.
    note
        What the numbers may be biased by, or None.
    """

    observer: str
    protocol: str
    contrast: float
    n: int
    shape: tuple[int, int, int]
    noise_sd: float
    internal_noise: float
    smoothing: float
    smoothing_bias: float
    is_crossed: bool
    probability: tuple[float, ...]
    one: ResponseKernel
    two: ResponseKernel | None
    layer: LayerKernels | None
    note: str | None

    def __repr__(self) -> str:
        """Give two or three lines: of what, and where the kernel is largest."""
        largest = int(np.abs(self.one.kernel / self.one.se).argmax())
        place = tuple(map(int, np.unravel_index(largest, self.shape)))
        value, se = (float(each[place]) for each in (self.one.kernel, self.one.se))
        lines = [
            f"white-box kernels of {self.observer}, {self.protocol}, {self.n} trials",
            f"order 1: {value:.3g} +- {se:.2g} at {place}, where it stands out most",
        ]
        if self.layer is not None:
            lines.append(f"layer {self.layer.layer}: {len(self.layer.units)} units")
        return "\n".join(lines)


def white_box(
    protocol: Protocol,
    observer: Any,
    *,
    orders: int = 2,
    trials: int = TRIALS,
    contrast: float | None = None,
    internal_noise: float = 0.0,
    criterion: float | None = None,
    layer: str | None = None,
    unit: str | int | None = None,
    grid: Literal["elements", "pixels"] = "elements",
    with_signal: bool = False,
    smoothing: float | None = None,
    seed: int = 0,
    batch: int = BATCH,
    progress: Progress | None = None,
) -> WhiteBox:
    """Return an observer's kernels from the gradients of its scores.

    They are what black-box kernels of the same observer estimate, in the same units,
    from far fewer trials: the mean gradient of the probability of a response for order
    1, and by Stein's lemma the mean Hessian for order 2, which holds for ReLU and
    max-pooling too.

    Parameters
    ----------
    protocol
        The task; its noise must be Gaussian.
    observer
        Anything with `scores(contrast)`: (trial, alternative, frame, y, x) to (trial,
        alternative), differentiable. It is prepared and learns if it can.
    orders
        The deepest order: 1 or 2.
    trials
        How many to average over; 100 or more.
    contrast
        Of the signal; by default the protocol's median.
    internal_noise, criterion
        As in `yoked.run`.
    layer
        Name of a module of the observer's `network`, such as "features.3": kernels of
        its units too. The observer must have `network`, an `nn.Module`, and
        `input_of(contrast)`, which gives what that takes.
    unit
        "17": channel 17 at the middle of its map; "17,4,4": exactly there; None: every
        channel at the middle, up to 64. The response of a unit is summed over the
        frames or steps of a trial.
    grid
        Of the layer's noise: that of the protocol's elements, or 'pixels', noise of the
        same SD that is independent in every pixel.
    with_signal
        Whether the layer is shown the signal too.
    smoothing
        Share of the external SD that stands in for internal noise where there is none;
        by default .01 where fields are crossed (`WhiteBox.is_crossed`), else .05.
    seed
        Of the noise; no session shows it.
    batch
        Trials in the network at once; the fewer, the less memory.
    progress
        Called with the stage ('training', 'responses' or 'layer'), how many trials are
        done and how many there are.

    Raises
    ------
    ValueError
        If the observer has no scores that can be differentiated, or a module with a
        surrogate gradient; if the noise is not Gaussian; if a response is given in less
        than a thousandth of the trials; or if an option is out of range.
    LookupError
        If there is no such layer.

    Notes
    -----
    Without internal noise a response is a step of the decision variable, whose gradient
    no sample meets. It is smoothed by `smoothing` external SDs, which is an observer of
    so much internal noise; `smoothing_bias` says what that does to a linear one. One
    that gives many fields the same score, as a rectified one, feels it more, and then
    `note` says so.

    Standard errors are those of means over batches of trials.

    References
    ----------
    .. [1] Price (1958), IRE Trans. Inf. Theory 4, 69-72; Stein (1981), Ann. Stat. 9,
       1135-1151.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> found = white_box(protocol, yoked.load_observer("linear"), trials=500)
    >>> int(found.one.kernel.argmax()), found.two.kernel.shape
    (6, (13, 13))
    """
    _require(orders, trials, batch, grid, layer, unit)
    protocol = protocol.with_options(contrast=contrast)
    shown = reference_contrast(protocol)
    device = torch.device(getattr(observer, "device", "cpu"))
    stimuli = Stimuli(protocol, shown, seed, device)
    if orders == 2 and stimuli.n_alternatives > 2:
        rule = "two for a second-order kernel"
        raise ValueError(f"alternatives must be {rule}, got {stimuli.n_alternatives}")
    tell = progress or (lambda stage, done, total: None)
    teach(observer, Practice(protocol), progress)
    fields = Fields(stimuli, grid, with_signal, seed)
    asked = None if layer is None else Layer(observer, layer, fields, unit)
    if asked is not None:
        require_room(asked, fields, orders)
    decisions = Decisions(
        protocol, observer, stimuli, internal_noise, criterion, smoothing, batch, seed
    )
    forced = protocol.task.is_forced_choice
    found = response_kernels(
        decisions, trials, orders, stimuli.noise_sd, protocol.noise.grid, forced, tell
    )
    rule, p = decisions.rule, found.probabilities
    return WhiteBox(
        observer=observer.name,
        protocol=protocol.name,
        contrast=shown,
        n=trials,
        shape=protocol.noise.grid,
        noise_sd=stimuli.noise_sd,
        internal_noise=float(internal_noise),
        smoothing=rule.smoothing,
        smoothing_bias=smoothing_bias(rule.smoothing, p[0], p[0] if forced else p[1]),
        is_crossed=decisions.is_crossed,
        probability=p[:1] if forced else p,
        one=found.kernels[0],
        two=found.kernels[1] if orders == 2 else None,
        layer=None
        if asked is None
        else layer_kernels(asked, fields, trials, orders, batch, tell),
        note=_note(stimuli.note(), rule.smoothing, decisions.share_equal),
    )


def smoothing_bias(smoothing: float, *probabilities: float) -> float:
    """Return what smoothing does to the amplitude of a linear observer's kernel.

    That amplitude is phi(z) / (sigma_d p q). Smoothing by h external SDs makes sigma_d
    larger by sqrt(1 + h^2) and z smaller by it: a relative error of

        h^2 / 2 (-1 + z^2 + z phi(z) (q - p) / (p q)),

    averaged over the classes with their amplitudes. With internal noise h is 0.

    Examples
    --------
    >>> round(smoothing_bias(0.05, 0.75), 4)
    -0.0014
    """
    from scipy.special import ndtri

    if smoothing == 0:
        return 0.0
    total = error = 0.0
    for p in probabilities:
        q, z = 1 - p, float(ndtri(p))
        density = math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        amplitude = density / (p * q)
        total += amplitude
        error += amplitude * (-1 + z**2 + z * amplitude * (q - p))
    return smoothing**2 / 2 * error / total


def _note(said: str | None, smoothing: float, share_equal: float) -> str | None:
    """Say what biases the kernels besides what `smoothing_bias` says."""
    if not smoothing or share_equal < MANY_EQUAL:
        return said
    equal = (
        f"{share_equal:.0%} of the scores equal another, where smoothing is felt more: "
        "internal noise, or less smoothing, says how much"
    )
    return equal if said is None else f"{said}; {equal}"


def _require(
    orders: int, trials: int, batch: int, grid: str, layer: str | None, unit: object
) -> None:
    if orders not in (1, 2):
        raise ValueError(f"orders must be 1 or 2, got {orders}")
    if trials < FEWEST_TRIALS:
        raise ValueError(f"trials must be {FEWEST_TRIALS} or more, got {trials}")
    if batch < 2:
        raise ValueError(f"batch must be 2 or more, got {batch}")
    if grid not in ("elements", "pixels"):
        raise ValueError(f"grid must be 'elements' or 'pixels', got {grid!r}")
    if unit is not None and layer is None:
        raise ValueError(f"unit must come with a layer, got {unit!r} alone")

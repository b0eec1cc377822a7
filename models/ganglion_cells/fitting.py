"""Every model of ganglion cells by its name: fitted to a recording."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from ...experiments.protocols.checks import suggestion
from ...experiments.recordings.recording import Recording
from .cell_model import CellModel
from .deep import NETWORKS, fit_deep
from .kept import Kept
from .learning import Learning
from .likelihood import require_likelihood
from .linear_fits import LINEAR, fit_linear, with_couplings
from .stimulus_fit import Grid, Progress

COUPLINGS = "+couplings"  # behind a network's name: it gets them from the repeats
MODELS = (*LINEAR, *NETWORKS, *(name + COUPLINGS for name in NETWORKS))
_VERSION = 2  # of what fits compute: parts that another one kept are refused


@dataclass(frozen=True)
class FitSettings:
    """How models are fitted.

    Attributes
    ----------
    likelihood
        'poisson' or 'bernoulli', of the models with linear filters; networks are
        Poisson.
    grid
        Penalties of linear filters that cross-validation chooses from; None for those
        that suit the number of spikes.
    learning
        How networks learn.

    Examples
    --------
    >>> FitSettings(likelihood="bernoulli").learning.epochs
    60
    """

    likelihood: str = "poisson"
    grid: Grid | None = None
    learning: Learning = field(default_factory=Learning)

    def __post_init__(self) -> None:
        require_likelihood(self.likelihood)


def fit(
    kind: str,
    recording: Recording,
    *,
    settings: FitSettings | None = None,
    kept: Path | None = None,
    device: str | None = None,
    progress: Progress | None = None,
) -> CellModel:
    """Fit a model to a recording's segments for fitting, and to its repeats.

    Parameters
    ----------
    kind
        One of `MODELS`; a network's with "+couplings" behind it for what its cells'
        spikes do to each other.
    settings
        Likelihood, penalties, learning.
    kept
        A file for what is computed on the way: the same call goes on from it where one
        was interrupted, to the same model. It may be shared by linear models.
    device
        'cpu' or 'cuda'; a GPU where there is one.
    progress
        Called with a stage, how much of it is done and how much there is.

    Raises
    ------
    ValueError
        If there is no such model, or `kept` is of another recording.
    RecordingError
        If the recording lacks what the model is fitted to.

    Examples
    --------
    >>> import numpy as np
    >>> from yoked.experiments.recordings.recording import Recording, Segment
    >>> rng = np.random.default_rng(1)
    >>> frames = rng.integers(0, 2, (3000, 1, 3)).astype(np.float32)
    >>> clock = np.arange(3000, dtype=np.int32)
    >>> seen = np.convolve(frames[:, 0, 1], np.ones(8) / 2)[:3000, None]
    >>> rate = np.exp(seen - 3)
    >>> counts = rng.poisson(rate, (1, 3000, 1)).astype(np.uint8)
    >>> one = Segment("fit", counts, frames, clock)
    >>> recording = Recording("made-up", 10.0, 10.0, ("a",), (one,))
    >>> model = fit("ln", recording, settings=FitSettings(grid=Grid((1.0,), (1.0,))))
    >>> bool(np.corrcoef(model.rates(one)[:, 0], rate[:, 0])[0, 1] > 0.9)
    True
    """
    require_model(kind)
    settings = settings or FitSettings()
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    network = kind.removesuffix(COUPLINGS)
    store = Kept(kept, _hash(network, recording, settings))
    _require_device(device)
    if kind in LINEAR:
        return fit_linear(
            kind,
            recording,
            store,
            likelihood=settings.likelihood,
            grid=settings.grid,
            device=device,
            progress=progress,
        )
    rates = fit_deep(
        network,
        recording,
        store,
        learning=settings.learning,
        device=device,
        progress=progress,
    )
    if network == kind:
        return rates
    return with_couplings(rates, recording, store, kind, progress=progress)


def fit_hash(
    kind: str, recording: Recording, settings: FitSettings | None = None
) -> str:
    """Give the SHA-256 of all that a model's weights are a function of.

    Examples
    --------
    >>> import numpy as np
    >>> from yoked.experiments.recordings.recording import Recording, Segment
    >>> frames, clock = np.zeros((5, 1, 3), np.float32), np.arange(5, dtype=np.int32)
    >>> one = Segment("fit", np.zeros((1, 5, 1), np.uint8), frames, clock)
    >>> recording = Recording("made-up", 10.0, 10.0, ("a",), (one,))
    >>> fit_hash("ln", recording) == fit_hash("glm", recording)
    False
    """
    of = _hash(kind.removesuffix(COUPLINGS), recording, settings or FitSettings())
    return hashlib.sha256(f"{kind} {of}".encode()).hexdigest()


def _require_device(device: str) -> None:
    try:
        is_there = torch.device(device).type != "cuda" or torch.cuda.is_available()
    except RuntimeError:
        is_there = False
    if not is_there:
        rule = "cpu, or cuda where there is a GPU"
        raise ValueError(f"device must be {rule}, got {device!r}")


def require_model(kind: str) -> None:
    """Refuse what is no model.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if kind not in MODELS:
        rule, near = f"one of {', '.join(MODELS)}", suggestion(kind, MODELS)
        raise ValueError(
            f"a model of ganglion cells must be {rule}, got {kind!r}{near}"
        )


def needs_repeats(kind: str) -> bool:
    """Whether couplings are fitted to repeats.

    Examples
    --------
    >>> needs_repeats("two-step-glm"), needs_repeats("glm")
    (True, False)
    """
    return kind.startswith("two-step") or kind.endswith(COUPLINGS)


def shared_name(kind: str) -> str:
    """Give the name under which what a fit keeps can be shared by models.

    Examples
    --------
    >>> shared_name("ln"), shared_name("bn-cnn+couplings")
    ('linear', 'bn-cnn')
    """
    return "linear" if kind in LINEAR else kind.removesuffix(COUPLINGS)


def _hash(kind: str, recording: Recording, settings: FitSettings) -> str:
    """Give the hash of all that the parts of a fit are a function of."""
    of = {
        "version": _VERSION,
        "recording": recording.sha256,
        "likelihood": settings.likelihood,
    }
    if kind in LINEAR:
        of["grid"] = None if settings.grid is None else asdict(settings.grid)
    else:
        of |= {"kind": kind, "learning": asdict(settings.learning)}
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()

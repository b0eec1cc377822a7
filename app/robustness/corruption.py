"""Accuracy of an observer on corrupted stimuli."""

from collections.abc import Callable, Sequence
from typing import Any

from ...analysis.robustness.accuracy import CORRUPTED, accuracy
from ...analysis.robustness.curves import CorruptionCurve, CorruptionPoint
from ...experiments.protocols.protocol import Protocol

FORMAT = "yoked-corrupt/1"  # of the plain form, which docs/json.md describes
Progress = Callable[[int, int], None]


def corruption_curve(
    protocol: Protocol,
    observer: Any,
    corruptions: Sequence[str] | None = None,
    severities: Sequence[int] = (1, 2, 3, 4, 5),
    *,
    showings: int = 4,
    trials: int = 200,
    contrast: float | None = None,
    internal_noise: float = 0.0,
    criterion: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> CorruptionCurve:
    """Estimate accuracy on trials whose frames are corrupted as in ImageNet-C.

    Parameters
    ----------
    protocol
        A forced choice, yes/no or rating.
    observer
        Any.
    corruptions
        Names, such as 'fog'; all fifteen unless told.
    severities
        1 to 5.
    showings
        Of every trial to an observer with noise.
    trials, contrast
        How many, and of the signal; by default the protocol's median.
    internal_noise, criterion
        As in `yoked.run`.
    seed
        Of trials, corruptions and noise.
    progress
        Called with corruptions done and all there are.

    Raises
    ------
    LookupError
        If there is no such corruption.
    ValueError
        If an option is out of range.
    ModuleNotFoundError
        If imagecorruptions is not installed.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> found = yoked.corruption_curve(
    ...     protocol, yoked.load_observer("template"), ["contrast"], [1, 5], trials=50
    ... )
    >>> [(each.corruption, each.severity) for each in found.points]
    [('contrast', 1), ('contrast', 5)]
    """
    from ...models.robustness.corruptions import (
        CORRUPTIONS,
        LEAST_PX,
        corrupted,
        require_corruption,
    )
    from ...models.robustness.shown import Shown

    if showings < 1:
        raise ValueError(f"showings must be 1 or more, got {showings}")
    names = [require_corruption(name) for name in corruptions or CORRUPTIONS]
    shown = Shown(protocol, observer, trials, contrast, internal_noise, criterion, seed)
    n = showings if shown.has_noise else 1
    asked = [(name, int(severity)) for name in names for severity in severities]
    points = []
    for k, (name, severity) in enumerate(asked):
        frames = corrupted(shown.frames, name, severity, seed)
        found = accuracy(shown.correct_frames(frames, n), CORRUPTED)
        points.append(CorruptionPoint(name, severity, found))
        if progress is not None:
            progress(k + 1, len(asked))
    least = min(shown.frames.shape[-2:])
    small = f"frames of {least} px were enlarged to {LEAST_PX} or more to be corrupted"
    return CorruptionCurve(
        format=FORMAT,
        observer=observer.name,
        protocol=protocol.name,
        signal_contrast=shown.contrast,
        n_trials=trials,
        n_showings=n,
        clean=accuracy(shown.correct_frames(shown.frames, n), CORRUPTED),
        points=tuple(points),
        notes=(small,) if least < LEAST_PX else (),
    )

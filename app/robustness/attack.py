"""Accuracy of an observer under attack, by eps."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...analysis.robustness.accuracy import ATTACKED, accuracy, masking
from ...analysis.robustness.curves import AttackCurve, AttackPoint
from ...experiments.protocols.protocol import Protocol

if TYPE_CHECKING:
    from ...models.robustness.ascent import Ascent
    from ...models.robustness.shown import Shown

FORMAT = "yoked-attack/1"  # of the plain form, which docs/json.md describes
Progress = Callable[[int, int], None]


def attack_curve(
    protocol: Protocol,
    observer: Any,
    eps: Sequence[float],
    *,
    norm: str = "linf",
    steps: int = 40,
    noise_draws: int = 8,
    showings: int = 4,
    trials: int = 200,
    contrast: float | None = None,
    internal_noise: float = 0.0,
    criterion: float | None = None,
    transfer_from: Any = None,
    seed: int = 0,
    batch: int = 32,
    progress: Progress | None = None,
) -> AttackCurve:
    """Estimate how accuracy falls when stimuli are changed for the worse.

    The contrast of every pixel of a trial, of all alternatives, is changed within eps
    so that the observer decides wrongly: PGD, whose gradients are averaged over the
    observer's own noise. Accuracy is then measured with other noise.

    Parameters
    ----------
    protocol
        A forced choice, yes/no or rating.
    observer
        With `scores(contrast)`, differentiable: networks, circuits, the template.
    eps
        Sizes of the change, in contrast; each more than 0.
    norm
        'linf': of the largest change of a pixel. 'l2': the Euclidean norm over all
        pixels of a trial.
    steps, noise_draws
        Of the gradient, and of the noise that each is averaged over.
    showings
        Of every trial to an observer with noise, to be scored.
    trials, contrast
        How many, and of the signal; by default the protocol's median.
    internal_noise, criterion
        As in `yoked.run`.
    transfer_from
        Another observer: what was made against it is shown to this one too. If that
        hurts more than this one's own gradients do, these are masked.
    seed
        Of trials and noise.
    batch
        Trials in a network at once.
    progress
        Called with attacks done and all there are.

    Raises
    ------
    ValueError
        If an observer's scores cannot be differentiated, or an option is out of range.
    ModuleNotFoundError
        If foolbox is not installed.

    Examples
    --------
    >>> import yoked
    >>> protocol = yoked.load_protocol("bar-in-noise")
    >>> observer = yoked.load_observer("linear")
    >>> found = yoked.attack_curve(
    ...     protocol, observer, [0.05], steps=8, trials=100, contrast=0.3
    ... )
    >>> found.points[0].accuracy.value < found.clean.value
    True
    """
    from ...models.robustness.ascent import Ascent
    from ...models.robustness.shown import Shown

    _require(eps, showings)
    how = Ascent(norm, steps, noise_draws)
    about = {"trials": trials, "contrast": contrast, "seed": seed, "batch": batch}
    decides = {"internal_noise": internal_noise, "criterion": criterion}
    shown = Shown(protocol, observer, **about, **decides)
    other = None if transfer_from is None else Shown(protocol, transfer_from, **about)
    source = None if transfer_from is None else str(transfer_from.name)
    n = showings if shown.has_noise else 1
    points = []
    for k, each in enumerate(eps):
        points.append(_point(shown, other, each, how, n))
        if progress is not None:
            progress(k + 1, len(eps))
    return AttackCurve(
        format=FORMAT,
        observer=observer.name,
        protocol=protocol.name,
        norm=norm,
        signal_contrast=shown.contrast,
        n_trials=trials,
        n_showings=n,
        steps=steps,
        noise_draws=noise_draws if shown.has_noise else 1,
        has_noise=shown.has_noise,
        clean=accuracy(shown.correct(shown.clean, n), ATTACKED),
        points=tuple(points),
        transfer_from=source,
        notes=_notes(points, source),
    )


def _point(
    shown: "Shown", other: "Shown | None", eps: float, how: "Ascent", n: int
) -> AttackPoint:
    """Attack with all steps and a quarter of them, and by way of the other observer."""
    from ...models.robustness.attacks import attacked

    few = replace(how, steps=max(1, how.steps // 4))
    own, fewer = (shown.correct(attacked(shown, eps, h), n) for h in (how, few))
    found = AttackPoint(
        eps=float(eps),
        accuracy=accuracy(own, ATTACKED),
        fewer_steps=accuracy(fewer, ATTACKED),
    )
    if other is None:
        return found
    moved = shown.correct(attacked(other, eps, how), n)
    difference = masking(moved, own)
    return replace(
        found,
        transferred=accuracy(moved, ATTACKED),
        masking=difference,
        is_masked=difference.low is not None and difference.low > 0,
    )


def _notes(points: Sequence[AttackPoint], source: str | None) -> tuple[str, ...]:
    notes = []
    masked = [f"{each.eps:g}" for each in points if each.is_masked]
    if masked:
        at = ", ".join(masked)
        notes.append(
            f"gradients are masked at eps {at}: what was made against {source} hurts "
            "more, and the accuracy under attack is too high"
        )
    weak = [each for each in points if _is_weak(each)]
    if weak:
        at = ", ".join(f"{each.eps:g}" for each in weak)
        notes.append(
            f"a quarter of the steps hurts more at eps {at} than all of them: the "
            "attack goes wrong there"
        )
    return tuple(notes)


def _is_weak(point: AttackPoint) -> bool:
    """Whether fewer steps hurt more, beyond both intervals."""
    high, low = point.fewer_steps.high, point.accuracy.low
    return high is not None and low is not None and high < low


def _require(eps: Sequence[float], showings: int) -> None:
    if not len(eps):
        raise ValueError("eps must be one or more, got none")
    for each in eps:
        if not 0 < each < np.inf:
            raise ValueError(f"eps must be more than 0, got {each}")
    if showings < 1:
        raise ValueError(f"showings must be 1 or more, got {showings}")

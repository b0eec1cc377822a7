"""Which cascade of filters and nonlinearities answers like the observer.

Seven families are fitted in turn to what was shown (`cascade_fits.py`). The one with
the best score, log likelihood - parameters / 2 x log(trials), is named if the next is
3 or more behind, and if its residuals are like those of answers drawn from it
(`adequacy.py`). Else the verdict is 'undecided', or 'none': no family is enough.

A family that contains the best one can only be so far behind, and need only be behind.
'linear' is therefore a test of equivalence: the nonlinearity that the intervals of the
curved families still allow must be less than a thirtieth of the variance.

Two cascades that choose alike cannot be told apart. A monotone nonlinearity with its
noise before it changes no choice: what is named linear may have one. With a template of
a single element an LN cascade is a Hammerstein one, and the verdict is both.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..kernels.priors import has_neighbours
from ..trials.attempts import Share
from ..trials.chance import CountedP
from ..trials.design import TrialDesign
from ..trials.estimate import CannotTell, Estimate
from ..trials.result import Result
from ..trials.score import ONE_KIND, STILL, varies
from .adequacy import adequacy
from .cascade_fits import Choices, Fit, covariance, fit_all
from .consistency import Consistency, consistency
from .features import features
from .replicates import noise_sd, well_filled

__all__ = ["Consistency", "Signature", "consistency", "signature"]

FORMULA = "cascade-likelihood/1"
MARGIN = 3.0
LEVEL = 0.05
CONTAINING = {
    "linear": ("LN", "Hammerstein", "gain control"),
    "squared elements": ("Hammerstein",),
}
EQUIVALENT = 0.03  # share of the variance that a linear observer's curves may have
ONE_ELEMENT = 0.9  # share of the squared weights that one element has
TOLD_APART = 10.0  # margin at which LN and Hammerstein differ even so
EITHER = "LN or Hammerstein: one element"
MOST_ELEMENTS = 128
TRIALS_PER_ELEMENT = 10
MEANINGS = {
    "linear": "linear, or monotone with its noise before the non-linearity",
    EITHER: "a curve of one element, which is an LN cascade and a Hammerstein one",
}


@dataclass(frozen=True)
class CascadeFit:
    """How well a family explains the responses.

    Attributes
    ----------
    behind
        Its score less than the best one's.
    lapse_rate
        Share of trials answered by a coin, under this family.
    """

    log_likelihood: float
    n_parameters: int
    behind: float
    lapse_rate: float


@dataclass(frozen=True, eq=False)
class Signature(Result):
    """The cascade that answers like the observer, and how the others do.

    Attributes
    ----------
    verdict
        A cascade's name; 'undecided'; 'none'; 'LN or Hammerstein: one element'.
    meaning
        Why it is this verdict, or what it leaves open.
    margin
        How far the next cascade is behind the best.
    adequacy
        p of the residuals of the best one.
    cascades
        Every family, the best first.
    largest_nonlinear_share
        The largest share of the response's variance in noise that the 95 % intervals of
        a curve of the sum, of the elements, or of a gain allow.
    features
        Marks in the second-order kernel: `features.MEANINGS`.
    """

    verdict: str
    meaning: str
    margin: float
    adequacy: CountedP
    cascades: dict[str, CascadeFit]
    largest_nonlinear_share: float
    features: dict[str, Estimate]
    n_sets: int
    seed: int
    formula: str
    note: str | None

    def short(self) -> str:
        """Give the verdict as a table has it."""
        if self.verdict != "linear":
            return self.verdict
        return f"linear (up to {100 * self.largest_nonlinear_share:.2g} % not)"


def signature(
    trials: TrialDesign,
    signal: Float[np.ndarray, " 2 element"],
    n_sets: int = 199,
    seed: int = 0,
    progress: Share | None = None,
) -> Signature:
    """Return the cascade that answers like the observer, if the trials tell one.

    Parameters
    ----------
    signal
        What the other alternative and the target show at contrast 1, beside the noise.
    n_sets
        Sets of answers drawn from the best cascade, for its adequacy.
    progress
        Called with the number of families fitted, and of all.

    Raises
    ------
    ValueError
        If the signal has another size than the noise, or there are fewer than 19 sets
        of answers.
    CannotTell
        If the signal is not known, all responses are alike, the noise does not vary, or
        there are too many elements or too few trials.

    References
    ----------
    .. [1] Neri (2010), Front. Comput. Neurosci. 4:151; Neri (2009), J. Vision 9(12):1.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> noise, target = rng.normal(size=(2, 3000, 6)), np.arange(3000) % 2
    >>> signal = np.stack([np.zeros(6), 1.8 * (np.arange(6) == 2)])
    >>> shown = noise + signal[::-1, None]
    >>> drive = np.square(shown) @ np.array([0.2, 0.6, 1, 0.6, 0.2, 0])
    >>> correct = drive[0] - drive[1] > rng.normal(size=3000)
    >>> sign = np.where(target == 1, 1, -1)[:, None]
    >>> trials = TrialDesign(
    ...     response=correct == (target == 1), target=target, cell=target,
    ...     contrast=np.ones(3000), cluster=np.arange(3000), stratum=target,
    ...     halves=np.stack([sign * noise[0], -sign * noise[1]]).astype(np.float32),
    ...     shape=(1, 1, 6), is_forced_choice=True)
    >>> signature(trials, signal).verdict
    'squared elements'
    """
    _check(trials, signal, n_sets)
    trials = well_filled(trials)
    choices = Choices.of(trials, signal, noise_sd(trials))
    fits = fit_all(choices, progress or (lambda done, total: None))
    best = _best_by_cascade(fits)
    ranked = sorted(best.values(), key=lambda fit: -fit.score)
    name = ranked[0].family.cascade
    p = adequacy(choices, _richest(fits, name), n_sets, seed)
    nonlinear = max(_nonlinear_share(choices, fit) for fit in _curved(fits))
    verdict, meaning = _verdict(ranked, p, nonlinear, choices.x.shape[1])
    return Signature(
        verdict=verdict,
        meaning=meaning,
        margin=ranked[0].score - ranked[1].score,
        adequacy=p,
        cascades={
            fit.family.cascade: CascadeFit(
                fit.log_likelihood,
                fit.n_parameters,
                ranked[0].score - fit.score,
                fit.lapse_rate,
            )
            for fit in ranked
        },
        largest_nonlinear_share=nonlinear,
        features=features(trials),
        n_sets=n_sets,
        seed=seed,
        formula=FORMULA,
        note=_note(trials, choices, ranked[0]),
    )


def _check(trials: TrialDesign, signal: np.ndarray, n_sets: int) -> None:
    e = trials.halves.shape[2]
    if n_sets < 19:
        raise ValueError(f"n_sets must be >= 19 for a test at 5 %, got {n_sets}")
    if not has_neighbours(trials.shape):
        got = "coefficients of images"
        raise CannotTell(f"noise must be of elements on a grid for cascades, got {got}")
    if signal.shape[1] != e:
        rule = f"one value for each of the {e} elements of the noise"
        raise ValueError(f"signal must be {rule}, got {signal.shape[1]}")
    if not np.isfinite(signal).all() or np.array_equal(*signal):
        rule = "known, and not the same in both alternatives,"
        raise CannotTell(f"signal must be {rule} for cascades, got none")
    if e > MOST_ELEMENTS:
        rule = f"at most {MOST_ELEMENTS} for cascades to be fitted"
        hint = "show coarser noise, or import the frames and region that matter"
        raise CannotTell(f"elements must be {rule}, got {e}; {hint}")
    if len(trials) < TRIALS_PER_ELEMENT * e:
        rule = f"{TRIALS_PER_ELEMENT} or more for each of {e} elements"
        raise CannotTell(f"trials must be {rule} to fit cascades, got {len(trials)}")
    if trials.response.all() or not trials.response.any():
        raise CannotTell(ONE_KIND)
    if not varies(trials.noise, trials.cell).any():
        raise CannotTell(STILL)


def _best_by_cascade(fits: list[Fit]) -> dict[str, Fit]:
    """The variant of each family with the best score."""
    best: dict[str, Fit] = {}
    for fit in sorted(fits, key=lambda fit: fit.score):
        best[fit.family.cascade] = fit
    return best


def _richest(fits: list[Fit], cascade: str) -> Fit:
    """The variant that explains most, however many parameters it has."""
    variants = [fit for fit in fits if fit.family.cascade == cascade]
    return max(variants, key=lambda fit: fit.log_likelihood)


def _verdict(
    ranked: list[Fit], p: float, nonlinear: float, n_elements: int
) -> tuple[str, str]:
    """Return the verdict, and why it is this one or what it leaves open."""
    best, first = ranked[0], ranked[0].family.cascade
    name, rivals = first, ranked[1:]
    if {name, rivals[0].family.cascade} == {"LN", "Hammerstein"} and (
        best.score - rivals[0].score < TOLD_APART
        and all(_is_one_element(fit, n_elements) for fit in ranked[:2])
    ):
        name, rivals = EITHER, rivals[1:]
    free = CONTAINING.get(name, ())
    close = [f.family.cascade for f in rivals if best.score - f.score < MARGIN]
    misses = f"misses what the responses hold (p = {p:.2g})"
    if any(each not in free for each in close):
        alike = f"more than one cascade may be this observer: {_and([first, *close])}"
        return "undecided", alike + (f"; {first} {misses}" if p <= LEVEL else "")
    if p <= LEVEL:
        best_of = f"the one that fits best, {first}, {misses}"
        return "none", f"no cascade of the seven answers like this observer: {best_of}"
    if name == "linear" and nonlinear > EQUIVALENT:
        rest = f"a non-linearity of up to {100 * nonlinear:.2g} % of its variance"
        return "undecided", f"linear fits best, but {rest} is not ruled out"
    return name, MEANINGS.get(name) or _nearest(close)


def _nearest(containing: list[str]) -> str:
    """Say which other cascades are near: only those that contain the one named."""
    if not containing:
        return f"every other cascade scores more than {MARGIN:g} lower"
    contain, score = ("contains", "scores")
    if len(containing) > 1:
        contain, score = ("contain", "score")
    which = f"{_and(containing)}, which {contain} it,"
    return f"only {which} {score} less than {MARGIN:g} lower"


def _and(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]


def _is_one_element(fit: Fit, n_elements: int) -> bool:
    weights = np.square(fit.theta[:n_elements])
    return bool(weights.max() >= ONE_ELEMENT * weights.sum())


def _curved(fits: list[Fit]) -> list[Fit]:
    """Families with one parameter more than the linear one."""
    least = fits[0].n_parameters + 1
    names = CONTAINING["linear"]
    return [f for f in fits if f.n_parameters == least and f.family.cascade in names]


def _nonlinear_share(choices: Choices, fit: Fit) -> float:
    """Largest nonlinear share of the variance within 95 % of the last parameter.

    It is the bend of a curve, beside its slope, or the strength of a gain; the share is
    what a linear regression of the response to noise alone leaves.
    """
    own = fit.theta[: fit.n_family]
    se = float(np.sqrt(max(covariance(fit)[fit.n_family - 1, fit.n_family - 1], 0)))
    return max(
        _left_by_a_line(choices, fit, np.append(own[:-1], own[-1] + side * 1.96 * se))
        for side in (-1, 1)
    )


def _left_by_a_line(choices: Choices, fit: Fit, theta: np.ndarray) -> float:
    response = fit.family.response(choices.noise, fit.family.inside(theta))[0]
    x = choices.noise - choices.noise.mean(0)
    response = response - response.mean()
    along = x @ np.linalg.lstsq(x, response, rcond=None)[0]
    return float(1 - (along @ along) / max(float(response @ response), 1e-300))


def _note(trials: TrialDesign, choices: Choices, fit: Fit) -> str | None:
    """Say how alike two answers to one stimulus are beyond what the cascade says."""
    _, field, times = np.unique(trials.cluster, return_inverse=True, return_counts=True)
    if not np.any(times > 1):
        return None
    z = (choices.yes - fit.p) / np.sqrt(fit.p * (1 - fit.p))
    total, squares = np.bincount(field, z), np.bincount(field, z**2)
    products = ((total**2 - squares) / 2)[times > 1]
    mean = products.mean()
    se = products.std() / np.sqrt(len(products))
    if mean < 3 * se:
        return None
    return (
        f"answers to one stimulus agree more than the best cascade says (residuals "
        f"correlate by {mean:.2f}): something consistent is missing in it, or the "
        "criterion drifts"
    )

"""Whether people and a model find the same images hard to tell from the same objects.

The correlation of a model's signature with that of a random half of people's trials,
beside the correlation of the two halves, and the first over the root of the second.
Means of two repeats, whose halves come from one generator of NumPy's old kind with
seed 0: so does Brain-Score [1]_, and its halves are these if the trials are in its
order. Intervals are over images, drawn again with replacement within objects, with
the same halves: of other images of these objects, seen by the same people.

References
----------
.. [1] Rajalingham, Issa, Bashivan, Kar, Schmidt & DiCarlo (2018), J. Neurosci. 38,
   7255-7269, as Brain-Score's metrics `i1` to `o2` have it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ...experiments.imports.object_tables import ObjectProbabilities, ObjectTrials
from ...experiments.protocols.checks import suggestion
from ..trials.estimate import Estimate
from ..trials.result import Cells, Result
from .confusions import Panel, panel
from .signatures import MEASURES, signature

REPEATS = 2
N_BOOTSTRAP = 1000
NOT_TOLD = "a half of people's trials, or the model, does not vary enough"
NO_CEILING = "two halves of people's trials do not correlate above 0"
OVER_IMAGES = "the interval is over images"


@dataclass(frozen=True, eq=False)
class ObjectConsistency(Result):
    """One measure of one model, beside people.

    Attributes
    ----------
    measure, model
        Names: i1, i1n, i2, i2n, o1 or o2; the model's.
    n_images, n_objects, n_trials
        What people and the model have in common.
    raw
        Correlation with a half of people's trials.
    ceiling
        Correlation of the halves.
    ceiled
        The first over the root of the second.
    notes
        What was understood and left out.
    """

    measure: str
    model: str
    n_images: int
    n_objects: int
    n_trials: int
    raw: Estimate
    ceiling: Estimate
    ceiled: Estimate
    notes: tuple[str, ...]

    def table(self) -> list[Cells]:
        """Give one row."""
        return [
            {
                "model": self.model,
                "measure": self.measure,
                "images": self.n_images,
                "trials": self.n_trials,
                "raw": self.raw.short(),
                "ceiling": self.ceiling.short(),
                "raw / √ceiling": self.ceiled.short(),
            }
        ]


def object_consistency(
    trials: ObjectTrials,
    model: ObjectProbabilities,
    measure: str = "i2n",
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> ObjectConsistency:
    """Compare which objects people and a model take images for.

    Parameters
    ----------
    trials
        People's, with two objects to choose from; from `read_object_trials`.
    model
        Its probabilities, from `read_object_probabilities`.
    measure
        i2n (images against objects, without what objects explain), i2, i1, i1n, o1, o2.
    n_bootstrap
        How often images are drawn again for the intervals; 0 leaves them out.
    seed
        Of these draws; the halves of people's trials are always the same.

    Raises
    ------
    CannotTell
        If people and the model have too little in common.
    LookupError
        If there is no such measure.

    Examples
    --------
    People who respond as the model's probabilities say:

    >>> import pandas as pd
    >>> import yoked
    >>> rng = np.random.default_rng(1)
    >>> images = [f"{i}.png" for i in range(60)]
    >>> seen = pd.DataFrame({"image": images, "target": ["ape", "bus", "cup"] * 20})
    >>> p = pd.DataFrame(rng.dirichlet([1] * 3, 60), images, ["ape", "bus", "cup"])
    >>> rows = seen.loc[np.tile(range(60), 100)].assign(
    ...     distractor=lambda t: [
    ...         str(rng.choice([o for o in p if o != shown])) for shown in t.target
    ...     ]
    ... )
    >>> rows["choice"] = [
    ...     d if rng.random() < p.at[i, d] / (p.at[i, d] + p.at[i, o]) else o
    ...     for i, o, d in rows.itertuples(index=False)
    ... ]
    >>> given = p.add_prefix("probability_").rename_axis("image").reset_index()
    >>> found = yoked.object_consistency(
    ...     yoked.read_object_trials(rows), yoked.read_object_probabilities(given)
    ... )
    >>> found.raw.value > 0.8, bool(abs(found.ceiled.value - 1) < 0.05)
    (True, True)
    """
    if measure not in MEASURES:
        hint = suggestion(measure, MEASURES)
        rule = f"measure must be one of {', '.join(MEASURES)}"
        raise LookupError(f"{rule}, got {measure!r}{hint}")
    common = panel(trials, model)
    found = _Compared(common, measure)
    raw, ceiling, ceiled = _estimates(found, measure, n_bootstrap, seed)
    return ObjectConsistency(
        measure=measure,
        model=model.observer,
        n_images=len(common.image),
        n_objects=len(common.object),
        n_trials=len(common.shown),
        raw=raw,
        ceiling=ceiling,
        ceiled=ceiled,
        notes=(*trials.notes, *_left_out(common, trials, model)),
    )


class _Compared:
    """A measure's two correlations, whatever the weights of images."""

    def __init__(self, common: Panel, measure: str) -> None:
        self.target, self.measure = common.target, measure
        self.model = common.model
        self.halves = [
            [common.people(half) for half in halves]
            for halves in halves_of(len(common.shown), REPEATS)
        ]

    def correlations(
        self, weight: Float[np.ndarray, " image"] | None = None
    ) -> tuple[float, float]:
        """Return the means over repeats of raw and ceiling; NaN where there is none."""
        counts = np.ones(len(self.target)) if weight is None else weight
        model = signature(self.model, self.target, self.measure, counts)
        if self.measure.startswith("o"):
            counts = np.ones(len(model))
        raw, ceiling = [], []
        for halves in self.halves:
            one, other = (
                signature(half, self.target, self.measure, weight) for half in halves
            )
            raw.append(_pearson(model, one, counts))
            ceiling.append(_pearson(one, other, counts))
        return float(np.mean(raw)), float(np.mean(ceiling))


def halves_of(n: int, repeats: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return Brain-Score's halves of n trials, a pair for each repeat.

    Examples
    --------
    >>> [half.tolist() for half in halves_of(5, 1)[0]]
    [[2, 0], [1, 3, 4]]
    """
    rng = np.random.RandomState(0)  # theirs: of NumPy's new generators others come
    found = []
    for _ in range(repeats):
        order = list(range(n))
        rng.shuffle(order)
        cut = n // 2
        found.append((np.array(order[:cut], int), np.array(order[cut:], int)))
    return found


def _pearson(
    one: np.ndarray, other: np.ndarray, counts: Float[np.ndarray, " row"]
) -> float:
    """Return the correlation of what both have, rows counted so often."""
    known = ~(np.isnan(one) | np.isnan(other))
    w = (np.ones(one.shape) * counts.reshape(-1, *[1] * (one.ndim - 1)))[known]
    if w.sum() == 0:
        return float("nan")
    a, b = (x[known] - np.average(x[known], weights=w) for x in (one, other))
    norm = float(np.sqrt((w @ a**2) * (w @ b**2)))
    return float((w * a) @ b / norm) if norm > 1e-12 else float("nan")


def _estimates(
    found: _Compared, measure: str, n_bootstrap: int, seed: int
) -> Sequence[Estimate]:
    """Return raw, ceiling and ceiled, with intervals over images."""
    drawn = np.array(
        [
            found.correlations(weight)
            for weight in _weights(found.target, n_bootstrap, seed)
        ]
    ).reshape(-1, 2)
    raw, ceiling = found.correlations()
    ceiled = raw / np.sqrt(ceiling) if ceiling > 0 else float("nan")
    with np.errstate(invalid="ignore", divide="ignore"):
        over = drawn[:, 0] / np.sqrt(np.where(drawn[:, 1] > 0, drawn[:, 1], np.nan))
    n, name = len(found.target), f"{measure}-brain-score/1"
    return (
        _estimate(raw, drawn[:, 0], n, name, NOT_TOLD),
        _estimate(
            ceiling, drawn[:, 1], n, f"{measure}-brain-score-ceiling/1", NOT_TOLD
        ),
        _estimate(ceiled, over, n, f"{measure}-brain-score-ceiled/1", NO_CEILING),
    )


def _weights(
    target: Int[np.ndarray, " image"], n: int, seed: int
) -> Float[np.ndarray, "draw image"]:
    """Draw how often each image counts, within objects."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((n, len(target)))
    for each in np.unique(target):
        here = np.flatnonzero(target == each)
        share = np.full(len(here), 1 / len(here))
        weights[:, here] = rng.multinomial(len(here), share, n)
    return weights


def _estimate(
    value: float, drawn: np.ndarray, n: int, formula: str, why: str
) -> Estimate:
    if np.isnan(value):
        return Estimate.missing(formula, why, n)
    known = drawn[~np.isnan(drawn)]
    if len(known) < max(len(drawn), 2):  # also where no draws were asked for
        return Estimate(value, None, None, None, n, formula)
    low, high = np.quantile(known, [0.025, 0.975])
    low, high = min(float(low), value), max(float(high), value)
    return Estimate(value, float(known.std(ddof=1)), low, high, n, formula, OVER_IMAGES)


def _left_out(
    common: Panel, trials: ObjectTrials, model: ObjectProbabilities
) -> list[str]:
    """Say what people or the model alone have."""
    n_trials = len(trials) - len(common.shown)
    n_images = len(model.image) - len(common.image)
    notes = []
    if n_trials:
        notes.append(f"{n_trials} trials of images or objects that the model has not")
    if n_images:
        notes.append(f"{n_images} images of the model that people have not seen")
    return notes

"""Intervals of kernels, and tests of equal ones, tried on linear observers.

Observers are made of normal deviates by NumPy, trial by trial; nothing of the package
is used but the container of trials and the estimate that is tried.
"""

import numpy as np

from yoked.analysis.kernels.augmented import augmented_kernel
from yoked.analysis.kernels.equality import equal_kernels
from yoked.analysis.trials.design import TrialDesign
from yoked.analysis.trials.estimate import CannotTell, Estimate

from .study import Column, Found, Interval, Outside, Table

SD = 0.1  # of the noise, contrast
Z75 = 0.6745  # of 75 % correct
DENSITY_0 = 1 / np.sqrt(2 * np.pi)


def template(kind, p):
    """Return a template of length 1."""
    if kind == "one bar":
        return np.eye(p)[p // 2]
    if p < 100:
        w = np.exp(-((np.arange(p) - p // 2) ** 2) / 8.0)
    else:
        side = round(p**0.5)
        y, x = np.mgrid[:side, :side] - side // 2
        w = np.exp(-(x**2 + y**2) / (2 * (side / 12) ** 2)).ravel()
    return w / np.linalg.norm(w)


def stimuli(cell, rng):
    """Return noise of (interval, trial, element) in SDs, target, contrast and field."""
    p, n, n_pairs = cell["elements"], cell["trials"], cell.get("pairs", 0)
    n_fields = n - n_pairs
    shape = (2 if cell["task"] == "2afc" else 1, n_fields, p)
    kind = cell.get("noise", "normal")
    if kind == "binary":
        noise = 2 * rng.integers(0, 2, shape).astype(np.float32) - 1
    elif kind == "uniform":
        noise = rng.uniform(-(3**0.5), 3**0.5, shape).astype(np.float32)
    else:
        noise = rng.standard_normal(shape, dtype=np.float32)
    if kind == "correlated":
        apart = np.abs(np.subtract.outer(np.arange(p), np.arange(p)))
        noise = (noise @ np.linalg.cholesky(0.5**apart).T).astype(np.float32)
    m = cell.get("contrasts", 1)
    steps = np.exp(np.linspace(np.log(0.4), np.log(1.7), m)) if m > 1 else np.ones(1)
    contrast = rng.permutation(steps[np.arange(n_fields) % m])
    target = rng.permutation(np.arange(n_fields) % 2)
    field = np.concatenate([np.arange(n_fields), np.arange(n_pairs)])
    return noise[:, field], target[field], contrast[field], field


def kernel_of(cell):
    """Return the true kernel, decision SDs per noise SD."""
    p = cell["elements"]
    w = template(cell["template"], p)
    if cell.get("noise") == "correlated":
        apart = np.abs(np.subtract.outer(np.arange(p), np.arange(p)))
        w = w / np.sqrt(w @ 0.5**apart @ w)
    return w / np.sqrt(1 + cell["gamma"] ** 2)


def answers(cell, halves, seen, rng):
    """Return responses of an observer with a kernel for the target's and other noise.

    `halves` are these kernels; `seen` is from `stimuli`. What they leave of the
    decision's variance is internal noise.
    """
    noise, target, contrast, _ = seen
    n = len(target)
    d = Z75 * contrast
    if cell.get("saturates"):
        d = 1.6 * Z75 * np.tanh(contrast)
    if cell["task"] == "2afc":
        sign = np.where(target == 1, 1, -1)
        of_target, other = noise[target, np.arange(n)], noise[1 - target, np.arange(n)]
        v = sign * (of_target @ halves[0] - other @ halves[1]) / np.sqrt(2)
        rest = 1 - (halves[0] @ halves[0] + halves[1] @ halves[1]) / 2
        if cell.get("noise") == "correlated":
            rest = 1 - 1 / (1 + cell["gamma"] ** 2)
    else:
        v = noise[0] @ halves[0]
        rest = 1 - halves[0] @ halves[0]
    v = v + np.sqrt(max(rest, 0)) * rng.standard_normal(n)
    yes = v + (2 * target - 1) * d - cell.get("criterion", 0.0) > 0
    guessed = rng.random(n) < cell.get("lapses", 0.0)
    return np.where(guessed, rng.random(n) < 0.5, yes)


def as_trials(cell, seen, response):
    """Return the trials as the package holds them."""
    noise, target, contrast, field = seen
    n = len(target)
    _, number = np.unique(np.stack([target, contrast]), axis=1, return_inverse=True)
    number = number.ravel()
    if cell["task"] == "2afc":
        sign = np.where(target == 1, 1, -1).astype(np.float32)[:, None]
        halves = [
            sign * noise[target, np.arange(n)],
            -sign * noise[1 - target, np.arange(n)],
        ]
    else:
        has_signal = (target == 1)[:, None]
        halves = [noise[0] * has_signal, noise[0] * ~has_signal]
    return TrialDesign(
        response=response,
        target=target,
        cell=number,
        contrast=contrast,
        cluster=field,
        stratum=number,
        halves=np.stack(halves) * np.float32(SD),
        shape=(1, 1, noise.shape[2]),
        is_forced_choice=cell["task"] == "2afc",
    )


def lapses_seen(cell, rng):
    """Return the lapse rate that is given to the analysis."""
    known, rate = cell.get("lapse_rate"), cell.get("lapses", 0.0)
    if known != "estimated":
        return rate if known == "known" else 0.0
    n, z = 100, 1.96
    errors = rng.binomial(n, rate / 2) / n
    middle = (errors + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(errors * (1 - errors) / n + (z / 2 / n) ** 2)
    low, high = min(middle - reach, errors), max(middle + reach, errors)
    return Estimate(
        2 * errors, 2 * reach / z, max(2 * low, 0.0), 2 * high, n, "given/1"
    )


def least_squares_width(trials, lapse):
    """Return the mean width of intervals by least squares with HC3 errors."""
    kind = np.float32 if trials.noise.size > 10**6 else np.float64
    x, y = trials.noise.astype(kind) / SD, np.zeros(len(trials))
    if trials.is_forced_choice:
        x /= np.sqrt(2)
    for number in np.unique(trials.cell):
        rows = trials.cell == number
        p = np.clip(
            trials.response[rows].mean(), 0.5 / rows.sum(), 1 - 0.5 / rows.sum()
        )
        z = _z(np.clip((p - lapse / 2) / (1 - lapse), 0.01, 0.99))
        y[rows] = (trials.response[rows] - p) / (
            (1 - lapse) * DENSITY_0 * np.exp(-(z**2) / 2)
        )
        x[rows] -= x[rows].mean(0)
    inverse = np.linalg.inv(x.T @ x)
    pulled = x @ inverse
    leverage = np.einsum("ij,ij->i", pulled, x)
    rest = (y - x @ (pulled.T @ y)) / (1 - leverage)
    pulled *= rest[:, None].astype(kind)
    order = np.argsort(trials.cluster, kind="stable")
    _, start = np.unique(trials.cluster[order], return_index=True)
    by_field = np.add.reduceat(pulled[order], start, axis=0)
    return 2 * 1.96 * float(np.sqrt((by_field**2).sum(0)).mean())


def _z(p):
    from statistics import NormalDist

    return NormalDist().inv_cdf(float(p))


def session(cell, rng):
    """Return how the intervals of one session's kernel fared."""
    k = kernel_of(cell)
    seen = stimuli(cell, rng)
    trials = as_trials(cell, seen, answers(cell, (k, k), seen, rng))
    lapse = lapses_seen(cell, rng)
    try:
        found = augmented_kernel(trials, lapse)
    except CannotTell:
        return {}
    band, peak = found.kernel, int(np.argmax(k))
    value, low, high = (x.ravel() for x in (band.value, band.low, band.high))
    places = {"peak": peak, "neighbour": peak + 1, "far": 0}
    figures: dict[str, Found] = {
        name: Interval(value[at], low[at], high[at], k[at])
        for name, at in places.items()
    }
    figures["each"] = float(100 * np.mean((low <= k) & (k <= high)))
    figures["all"] = _holds(band, k)
    figures["target half, all"] = _holds(found.target_half, k)
    figures["other half, all"] = _holds(found.nontarget_half, k)
    figures["along"] = float(value @ k / (k @ k))
    figures["halves p"] = found.halves and bool(found.halves.p < 0.05)
    if len(k) < 500 or rng.random() < 0.25:
        known = lapse.value if isinstance(lapse, Estimate) else lapse
        figures["width"] = float((high - low).mean()) / least_squares_width(
            trials, known
        )
    return figures


def _holds(band, k):
    return band and bool(
        np.all((band.low_all.ravel() <= k) & (k <= band.high_all.ravel()))
    )


def _cell(task, elements, trials, template="blob", gamma=1.0, **more):
    return {
        "task": task,
        "elements": elements,
        "trials": trials,
        "template": template,
        "gamma": gamma,
        **more,
    }


CELLS = (
    _cell("2afc", 13, 600),
    _cell("2afc", 13, 600, gamma=0.5),
    _cell("2afc", 13, 600, gamma=2.0),
    _cell("2afc", 13, 600, gamma=0.25),
    _cell("2afc", 13, 600, "one bar", 0.25),
    _cell("2afc", 13, 600, criterion=1.2),
    _cell("yes_no", 13, 600),
    _cell("yes_no", 13, 600, "one bar"),
    _cell("yes_no", 13, 600, "one bar", 0.25),
    _cell("yes_no", 13, 600, gamma=2.0),
    _cell("yes_no", 13, 600, criterion=1.2),
    _cell("2afc", 13, 600, pairs=300),
    _cell("yes_no", 13, 600, gamma=0.5, pairs=300),
    _cell("2afc", 13, 600, contrasts=7),
    _cell("2afc", 13, 600, contrasts=28),
    _cell("2afc", 13, 600, contrasts=28, saturates=True),
    _cell("yes_no", 13, 600, contrasts=7),
    _cell("yes_no", 13, 600, contrasts=28),
    _cell("2afc", 13, 600, lapses=0.05, lapse_rate="known"),
    _cell("yes_no", 13, 600, lapses=0.1, lapse_rate="known"),
    _cell("2afc", 13, 600, lapses=0.0, lapse_rate="estimated"),
    _cell("2afc", 13, 600, lapses=0.05, lapse_rate="estimated"),
    _cell("yes_no", 13, 600, lapses=0.1, lapse_rate="estimated"),
    _cell("2afc", 13, 600, lapses=0.05, lapse_rate="ignored"),
    _cell("2afc", 13, 600, noise="binary"),
    _cell("yes_no", 13, 600, noise="uniform"),
    _cell("2afc", 13, 600, noise="correlated"),
    _cell("2afc", 13, 100),
    _cell("yes_no", 13, 100, "one bar", 0.5),
    _cell("yes_no", 13, 100, criterion=1.2),
    _cell("2afc", 256, 2000, sessions=200),
    _cell("2afc", 256, 2000, contrasts=28, sessions=200),
    _cell("yes_no", 256, 2000, criterion=1.2, sessions=200),
    _cell("yes_no", 256, 2000, "one bar", 0.5, sessions=200),
    _cell("2afc", 961, 9900, sessions=40),
    _cell("yes_no", 961, 9900, criterion=1.2, sessions=40),
    _cell("2afc", 961, 9900, contrasts=28, pairs=1650, sessions=40),
)


def _is_promised(cell):
    return cell.get("lapse_rate") != "ignored"


def _has_width(cell):
    return _is_promised(cell) and cell.get("lapse_rate") != "estimated"


KERNELS = Table(
    name="kernels",
    title="Kernels",
    text=(
        "A linear observer, 75 % correct at its mean contrast; the interval of the "
        "unshrunken kernel in decision SDs per noise SD (methods.md 4.6). The template "
        "is a blob or one bar. Peak, neighbour and far are single elements; *each* is "
        "the mean over all; *all* has every element in its simultaneous interval. Over "
        "97 is fine while intervals are no wider than 1.15 of those of least squares "
        "with HC3 errors. Several contrasts go from .4 to 1.7 of the mean one. Lapse "
        "rates are known, estimated from 100 catch trials, or ignored, which no "
        "interval survives. Correlated noise: .5 between neighbours, its covariance "
        "estimated. Large fields have fewer sessions: 200 and 40."
    ),
    cells=CELLS,
    session=session,
    columns=(
        Column("k, mean / true", "along", "mean", 0.97, 1.03, _is_promised),
        Column("peak", "peak", "held", 93, where=_is_promised),
        Column("neighbour", "neighbour", "held", 93, where=_is_promised),
        Column("far", "far", "held", 93, where=_is_promised),
        Column("each", "each", "mean", 93, where=_is_promised),
        Column("all", "all", "true", 92, where=_is_promised),
        Column("target half, all", "target half, all", "true", 92, where=_is_promised),
        Column("other half, all", "other half, all", "true", 92, where=_is_promised),
        Column("width / least squares", "width", "mean", None, 1.15, _has_width),
        Column("halves differ, p < .05", "halves p", "true", None, 6.5, _is_promised),
    ),
    in_subset=lambda cell: cell["elements"] < 256,
    outside=(
        Outside(
            "k, mean / true",
            {"task": "yes_no", "trials": 100, "criterion": 1.2},
            "three false alarms in a hundred trials, and a standard error of the peak "
            "of a quarter of it; the intervals hold the truth",
        ),
    ),
)


def turned(k, cosine):
    """Return a kernel of the same length with this cosine to another."""
    away = np.roll(k, 5)
    away = away - (away @ k) / (k @ k) * k
    away *= np.linalg.norm(k) / np.linalg.norm(away)
    return cosine * k + np.sqrt(1 - cosine**2) * away


def pair(cell, rng):
    """Return what the tests of equality say of two kernels."""
    k = kernel_of(cell)
    other = cell["longer"] ** -0.5 * turned(k, cell["cosine"])
    k = cell["longer"] ** 0.5 * k
    seen = stimuli(cell, rng)
    if cell["of"] == "halves":
        trials = as_trials(cell, seen, answers(cell, (k, other), seen, rng))
        found = augmented_kernel(trials).halves
    else:
        again = seen if cell["of"] == "same trials" else stimuli(cell, rng)
        found = equal_kernels(
            as_trials(cell, seen, answers(cell, (k, k), seen, rng)),
            as_trials(cell, again, answers(cell, (other, other), again, rng)),
        )
    assert found is not None
    truth = (cell["longer"] - 1 / cell["longer"]) / 2
    truth /= (cell["longer"] + 2 + 1 / cell["longer"]) / 4
    amplitude = None
    if cell["cosine"] == 1:
        amplitude = Interval.of(found.amplitude, truth)
    low, high = found.amplitude.low, found.amplitude.high
    return {
        "p": bool(found.p < 0.05),
        "largest": bool(found.p_largest < 0.05),
        "shape": None if found.p_shape is None else bool(found.p_shape < 0.05),
        "amplitude": amplitude,
        "longer": None if low is None or high is None else not low <= 0 <= high,
        "found amplitude": found.found_amplitude,
        "found cosine": found.found_cosine.value,
    }


def _pair(of, cosine=1.0, longer=1.0, **more):
    return _cell("2afc", 13, 600, **more) | {
        "of": of,
        "cosine": cosine,
        "longer": longer,
    }


def _equal(cell):
    return cell["cosine"] == 1 and cell["longer"] == 1


def _is_longer(cell):
    return cell["cosine"] == 1 and cell["longer"] > 1


def _is_turned(cell):
    return cell["cosine"] < 1


EQUALITY = Table(
    name="kernel-equality",
    title="Tests of equal kernels",
    text=(
        "Two halves of one observer, or two observers, of the same trials or of others "
        "(13 elements, 600 trials of 2AFC each). Per cent of sessions in which a test "
        "finds a difference at 5 %: equal kernels must show 5, differences of the size "
        "that a session says it finds in 80 % about 80. *longer* is the ratio of the "
        "kernels' lengths, *cosine* that of their shapes."
    ),
    cells=(
        _pair("halves"),
        _pair("halves", longer=1.5),
        _pair("halves", cosine=0.82),
        _pair("same trials"),
        _pair("same trials", longer=1.26),
        _pair("same trials", cosine=0.9),
        _pair("other trials"),
        _pair("other trials", longer=1.3),
        _pair("other trials", cosine=0.88),
    ),
    session=pair,
    columns=(
        Column("any difference", "p", "true", None, 6.5, _equal),
        Column("largest", "largest", "true", None, 6.5, _equal),
        Column("shape", "shape", "true", None, 6.5, lambda c: not _is_turned(c)),
        Column("amplitude", "longer", "true", None, 6.5, _equal),
        Column("amplitude held", "amplitude", "held", 93),
        Column("amplitude found in 80 %", "found amplitude", "mean"),
        Column("cosine found in 80 %", "found cosine", "mean"),
    ),
    n_sessions=500,
)

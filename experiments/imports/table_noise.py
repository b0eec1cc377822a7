"""The noise of imported trials: from an array or columns, measured, and looked at.

What is odd about it (a distribution other than the one declared, correlated elements,
a signal left in it) is told, never mended.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Num

from ..store.noise import checked_noise
from .table_file import TrialFile
from .table_settings import Shape

_CHUNK = 2**21  # elements looked at together
_KURTOSIS = {"gaussian": 0.0, "uniform": -1.2, "binary": -2.0}
_FAR = 0.3  # of excess kurtosis
_CORRELATED = 0.1
_Z_OF_A_SIGNAL = 6.0  # noise alone reaches it once in 5e8 elements


@dataclass(frozen=True)
class NoiseMeasures:
    """What imported noise is like.

    Attributes
    ----------
    sd
        In contrast; the root mean square over the elements that vary.
    largest
        Its largest magnitude, in contrast.
    excess_kurtosis
        0 for a Gaussian, -1.2 for uniform, -2 for binary noise.
    correlation
        The largest between neighbours along frames, rows or columns.
    n_constant
        Elements that never vary.
    """

    sd: float
    largest: float
    excess_kurtosis: float
    correlation: float
    n_constant: int

    def notes(self, kind: str) -> list[str]:
        """Say what an analysis of `kind` noise should know, a sentence each."""
        notes = []
        expected, found = _KURTOSIS.get(kind), self.excess_kurtosis
        if expected is not None and abs(found - expected) > _FAR:
            near = min(_KURTOSIS, key=lambda name: abs(_KURTOSIS[name] - found))
            notes.append(
                f"the noise has excess kurtosis {found:.2f}, nearer to {near} noise "
                f"than to {kind}"
                if near != kind
                else f"the noise has excess kurtosis {found:.2f}; that of {kind} noise "
                f"is {expected:g}"
            )
        if abs(self.correlation) > _CORRELATED:
            notes.append(
                f"neighbouring elements correlate by {self.correlation:.2f}: kernels "
                "are blurred by that"
            )
        if self.n_constant:
            notes.append(f"{self.n_constant} elements of the field have no noise")
        return notes


def noise_fields(
    array: np.ndarray,
    n_intervals: int,
    shape: Shape | None,
    is_side_by_side: bool = False,
) -> Num[np.ndarray, " stimulus interval frame row column"]:
    """Give an array of noise the axes (stimulus, interval, frame, row, column).

    Parameters
    ----------
    array
        Stimuli along its first axis, then intervals (where there is more than one),
        then the field's elements, in C order.
    n_intervals
        Fields of a trial.
    shape
        (frames, rows, columns) of a field. None: a fifth axis says it, or the
        elements are a row of bars.
    is_side_by_side
        Whether the intervals are parts of one field, from left to right; `shape` is
        then that of the whole.

    Raises
    ------
    ValueError
        If the array does not have that many elements.
    """
    if is_side_by_side:
        return _parts_of_field(noise_fields(array, 1, shape), n_intervals)
    elements = array.shape[1:]
    if shape is None and array.ndim == 5:
        shape = (array.shape[2], array.shape[3], array.shape[4])
    if elements[:1] == (n_intervals,) and len(elements) > 1:
        elements = elements[1:]
    elif n_intervals > 1:
        rule = f"(stimulus, {n_intervals} intervals, elements of the field)"
        hint = ""
        if len(elements) > 1 and elements[-1] % n_intervals == 0:
            hint = "; if all alternatives are in one field, --side-by-side"
        raise ValueError(f"noise must be {rule}, got {array.shape}{hint}")
    if shape is None:
        if len(elements) != 1:
            rule = "given as frames, rows and columns"
            got = f"noise of {array.shape}"
            raise ValueError(f"the shape of a field must be {rule}, got {got}")
        shape = (1, 1, elements[0])
    if math.prod(elements) != math.prod(shape) or array.ndim < 2 or not len(array):
        size = "x".join(map(str, shape))
        rule = f"{math.prod(shape)} elements a field ({size})"
        raise ValueError(f"noise must have {rule}, got {array.shape}")
    return array.reshape(len(array), n_intervals, *shape)


def _parts_of_field(
    fields: Num[np.ndarray, " stimulus 1 frame row whole"], n_parts: int
) -> Num[np.ndarray, " stimulus interval frame row column"]:
    """Cut fields into the alternatives that stood side by side in them."""
    n_stimuli, _, frames, rows, columns = fields.shape
    if n_parts < 2 or columns % n_parts:
        rule = f"a field whose columns are {n_parts} alternatives beside each other"
        raise ValueError(f"noise must be {rule}, got {columns} columns")
    parts = fields.reshape(n_stimuli, frames, rows, n_parts, columns // n_parts)
    return parts.transpose(0, 3, 1, 2, 4)


def noise_of_columns(
    table: TrialFile, prefix: str, n_intervals: int
) -> Float[np.ndarray, " trial interval element"]:
    """Give the noise in a table's columns PREFIX<interval>_<element>, both from 0.

    With one interval the names may leave it out.

    Raises
    ------
    ValueError
        If there are none, or one is missing.
    """
    places = {
        _place(name.removeprefix(prefix)): column
        for column, name in enumerate(table.noise_names)
    }
    n_elements = 1 + max((element for _, element in places), default=-1)
    if not n_elements or len(places) != len(table.noise_names):
        rule = f"noise columns such as {prefix}0_0, each once"
        got = ", ".join(table.noise_names[:4]) or "none"
        raise ValueError(f"{table.name} must have {rule}, got {got}")
    if any(interval >= n_intervals for interval, _ in places):
        last = max(places)[0]
        rule = f"{n_intervals} intervals of noise, counted from 0"
        raise ValueError(f"{table.name} must have {rule}, got interval {last}")
    order = [(k, e) for k in range(n_intervals) for e in range(n_elements)]
    missing = [place for place in order if place not in places]
    if missing:
        interval, element = missing[0]
        rule = f"noise for each of {n_elements} elements and {n_intervals} intervals"
        got = f"none for interval {interval}, element {element}"
        raise ValueError(f"{table.name} must have {rule}, got {got}")
    columns = [places[place] for place in order]
    return table.noise[:, columns].reshape(len(table), n_intervals, n_elements)


def _place(name: str) -> tuple[int, int]:
    """Read "1_12" as interval 1, element 12, and "12" as element 12."""
    numbers = [int(number) for number in re.findall(r"\d+", name)]
    return (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def scaled(fields: np.ndarray, factor: float) -> np.ndarray:
    """Multiply noise by a factor that turns it into contrast.

    Raises
    ------
    ValueError
        If the factor is not positive, or the noise is in levels already.
    """
    if not (math.isfinite(factor) and factor > 0):
        raise ValueError(f"contrast_scale must be more than 0, got {factor:g}")
    if factor == 1:
        return fields
    if not np.issubdtype(fields.dtype, np.floating):
        got = f"{factor:g} with {fields.dtype}"
        raise ValueError(f"contrast_scale must be 1 but for float noise, got {got}")
    with np.errstate(over="ignore"):  # what is too large is refused when it is measured
        return np.asarray(fields, np.float64) * factor


def measured(fields: np.ndarray) -> NoiseMeasures:
    """Check all of the noise and measure it; fields as `noise_fields` gives them.

    Raises
    ------
    ValueError
        If a value is not finite or leaves [-1, 1] contrast, or nothing varies.
    """
    n_elements = math.prod(fields.shape[2:])
    n, total, largest = 0, np.zeros(n_elements), 0.0
    for part in _parts(fields):
        n, total = n + len(part), total + part.sum(axis=0)
        largest = max(largest, float(np.abs(part).max()))
    mean = total / n
    second, fourth = np.zeros(n_elements), np.zeros(n_elements)
    lagged = np.zeros(3)
    for part in _parts(fields):
        deviation = part - mean
        squared = deviation**2
        second += squared.sum(axis=0)
        fourth += (squared**2).sum(axis=0)
        lagged += _neighbours(deviation.reshape(-1, *fields.shape[2:]))
    varies = second > 1e-12 * max(largest, 1e-300) ** 2 * n
    if not varies.any():
        raise ValueError("noise must vary from stimulus to stimulus, got constants")
    variance = second[varies].mean() / n
    kurtosis = float(np.mean(n * fourth[varies] / second[varies] ** 2))
    grid = np.array(fields.shape[2:])
    pairs = [math.prod((grid - one).tolist()) for one in np.eye(3, dtype=int)]
    correlations = [
        value / (n * count * variance) if count else 0.0
        for value, count in zip(lagged, pairs, strict=True)
    ]
    return NoiseMeasures(
        sd=math.sqrt(variance),
        largest=largest,
        excess_kurtosis=kurtosis - 3,
        correlation=max(correlations, key=abs),
        n_constant=int((~varies).sum()),
    )


def _parts(fields: np.ndarray) -> Iterator[Float[np.ndarray, " field element"]]:
    """Walk through all fields as float64 contrast, a chunk at a time."""
    n_rows = max(1, _CHUNK // math.prod(fields.shape[1:]))
    for first in range(0, len(fields), n_rows):
        part = checked_noise(fields[first : first + n_rows])
        scale = 127 if part.dtype == np.int8 else 1
        yield part.reshape(-1, math.prod(fields.shape[2:])).astype(np.float64) / scale


def _neighbours(deviation: np.ndarray) -> Float[np.ndarray, " 3"]:
    """Sum the products of neighbours along frames, rows and columns."""
    sums = []
    for axis in (1, 2, 3):
        size = deviation.shape[axis]
        first = deviation.take(range(size - 1), axis)
        sums.append(float((first * deviation.take(range(1, size), axis)).sum()))
    return np.array(sums)


def signal_left_in(
    fields: np.ndarray,
    stimulus_id: Int[np.ndarray, " trial"],
    target: Int[np.ndarray, " trial"],
) -> str | None:
    """Say it if the noise tells the target: then the signal is still in it.

    In a forced choice, fields of the target's interval are compared with those of the
    others; in yes/no and rating, trials with the signal with those without.
    """
    n_elements, n_intervals = math.prod(fields.shape[2:]), fields.shape[1]
    sums, squares = np.zeros((2, n_elements)), np.zeros((2, n_elements))
    n = np.zeros(2)
    n_rows = max(1, _CHUNK // math.prod(fields.shape[1:]))
    for first in range(0, len(target), n_rows):
        rows = slice(first, first + n_rows)
        for interval in range(n_intervals):
            part = np.asarray(fields[stimulus_id[rows], interval], np.float64)
            part = part.reshape(len(part), -1)
            is_with = target[rows] == (interval if n_intervals > 1 else 1)
            for which, chosen in enumerate((~is_with, is_with)):
                sums[which] += part[chosen].sum(axis=0)
                squares[which] += (part[chosen] ** 2).sum(axis=0)
                n[which] += chosen.sum()
    if n.min() < 10:
        return None
    mean = sums / n[:, None]
    variance = (squares / n[:, None] - mean**2) / n[:, None]
    se = np.sqrt(np.maximum(variance.sum(axis=0), 1e-300))
    z = np.where(se > 1e-9, np.abs(mean[1] - mean[0]) / np.maximum(se, 1e-9), 0)
    if z.max() < _Z_OF_A_SIGNAL:
        return None
    element = int(z.argmax())
    return (
        f"the noise of element {element} tells the target (z = {z[element]:.0f}): "
        "noise must be without the signal"
    )

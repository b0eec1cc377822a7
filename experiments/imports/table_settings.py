"""How an imported table is to be read: what its columns do not say."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..protocols.checks import suggestion
from ..protocols.parts import TASKS, Task
from .table_numbers import FileOptions

# Columns of an imported table; of the others nothing is read.
COLUMNS = (
    "observer", "trial", "stimulus_id", "target", "response", "contrast", "repeats",
    "block", "rt_ms", "confidence", "valid", "correct",
    "interval", "chosen", "element",
)  # fmt: skip
OF_TARGET = ("target", "correct")  # columns that only other tasks have
COUNTED = ("target", "response", "stimulus_id")
Shape = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class TableSettings:
    """How a table of trials is to be read.

    Attributes
    ----------
    task
        '2afc', 'mafc', 'yes_no' or 'rating'.
    noise
        A .npy file, or the array itself: stimuli along the first axis, then intervals
        (if there are several), then the elements of a field. Floats are contrast, int8
        contrast levels. None if the noise is in columns.
    noise_columns
        What the names of noise columns begin with, such as 'noise_': then come
        interval and element, from 0 ('noise_1_12'; with one interval 'noise_12').
    noise_values
        Column of the noise, of a table with a row for each element of a field, which
        its column `element` numbers.
    shape
        (frames, rows, columns) of a field; by default a fifth axis of the array says
        it, or the elements are a row of bars.
    is_side_by_side
        Whether the alternatives of a forced choice are parts of one field, beside each
        other; `shape` is then that of the whole.
    n_alternatives
        Responses of 'mafc' and 'rating'; the other tasks have two.
    signal
        A .npy file or array with the signal's shape on the noise grid; its size is the
        trials' contrast. None if it is unknown.
    gains
        Of the signal without the target, and with it.
    columns
        Names in the table that are not ours: {'response': 'key'}.
    counted_from
        What 'target', 'response' or 'stimulus_id' count from, where that must be said:
        1, or 0 although no 0 is in the table.
    rt_unit
        'ms', or 's' for response times in seconds; None is ms, and times that look like
        seconds are told.
    observer
        Name of the observer of a table without such a column; by default the file's.
    contrast
        Of all trials of a table without such a column; None if it is unknown.
    is_contrast_relative
        Whether contrasts are in a unit of their own, such as a signal-to-noise ratio.
    is_contrast_percent
        Whether contrasts are percent, and the noise is not.
    contrast_scale
        What noise and contrast are multiplied by to be contrasts; levels (int8) and
        relative contrasts are left as they are.
    noise_kind
        'gaussian', 'uniform', 'binary' or 'other'.
    noise_sd
        Nominal SD of the noise, in contrast; by default its own SD, to three digits.
        Imports that differ in it alone, by at most 10 %, have the same stimuli.
    deg_per_element
        Degrees of visual angle across an element; 1 where it is unknown.
    frame_ms
        Duration of a frame in ms, of noise in several frames.
    name
        Of the protocol; by default the table's file name.
    has_target
        Whether a response can be correct. None reads a table that has neither target
        nor signal as one in which none is.
    separator, decimal, encoding, part
        How the file is to be opened, as `FileOptions` has them; by default it is found.
    """

    task: str
    noise: str | Path | np.ndarray | None = None
    noise_columns: str | None = None
    shape: Shape | None = None
    n_alternatives: int | None = None
    signal: str | Path | np.ndarray | None = None
    gains: tuple[float, float] = (0.0, 1.0)
    columns: Mapping[str, str] = field(default_factory=dict)
    counted_from: Mapping[str, int] = field(default_factory=dict)
    rt_unit: str | None = None
    observer: str | None = None
    contrast: float | None = None
    is_contrast_relative: bool = False
    contrast_scale: float = 1.0
    noise_kind: str = "gaussian"
    noise_sd: float | None = None
    deg_per_element: float = 1.0
    frame_ms: float | None = None
    name: str | None = None
    has_target: bool | None = None
    noise_values: str | None = None
    is_side_by_side: bool = False
    is_contrast_percent: bool = False
    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    part: str | None = None

    def __post_init__(self) -> None:
        if self.task not in TASKS or self.task == "identify":
            known = ", ".join(task for task in TASKS if task != "identify")
            raise ValueError(f"task must be one of {known}, got {self.task!r}")
        ways = (self.noise, self.noise_columns, self.noise_values)
        n_ways = sum(way is not None for way in ways)
        if n_ways != 1:
            got = "none" if not n_ways else "both" if n_ways == 2 else "all"
            rule = "given as an array or as columns"
            raise ValueError(f"noise must be {rule}, got {got}")
        needs = self.task in ("mafc", "rating")
        if needs != (self.n_alternatives is not None):
            rule = "given with mafc and rating, and no other task"
            got = f"{self.n_alternatives} with {self.task}"
            raise ValueError(f"n_alternatives must be {rule}, got {got}")
        for ours in self.columns:
            if ours not in COLUMNS:
                rule = f"one of {', '.join(COLUMNS)}"
                hint = suggestion(ours, COLUMNS)
                raise ValueError(f"a column must be {rule}, got {ours!r}{hint}")

        for name, first in self.counted_from.items():
            if name not in COUNTED:
                rule = "of target, response or stimulus_id"
                raise ValueError(f"counted_from must be {rule}, got {name!r}")
            if first not in (0, 1):
                raise ValueError(f"counted_from of {name} must be 0 or 1, got {first}")
        if self.rt_unit not in (None, "ms", "s"):
            raise ValueError(f"rt_unit must be ms or s, got {self.rt_unit!r}")
        if self.has_target is False:
            self._check_no_target()
        _ = self.file_options  # which checks them

    def _check_no_target(self) -> None:
        if self.signal is not None:
            rule = "left out where no response is correct"
            raise ValueError(f"signal must be {rule}, got one")

    def for_table(self, names: Collection[str]) -> "TableSettings":
        """Return the settings with what a table's columns say of the task."""
        if self.has_target is not None:
            return self
        of_target = (self.columns.get(name, name) for name in OF_TARGET)
        has_target = self.signal is not None
        has_target = has_target or any(name in names for name in of_target)
        return replace(self, has_target=has_target)

    @property
    def file_options(self) -> FileOptions:
        """How the file is to be opened."""
        return FileOptions(self.separator, self.decimal, self.encoding, self.part)

    @property
    def responses(self) -> Task:
        """The task, with keys that are the responses' numbers."""
        keys = range(self.n_alternatives or 2)
        has_target = self.has_target is not False
        return Task(self.task, tuple(str(key) for key in keys), has_target)

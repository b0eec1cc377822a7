"""A population's responses to pictures or movies: repeats, stimuli and units.

What a model of a brain region is held against: each stimulus was shown several times,
and each time every unit had one response, such as its mean rate in a window of time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np
from jaxtyping import Float, Float32, UInt8

from ..protocols.checks import suggestion
from .recording import RecordingError


@dataclass(frozen=True)
class InTime:
    """Stimuli that follow each other and overlap: movies, a frame apart.

    Attributes
    ----------
    runs
        Of each stimulus, in order, which uninterrupted run it is from.
    reach
        How many stimuli before and after one have a part in common with it.

    Raises
    ------
    RecordingError
        If a run is interrupted by another, or the reach is negative.
    """

    runs: tuple[str, ...]
    reach: int

    def __post_init__(self) -> None:
        if self.reach < 0:
            raise RecordingError(f"reach must be 0 or more, got {self.reach}")
        order = [name for name, _ in groupby(self.runs)]
        if len(order) > len(set(order)):
            got = next(name for name in order if order.count(name) > 1)
            raise RecordingError(f"a run must be in one piece, got pieces of {got!r}")


@dataclass(frozen=True, eq=False)
class PopulationRecording:
    """Responses of units to stimuli that were each shown once or several times.

    Attributes
    ----------
    name
        Of the data set.
    responses
        In any unit; NaN where a repeat is missing.
    stimuli
        A name for each.
    units
        A name for each.
    objects
        What each stimulus shows, to spread objects evenly over splits; None where that
        is not known.
    regions, subjects
        Where each unit is, and whose; None where that is not known.
    pictures
        What was shown, of contrast in [-1, 1]: twice the code value over 255, less 1.
        None where that is not known.
    deg_per_px
        Degrees of visual angle across a pixel of the pictures; None if not known.
    frame_ms
        How long a frame of a picture stays; None if not known.
    in_time
        Of stimuli that overlap; None of stimuli that are each for themselves.
    notes
        What was said of it when it was read.

    Raises
    ------
    RecordingError
        If names are not one for each, or not unique, or pictures are not of the
        stimuli.

    Examples
    --------
    >>> responses = np.zeros((3, 2, 1))  # three repeats of two stimuli, one unit
    >>> recording = PopulationRecording("made-up", responses, ("a", "b"), ("unit-1",))
    >>> recording.n_repeats, recording.mean().shape
    (3, (2, 1))
    """

    name: str
    responses: Float[np.ndarray, " repeat stimulus unit"]
    stimuli: tuple[str, ...]
    units: tuple[str, ...]
    objects: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None
    subjects: tuple[str, ...] | None = None
    pictures: Float32[np.ndarray, " stimulus frame y x"] | None = None
    deg_per_px: float | None = None
    frame_ms: float | None = None
    in_time: InTime | None = None
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.responses.ndim != 3 or not self.responses.size:
            rule = "of one or more repeats, stimuli and units"
            got = self.responses.shape
            raise RecordingError(f"responses must be {rule}, got {got}")
        if np.isinf(self.responses).any():
            n = int(np.isinf(self.responses).sum())
            raise RecordingError(f"responses must be finite or NaN, got {n} infinite")
        _, n_stimuli, n_units = self.responses.shape
        for what, n, of in (
            ("stimuli", n_stimuli, "stimuli"),
            ("objects", n_stimuli, "stimuli"),
            ("units", n_units, "units"),
            ("regions", n_units, "units"),
            ("subjects", n_units, "units"),
        ):
            _check_names(what, getattr(self, what), n, of)
        if self.in_time is not None and len(self.in_time.runs) != n_stimuli:
            rule = f"one for each of the {n_stimuli} stimuli"
            raise RecordingError(f"runs must be {rule}, got {len(self.in_time.runs)}")
        for what in ("deg_per_px", "frame_ms"):
            value = getattr(self, what)
            if value is not None and not value > 0:
                raise RecordingError(f"{what} must be more than 0, got {value}")
        if self.pictures is not None:
            _check_pictures(self.pictures, n_stimuli)

    @property
    def n_repeats(self) -> int:
        """How often a stimulus was shown at most."""
        return self.responses.shape[0]

    def mean(self) -> Float[np.ndarray, " stimulus unit"]:
        """Give the mean over the repeats that there are; NaN where there is none."""
        known = np.isfinite(self.responses)
        n = known.sum(axis=0)
        total = np.where(known, self.responses, 0).sum(axis=0)
        return np.where(n > 0, total / np.maximum(n, 1), np.nan)

    def of_region(self, region: str) -> "PopulationRecording":
        """Give the units of one region.

        Raises
        ------
        RecordingError
            If regions are not known.
        LookupError
            If no unit is of the region.
        """
        if self.regions is None:
            rule = "known of the units to choose one"
            raise RecordingError(f"regions must be {rule}, got none in {self.name}")
        known = sorted(set(self.regions))
        if region not in known:
            near, rule = suggestion(region, known), f"one of {', '.join(known)}"
            raise LookupError(f"region must be {rule}, got {region!r}{near}")
        return self._of_units(np.array(self.regions) == region)

    def complete(self) -> "PopulationRecording":
        """Give the units with a response to every stimulus; notes say how many lack.

        Raises
        ------
        RecordingError
            If there is none.

        Examples
        --------
        >>> responses = np.array([[[1.0, 2.0], [3.0, np.nan]]])
        >>> found = PopulationRecording("x", responses, ("a", "b"), ("u", "v"))
        >>> found.complete().units
        ('u',)
        """
        kept = np.asarray(np.isfinite(self.mean()).all(axis=0))
        if kept.all():
            return self
        n = int((~kept).sum())
        if n == len(kept):
            rule = "one unit or more with a response to every stimulus"
            raise RecordingError(f"recording {self.name} must have {rule}, got none")
        note = f"{n} of {len(kept)} units without a response to some stimulus left out"
        return replace(self._of_units(kept), notes=(*self.notes, note))

    def _of_units(self, kept: np.ndarray) -> "PopulationRecording":
        places = np.flatnonzero(kept)
        regions, subjects = self.regions, self.subjects
        return replace(
            self,
            responses=self.responses[:, :, places],
            units=tuple(self.units[k] for k in places),
            regions=None if regions is None else tuple(regions[k] for k in places),
            subjects=None if subjects is None else tuple(subjects[k] for k in places),
        )


_UNIQUE = ("stimuli", "units")


def _check_names(what: str, names: Sequence[str] | None, n: int, of: str) -> None:
    if names is None:
        return
    if len(names) != n:
        raise RecordingError(
            f"{what} must be one for each of {n} {of}, got {len(names)}"
        )
    if what in _UNIQUE and len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RecordingError(f"{what} must differ in name, got {twice!r} twice")


def _check_pictures(pictures: np.ndarray, n_stimuli: int) -> None:
    if pictures.ndim != 4 or len(pictures) != n_stimuli or not pictures.size:
        rule = f"(stimulus, frame, y, x) of the {n_stimuli} stimuli"
        raise RecordingError(f"pictures must be {rule}, got {pictures.shape}")
    low, high = float(pictures.min()), float(pictures.max())
    if not (low >= -1 and high <= 1):
        rule = "of contrast in [-1, 1]"
        raise RecordingError(f"pictures must be {rule}, got {low:g} to {high:g}")


def as_contrast(levels: UInt8[np.ndarray, " *of"]) -> Float32[np.ndarray, " *of"]:
    """Return code values of 0 to 255 as contrast.

    Examples
    --------
    >>> as_contrast(np.array([0, 255], np.uint8)).tolist()
    [-1.0, 1.0]
    """
    return np.clip(levels.astype(np.float32) * np.float32(2 / 255) - 1, -1, 1)

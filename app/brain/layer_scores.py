"""Scores of layers of networks by the responses that were recorded to pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...analysis.brain.ceiled import FORMULAS, ceiled
from ...analysis.brain.cka import cka
from ...analysis.brain.encoding import encoding
from ...analysis.brain.internal_consistency import (
    CONSISTENCY,
    InternalConsistency,
    internal_consistency,
)
from ...analysis.brain.layer_commitment import commit_layer
from ...analysis.brain.predictivity import Predictivity, neural_predictivity
from ...analysis.brain.rsa import rsa
from ...analysis.trials.estimate import Estimate
from ...analysis.trials.result import Cells, Result
from ...experiments.protocols.checks import suggestion
from ...experiments.recordings.population import PopulationRecording
from .layer_features import Progress, layer_features

FORMAT = "yoked-brain/1"  # of the plain form, which docs/json.md describes
PREDICTIVITY = ("pls", "ridge", "ridge-cv")
MEASURES = (*PREDICTIVITY, "cka", "rsa", "encoding")
ONE_REPEAT = "the stimuli were shown once: there is nothing to halve"

Features = Mapping[tuple[str, str], np.ndarray]
"""By the names of observer and layer."""


@dataclass(frozen=True, eq=False)
class LayerScore(Result):
    """How well a layer's features foretell recorded responses, or resemble them.

    Attributes
    ----------
    format
        Version of the plain form.
    observer, layer, measure, recording, region
        Names; the region is None where all units were taken.
    n_stimuli, n_repeats, n_units, n_features
        What there is; of encoding with matched features, the number they were reduced
        to.
    raw
        The measure.
    consistency
        Internal consistency of the responses.
    square_over_ceiling, square_of_ratio
        Raw beside it by Brain-Score's formula now and before December 2025; None for
        'cka' and 'rsa', which have no such ceiling.
    lower_ceiling, upper_ceiling
        Of 'rsa' alone.
    unmatched
        Of 'encoding' alone: with all features.
    chosen_on, chosen_by
        The recording by which the layer was chosen, and every layer's score on it; None
        where none was.
    notes
        What was said of the recording when it was read.
    shown_formula
        Which of the two ceiled scores a table shows.
    """

    format: str
    observer: str
    layer: str
    measure: str
    recording: str
    region: str | None
    n_stimuli: int
    n_repeats: int
    n_units: int
    n_features: int
    raw: Estimate
    consistency: Estimate
    square_over_ceiling: Estimate | None = None
    square_of_ratio: Estimate | None = None
    lower_ceiling: Estimate | None = None
    upper_ceiling: Estimate | None = None
    unmatched: Estimate | None = None
    chosen_on: str | None = None
    chosen_by: dict[str, Estimate] | None = None
    notes: tuple[str, ...] = ()
    shown_formula: str = "square-over-ceiling"

    def table(self) -> list[Cells]:
        """Give one row."""
        about: Cells = {
            "observer": self.observer,
            "layer": self.layer,
            "features": self.n_features,
            self.measure: self.raw.short(),
            "consistency": self.consistency.short(),
        }
        shown = getattr(self, self.shown_formula.replace("-", "_"))
        if shown is not None:
            about[f"ceiled ({self.shown_formula})"] = shown.short()
        for name in ("lower_ceiling", "upper_ceiling", "unmatched"):
            if (each := getattr(self, name)) is not None:
                about[name.replace("_", " ")] = each.short()
        return [about | ({"chosen on": self.chosen_on} if self.chosen_on else {})]


def layer_scores(
    recording: PopulationRecording,
    observers: Sequence[Any],
    layers: Sequence[str],
    measure: str = "pls",
    region: str | None = None,
    commit_on: PopulationRecording | None = None,
    shown_formula: str = "square-over-ceiling",
    spread_objects: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[LayerScore]:
    """Score layers of networks by what was recorded.

    Parameters
    ----------
    recording
        With pictures and their size. Units that lack a response to some stimulus are
        left out.
    observers
        Networks.
    layers
        Names of modules, which each of them has.
    measure
        'pls', 'ridge' or 'ridge-cv': neural predictivity. 'cka': unbiased, with the
        averaged responses. 'rsa': with ceilings where there are several subjects.
        'encoding': of all layers of all observers, of each as many features, drawn at
        random, as the smallest has.
    region
        Only the units of this one.
    commit_on
        Another recording, by which each observer's layer is chosen first; only that is
        scored then. Predictivity alone has this.
    shown_formula
        Which of the ceiled scores a table shows; both are computed.
    spread_objects
        Whether objects, where they are named, are spread evenly over the splits.
    seed
        Of the networks' own noise.
    progress
        Told of the pictures that were shown.

    Returns
    -------
    list
        One score for each observer and layer, or for each observer.

    Raises
    ------
    RecordingError, ValueError, LookupError
        If pictures are not known, a layer is not there, or stimuli are too few.

    Examples
    --------
    >>> import yoked
    >>> from yoked.experiments.recordings.population import PopulationRecording
    >>> rng = np.random.default_rng(1)
    >>> pictures = rng.uniform(-1, 1, (40, 1, 16, 16)).astype(np.float32)
    >>> seen = pictures.reshape(40, -1) @ rng.normal(size=(256, 12))
    >>> recording = PopulationRecording(
    ...     "made-up",
    ...     seen + rng.normal(size=(4, 40, 12)),
    ...     tuple(map(str, range(40))),
    ...     tuple(f"unit-{k}" for k in range(12)),
    ...     pictures=pictures,
    ...     deg_per_px=0.25,
    ... )
    >>> observer = yoked.load_observer("cornet-z", seed=1)
    >>> (found,) = yoked.brain_scores(recording, [observer], ["v1"], "ridge")
    >>> found.raw.formula, found.square_over_ceiling.formula
    ('neural-predictivity-ridge/1', 'ceiled-square-over-ceiling/1')
    """
    _check(measure, observers, layers, commit_on)
    used = _Scored(_units(recording, region), measure, spread_objects)
    features = _read(observers, layers, used.recording, seed, progress)
    if commit_on is not None:
        other = _Scored(_units(commit_on, region), measure, spread_objects)
        _check_pictures(used.recording, other.recording)
        chosen = _read(observers, layers, other.recording, seed, progress)
        found = [
            used.committed(each.name, features, chosen, other) for each in observers
        ]
    elif measure == "encoding":
        found = used.encoded(features)
    else:
        found = [used.measured(name, rows) for name, rows in features.items()]
    about = {"region": region, "shown_formula": shown_formula}
    return [replace(each, **about) for each in found]


def _check(
    measure: str,
    observers: Sequence[Any],
    layers: Sequence[str],
    commit_on: PopulationRecording | None,
) -> None:
    if measure not in MEASURES:
        near, rule = suggestion(measure, MEASURES), f"one of {', '.join(MEASURES)}"
        raise LookupError(f"measure must be {rule}, got {measure!r}{near}")
    names = [each.name for each in observers]
    for what, given in (("observers", names), ("layers", list(layers))):
        if not given or len(set(given)) < len(given):
            got = ", ".join(given) or "none"
            raise ValueError(f"{what} must be one or more, each once, got {got}")
    if commit_on is not None and measure not in PREDICTIVITY:
        rule = f"one of {', '.join(PREDICTIVITY)} to choose a layer by"
        raise ValueError(f"measure must be {rule}, got {measure!r}")


def _check_pictures(one: PopulationRecording, other: PopulationRecording) -> None:
    """Refuse to choose and to score by responses to the same pictures."""
    assert one.pictures is not None
    assert other.pictures is not None
    known = {each.tobytes() for each in one.pictures}
    shared = sum(each.tobytes() in known for each in other.pictures)
    if shared:
        rule = "of other pictures than the data to score by"
        got = f"{shared} of {len(other.stimuli)} that are in both"
        raise ValueError(f"data to choose a layer by must be {rule}, got {got}")


def _units(recording: PopulationRecording, region: str | None) -> PopulationRecording:
    """Give the units of the region with a response to every stimulus."""
    found = recording if region is None else recording.of_region(region)
    return found.complete()


def _read(
    observers: Sequence[Any],
    layers: Sequence[str],
    recording: PopulationRecording,
    seed: int,
    progress: Progress | None,
) -> Features:
    return {
        (each.name, layer): rows
        for each in observers
        for layer, rows in layer_features(
            each, layers, recording, seed, progress
        ).items()
    }


class _Scored:
    """A recording that layers are scored on by one measure."""

    def __init__(
        self, recording: PopulationRecording, measure: str, spread_objects: bool
    ) -> None:
        self.recording = recording
        self._measure = measure
        self.objects = recording.objects if spread_objects else None
        if recording.in_time is not None:
            self.objects = recording.in_time
        self._consistency: InternalConsistency | None = None
        if recording.n_repeats > 1:
            self._consistency = internal_consistency(recording.responses)

    def measured(self, name: tuple[str, str], rows: np.ndarray) -> LayerScore:
        """Score one layer."""
        responses, measure = self.recording.responses, self._measure
        n = rows.shape[1]
        if measure == "cka":
            return self._score(name, n, cka(rows, self.recording.mean()))
        if measure == "rsa":
            made = rsa(rows, responses, self.recording.subjects)
            one = self._score(name, n, made.score)
            lower, upper = made.lower_ceiling, made.upper_ceiling
            return replace(one, lower_ceiling=lower, upper_ceiling=upper)
        made = neural_predictivity(rows, responses, measure, self.objects)
        return self._predicted(name, made)

    def encoded(self, features: Features) -> list[LayerScore]:
        """Score all layers, reduced to the same number of features."""
        sets = {" ".join(name): rows for name, rows in features.items()}
        made = encoding(sets, self.recording.responses, objects=self.objects)
        return [
            replace(
                self._predicted(name, made.matched[" ".join(name)]),
                unmatched=made.unmatched[" ".join(name)].score,
            )
            for name in features
        ]

    def committed(
        self, observer: str, features: Features, chosen: Features, other: "_Scored"
    ) -> LayerScore:
        """Choose an observer's layer on another recording, and score it on this one."""
        made = commit_layer(
            _of(observer, chosen),
            other.recording.responses,
            _of(observer, features),
            self.recording.responses,
            self._measure,
            other.objects,
            self.objects,
        )
        return replace(
            self._predicted((observer, made.layer), made.separate),
            chosen_on=other.recording.name,
            chosen_by={name: each.score for name, each in made.chosen_by.items()},
        )

    def _predicted(self, name: tuple[str, str], made: Predictivity) -> LayerScore:
        one = self._score(name, made.n_features, made.score)
        ceiling = self._consistency
        if ceiling is None:
            missing = (Estimate.missing(each, ONE_REPEAT) for each in FORMULAS.values())
            return replace(one, **dict(zip(_CEILED, missing, strict=True)))
        both = (ceiled(made, ceiling, formula) for formula in FORMULAS)
        return replace(one, **dict(zip(_CEILED, both, strict=True)))

    def _score(
        self, name: tuple[str, str], n_features: int, raw: Estimate
    ) -> LayerScore:
        used, ceiling = self.recording, self._consistency
        return LayerScore(
            format=FORMAT,
            observer=name[0],
            layer=name[1],
            measure=self._measure,
            recording=used.name,
            region=None,
            n_stimuli=len(used.stimuli),
            n_repeats=used.n_repeats,
            n_units=len(used.units),
            n_features=n_features,
            raw=raw,
            consistency=Estimate.missing(CONSISTENCY, ONE_REPEAT)
            if ceiling is None
            else ceiling.consistency,
            notes=used.notes,
        )


_CEILED = tuple(name.replace("-", "_") for name in FORMULAS)


def _of(observer: str, features: Features) -> dict[str, np.ndarray]:
    """Give one observer's features by layer."""
    return {layer: rows for (name, layer), rows in features.items() if name == observer}

"""A network of ours that does what Brain-Score asks of a BrainModel."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...experiments.protocols.checks import suggestion
from ..probing.readout import FittedReadout
from .assemblies import assembly, of_neuroids, of_presentations, of_time_bins
from .features import FITTING, Features
from .labels import LABEL, Classes, Labels
from .odd_one_out import ODD_ONE_OUT, odd_ones
from .stimuli import ID, Presented, presented
from .time_bins import TIME_BINS, Bins, overlap_weights, require_bins

if TYPE_CHECKING:
    import xarray

TASKS = ("passive", "label", "probabilities", "odd_one_out")
PROBABILITIES = "probabilities-logistic-regression/1"
LABEL_COLUMN = "image_label"  # of what a read-out is fitted to


class YokedBrainModel:
    """A network with the interface of Brain-Score's BrainModel; see `as_brain_model`.

    Attributes
    ----------
    identifier
        Its name.
    region_layers
        Of each region the layers that stand for it.
    """

    def __init__(
        self,
        observer: Any,
        region_layers: Mapping[str, str | Sequence[str]],
        behavioral_layer: str,
        identifier: str,
        visual_degrees: int,
        times: Mapping[str, Bins],
        classes: Classes | None,
        label_layer: str,
        similarity: str,
        odd_as: str,
        size_px: int | None,
        seed: int,
    ) -> None:
        self.identifier = identifier
        self.region_layers = {
            region: (given,) if isinstance(given, str) else tuple(dict.fromkeys(given))
            for region, given in region_layers.items()
        }
        self._observer, self._degrees = observer, visual_degrees
        self._behavioral, self._labelling = behavioral_layer, label_layer
        self._times = {each: require_bins(of, "times") for each, of in times.items()}
        self._classes = classes
        self._similarity, self._odd_as = similarity, odd_as
        self._size_px, self._seed = size_px, seed
        self._readers: dict[tuple[tuple[str, ...], bool], Features] = {}
        self._task: str | None = None
        self._readout: FittedReadout | None = None
        self._named: dict[str, Any] = {}
        self._labels: Labels | None = None
        self._recorded: tuple[str, list[tuple[float, float]]] | None = None
        self._n_shown = 0

    def visual_degrees(self) -> int:
        """Say how many degrees of visual angle a picture spans that it looks at."""
        return self._degrees

    def start_task(
        self,
        task: Any,
        fitting_stimuli: Any = None,
        number_of_trials: int = 1,
        require_variance: bool = False,
    ) -> None:
        """Begin a task, which `look_at` then does.

        Parameters
        ----------
        task
            'passive': nothing, but a recording goes on. 'label': say which of some
            labels a picture is. 'probabilities': say how probable each label is.
            'odd_one_out': say which of three pictures is unlike the others.
        fitting_stimuli
            For 'probabilities', stimuli with a column `image_label`, to which the
            read-out is fitted; for 'label', the labels, or 'imagenet' for all classes.
        number_of_trials
            How often the stimuli to fit are shown, for the mean.
        require_variance
            False: the responses of a network without noise do not vary.

        Raises
        ------
        ValueError
            If there is no such task, or what it needs is missing.
        LookupError
            If a label is none that the network's classes are of.
        """
        name = str(getattr(task, "value", task))
        if name not in TASKS:
            rule = f"one of {', '.join(TASKS)}"
            raise ValueError(f"task must be {rule}, got {name!r}")
        _require_no_variance(require_variance)
        if name == "probabilities":
            self._fit(fitting_stimuli, number_of_trials)
        elif name == "label":
            self._labels = Labels(self._classes, fitting_stimuli)
        self._task = name
        if name != "passive":
            self._recorded = None

    def start_recording(
        self, recording_target: Any, time_bins: Bins | None = None
    ) -> None:
        """Begin to record from a region, which `look_at` then does.

        Parameters
        ----------
        recording_target
            One of `region_layers`, such as 'V1'.
        time_bins
            From when to when after a picture's onset, in ms, each bin. Of a network
            without `times` all are the same response, as in Brain-Score.

        Raises
        ------
        LookupError
            If there is no such region.
        ValueError
            If a bin does not end after its start, or is beyond the network's steps.
        """
        region = str(getattr(recording_target, "value", recording_target))
        if region not in self.region_layers:
            near = suggestion(region, self.region_layers)
            known = "" if near else f"; there are {', '.join(self.region_layers)}"
            raise LookupError(f"no layer stands for region {region!r}{near}{known}")
        bins = [] if time_bins is None else require_bins(time_bins)
        if region in self._times:
            overlap_weights(self._times[region], bins)
        self._recorded, self._task = (region, bins), None

    def look_at(
        self, stimuli: Any, number_of_trials: int = 1, require_variance: bool = False
    ) -> "xarray.DataArray | None":
        """Look at stimuli and give what the task or the recording asks for.

        Parameters
        ----------
        stimuli
            A StimulusSet, a table with `stimulus_id` and a column of files, or a list
            of files. A picture spans `visual_degrees()`.
        number_of_trials
            Showings of each stimulus, over which responses are averaged: a network with
            noise of its own draws new noise for each, and in each look.
        require_variance
            False: the responses of a network without noise do not vary.

        Returns
        -------
        DataArray
            Of a recording presentation x neuroid, x time_bin where several were asked
            for; of 'probabilities' presentation x choice, each row adding up to 1; of
            'label' and 'odd_one_out' choice (one) x presentation, as Brain-Score's
            metrics take them. None of passive fixation alone.

        Raises
        ------
        ValueError
            If neither a task nor a recording was begun, or there are no stimuli.
        FileNotFoundError
            If a picture is not there.
        """
        _require_no_variance(require_variance)
        if self._task is None and self._recorded is None:
            rule = "begun by start_task or start_recording"
            raise ValueError(f"what to do must be {rule}, got neither call")
        shown = presented(stimuli)
        found = self._answer(shown, number_of_trials)
        self._n_shown += len(shown)  # noise goes on: another look is another trial
        return found

    def _answer(self, shown: Presented, number_of_trials: int) -> Any:
        """Record, or do the task."""
        if self._recorded is not None:
            return self._record(shown, number_of_trials, *self._recorded)
        if self._task == "probabilities":
            return self._probabilities(shown, number_of_trials)
        if self._task == "label":
            return self._label(shown, number_of_trials)
        if self._task == "odd_one_out":
            return self._odd_one_out(shown, number_of_trials)
        return None

    def _record(
        self, shown: Presented, passes: int, region: str, bins: Bins
    ) -> "xarray.DataArray":
        layers, steps = self.region_layers[region], self._times.get(region)
        in_time = steps is not None and len(bins) > 0
        found = self._show(layers, shown.files, passes, every_call=in_time)
        if steps is None or not bins:
            parts = [found[name].reshape(len(shown), -1, 1) for name in layers]
            parts = [np.repeat(each, max(1, len(bins)), axis=2) for each in parts]
        else:
            parts = [_in_bins(found[name], name, steps, bins) for name in layers]
        widths = {n: p.shape[1] for n, p in zip(layers, parts, strict=True)}
        axes = {
            "presentation": of_presentations(shown),
            "neuroid": of_neuroids(self.identifier, region, widths),
        }
        values = np.concatenate(parts, axis=1)
        if len(bins) > 1:
            axes["time_bin"] = of_time_bins(bins)
        else:
            values = values[..., 0]
        told = {} if steps is None or not bins else {"formula": TIME_BINS}
        return assembly(values, axes, {"identifier": self.identifier, **told})

    def _probabilities(self, shown: Presented, passes: int) -> "xarray.DataArray":
        assert self._readout is not None
        p = self._readout.probabilities(self._flat(self._behavioral, shown, passes))
        axes = {"presentation": of_presentations(shown), "choice": {}}
        choices = [self._named[each] for each in self._readout.categories]
        return assembly(p, axes, self._told(PROBABILITIES), choices)

    def _label(self, shown: Presented, passes: int) -> "xarray.DataArray":
        assert self._labels is not None
        rows = self._flat(self._labelling, shown, passes)
        values = np.array(self._labels.choose(rows), object)
        coords = of_presentations(shown)
        coords.setdefault("label", values)
        axes = {"choice": {}, "presentation": coords}
        return assembly(values[None], axes, self._told(LABEL))

    def _odd_one_out(self, shown: Presented, passes: int) -> "xarray.DataArray":
        if len(shown) % 3:
            rule = "in triplets, a multiple of 3"
            raise ValueError(f"stimuli must be {rule}, got {len(shown)}")
        first = {each: k for k, each in reversed(list(enumerate(shown.ids)))}
        unique = list(first)
        files = [shown.files[first[each]] for each in unique]
        found = self._show((self._behavioral,), files, passes)[self._behavioral]
        place = {each: k for k, each in enumerate(unique)}
        triplets = np.array([place[each] for each in shown.ids]).reshape(-1, 3)
        odd = odd_ones(found.reshape(len(files), -1), triplets, self._similarity)
        of_three = [shown.ids[k : k + 3] for k in range(0, len(shown), 3)]
        names = [t[k] for t, k in zip(of_three, odd, strict=True)]
        coords = {
            ID: np.array(["|".join(map(str, each)) for each in of_three], object),
            "odd": np.array(list(map(str, names)), object),
        }
        values = odd if self._odd_as == "index" else np.array(names)
        axes = {"choice": {}, "presentation": coords}
        formula = ODD_ONE_OUT.format(similarity=self._similarity)
        return assembly(values[None], axes, self._told(formula))

    def _fit(self, stimuli: Any, passes: int) -> None:
        """Fit the read-out to stimuli of known labels."""
        if stimuli is None:
            rule = f"given for probabilities, with {LABEL_COLUMN}"
            raise ValueError(f"fitting_stimuli must be {rule}, got none")
        shown = presented(stimuli)
        labels = shown.column(LABEL_COLUMN)
        self._named = {str(each): each for each in labels}
        features = self._flat(self._behavioral, shown, passes, FITTING)
        self._readout = FittedReadout(features, list(map(str, labels)))

    def _flat(
        self, layer: str, shown: Presented, passes: int, first: int | None = None
    ) -> np.ndarray:
        """Give a row of one layer's units for each presentation."""
        found = self._show((layer,), shown.files, passes, first)
        return found[layer].reshape(len(shown), -1).astype(np.float64)

    def _show(
        self,
        layers: tuple[str, ...],
        files: Sequence[Path],
        passes: int,
        first: int | None = None,
        every_call: bool = False,
    ) -> dict[str, np.ndarray]:
        """Show pictures; what is made for some layers is kept."""
        key = (layers, every_call)
        if key not in self._readers:
            how = (self._degrees, self._size_px, self._seed, every_call)
            self._readers[key] = Features(self._observer, layers, *how)
        number = self._n_shown if first is None else first
        return self._readers[key].of(files, passes, number)

    def _told(self, formula: str) -> dict[str, str]:
        return {"identifier": self.identifier, "formula": formula}


def _in_bins(rows: np.ndarray, name: str, steps: Bins, bins: Bins) -> np.ndarray:
    """Average the calls of a layer in time bins: (presentation, neuroid, time_bin)."""
    if rows.shape[1] != len(steps):
        rule = f"{rows.shape[1]} bins, one for each call of layer {name!r}"
        raise ValueError(f"times must be {rule}, got {len(steps)}")
    flat = rows.reshape(*rows.shape[:2], -1)
    weights = overlap_weights(steps, bins).astype(flat.dtype)
    return np.einsum("psn,bs->pnb", flat, weights)


def _require_no_variance(is_required: bool) -> None:
    if is_required:
        rule = "False: pictures are not shifted here"
        raise ValueError(f"require_variance must be {rule}, got True")

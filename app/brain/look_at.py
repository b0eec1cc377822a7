"""What `yoked look-at` does: a network looks at a table of pictures, once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray

    from ...models.brain_score.stimuli import PictureSet

_TEXTS = ("stimulus_id", "image_label")  # "001" is a name, no number
TASKS = ("probabilities", "label", "odd_one_out")


@dataclass(frozen=True)
class Looking:
    """What is asked of a network that looks at pictures.

    Attributes
    ----------
    record
        A region and its layers; or None.
    time_bins, steps
        In ms: the bins asked for, and when each call of the layers is.
    task
        Instead of a region, one of `TASKS`.
    fit
        For 'probabilities', the table of stimuli with labels.
    classes, labels
        For 'label': names of the network's outputs or of each label its outputs, and
        those to choose from; all if there are none.
    trials, fit_trials
        Showings of each stimulus, and of those that are fitted.

    Raises
    ------
    ValueError
        If neither or both of record and task are given.
    """

    record: tuple[str, tuple[str, ...]] | None = None
    time_bins: tuple[tuple[float, float], ...] = ()
    steps: tuple[tuple[float, float], ...] = ()
    task: str | None = None
    fit: Path | None = None
    classes: Sequence[str] | Mapping[str, Sequence[int]] | None = None
    labels: tuple[str, ...] = ()
    trials: int = 1
    fit_trials: int = 1

    def __post_init__(self) -> None:
        if (self.record is None) == (self.task is None):
            got = "neither" if self.task is None else "both"
            raise ValueError(
                f"a region or a task must be given, one of them, got {got}"
            )
        if self.task == "probabilities" and self.fit is None:
            rule = "given for probabilities, a table with image_label"
            raise ValueError(f"stimuli to fit must be {rule}, got none")


def look_at(
    observer: Any, stimuli: Path, asked: Looking, **options: Any
) -> "xarray.DataArray":
    """Let a network look at a table's pictures and do what is asked.

    Parameters
    ----------
    observer
        A network.
    stimuli
        A table (.csv) with `stimulus_id` and a column of files, which are relative to
        it.
    asked
        A region to record or a task.
    **options
        Of `as_brain_model`.

    Raises
    ------
    ValueError
        If the table, or what is asked, cannot be.
    FileNotFoundError
        If a picture is not there.
    LookupError
        If there is no such layer or class.
    """
    from ...models.brain_score.as_brain_model import as_brain_model

    region, layers = asked.record or ("", ())
    model = as_brain_model(
        observer,
        {region: layers} if layers else {},
        times={region: asked.steps} if asked.steps else None,
        classes=asked.classes,
        **options,
    )
    if layers:
        model.start_recording(region, asked.time_bins or None)
    elif asked.fit is not None and asked.task == "probabilities":
        fitted = read_stimuli(asked.fit)
        model.start_task("probabilities", fitted, asked.fit_trials)
    else:
        model.start_task(asked.task, list(asked.labels) or "imagenet")
    found = model.look_at(read_stimuli(stimuli), asked.trials)
    assert found is not None
    return found


def read_stimuli(path: Path) -> "PictureSet":
    """Read a table of stimuli (.csv), its pictures relative to it.

    Raises
    ------
    ValueError
        If it has no stimuli, no `stimulus_id` or no file of one, or is no table.
    FileNotFoundError
        If a picture is not there.
    """
    import pandas as pd

    from ...models.brain_score.stimuli import picture_set, presented

    kinds: Any = dict.fromkeys(_TEXTS, str)
    try:
        table = pd.read_csv(path, dtype=kinds, encoding="utf-8", keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeError) as error:
        got = str(error).splitlines()[0]
        raise ValueError(f"{path.name} must be a table (.csv), got {got}") from error
    shown = presented(table, path.parent)
    return picture_set(shown.columns, shown.files, path.stem)

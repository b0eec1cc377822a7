"""Models fitted to a recording, one after the other, each a file of weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .cell_scores import CellScores, score_cells

if TYPE_CHECKING:
    from ...experiments.recordings.recording import Recording
    from ...models.ganglion_cells.fitting import FitSettings
    from ...models.ganglion_cells.stimulus_fit import Progress


def weights_file(folder: Path, model: str) -> Path:
    """Give where the weights of a model stand."""
    return folder / f"{model}.pt"


def fit_retina(
    recording: "Recording",
    models: Sequence[str],
    folder: Path,
    *,
    settings: "FitSettings | None" = None,
    device: str | None = None,
    progress: "Progress | None" = None,
) -> list[CellScores]:
    """Fit models to a recording, write their weights and score them.

    What was fitted before to the same recording is read, and what was interrupted goes
    on.

    Parameters
    ----------
    models
        Their names; `models.ganglion_cells.fitting.MODELS`.
    folder
        For the weights, a file for each model, and for what fits keep on the way. It is
        made.

    Raises
    ------
    ValueError
        If there is no such model, or a file in the folder is of another recording.
    RecordingError
        If the recording lacks what a model is fitted to or scored by.
    """
    from ...models.ganglion_cells.fitted_file import load_fitted, save_fitted
    from ...models.ganglion_cells.fitting import (
        fit,
        fit_hash,
        needs_repeats,
        require_model,
        shared_name,
    )

    for name in models:
        require_model(name)
        if needs_repeats(name):
            recording.of("repeats", with_stimulus=False)
    recording.of("test")
    folder.mkdir(parents=True, exist_ok=True)
    scores = []
    for name in models:
        path, wanted = weights_file(folder, name), fit_hash(name, recording, settings)
        if path.is_file():
            model, of = load_fitted(path)
            if of.sha256 != recording.sha256:
                rule = f"of recording {recording.name}, or removed"
                got = f"one of {of.name} ({of.sha256[:8]})"
                raise ValueError(f"{str(path)!r} must be {rule}, got {got}")
            if of.fit != wanted:
                rule = "of the same likelihood, epochs and seed, or removed"
                raise ValueError(f"{str(path)!r} must be {rule}, got one of others")
        else:
            model = fit(
                name,
                recording,
                settings=settings,
                kept=folder / f"{shared_name(name)}.part",
                device=device,
                progress=progress,
            )
            save_fitted(path, model, recording, wanted)
        scores.append(score_cells(model, recording))
    return scores

"""Part B: people beside the template, circuits, trained and pretrained networks.

`yoked score` of these observers, and of a network that learns the person's responses:
what it learnt is left out.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...experiments.session.results import SessionData
from ..scores.card import Score
from ..scores.kept import KeptAnswers
from ..scores.outcome import write_score
from ..scores.score import score

if TYPE_CHECKING:
    from ...experiments.session.observer import Observer
    from ...models.simulate import Progress

CIRCUITS = ("linear", "ln", "hammerstein", "energy", "max", "gain-control")
TRAINED = "retina-cnn"
PRETRAINED = "mobilenet-v2"
_SMALL_PX = 64  # of the pretrained network's input, for 9,900 trials in minutes
MOST_FRAMES = 4  # of what a network of pictures sees one by one
_EPOCHS = 12


def beside_people(
    log: Path,
    people: Sequence[SessionData],
    out: Path,
    progress: "Progress | None" = None,
) -> list[Score]:
    """Score the observers, task by task; files as `yoked score` writes them.

    Parameters
    ----------
    log
        The trial log in which the people are.
    people
        Their sessions.
    out
        Folder, which is made, with one inside for each protocol. What was shown there
        before is read.
    progress
        As in `yoked.run`.
    """
    names = dict.fromkeys(each.protocol.name for each in people)
    found = []
    for name in names:
        sessions = [each for each in people if each.protocol.name == name]
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        observers = _observers(log, sessions[0], folder, progress)
        ask = KeptAnswers(folder / "answers", progress)
        made = score(observers, sessions, ask=ask, progress=progress)
        write_score(made, folder)
        found.append(made)
    return found


def _observers(
    log: Path, session: SessionData, folder: Path, progress: "Progress | None"
) -> "list[Observer]":
    from ...models.registry import load

    observers = [load(name) for name in ("template", *CIRCUITS, TRAINED)]
    observers.append(_shadow(log, session, folder / "shadow.safetensors", progress))
    if session.protocol.frame_shape[0] <= MOST_FRAMES:
        with suppress(FileNotFoundError):  # its weights were not fetched
            observers.append(load(PRETRAINED, size_px=_SMALL_PX))
    return observers


def _shadow(
    log: Path, session: SessionData, file: Path, progress: "Progress | None"
) -> "Observer":
    """Give a network that learnt a session's responses, and left a fifth of them."""
    from ...models.recipes.train import train
    from ...models.registry import load

    if not file.is_file():
        recipe: dict[str, Any] = {
            "name": "shadow",
            "network": {"name": TRAINED},
            "goal": {
                "kind": "shadow",
                "session": {"db": str(log.resolve()), "id": session.id},
            },
            "training": {"epochs": _EPOCHS, "batch": 64, "rate": 1e-3, "patience": 4},
        }

        def tell(done: int, of: int, _words: str) -> None:
            if progress is not None:
                progress("shadow", done, of)

        train(recipe, file, resume=True, progress=tell)
    return load(str(file))

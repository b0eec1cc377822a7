"""Part B: people beside the template, circuits, trained and pretrained networks.

`yoked score` of these observers for each person, and of a network that learns the
person's responses: what it learnt is left out.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...experiments.session.results import SessionData
from ..scores.kept import KeptAnswers
from ..scores.outcome import write_score
from ..scores.score import CIRCUITS, score

if TYPE_CHECKING:
    from ...experiments.session.observer import Observer
    from ...models.simulate import Progress

TRAINED, PRETRAINED = "retina-cnn", "mobilenet-v2"
MOST_FRAMES = 4  # of what a network of pictures sees one by one
_SMALL_PX = 64  # of the pretrained network's input, for 9,900 trials in minutes
_EPOCHS = 12


def beside_people(
    log: Path,
    people: Sequence[SessionData],
    out: Path,
    progress: "Progress | None" = None,
) -> None:
    """Score the observers beside each person; files as `yoked score` writes them.

    Parameters
    ----------
    log
        The trial log in which the people are.
    people
        Their sessions.
    out
        Folder, which is made, with one inside for each session. What was shown there
        before is read.
    progress
        As in `yoked.run`.
    """
    for session in people:
        folder = folder_of(session, out)
        score_into(
            folder, _observers(log, session, folder, progress), session, progress
        )


def folder_of(session: SessionData, out: Path) -> Path:
    """Make the folder of a session."""
    folder = out / f"{session.protocol.name}-{session.id}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def score_into(
    folder: Path,
    observers: "Sequence[Observer]",
    session: SessionData,
    progress: "Progress | None" = None,
) -> None:
    """Score observers beside a person; what was shown there before is read."""
    ask = KeptAnswers(folder / "answers", progress)
    write_score(score(observers, session, ask=ask, progress=progress), folder)


def left_out(people: Sequence[SessionData]) -> str | None:
    """Say who of part B cannot take part, before anything is done."""
    from ...models.networks.pretrained import weights_file

    is_asked = any(_is_still(each) for each in people)
    if not is_asked or weights_file(PRETRAINED).is_file():
        return None
    return f"part B: without {PRETRAINED}, which `yoked weights {PRETRAINED}` fetches"


def _is_still(session: SessionData) -> bool:
    return session.protocol.frame_shape[0] <= MOST_FRAMES


def _observers(
    log: Path, session: SessionData, folder: Path, progress: "Progress | None"
) -> "list[Observer]":
    from ...models.networks.pretrained import weights_file
    from ...models.registry import load

    observers = [load(name) for name in ("template", *CIRCUITS, TRAINED)]
    observers.append(_shadow(log, session, folder / "shadow.safetensors", progress))
    if _is_still(session) and weights_file(PRETRAINED).is_file():
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

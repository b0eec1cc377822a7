"""People who did the tasks of the figure, and the networks beside them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...experiments.protocols.files import load_protocol
from .people import folder_of, score_into

if TYPE_CHECKING:
    from ...experiments.session.results import SessionData
    from ...models.simulate import Progress


def people_of_tasks(
    people: "Sequence[SessionData]", tasks: Sequence[str]
) -> "list[SessionData]":
    """Give the sessions whose stimuli are those of a task.

    Raises
    ------
    ValueError
        If there is none.
    """
    hashes = {load_protocol(task).stimulus_hash for task in tasks}
    found = [each for each in people if each.protocol.stimulus_hash in hashes]
    if not found:
        rule = f"hold sessions of {' or '.join(tasks)}"
        got = ", ".join(sorted({each.protocol.name for each in people}))
        raise ValueError(f"--people must {rule}, got {got}")
    return found


def score_people(
    out: Path,
    people: "Sequence[SessionData]",
    weights: Mapping[tuple[str, str], Path],
    progress: "Progress | None" = None,
) -> None:
    """Score the networks of the first seed beside people, as `yoked score` does.

    Parameters
    ----------
    out
        Folder, which is made, with one inside for each session. What was shown there
        before is read.
    people
        Their sessions.
    weights
        By front and task.

    Raises
    ------
    ValueError
        If there is no network of somebody's task.
    """
    from ...models.registry import load

    stimuli = {task: load_protocol(task).stimulus_hash for _, task in weights}
    for session in people:
        files = [
            file
            for (_, task), file in weights.items()
            if stimuli[task] == session.protocol.stimulus_hash
        ]
        if not files:
            rule = f"trained for {session.protocol.name} to be scored"
            raise ValueError(f"networks must be {rule}, got none")
        networks = [load(str(file)) for file in files]
        score_into(folder_of(session, out), networks, session, progress)

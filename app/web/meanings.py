"""What each response means, for the buttons of a screen that takes touch."""

from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.texts import language_of
from .phrases import say


def meanings_of(protocol: Protocol, language: str) -> list[str] | None:
    """Give it by response, in the reply's language; None where nobody says it."""
    own, task = protocol.texts.responses, protocol.task
    if own:
        return list(own[language_of(own, language)])
    if task.kind == "2afc":
        return [say("example.first"), say("example.second")]
    if task.kind == "mafc" and len(task.keys) == 2:
        return [say("task.left"), say("task.right")]
    return None

"""A process of its own that looks at sessions: a server asks, and waits for nothing.

It reads the trial log for itself, has lowest priority, and ends with whoever started
it. A question is a line of JSON on its standard input, the answer one on its output.
"""

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

_NICE = 15


def serve() -> None:
    """Answer questions about the database that the command line names, until the end.

    `{"look": ID}` asks for a session, `{"row": ID}` for its row of a table alone,
    `{"means": {GROUP: [ID, ...]}}` for mean kernels.
    """
    if hasattr(signal, "SIGINT"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it says when
    if hasattr(os, "nice"):
        os.nice(_NICE)
    replies = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # nothing else gets between them
        for reply in answers(sys.argv[1], sys.stdin):
            print(json.dumps(reply), file=replies, flush=True)


def answers(db_path: str, questions: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Give the answer to each question, or the `fault` that it met."""
    for line in questions:
        try:
            yield _answer(db_path, json.loads(line))
        except Exception:
            yield {"fault": traceback.format_exc()}


def _answer(db_path: str, asked: dict[str, Any]) -> dict[str, Any]:
    from ...experiments.session.results import session_data
    from ...experiments.store.sqlite import open_store
    from .looks import look_at, means_of, row_of

    store = open_store(db_path, create=False, to_read=True)
    try:
        if "look" in asked:
            return look_at(session_data(store, asked["look"]))
        if "row" in asked:
            return {"table": row_of(session_data(store, asked["row"]))}
        groups = {
            label: [session_data(store, each) for each in sessions]
            for label, sessions in asked["means"].items()
        }
        return {"pictures": means_of(groups)}
    finally:
        store.close()

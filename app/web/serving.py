"""The web task as a process: an application, served as its settings say."""

import contextlib
import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.sittings import SittingPlan
from ..accounts.single_sign_on import SingleSignOn
from ..hosting.process import run
from ..hosting.settings import Settings
from .server import create_app

_SELDOM = 10


def serve(
    db_path: str | Path,
    protocol: Protocol | str | None = None,
    settings: Settings | None = None,
    lut: str = "srgb",
    announce: Callable[[str], None] = print,
    plan: SittingPlan | None = None,
) -> None:
    """Serve the web task until it is told to end.

    Parameters
    ----------
    db_path, protocol, lut, plan
        As for `create_app`.
    settings
        Where it listens, and what stands before it.
    announce
        Told the public address once the server listens.

    Raises
    ------
    OSError
        If the port is in use, or may not be used.
    """
    told = settings or Settings()
    sso = None
    if told.sign_on_header:  # which the front has put into REMOTE_USER
        sso = SingleSignOn(told.trusted_proxies, makes_accounts=True)
    app = create_app(db_path, protocol, lut, plan=plan, single_sign_on=sso)

    def get_ready() -> None:
        # What a first trial loads and compiles keeps nobody waiting later.
        app.extensions["yoked"].health.warm()
        gc.collect()
        gc.freeze()  # what is there by now stays, and is not looked at again

    with _few_pauses():
        warm = threading.Thread(target=get_ready, daemon=True)
        warm.start()
        try:
            run(app, told, announce)
        finally:
            warm.join()
            app.extensions["yoked"].close()


@contextlib.contextmanager
def _few_pauses() -> Iterator[None]:
    """Let Python look for garbage a tenth as often, through all objects a hundredth.

    It replies to nobody meanwhile: of 300 sessions .2 to .4 s.
    """
    before = gc.get_threshold()
    gc.set_threshold(_SELDOM * before[0], before[1], _SELDOM * before[2])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()

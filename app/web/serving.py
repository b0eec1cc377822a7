"""The server process: sockets, threads, and that no client costs another one anything.

Waitress reads and writes all connections in one thread and hands whole requests to
others, so a slow client holds no thread. What an idle one holds is a file descriptor.
"""

import logging
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from ...experiments.protocols.protocol import Protocol
from ...experiments.protocols.sittings import SittingPlan
from .responses import MOST_BYTES
from .server import create_app

THREADS = 16
MOST_CONNECTIONS = 16_384  # a browser holds six
_FILES_BESIDE = 256  # that the process may have open besides connections
_WITHOUT_POLL = 500  # select() of Windows takes 512
_IDLE_S = 60  # a browser opens a connection anew without anybody noticing
_ROOM = 0.95  # above this share of the connections the idlest make room


def serve(
    db_path: str | Path,
    protocol: Protocol | str | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    lut: str = "srgb",
    announce: Callable[[str], None] = print,
    plan: SittingPlan | None = None,
) -> None:
    """Serve the web task until it is interrupted.

    Parameters
    ----------
    db_path, protocol, lut, plan
        As for `create_app`.
    host, port
        Where to listen; port 0 takes any that is free.
    announce
        Told the address once the server listens.

    Raises
    ------
    OSError
        If the port is in use, or may not be used.
    """
    app = create_app(db_path, protocol, lut, plan=plan)
    # A queue is what a burst of responses makes; it needs nobody's attention.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        with _listening(host, port) as listener:
            server = _Server(app, listener, most_connections())
            announce(f"http://{host}:{listener.getsockname()[1]}/")
            server.run()
    finally:
        app.extensions["yoked"].close()


def most_connections() -> int:
    """Give how many connections may be open, as many as the system lets us have."""
    if not hasattr(select, "poll"):
        return _WITHOUT_POLL
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + _FILES_BESIDE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS has a lower limit of its own
            wanted = soft
    return max(_FILES_BESIDE, wanted - _FILES_BESIDE)


class _Server(TcpWSGIServer):
    """Waitress's server; the connections idle for longest make room for new ones."""

    def __init__(self, app: Any, listener: socket.socket, most: int) -> None:
        adjustments = Adjustments(
            sockets=[listener],
            threads=THREADS,
            connection_limit=most,
            channel_timeout=_IDLE_S,
            cleanup_interval=5,
            max_request_header_size=32 * 1024,
            max_request_body_size=2 * MOST_BYTES,  # or it would go to the disk first
            asyncore_use_poll=True,  # select() takes no file descriptor over 1,023
        )
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(THREADS)
        address = listener.getsockname()
        super().__init__(
            app,
            map={},
            _sock=listener,
            dispatcher=dispatcher,
            adj=adjustments,
            sockinfo=(listener.family, listener.type, listener.proto, address),
            bind_socket=False,
        )

    def readable(self) -> bool:
        """Say whether connections are taken; called before each round of the loop."""
        self._make_room()
        return super().readable()

    def _make_room(self) -> None:
        limit = self.adj.connection_limit
        channels: Any = self.active_channels
        if len(channels) < _ROOM * limit:
            return
        idle = [
            channel
            for channel in channels.values()
            if not (channel.requests or channel.total_outbufs_len or channel.will_close)
        ]
        idle.sort(key=lambda channel: channel.last_activity)
        for channel in idle[: max(1, limit // 20)]:
            channel.will_close = True


def _listening(host: str, port: int) -> socket.socket:
    """Listen before the server is made: waitress leaves files open when it cannot."""
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = (error.strerror or str(error)).split(" (")[0].lower()
        raise OSError(f"port {port} of {host} must be free to use: {reason}") from error

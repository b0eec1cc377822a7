"""The server process: sockets, threads, its end, and that no client costs another one.

Waitress reads and writes all connections in one thread and hands whole requests to
others, so a slow client holds no thread. What an idle one holds is a file descriptor.
"""

import contextlib
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from flask import Flask
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from .channel import Channel
from .front import put_behind
from .settings import Settings
from .watched import Watched

OWN_ADDRESS = "YOKED_OWN_ADDRESS"  # where processes of this machine reach us
THREADS = 16
MOST_CONNECTIONS = 16_384  # a browser holds six
GRACE_S = 10.0  # for requests in flight when the server is told to end
_FILES_BESIDE = 256  # that the process may have open besides connections
_WITHOUT_POLL = 500  # select() of Windows takes 512
_IDLE_S = 60  # a browser opens a connection anew without anybody noticing
_ROOM = 0.95  # above this share of the connections the idlest make room
# Windows ends a process without a word where Unix sends SIGTERM; it has Ctrl-Break.
_SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK")


def run(app: Flask, settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve an application until SIGTERM or Ctrl-C, and then what is in flight.

    A second signal ends it at once.

    Parameters
    ----------
    app
        The application; from now on it stands behind `Front`.
    settings
        Where it listens, and what stands before it.
    announce
        Told the public address once the server listens.

    Raises
    ------
    OSError
        If the port is in use, or may not be used.
    """
    put_behind(app, settings)
    with listening(settings.host, settings.port) as listener:
        server = _Server(app, listener, most_connections())
        port = listener.getsockname()[1]
        app.config[OWN_ADDRESS] = _from_here(listener, settings.root)
        with _ending(server.end):
            announce(settings.url or f"http://{settings.host}:{port}{settings.root}")
            server.run()


def _from_here(listener: socket.socket, root: str) -> str:
    """Give the address by which this very machine reaches a server."""
    host, port = listener.getsockname()[:2]
    if listener.family == socket.AF_INET6:
        host = f"[{'::1' if host == '::' else host}]"
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}{root}"


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


@contextlib.contextmanager
def _ending(end: Callable[[], None]) -> Iterator[None]:
    """Call `end` at the first signal to end; the next one interrupts."""

    def told(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        end()

    if threading.current_thread() is not threading.main_thread():
        yield  # which alone hears signals
        return
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    before = {number: signal.signal(number, told) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(TcpWSGIServer):
    """Waitress's server; the connections idle for longest make room for new ones."""

    channel_class: Any = Channel

    def __init__(self, app: Flask, listener: socket.socket, most: int) -> None:
        most_bytes = app.config["MAX_CONTENT_LENGTH"]
        adjustments = Adjustments(
            sockets=[listener],
            threads=THREADS,
            connection_limit=most,
            channel_timeout=_IDLE_S,
            cleanup_interval=5,
            max_request_header_size=32 * 1024,
            max_request_body_size=2 * most_bytes,  # or it would go to the disk first
            channel_request_lookahead=1,  # so that the loop need not look away and back
            clear_untrusted_proxy_headers=False,  # `Front` does
            ident="",
        )
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(THREADS)
        self._is_ending = self._is_pulled = False
        self._listener = listener
        self.quiet = threading.local()  # where a thread serves that wakes it itself
        self._places: dict[int, Any] = {}  # by file descriptor: what the loop looks at
        self.watched = Watched(self._places)
        address = listener.getsockname()
        super().__init__(
            app,
            map=self._places,
            _sock=listener,
            dispatcher=dispatcher,
            adj=adjustments,
            sockinfo=(listener.family, listener.type, listener.proto, address),
            bind_socket=False,
        )

    def pull_trigger(self) -> None:
        """Wake the loop, as waitress asks: not at the end of each request."""
        if not getattr(self.quiet, "here", False):
            self.wake()

    def wake(self) -> None:
        """Wake the loop, once however many ask for it before it looks."""
        if not self._is_pulled:
            self._is_pulled = True
            super().pull_trigger()

    def end(self) -> None:
        """Let `run` return soon; a handler of signals may call it."""
        self._is_ending = True
        self.wake()

    def run(self) -> None:
        """Serve until `end`; then take no more, and reply to what was asked."""
        try:
            while not self._is_ending:
                self._turn()
            for _ in range(2):  # who has connected by now, and what they have sent
                self._turn(0)
            self.del_channel()
            self._listener.close()
            deadline = time.monotonic() + GRACE_S
            while self._channels() and time.monotonic() < deadline:
                for channel in self._channels():
                    channel.will_close = channel.will_close or channel.is_idle
                self._turn(0.05)
        finally:
            # Whoever still waits has no acknowledgement, and sends it again later.
            self.task_dispatcher.shutdown(timeout=1)
            for channel in self._channels():
                channel.handle_close()
            trigger: Any = self.trigger
            trigger.close()
            self.watched.close()

    def del_channel(self, map: Any = None) -> None:
        own: Any = self
        self.watched.forget(own._fileno)
        super().del_channel(map)

    def _channels(self) -> list[Channel]:
        channels: Any = self.active_channels
        return list(channels.values())

    def _turn(self, timeout_s: float = 1.0) -> None:
        self._is_pulled = False  # before it looks: who changes something later wakes it
        own: Any = self
        self.watched.turn(timeout_s, (own._fileno, own.trigger._fileno))

    def readable(self) -> bool:
        """Say whether connections are taken; called before each round of the loop."""
        self._make_room()
        return super().readable()

    def _make_room(self) -> None:
        limit = self.adj.connection_limit
        open_now: Any = self.active_channels
        if len(open_now) < _ROOM * limit:
            return
        channels = self._channels()
        idle = [
            channel
            for channel in channels
            if not (channel.requests or channel.total_outbufs_len or channel.will_close)
        ]
        idle.sort(key=lambda channel: channel.last_activity)
        for channel in idle[: max(1, limit // 20)]:
            channel.will_close = True
            own: Any = channel
            self.watched.look_at(own._fileno)


def listening(host: str, port: int) -> socket.socket:
    """Listen on an address.

    Before a server is made: waitress leaves files open when it cannot.

    Raises
    ------
    OSError
        If the port is in use, or may not be used.
    """
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        reason = (error.strerror or str(error)).split(" (")[0].lower()
        raise OSError(f"port {port} of {host} must be free to use: {reason}") from error

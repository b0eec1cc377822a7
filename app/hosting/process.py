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
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from .front import put_behind
from .settings import Settings

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


class _Channel(HTTPChannel):
    """A connection, whose name in the log has no address."""

    def __repr__(self) -> str:
        return "a connection"

    __str__ = __repr__

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way, read or replied to, in whole or in part."""
        return not (self.requests or self.total_outbufs_len or self.request)

    def add_channel(self, map: Any = None) -> None:
        super().add_channel(map)
        own: Any = self
        own.server.watched.look_at(own._fileno)

    def del_channel(self, map: Any = None) -> None:
        own: Any = self
        own.server.watched.forget(own._fileno)
        super().del_channel(map)

    def writable(self) -> bool:
        """Whether the loop can send something, and no thread is about to.

        Who sends lets go of the interpreter; a loop that tried to send as well would
        take it at once, again and again, and leave that thread waiting.
        """
        if not super().writable():
            return False
        most = self.adj.outbuf_high_watermark  # above it the thread waits for the loop
        if not self.requests or self.total_outbufs_len > most:
            return True
        is_free = self.outbuf_lock.acquire(False)
        if is_free:
            self.outbuf_lock.release()
        return is_free

    def write_soon(self, data: Any) -> int:
        """Send, in the thread that replies; the loop sends what a slow one leaves."""
        n_bytes = super().write_soon(data)
        if self.total_outbufs_len:
            self._tell()
        return n_bytes

    def service(self) -> None:
        """Reply to requests, in a thread of its own; the loop looks once it is done."""
        try:
            super().service()
        finally:
            self._tell()

    def _tell(self) -> None:
        """Let the loop ask what there is to do."""
        own: Any = self
        own.server.watched.look_at(own._fileno)
        own.server.pull_trigger()


class _Asked:
    """Of Windows, which has no poll(): everything is asked each time."""

    def look_at(self, fd: int) -> None:
        """Do nothing."""

    def forget(self, fd: int) -> None:
        """Do nothing."""


class _Watched:
    """What the loop waits for, which waitress finds out anew for all before each wait.

    With 500 connections that took more of the one interpreter than all requests did.
    Here only what may have changed is asked, and everything twice a second, since
    nobody tells who was idle for too long.
    """

    _ALL_EVERY_S = 0.5

    def __init__(self, places: dict[int, Any]) -> None:
        self._places = places
        self._poll = select.poll()
        self._flags: dict[int, int] = {}
        self._changed: deque[int] = deque()
        self._all_at = 0.0

    def look_at(self, fd: int) -> None:
        """Say that what is waited for may have changed; any thread may."""
        self._changed.append(fd)

    def forget(self, fd: int) -> None:
        """Wait no more for a connection that is about to be closed."""
        if self._flags.pop(fd, 0):
            self._poll.unregister(fd)

    def turn(self, timeout_s: float, always: Iterable[int]) -> None:
        """Wait for what can be read or written, and do that.

        Parameters
        ----------
        timeout_s
            The longest wait; 0 looks at everything, as what is less than a second does.
        always
            File descriptors to look at each time.
        """
        now = time.monotonic()
        if timeout_s < 1 or now >= self._all_at:
            self._all_at = now + self._ALL_EVERY_S
            self._changed.extend(self._places)
        for fd in always:  # at which others may be told to go
            self._ask(fd)
        for fd in {*self._taken()}:
            self._ask(fd)
        wait_s = min(timeout_s, self._ALL_EVERY_S)
        for fd, flags in self._poll.poll(int(1000 * wait_s)):
            found = self._places.get(fd)
            if found is not None:
                wasyncore.readwrite(found, flags)
            self._changed.append(fd)

    def _taken(self) -> list[int]:
        return [self._changed.popleft() for _ in range(len(self._changed))]

    def _ask(self, fd: int) -> None:
        found = self._places.get(fd)
        flags = 0
        if found is not None:
            if found.readable():
                flags |= select.POLLIN | select.POLLPRI
            if found.writable() and not found.accepting:
                flags |= select.POLLOUT
        known = self._flags.get(fd, 0)
        if flags == known:
            return
        if flags:
            self._poll.register(fd, flags)
            self._flags[fd] = flags
        else:
            self.forget(fd)


class _Server(TcpWSGIServer):
    """Waitress's server; the connections idle for longest make room for new ones."""

    channel_class: Any = _Channel

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
            asyncore_use_poll=True,  # select() takes no file descriptor over 1,023
            clear_untrusted_proxy_headers=False,  # `Front` does
            ident="",
        )
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(THREADS)
        self._is_ending = self._is_pulled = False
        self._listener = listener
        self._places: dict[int, Any] = {}  # by file descriptor: what the loop looks at
        self.watched = _Watched(self._places) if hasattr(select, "poll") else _Asked()
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
        """Wake the loop, once however many ask for it before it looks."""
        if not self._is_pulled:
            self._is_pulled = True
            super().pull_trigger()

    def end(self) -> None:
        """Let `run` return soon; a handler of signals may call it."""
        self._is_ending = True
        self.pull_trigger()

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

    def _channels(self) -> list[_Channel]:
        channels: Any = self.active_channels
        return list(channels.values())

    def _turn(self, timeout_s: float = 1.0) -> None:
        self._is_pulled = False  # before it looks: who changes something later wakes it
        if isinstance(self.watched, _Watched):
            own: Any = self
            self.watched.turn(timeout_s, (own._fileno, own.trigger._fileno))
        else:
            wasyncore.loop(timeout_s, map=self._places, count=1)

    def readable(self) -> bool:
        """Say whether connections are taken; called before each round of the loop."""
        self._make_room()
        return super().readable()

    def _make_room(self) -> None:
        limit = self.adj.connection_limit
        if len(self.active_channels) < _ROOM * limit:
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

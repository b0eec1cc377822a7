"""A connection of the server: threads reply on it, and wake the loop only if need be.

Waitress lets a thread and its loop both see to what is to be sent. Sending lets go of
the interpreter; with the loop at the same connection each took it from the other, and
replies waited for that more than for anything else.
"""

from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import WSGITask

_AT_ONCE_BYTES = 16 * 1024  # of a reply that is sent when it is complete


class _Task(WSGITask):
    """A request that is replied to."""

    def service(self) -> None:
        channel: Any = self.channel
        channel.gather()
        try:
            super().service()
        finally:
            channel.send_gathered()


class Channel(HTTPChannel):
    """A connection, whose name in the log has no address."""

    task_class = _Task
    _gathered: bytes | None = None  # of the reply that a thread is at

    def __repr__(self) -> str:
        return "a connection"

    __str__ = __repr__

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way, read or replied to, in whole or in part."""
        return not (self.requests or self.total_outbufs_len or self.request)

    def add_channel(self, map: Any = None) -> None:
        """Let the loop look at a connection that is new."""
        super().add_channel(map)
        own: Any = self
        own.server.watched.look_at(own._fileno)

    def del_channel(self, map: Any = None) -> None:
        """Let the loop forget a connection that is about to be closed."""
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

    def gather(self) -> None:
        """From now on gather small parts of a reply: its head goes with its body."""
        self._gathered = b""

    def write_soon(self, data: Any) -> int:
        """Send, in the thread that replies; the loop sends what a slow one leaves."""
        if self._gathered is not None and isinstance(data, bytes):
            self._gathered += data
            if len(self._gathered) >= _AT_ONCE_BYTES:
                self._send(self._gathered)
                self._gathered = b""
            return len(data)
        if self._gathered:
            self._send(self._gathered)
            self._gathered = b""
        return self._send(data)

    def send_gathered(self) -> None:
        """Send what was gathered, and gather no more."""
        left, self._gathered = self._gathered, None
        if left and self.connected:
            self._send(left)

    def _send(self, data: Any) -> int:
        n_bytes = super().write_soon(data)
        if self.total_outbufs_len:
            self._tell()
        return n_bytes

    def service(self) -> None:
        """Reply to a request, in a thread of its own.

        The loop is woken where it has something to do, which waitress always does.
        """
        own: Any = self
        server = own.server
        server.quiet.here = True
        try:
            super().service()
        finally:
            server.quiet.here = False
            ends = self.will_close or self.close_when_flushed
            if self.total_outbufs_len or ends or not server.watched.hears(own._fileno):
                self._tell()

    def _tell(self) -> None:
        """Let the loop ask what there is to do."""
        own: Any = self
        own.server.watched.look_at(own._fileno)
        own.server.wake()

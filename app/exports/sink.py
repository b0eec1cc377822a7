"""A file that is taken away as it is written: what streams has no place to seek to."""


class Sink:
    """Holds what was written since it was last taken; it cannot be read or sought.

    Examples
    --------
    >>> sink = Sink()
    >>> sink.write(b"one"), sink.taken(), sink.taken()
    (3, b'one', b'')
    """

    closed = False

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self._written.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """Give what was written since the last time, and forget it."""
        found, self._written = b"".join(self._written), []
        return found

    def flush(self) -> None:
        """Do nothing: nothing waits."""

    def close(self) -> None:
        """Be told that there is no more."""
        self.closed = True

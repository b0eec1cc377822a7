"""What a server closes with its own files."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Closing(Protocol):
    """What has files that are closed at the end."""

    def close(self) -> None: ...  # noqa: D102

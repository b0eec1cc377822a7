"""The time of day, as the trial log writes it."""

from datetime import UTC, datetime


def utc_now() -> str:
    """Give the time in ISO 8601, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")

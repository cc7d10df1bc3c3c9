"""New ids and the time now."""

from datetime import UTC, datetime

from uuid_utils.compat import uuid7


def new_id() -> str:
    """A UUIDv7 (RFC 9562), canonical text."""
    return str(uuid7())


def utc_now() -> datetime:
    """Now, cut to the milliseconds that the interface shows, so that what is stored is what was answered."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def from_unix(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

"""The scalar types of the interface that are no text: ids, times, numbers.

Ids travel as canonical lower-case strings, never as `uuid.UUID`: they are keys of channels, rooms and maps far more
often than they are numbers.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema

MAX_INT64 = 2**63 - 1

_UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"

Id = Annotated[str, StringConstraints(pattern=_UUID, to_lower=True, min_length=36, max_length=36)]
"""A UUIDv7 in canonical text form; upper case is accepted and made lower."""

Seq = Annotated[int, Field(ge=0, le=MAX_INT64)]
"""A position in a conversation: `seq` or `change_seq`; 0 is before the first."""


def format_time(value: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as every time in the interface: `2026-01-31T12:00:00.000Z`."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("must include a time zone")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time between the years 1 and 9999") from None


Timestamp = Annotated[
    datetime,
    AfterValidator(_in_utc),
    PlainSerializer(format_time, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


ClientMessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""The sender's own name for one message in one conversation, for ever."""

Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{3,32}$", to_lower=True)]
"""3 to 32 of a-z 0-9 _ . -, unique without regard to case; kept in lower case."""

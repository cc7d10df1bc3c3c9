"""The scalar types of the interface that are no text: ids, times, numbers.

Ids travel as canonical lower-case strings, never as `uuid.UUID`: they are keys of channels, rooms and maps far more
often than they are numbers.
"""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

MAX_INT64 = 2**63 - 1

_UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"

Id = Annotated[str, StringConstraints(pattern=_UUID, to_lower=True, min_length=36, max_length=36)]
"""A UUIDv7 in canonical text form; upper case is accepted and made lower."""

SYSTEM_USER_ID = "00000000-0000-7000-8000-000000000001"
"""Of the bot that sends what server keys let conversations say, and that is nobody's member. Auth makes it."""

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

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _parsed(value: object) -> object:
    """Parse text to a time in UTC; leave anything else to be refused as of the wrong type."""
    if not isinstance(value, str):
        return value
    try:
        if not _RFC_3339.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be an RFC 3339 time, such as 2026-01-31T12:00:00Z") from None


GivenTime = Annotated[
    datetime, BeforeValidator(_parsed), PlainSerializer(format_time, return_type=str, when_used="json")
]
"""A time in a client's request."""

ClientMessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""The sender's own name for one message in one conversation, for ever."""

MENTION_ALL = "all"
"""What mentions everybody in a conversation, and can be nobody's username."""


def _of_one_user(username: str) -> str:
    if username == MENTION_ALL:
        raise ValueError(f"must not be {MENTION_ALL}, which mentions everybody")
    return username


Username = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{3,32}$", to_lower=True), AfterValidator(_of_one_user)
]
"""3 to 32 of a-z 0-9 _ . -, unique without regard to case; kept in lower case."""

MAX_EXTERNAL_ID_CHARS = 255


def external_id(text: str) -> str:
    """Return it in NFC, as it is kept and compared. Raises ValueError when it can't be one.

    U+FFFD stands for bytes of a path that are no UTF-8.
    """
    normal = unicodedata.normalize("NFC", text)
    if not 1 <= len(normal) <= MAX_EXTERNAL_ID_CHARS:
        raise ValueError(f"must have 1 to {MAX_EXTERNAL_ID_CHARS} characters")
    if any(unicodedata.category(char)[0] in "CZ" or char == "\ufffd" for char in normal):
        raise ValueError("must have visible characters only, and no blanks")
    return normal


ExternalId = Annotated[str, AfterValidator(external_id)]
"""What a host app calls a user or a conversation: byte for byte after NFC."""

EXTERNAL = "external:"
"""Before an external id where an id may stand as well."""


def is_id(text: str) -> bool:
    return re.fullmatch(_UUID, text) is not None

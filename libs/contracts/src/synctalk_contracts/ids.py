"""The scalar types of the interface: ids, times, texts, numbers.

Ids travel as canonical lower-case strings, never as `uuid.UUID`: they are keys of channels, rooms and maps far more
often than they are numbers. Text is counted in Unicode code points; NUL and lone surrogates are refused, because
PostgreSQL cannot hold them.
"""

import unicodedata
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
        raise ValueError("a time needs a time zone")
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


def _no_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain NUL")
    try:
        value.encode()
    except UnicodeEncodeError:
        # JSON's `\ud800` becomes one in Python, and pydantic lets it pass.
        raise ValueError("must not contain lone surrogates") from None
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be only white space")
    return value


def _is_pictograph(c: str) -> bool:
    """Unicode's blocks of pictures, also those that this Python's table does not know yet."""
    return 0x1F000 <= ord(c) <= 0x1FAFF


def _is_hidden(c: str) -> bool:
    return unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and not _is_pictograph(c)


def _visible_name(value: str) -> str:
    """NFKC, without control or direction-changing characters (UTS 39): a name must not be able to lie."""
    value = unicodedata.normalize("NFKC", value).strip()
    if any(_is_hidden(c) and c != "\u200d" for c in value):
        raise ValueError("must not contain control or invisible characters")
    return value


MAX_BODY_CHARS = 8_000

Body = Annotated[
    str, Field(min_length=1, max_length=MAX_BODY_CHARS), AfterValidator(_no_nul), AfterValidator(_not_blank)
]
"""A message's text, kept to the letter as it was sent."""

Name = Annotated[
    str, Field(min_length=1, max_length=64), AfterValidator(_visible_name), Field(min_length=1, max_length=64)
]
"""A display name."""

Title = Annotated[
    str,
    Field(min_length=1, max_length=128),
    AfterValidator(_visible_name),
    Field(min_length=1, max_length=128),
]
"""A group's title."""

ClientMessageId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""The sender's own name for one message in one conversation, for ever."""

Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{3,32}$", to_lower=True)]
"""3 to 32 of a-z 0-9 _ . -, unique without regard to case; kept in lower case."""

Text = Annotated[str, AfterValidator(_no_nul)]
"""Any text that PostgreSQL can hold; bound it where it is used."""


_LETTER_EMOJI = "\u2139"  # the information sign, by its category a letter


def _is_emoji(value: str) -> str:
    """No letters, marks or spaces of ordinary text: a bounded, forgiving check rather than Unicode's table."""
    if any(_is_ordinary(c) and c != _LETTER_EMOJI for c in value):
        raise ValueError("must be one emoji")
    if not any(ord(c) >= 0x203C or c in "\u00a9\u00ae\u20e3" for c in value):
        raise ValueError("must be one emoji")
    return value


def _is_ordinary(c: str) -> bool:
    return not _is_pictograph(c) and (c.isspace() or c.isalpha() or unicodedata.category(c) in ("Cc", "Co", "Cs", "Cn"))


Emoji = Annotated[str, Field(min_length=1, max_length=16), AfterValidator(_is_emoji)]

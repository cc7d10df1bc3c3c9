"""Times in cursors: whole milliseconds, like all stored times."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MAX_MILLIS = 10**14
Millis = Annotated[int, Field(ge=0, le=_MAX_MILLIS)]


def millis(time: datetime) -> int:
    """Return the time as in a cursor; what is before 1970 or after 5138 as the first or the last moment."""
    return min(max((time - _EPOCH) // timedelta(milliseconds=1), 0), _MAX_MILLIS)


def millis_from(time: datetime) -> int:
    """Return the first millisecond that is not before the time, in the same bounds."""
    return min(max(-((_EPOCH - time) // timedelta(milliseconds=1)), 0), _MAX_MILLIS)


def time_of(value: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=value)

"""Times in cursors: whole milliseconds, like all stored times."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Millis = Annotated[int, Field(ge=0, le=10**14)]


def millis(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(milliseconds=1)


def time_of(value: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=value)

"""What the endpoints share: pages, their query parameters, and the declared errors."""

from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from synctalk_contracts.base import Contract
from synctalk_contracts.errors import ErrorCode
from synctalk_runtime import cursors, openapi

T = TypeVar("T")


class Page(Contract, Generic[T]):
    items: list[T]
    next_cursor: str | None
    """To be passed as `?cursor=` for the next page; null on the last one."""


PageLimit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(min_length=1, max_length=cursors.MAX_CHARS)]

_CODES = {
    400: (ErrorCode.MALFORMED, ErrorCode.BAD_CURSOR),
    401: openapi.BEARER,
    403: (ErrorCode.FORBIDDEN,),
    404: (ErrorCode.NOT_FOUND,),
    409: (ErrorCode.CONFLICT, ErrorCode.CLIENT_MESSAGE_ID_REUSED),
    413: (ErrorCode.TOO_LARGE,),
    422: (ErrorCode.INVALID,),
    429: (ErrorCode.RATE_LIMITED,),
}
_ALWAYS = (401, 422, 429)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the declared errors of an endpoint: these, and those that every endpoint has."""
    codes = [code for status in sorted({*statuses, *_ALWAYS}) for code in _CODES[status]]
    return openapi.refusals(*codes, describe=", ".join)

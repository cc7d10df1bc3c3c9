"""What the routes share: pages, their query parameters, the errors that each may answer with, the limits by person."""

from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from synctalk_contracts.base import Contract
from synctalk_contracts.errors import ErrorBody
from synctalk_runtime.limits import Limit
from synctalk_runtime.tokens import CurrentPerson

from synctalk_api.parts import TheParts

T = TypeVar("T")


class Page(Contract, Generic[T]):
    items: list[T]
    next_cursor: str | None
    """Given back as `?cursor=`; null on the last page."""


PageLimit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(min_length=1, max_length=1024)]

_MEANING = {
    400: "malformed, bad_cursor",
    401: "unauthenticated, token_expired",
    403: "forbidden",
    404: "not_found",
    409: "conflict, client_message_id_reused",
    422: "invalid",
    429: "rate_limited",
    503: "unavailable",
}
_ALWAYS = (401, 422, 429, 503)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The declared error answers of a route: these, and those that every route has."""
    return {s: {"model": ErrorBody, "description": _MEANING[s]} for s in sorted({*statuses, *_ALWAYS})}


async def _reading(person: CurrentPerson, parts: TheParts) -> None:
    settings = parts.settings
    await parts.limiter.take(Limit("api_read", settings.read_rate_per_s, settings.read_burst), person.user_id)


async def _writing(person: CurrentPerson, parts: TheParts) -> None:
    settings = parts.settings
    await parts.limiter.take(Limit("api_write", settings.write_rate_per_s, settings.write_burst), person.user_id)


async def _sending(person: CurrentPerson, parts: TheParts) -> None:
    """The same bucket that the gateways take from."""
    settings = parts.settings
    await parts.limiter.take(Limit("message", settings.message_rate_per_s, settings.message_burst), person.user_id)


READING = Depends(_reading)
WRITING = Depends(_writing)
SENDING = Depends(_sending)

"""Search messages."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, TypeAdapter
from synctalk_contracts.ids import Id
from synctalk_contracts.models import SearchHit
from synctalk_contracts.text import Text
from synctalk_runtime import cursors
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.routes.dependencies import SEARCHING, ServicesDep
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals
from synctalk_api.routes.times import Millis, millis, time_of

router = APIRouter(prefix="/v1/search", tags=["search"])

_LIST = "search"
_Query = Annotated[Text, Field(min_length=1, max_length=256)]
_CURSOR = TypeAdapter(tuple[str, tuple[_Query, Id | None], tuple[Millis, Id]])


@router.get("/messages", dependencies=[SEARCHING], responses=refusals(400, 404))
async def search_messages(
    principal: CurrentPrincipal,
    services: ServicesDep,
    q: Annotated[Text | None, Query(min_length=1, max_length=256)] = None,
    conversation_id: Id | None = None,
    limit: PageLimit = 20,
    cursor: Cursor = None,
) -> Page[SearchHit]:
    """Find messages with these words, newest first, each with the matching excerpt as safe HTML."""
    position = None
    if cursor is not None:
        asked, (at, message_id) = cursors.decode(cursor, _LIST, (q, conversation_id), _CURSOR)
        q, conversation_id = asked
        position = time_of(at), message_id
    if q is None:
        raise InvalidError.of("q", "must contain something to search for")
    found, more = await services.search.find(principal.user_id, q, conversation_id, position, limit)
    last = found[-1].message if more else None
    rest = None if last is None else cursors.encode(_LIST, (q, conversation_id), [millis(last.created_at), last.id])
    return Page(items=found, next_cursor=rest)

"""Searching messages."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import TypeAdapter
from synctalk_contracts.ids import Id, Text
from synctalk_contracts.models import SearchHit
from synctalk_runtime import cursors
from synctalk_runtime.tokens import CurrentPerson

from synctalk_api.actions import search
from synctalk_api.parts import TheParts
from synctalk_api.routes.shapes import READING, Cursor, Page, PageLimit, refusals
from synctalk_api.routes.times import Millis, millis, time_of

router = APIRouter(prefix="/v1/search", tags=["search"])

_POSITION = TypeAdapter(tuple[Millis, Id])


@router.get("/messages", dependencies=[READING], responses=refusals(400, 404))
async def search_messages(
    person: CurrentPerson,
    parts: TheParts,
    q: Annotated[Text, Query(min_length=1, max_length=256)],
    conversation_id: Id | None = None,
    limit: PageLimit = 20,
    cursor: Cursor = None,
) -> Page[SearchHit]:
    """Messages with these words, newest first, each with the place where they were found (as safe HTML)."""
    position = None
    if cursor is not None:
        at, message_id = cursors.decode(cursor, _POSITION)
        position = time_of(at), message_id
    found = await search.search(parts, person.user_id, q, conversation_id, position, limit)
    last = found[limit - 1].message if len(found) > limit else None
    rest = None if last is None else cursors.encode([millis(last.created_at), last.id])
    return Page(items=found[:limit], next_cursor=rest)

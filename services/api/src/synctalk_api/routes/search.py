"""Search messages, and list what mentions the caller."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field, TypeAdapter
from synctalk_contracts.ids import GivenTime, Id
from synctalk_contracts.models import MentionHit, Message, SearchHit
from synctalk_contracts.text import Text
from synctalk_runtime import cursors
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.actions.search import Question
from synctalk_api.routes.dependencies import READING, SEARCHING, ServicesDep
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals
from synctalk_api.routes.times import Millis, millis, millis_from, time_of
from synctalk_api.tags import Has

router = APIRouter(prefix="/v1", tags=["search"])

_LIST = "search"
_MAX_CHARS = 256
_Query = Annotated[Text, Field(max_length=_MAX_CHARS)]
_Position = tuple[Millis, Id]
_Asked = tuple[
    _Query | None, Id | None, Id | None, Literal["me"] | None, list[Has] | None, Millis | None, Millis | None, Id | None
]
_CURSOR = TypeAdapter(tuple[str, _Asked, _Position])
_MENTIONS = "mentions"
_MENTIONS_CURSOR = TypeAdapter(tuple[str, tuple[()], _Position])


@router.get("/search/messages", dependencies=[SEARCHING], responses=refusals(400, 404))
async def search_messages(
    principal: CurrentPrincipal,
    services: ServicesDep,
    q: Annotated[Text | None, Query(max_length=_MAX_CHARS)] = None,
    conversation_id: Id | None = None,
    sender_id: Id | None = None,
    mentions: Literal["me"] | None = None,
    has: Annotated[list[Has] | None, Query(max_length=8)] = None,
    thread_id: Id | None = None,
    before: GivenTime | None = None,
    after: GivenTime | None = None,
    limit: PageLimit = 20,
    cursor: Cursor = None,
) -> Page[SearchHit]:
    """Find messages with these words that pass all filters, newest first, each with an excerpt as safe HTML."""
    asked: _Asked = (
        q or None,
        conversation_id,
        sender_id,
        mentions,
        sorted(set(has)) if has else None,
        _millis(before),
        _millis(after),
        thread_id,
    )
    position = None
    if cursor is not None:
        asked, (at, message_id) = cursors.decode(cursor, _LIST, asked, _CURSOR)
        position = time_of(at), message_id
    question = _question(asked, principal.user_id)
    found, more = await services.search.find(principal.user_id, question, position, limit)
    rest = cursors.encode(_LIST, asked, _after(found[-1].message)) if more else None
    return Page(items=found, next_cursor=rest)


@router.get("/mentions", dependencies=[READING], responses=refusals(400))
async def list_mentions(
    principal: CurrentPrincipal, services: ServicesDep, limit: PageLimit = 50, cursor: Cursor = None
) -> Page[MentionHit]:
    """List the messages that mention the caller, by name or with everybody, newest first."""
    position = None
    if cursor is not None:
        _, (at, message_id) = cursors.decode(cursor, _MENTIONS, (), _MENTIONS_CURSOR)
        position = time_of(at), message_id
    question = Question(mentioned_id=principal.user_id)
    found, more = await services.search.find(principal.user_id, question, position, limit)
    items = [MentionHit(message=hit.message, conversation_id=hit.message.conversation_id) for hit in found]
    return Page(items=items, next_cursor=cursors.encode(_MENTIONS, (), _after(found[-1].message)) if more else None)


def _question(asked: _Asked, user_id: str) -> Question:
    q, conversation_id, sender_id, mentions, has, before, after, thread_id = asked
    return Question(
        text=q or "",
        conversation_id=conversation_id,
        sender_id=sender_id,
        mentioned_id=user_id if mentions else None,
        thread_id=thread_id,
        has=has or (),
        after=None if after is None else time_of(after),
        before=None if before is None else time_of(before),
    )


def _millis(time: datetime | None) -> int | None:
    return None if time is None else millis_from(time)


def _after(message: Message) -> list[int | str]:
    return [millis(message.created_at), message.id]

"""Conversations: begin, list, look at, rename."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter
from synctalk_contracts.base import Request
from synctalk_contracts.ids import Id, Title
from synctalk_contracts.models import Conversation
from synctalk_runtime import cursors
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.tokens import CurrentPerson

from synctalk_api.actions import conversations
from synctalk_api.parts import TheParts
from synctalk_api.routes.shapes import READING, WRITING, Cursor, Page, PageLimit, refusals
from synctalk_api.routes.times import Millis, millis, time_of
from synctalk_api.store.conversations import Walk

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])

MAX_NAMED = 5_000


def _is_snapshot(value: str) -> str:
    """PostgreSQL would refuse another, as an error of its own."""
    first, last, between = value.split(":")
    low, high, running = int(first), int(last), [int(number) for number in between.split(",") if number]
    if not 0 < low <= high or sorted(running) != running or any(not low <= n < high for n in running):
        raise ValueError("is no snapshot")
    return value


_Snapshot = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,18}:[0-9]{1,18}:(|[0-9]{1,18}(,[0-9]{1,18})*)$"),
    AfterValidator(_is_snapshot),
]
_POSITION = TypeAdapter(tuple[Millis, _Snapshot, Millis, Id])


class NewConversation(Request):
    type: Literal["direct", "group"]
    title: Title | None = None
    member_ids: list[Id] = Field(max_length=MAX_NAMED)


class TitleChange(Request):
    title: Title = ""


@router.post(
    "",
    status_code=201,
    dependencies=[WRITING],
    responses={200: {"model": Conversation, "description": "it exists"}, **refusals(400, 404)},
)
async def begin_conversation(
    new: NewConversation, person: CurrentPerson, parts: TheParts, response: Response
) -> Conversation:
    """Begin a group, or the one direct conversation with somebody."""
    if new.type == "direct":
        if new.title is not None:
            raise InvalidError.of("title", "a direct conversation has none")
        conversation, created = await conversations.begin_direct(parts, person.user_id, new.member_ids)
    else:
        if new.title is None:
            raise InvalidError.of("title", "a group needs one")
        conversation, created = await conversations.begin_group(parts, person.user_id, new.title, new.member_ids)
    response.status_code = 201 if created else 200
    return conversation


@router.get("", dependencies=[READING], responses=refusals(400))
async def list_conversations(
    person: CurrentPerson, parts: TheParts, limit: PageLimit = 50, cursor: Cursor = None
) -> Page[Conversation]:
    """One's conversations, newest activity first."""
    walk, position = None, None
    if cursor is not None:
        started, snapshot, at, conversation_id = cursors.decode(cursor, _POSITION)
        walk, position = Walk(time_of(started), snapshot), (time_of(at), conversation_id)
    items, walk, rest = await conversations.page(parts, person.user_id, walk, position, limit)
    if rest is None:
        return Page(items=items, next_cursor=None)
    at_rest, conversation_id = rest
    place = [millis(walk.started_at), walk.snapshot, millis(at_rest), conversation_id]
    return Page(items=items, next_cursor=cursors.encode(place))


@router.get("/{conversation_id}", dependencies=[READING], responses=refusals(404))
async def get_conversation(conversation_id: Id, person: CurrentPerson, parts: TheParts) -> Conversation:
    """One conversation, as the asker sees it."""
    return await conversations.get(parts, person.user_id, conversation_id)


@router.patch("/{conversation_id}", dependencies=[WRITING], responses=refusals(400, 403, 404))
async def rename_conversation(
    conversation_id: Id, change: TitleChange, person: CurrentPerson, parts: TheParts
) -> Conversation:
    """Give a group another title: its owner and admins."""
    return await conversations.rename(parts, person.user_id, conversation_id, change.title or None)

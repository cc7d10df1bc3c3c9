"""Conversations: begin, list, get, rename."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter
from synctalk_contracts.base import Request
from synctalk_contracts.ids import Id
from synctalk_contracts.models import Conversation
from synctalk_contracts.text import Title
from synctalk_runtime import cursors
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.routes.dependencies import READING, WRITING, ServicesDep
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals
from synctalk_api.routes.times import Millis, millis, time_of
from synctalk_api.store.conversations import ListSnapshot

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])

MAX_NAMED = 5_000


def _is_snapshot(value: str) -> str:
    """Check the value here: PostgreSQL would fail on any other with an error of its own."""
    first, last, between = value.split(":")
    low, high, running = int(first), int(last), [int(number) for number in between.split(",") if number]
    if not 0 < low <= high or sorted(running) != running or any(not low <= n < high for n in running):
        raise ValueError("must be a snapshot")
    return value


_Snapshot = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,18}:[0-9]{1,18}:(|[0-9]{1,18}(,[0-9]{1,18})*)$"),
    AfterValidator(_is_snapshot),
]
_LIST = "conversations"
_CURSOR = TypeAdapter(tuple[str, tuple[()], tuple[Millis, _Snapshot, Millis, Id]])


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
    responses={200: {"model": Conversation, "description": "The conversation already exists."}, **refusals(400, 404)},
)
async def begin_conversation(
    new: NewConversation, principal: CurrentPrincipal, services: ServicesDep, response: Response
) -> Conversation:
    """Create a group, or get or create the direct conversation with another user."""
    if new.type == "direct":
        if new.title is not None:
            raise InvalidError.of("title", "must be left out for a direct conversation")
        conversation, created = await services.conversations.begin_direct(principal.user_id, new.member_ids)
    else:
        if new.title is None:
            raise InvalidError.of("title", "is required for a group")
        conversation, created = await services.conversations.begin_group(principal.user_id, new.title, new.member_ids)
    response.status_code = 201 if created else 200
    return conversation


@router.get("", dependencies=[READING], responses=refusals(400))
async def list_conversations(
    principal: CurrentPrincipal, services: ServicesDep, limit: PageLimit = 50, cursor: Cursor = None
) -> Page[Conversation]:
    """List the caller's conversations, the most recently active first."""
    snapshot, position = None, None
    if cursor is not None:
        _, (started, name, at, conversation_id) = cursors.decode(cursor, _LIST, (), _CURSOR)
        snapshot, position = ListSnapshot(time_of(started), name), (time_of(at), conversation_id)
    items, snapshot, rest = await services.conversations.page(principal.user_id, snapshot, position, limit)
    if rest is None:
        return Page(items=items, next_cursor=None)
    at_rest, conversation_id = rest
    place = [millis(snapshot.started_at), snapshot.snapshot, millis(at_rest), conversation_id]
    return Page(items=items, next_cursor=cursors.encode(_LIST, (), place))


@router.get("/{conversation_id}", dependencies=[READING], responses=refusals(404))
async def get_conversation(conversation_id: Id, principal: CurrentPrincipal, services: ServicesDep) -> Conversation:
    """Get a conversation as the caller sees it."""
    return await services.conversations.get(principal.user_id, conversation_id)


@router.patch("/{conversation_id}", dependencies=[WRITING], responses=refusals(400, 403, 404))
async def rename_conversation(
    conversation_id: Id, change: TitleChange, principal: CurrentPrincipal, services: ServicesDep
) -> Conversation:
    """Rename a group. Requires the owner or an admin."""
    return await services.conversations.rename(principal.user_id, conversation_id, change.title or None)

"""Conversations: begin, list, get, change the details."""

from contextlib import suppress
from dataclasses import fields
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter
from synctalk_contracts.base import Request
from synctalk_contracts.ids import Id
from synctalk_contracts.metadata import Metadata
from synctalk_contracts.models import Conversation, ServerConversation
from synctalk_contracts.text import AvatarUrl, Description, Title
from synctalk_runtime import cursors
from synctalk_runtime.errors import BadCursorError, InvalidError
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.routes.callers import ReaderOfConversations
from synctalk_api.routes.dependencies import MAY_BEGIN, READING, WRITING, ServicesDep
from synctalk_api.routes.named import ConversationId
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals
from synctalk_api.routes.times import Millis, millis, time_of
from synctalk_api.store.conversation_lists import RECENT_LISTED_MAX, ListPosition
from synctalk_api.store.conversations import Details

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])

MAX_NAMED = 5_000


_LIST = "conversations"
_HIDDEN = "conversations:hidden"
_Recent = Annotated[list[Id], Field(max_length=RECENT_LISTED_MAX)]
_CURSOR = TypeAdapter(tuple[str, tuple[()], tuple[Millis, Id, Millis, _Recent]])


SlowModeS = Annotated[int, Field(ge=0, le=21_600)]
"""0: off."""


class NewConversation(Request):
    type: Literal["direct", "group"]
    title: Title | None = None
    member_ids: list[Id] = Field(max_length=MAX_NAMED)
    description: Description = ""
    avatar_url: AvatarUrl | None = None
    metadata: Metadata = Field(default={})
    system_messages: bool = False
    visibility: Literal["private", "public"] = "private"
    posting: Literal["everyone", "admins"] = "everyone"
    slow_mode_s: SlowModeS = 0
    history: Literal["all", "since_joined"] = "all"


class DetailsChange(Request):
    """What is left out stays as it is."""

    title: Title = ""
    description: Description = ""
    avatar_url: AvatarUrl | None = None
    metadata: Metadata = Field(default={})
    system_messages: bool = False
    visibility: Literal["private", "public"] = "private"
    posting: Literal["everyone", "admins"] = "everyone"
    slow_mode_s: SlowModeS = 0
    history: Literal["all", "since_joined"] = "all"


@router.post(
    "",
    status_code=201,
    dependencies=[WRITING, MAY_BEGIN],
    responses={
        200: {"model": Conversation, "description": "The conversation already exists."},
        **refusals(400, 403, 404),
    },
)
async def begin_conversation(
    new: NewConversation, principal: CurrentPrincipal, services: ServicesDep, response: Response
) -> Conversation:
    """Create a group, or get or create the direct conversation with another user."""
    if new.type == "direct":
        for name in ("title", "description", "avatar_url", "metadata", "system_messages"):
            if getattr(new, name):
                raise InvalidError.of(name, "must be left out for a direct conversation")
        for name in ("visibility", "posting", "slow_mode_s", "history"):
            if name in new.model_fields_set:
                raise InvalidError.of(name, "must be left out for a direct conversation")
        conversation, created = await services.conversations.begin_direct(principal.user_id, new.member_ids)
    else:
        if new.title is None:
            raise InvalidError.of("title", "is required for a group")
        details = Details(**new.model_dump(include={each.name for each in fields(Details)}))
        conversation, created = await services.conversations.begin_group(principal.user_id, details, new.member_ids)
    response.status_code = 201 if created else 200
    return conversation


@router.get("", dependencies=[READING], responses=refusals(400))
async def list_conversations(
    principal: CurrentPrincipal,
    services: ServicesDep,
    hidden: bool | None = None,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Conversation]:
    """List the caller's conversations, the most recently active first; those that they have hidden by themselves."""
    name, position = (_HIDDEN if hidden else _LIST), None
    if cursor is not None:
        name, position = _walked(cursor, hidden)
    items, rest = await services.conversations.page(principal.user_id, position, limit, hidden=name == _HIDDEN)
    if rest is None:
        return Page(items=items, next_cursor=None)
    place = [millis(rest.at), rest.last_id, millis(rest.recent_from), rest.recent]
    return Page(items=items, next_cursor=cursors.encode(name, (), place))


def _walked(cursor: str, hidden: bool | None) -> tuple[str, ListPosition]:
    """Return which list the cursor goes on with, and where; `hidden` is the parameter beside it."""
    names = [_LIST, _HIDDEN] if hidden is None else [_HIDDEN if hidden else _LIST]
    for name in names:
        with suppress(BadCursorError):
            _, (at, conversation_id, recent_from, recent) = cursors.decode(cursor, name, (), _CURSOR)
            return name, ListPosition(time_of(at), conversation_id, time_of(recent_from), recent)
    raise BadCursorError


@router.get("/{conversation_id}", responses=refusals(404))
async def get_conversation(
    conversation_id: ConversationId, caller: ReaderOfConversations, services: ServicesDep
) -> Conversation | ServerConversation:
    """Get a conversation as the caller sees it."""
    if caller is None:
        return await services.server_conversations.get(conversation_id)
    return await services.conversations.get(caller, conversation_id)


@router.patch("/{conversation_id}", dependencies=[WRITING], responses=refusals(400, 403, 404))
async def change_conversation(
    conversation_id: ConversationId, change: DetailsChange, principal: CurrentPrincipal, services: ServicesDep
) -> Conversation:
    """Change a group's details. Requires an admin; the description, who may send and slow mode: a moderator."""
    fields = change.model_dump(exclude_unset=True)
    return await services.conversations.change_details(principal.user_id, conversation_id, fields)


@router.delete("/{conversation_id}", status_code=204, dependencies=[WRITING], responses=refusals(403, 404))
async def delete_conversation(
    conversation_id: ConversationId, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Delete a group for everybody, with all that is in it. Requires the owner."""
    await services.conversations.delete(principal.user_id, conversation_id)
    return Response(status_code=204)


@router.put("/{conversation_id}/archive", status_code=204, dependencies=[WRITING], responses=refusals(403, 404))
async def archive_conversation(
    conversation_id: ConversationId, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Archive a group: it can be read, and nothing in it changes. Requires an admin."""
    await services.conversations.set_archived(principal.user_id, conversation_id, archived=True)
    return Response(status_code=204)


@router.delete("/{conversation_id}/archive", status_code=204, dependencies=[WRITING], responses=refusals(403, 404))
async def unarchive_conversation(
    conversation_id: ConversationId, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Take a group out of the archive. Requires an admin."""
    await services.conversations.set_archived(principal.user_id, conversation_id, archived=False)
    return Response(status_code=204)

"""Messages: history, send, edit, delete."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field, TypeAdapter
from synctalk_contracts.base import Request
from synctalk_contracts.commands import DeleteMessage, EditMessage, SendMessage
from synctalk_contracts.ids import MAX_INT64, SYSTEM_USER_ID, GivenTime, Id
from synctalk_contracts.models import Message
from synctalk_contracts.sockets import NewMessage
from synctalk_contracts.text import BodyOrNothing
from synctalk_runtime import cursors
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.telemetry import traceparent
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.actions.commands import Command, CommandResult
from synctalk_api.actions.history import ALL, NEWEST, TOP_LEVEL, Around, At, From, InThread, Part, Start
from synctalk_api.routes.callers import ReaderOfMessages, WriterOfMessages
from synctalk_api.routes.dependencies import SENDING, ServicesDep
from synctalk_api.routes.named import ConversationId
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals
from synctalk_api.routes.times import Millis, millis

router = APIRouter(prefix="/v1/conversations/{conversation_id}/messages", tags=["messages"])

_Seq = Annotated[int, Field(ge=0, le=MAX_INT64)]
_Around = Literal["first_unread"]
_Asked = tuple[_Seq | None, _Seq | None, _Seq | None, _Around | None, Millis | None, Id | None, bool | None]
"""The five parameters that say where a list begins, and the two that say what is in it."""
_STARTS = ("before_seq", "after_seq", "around_seq", "around", "at")
_CURSOR = TypeAdapter(tuple[str, _Asked, tuple[Literal["before", "after"], _Seq]])


class BodyChange(Request):
    body: BodyOrNothing
    """May be empty where the message has files."""


@router.get("", responses=refusals(400, 404))
async def list_messages(
    conversation_id: ConversationId,
    caller: ReaderOfMessages,
    services: ServicesDep,
    before_seq: Annotated[int | None, Query(ge=0, le=MAX_INT64)] = None,
    after_seq: Annotated[int | None, Query(ge=0, le=MAX_INT64)] = None,
    around_seq: Annotated[int | None, Query(ge=0, le=MAX_INT64)] = None,
    around: _Around | None = None,
    at: GivenTime | None = None,
    thread_id: Id | None = None,
    top_level: bool = False,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Message]:
    """List messages of a conversation or thread in ascending order: the newest, or those at a place or cursor."""
    name = f"messages:{conversation_id}"
    starts = before_seq, after_seq, around_seq, around, None if at is None else millis(at)
    asked: _Asked = *starts, thread_id, top_level or None
    if cursor is None:
        start = _start(asked, at)
    else:
        asked, position = cursors.decode(cursor, name, asked, _CURSOR)
        start = From(*position)
    items, rest = await services.history.page(caller, conversation_id, _part(asked), start, limit)
    return Page(items=items, next_cursor=rest and cursors.encode(name, asked, [rest.direction, rest.seq]))


def _part(asked: _Asked) -> Part:
    *_, thread_id, top_level = asked
    if thread_id is None:
        return TOP_LEVEL if top_level else ALL
    if top_level:
        raise InvalidError.of("thread_id", "must not be combined with top_level")
    return InThread(thread_id)


def _start(asked: _Asked, at: datetime | None) -> Start:
    given = [name for name, value in zip(_STARTS, asked, strict=False) if value is not None]
    if len(given) > 1:
        raise InvalidError.of(given[0], f"must not be combined with {given[1]}")
    before_seq, after_seq, around_seq, around, *_ = asked
    if before_seq is not None:
        return From("before", before_seq)
    if after_seq is not None:
        return From("after", after_seq)
    if at is not None:
        return At(at)
    return NEWEST if around_seq is None and around is None else Around(around_seq)


@router.post(
    "",
    status_code=201,
    dependencies=[SENDING],
    response_model=Message,
    responses={200: {"model": Message, "description": "The message had already been sent."}, **refusals(400, 404, 409)},
)
async def send_message(
    conversation_id: ConversationId, new: NewMessage, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Send a message, or forward one. Sending the same `client_message_id` again returns the same message."""
    payload = SendMessage(
        conversation_id=conversation_id,
        user_id=principal.user_id,
        client_message_id=new.client_message_id,
        body=new.body,
        reply_to=new.reply_to,
        metadata=new.metadata,
        forward=new.forward,
        file_ids=new.file_ids,
        thread_id=new.thread_id,
        also_in_conversation=new.also_in_conversation,
    )
    result = await services.writers.write(Command(payload, traceparent=traceparent()))
    return Response(result.message, status_code=201 if result.changed else 200, media_type="application/json")


@router.get("/{message_id}", responses=refusals(404))
async def get_message(
    conversation_id: ConversationId, message_id: Id, caller: ReaderOfMessages, services: ServicesDep
) -> Message:
    """Get a message."""
    return await services.history.get(caller, conversation_id, message_id)


@router.patch("/{message_id}", response_model=Message, responses=refusals(400, 403, 404, 409))
async def edit_message(
    conversation_id: ConversationId, message_id: Id, change: BodyChange, caller: WriterOfMessages, services: ServicesDep
) -> Response:
    """Edit a message's text. Requires its sender, or a server key."""
    payload = EditMessage(
        conversation_id=conversation_id, user_id=caller or SYSTEM_USER_ID, message_id=message_id, body=change.body
    )
    result = await _change(payload, caller, services)
    return Response(result.message, media_type="application/json")


@router.delete("/{message_id}", status_code=204, responses=refusals(403, 404))
async def delete_message(
    conversation_id: ConversationId, message_id: Id, caller: WriterOfMessages, services: ServicesDep
) -> Response:
    """Delete a message: its sender, an admin, the owner or a server key. It keeps its place, without its text."""
    user_id = caller or SYSTEM_USER_ID
    payload = DeleteMessage(conversation_id=conversation_id, user_id=user_id, message_id=message_id)
    await _change(payload, caller, services)
    return Response(status_code=204)


async def _change(payload: EditMessage | DeleteMessage, caller: str | None, services: ServicesDep) -> CommandResult:
    if caller is None:
        return await services.server_messages.change(payload)
    return await services.writers.write(Command(payload, traceparent=traceparent()))

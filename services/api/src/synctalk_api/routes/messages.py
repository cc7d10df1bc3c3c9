"""Messages: history, send, edit, delete."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field, TypeAdapter
from synctalk_contracts.base import Request
from synctalk_contracts.commands import DeleteMessage, EditMessage, SendMessage
from synctalk_contracts.ids import MAX_INT64, ClientMessageId, Id
from synctalk_contracts.models import Message
from synctalk_contracts.text import Body
from synctalk_runtime import cursors
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.telemetry import traceparent
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.actions.commands import Command
from synctalk_api.actions.history import NEWEST, From
from synctalk_api.routes.dependencies import READING, SENDING, WRITING, ServicesDep
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals

router = APIRouter(prefix="/v1/conversations/{conversation_id}/messages", tags=["messages"])

_Seq = Annotated[int, Field(ge=0, le=MAX_INT64)]
_CURSOR = TypeAdapter(tuple[str, tuple[_Seq | None, _Seq | None], tuple[Literal["before", "after"], _Seq]])


class NewMessage(Request):
    client_message_id: ClientMessageId
    body: Body
    reply_to: Id | None = None


class BodyChange(Request):
    body: Body


@router.get("", dependencies=[READING], responses=refusals(400, 404))
async def list_messages(
    conversation_id: Id,
    principal: CurrentPrincipal,
    services: ServicesDep,
    before_seq: Annotated[int | None, Query(ge=0, le=MAX_INT64)] = None,
    after_seq: Annotated[int | None, Query(ge=0, le=MAX_INT64)] = None,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Message]:
    """List messages in ascending order: the newest, those before or after a `seq`, or the next page of a cursor."""
    name, asked = f"messages:{conversation_id}", (before_seq, after_seq)
    if before_seq is not None and after_seq is not None:
        raise InvalidError.of("before_seq", "must not be combined with after_seq")
    if cursor is None:
        start = _start(before_seq, after_seq)
    else:
        asked, position = cursors.decode(cursor, name, asked, _CURSOR)
        start = From(*position)
    items, rest = await services.history.page(principal.user_id, conversation_id, start, limit)
    return Page(items=items, next_cursor=rest and cursors.encode(name, asked, [rest.direction, rest.seq]))


def _start(before_seq: int | None, after_seq: int | None) -> From:
    if before_seq is not None:
        return From("before", before_seq)
    return NEWEST if after_seq is None else From("after", after_seq)


@router.post(
    "",
    status_code=201,
    dependencies=[SENDING],
    response_model=Message,
    responses={200: {"model": Message, "description": "The message had already been sent."}, **refusals(400, 404, 409)},
)
async def send_message(
    conversation_id: Id, new: NewMessage, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Send a message. Sending the same `client_message_id` again returns the same message."""
    payload = SendMessage(
        conversation_id=conversation_id,
        user_id=principal.user_id,
        client_message_id=new.client_message_id,
        body=new.body,
        reply_to=new.reply_to,
    )
    result = await services.writer.write(Command(payload, traceparent=traceparent()))
    return Response(result.message, status_code=201 if result.changed else 200, media_type="application/json")


@router.get("/{message_id}", dependencies=[READING], responses=refusals(404))
async def get_message(
    conversation_id: Id, message_id: Id, principal: CurrentPrincipal, services: ServicesDep
) -> Message:
    """Get a message."""
    return await services.history.get(principal.user_id, conversation_id, message_id)


@router.patch("/{message_id}", dependencies=[WRITING], response_model=Message, responses=refusals(400, 403, 404, 409))
async def edit_message(
    conversation_id: Id, message_id: Id, change: BodyChange, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Edit a message's text. Requires its sender."""
    payload = EditMessage(
        conversation_id=conversation_id, user_id=principal.user_id, message_id=message_id, body=change.body
    )
    result = await services.writer.write(Command(payload, traceparent=traceparent()))
    return Response(result.message, media_type="application/json")


@router.delete("/{message_id}", status_code=204, dependencies=[WRITING], responses=refusals(403, 404))
async def delete_message(
    conversation_id: Id, message_id: Id, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Delete a message. Requires its sender, an admin or the owner. It keeps its place, without its text."""
    payload = DeleteMessage(conversation_id=conversation_id, user_id=principal.user_id, message_id=message_id)
    await services.writer.write(Command(payload, traceparent=traceparent()))
    return Response(status_code=204)

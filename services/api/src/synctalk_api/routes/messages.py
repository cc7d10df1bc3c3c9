"""Messages: history, send, edit, delete."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field, TypeAdapter
from synctalk_contracts.base import Request
from synctalk_contracts.commands import DeleteMessage, EditMessage, SendMessage
from synctalk_contracts.ids import MAX_INT64, Body, ClientMessageId, Id
from synctalk_contracts.models import Message
from synctalk_runtime import cursors
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.telemetry import traceparent
from synctalk_runtime.tokens import CurrentPerson

from synctalk_api.actions import history
from synctalk_api.actions.history import NEWEST, From
from synctalk_api.actions.orders import Order
from synctalk_api.parts import TheParts
from synctalk_api.routes.shapes import READING, SENDING, WRITING, Cursor, Page, PageLimit, refusals

router = APIRouter(prefix="/v1/conversations/{conversation_id}/messages", tags=["messages"])

_Seq = Annotated[int, Field(ge=0, le=MAX_INT64)]
_POSITION = TypeAdapter(tuple[Literal["before", "after"], _Seq])


class NewMessage(Request):
    client_message_id: ClientMessageId
    body: Body
    reply_to: Id | None = None


class BodyChange(Request):
    body: Body


@router.get("", dependencies=[READING], responses=refusals(400, 404))
async def list_messages(
    conversation_id: Id,
    person: CurrentPerson,
    parts: TheParts,
    before_seq: Annotated[int | None, Query(ge=0, le=MAX_INT64)] = None,
    after_seq: Annotated[int | None, Query(ge=0, le=MAX_INT64)] = None,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Message]:
    """The history, ascending: the newest, those before or after a `seq`, or the next page of a walk."""
    start = _start(before_seq, after_seq, cursor)
    items, rest = await history.page(parts, person.user_id, conversation_id, start, limit)
    return Page(items=items, next_cursor=None if rest is None else cursors.encode([rest.direction, rest.seq]))


def _start(before_seq: int | None, after_seq: int | None, cursor: str | None) -> From:
    if sum(bound is not None for bound in (before_seq, after_seq, cursor)) > 1:
        raise InvalidError.of("before_seq", "give one of before_seq, after_seq and cursor")
    if cursor is not None:
        return From(*cursors.decode(cursor, _POSITION))
    if before_seq is not None:
        return From("before", before_seq)
    return NEWEST if after_seq is None else From("after", after_seq)


@router.post(
    "",
    status_code=201,
    dependencies=[SENDING],
    response_model=Message,
    responses={200: {"model": Message, "description": "it was sent before"}, **refusals(400, 404, 409)},
)
async def send_message(conversation_id: Id, new: NewMessage, person: CurrentPerson, parts: TheParts) -> Response:
    """Send; the same `client_message_id` again answers the same message."""
    command = SendMessage(
        conversation_id=conversation_id,
        user_id=person.user_id,
        client_message_id=new.client_message_id,
        body=new.body,
        reply_to=new.reply_to,
    )
    done = (await parts.writer.write(Order(command, traceparent=traceparent()))).done()
    return Response(done.message, status_code=201 if done.changed else 200, media_type="application/json")


@router.get("/{message_id}", dependencies=[READING], responses=refusals(404))
async def get_message(conversation_id: Id, message_id: Id, person: CurrentPerson, parts: TheParts) -> Message:
    """One message."""
    return await history.get(parts, person.user_id, conversation_id, message_id)


@router.patch("/{message_id}", dependencies=[WRITING], response_model=Message, responses=refusals(400, 403, 404, 409))
async def edit_message(
    conversation_id: Id, message_id: Id, change: BodyChange, person: CurrentPerson, parts: TheParts
) -> Response:
    """Change the text: its sender may."""
    command = EditMessage(
        conversation_id=conversation_id, user_id=person.user_id, message_id=message_id, body=change.body
    )
    done = (await parts.writer.write(Order(command, traceparent=traceparent()))).done()
    return Response(done.message, media_type="application/json")


@router.delete("/{message_id}", status_code=204, dependencies=[WRITING], responses=refusals(403, 404))
async def delete_message(conversation_id: Id, message_id: Id, person: CurrentPerson, parts: TheParts) -> Response:
    """Delete: the sender, an admin or the owner may. The message keeps its place, without its text."""
    command = DeleteMessage(conversation_id=conversation_id, user_id=person.user_id, message_id=message_id)
    (await parts.writer.write(Order(command, traceparent=traceparent()))).done()
    return Response(status_code=204)

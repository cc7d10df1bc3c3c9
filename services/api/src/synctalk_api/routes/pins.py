"""Pins: add, remove and list."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter
from synctalk_contracts.ids import MAX_INT64, Id
from synctalk_contracts.models import Message
from synctalk_runtime import cursors
from synctalk_runtime.telemetry import traceparent
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.actions.commands import Command, PinMessage, UnpinMessage
from synctalk_api.routes.callers import ReaderOfMessages
from synctalk_api.routes.dependencies import WRITING, ServicesDep
from synctalk_api.routes.named import ConversationId
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals
from synctalk_api.routes.times import Millis, millis, time_of

router = APIRouter(prefix="/v1/conversations/{conversation_id}", tags=["pins"])

_CURSOR = TypeAdapter(tuple[str, tuple[()], tuple[Millis, Annotated[int, Field(ge=0, le=MAX_INT64)]]])


@router.get("/pins", responses=refusals(400, 404))
async def list_pins(
    conversation_id: ConversationId,
    caller: ReaderOfMessages,
    services: ServicesDep,
    limit: PageLimit = 100,
    cursor: Cursor = None,
) -> Page[Message]:
    """List the pinned messages, the latest pin first."""
    name, position = f"pins:{conversation_id}", None
    if cursor is not None:
        _, (at, seq) = cursors.decode(cursor, name, (), _CURSOR)
        position = time_of(at), seq
    items, more = await services.pins.page(caller, conversation_id, position, limit)
    last = items[-1] if more else None
    rest = None
    if last is not None and last.pinned_at is not None:
        rest = cursors.encode(name, (), [millis(last.pinned_at), last.seq])
    return Page(items=items, next_cursor=rest)


@router.put("/messages/{message_id}/pin", status_code=204, dependencies=[WRITING], responses=refusals(403, 404, 409))
async def pin_message(
    conversation_id: ConversationId, message_id: Id, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Pin a message. In a group of more than 20 members it requires a moderator."""
    payload = PinMessage(conversation_id=conversation_id, user_id=principal.user_id, message_id=message_id)
    await services.writers.write(Command(payload, traceparent=traceparent()))
    return Response(status_code=204)


@router.delete("/messages/{message_id}/pin", status_code=204, dependencies=[WRITING], responses=refusals(403, 404))
async def unpin_message(
    conversation_id: ConversationId, message_id: Id, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Unpin a message. Requires what pinning requires."""
    payload = UnpinMessage(conversation_id=conversation_id, user_id=principal.user_id, message_id=message_id)
    await services.writers.write(Command(payload, traceparent=traceparent()))
    return Response(status_code=204)

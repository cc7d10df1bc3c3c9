"""Receipts: who has received and read a message, and marking as read."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field, TypeAdapter
from synctalk_contracts.base import Request
from synctalk_contracts.commands import MarkRead
from synctalk_contracts.ids import MAX_INT64, Id, Seq
from synctalk_contracts.models import Receipt
from synctalk_runtime import cursors
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.telemetry import traceparent
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.actions import receipts
from synctalk_api.actions.commands import Command
from synctalk_api.routes.callers import ReaderOfMessages
from synctalk_api.routes.dependencies import WRITING, ServicesDep
from synctalk_api.routes.named import ConversationId
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals

router = APIRouter(prefix="/v1/conversations/{conversation_id}", tags=["receipts"])


_CURSOR = TypeAdapter(tuple[str, tuple[Annotated[int, Field(ge=1, le=MAX_INT64)]], Id])


class ReadMark(Request):
    seq: Seq


@router.get("/receipts", responses=refusals(400, 404))
async def list_receipts(
    conversation_id: ConversationId,
    caller: ReaderOfMessages,
    services: ServicesDep,
    seq: Annotated[int | None, Query(ge=1, le=MAX_INT64)] = None,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Receipt]:
    """List which other members have received and read the message at `seq`."""
    name, after = f"receipts:{conversation_id}", None
    if cursor is not None:
        asked, after = cursors.decode(cursor, name, (seq,), _CURSOR)
        (seq,) = asked
    if seq is None:
        raise InvalidError.of("seq", "Field required")
    found = await receipts.of_message(services.stores, caller, conversation_id, seq, after, limit)
    rest = found[limit - 1].user_id if len(found) > limit else None
    return Page(items=found[:limit], next_cursor=None if rest is None else cursors.encode(name, (seq,), rest))


@router.post("/read", status_code=204, dependencies=[WRITING], responses=refusals(400, 404))
async def mark_read(
    conversation_id: ConversationId, mark: ReadMark, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Mark every message up to `seq` as read."""
    payload = MarkRead(conversation_id=conversation_id, user_id=principal.user_id, seq=mark.seq)
    await services.writers.write(Command(payload, traceparent=traceparent()))
    return Response(status_code=204)

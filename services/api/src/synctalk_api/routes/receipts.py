"""Who has got and read what, and how far one has read oneself."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from synctalk_contracts.base import Request
from synctalk_contracts.commands import MarkRead
from synctalk_contracts.ids import MAX_INT64, Id, Seq
from synctalk_contracts.models import Receipt
from synctalk_runtime import cursors
from synctalk_runtime.telemetry import traceparent
from synctalk_runtime.tokens import CurrentPerson

from synctalk_api.actions import receipts
from synctalk_api.actions.orders import Order
from synctalk_api.parts import TheParts
from synctalk_api.routes.members import POSITION
from synctalk_api.routes.shapes import READING, WRITING, Cursor, Page, PageLimit, refusals

router = APIRouter(prefix="/v1/conversations/{conversation_id}", tags=["receipts"])


class ReadMark(Request):
    seq: Seq


@router.get("/receipts", dependencies=[READING], responses=refusals(400, 404))
async def list_receipts(
    conversation_id: Id,
    person: CurrentPerson,
    parts: TheParts,
    seq: Annotated[int, Query(ge=1, le=MAX_INT64)],
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Receipt]:
    """Which of the other members have got, and read, the message at `seq`."""
    after = None if cursor is None else cursors.decode(cursor, POSITION)
    found = await receipts.of_message(parts.postgres, person.user_id, conversation_id, seq, after, limit)
    rest = found[limit - 1].user_id if len(found) > limit else None
    return Page(items=found[:limit], next_cursor=None if rest is None else cursors.encode(rest))


@router.post("/read", status_code=204, dependencies=[WRITING], responses=refusals(400, 404))
async def mark_read(conversation_id: Id, mark: ReadMark, person: CurrentPerson, parts: TheParts) -> Response:
    """Everything up to `seq` is read."""
    command = MarkRead(conversation_id=conversation_id, user_id=person.user_id, seq=mark.seq)
    (await parts.writer.write(Order(command, traceparent=traceparent()))).done()
    return Response(status_code=204)

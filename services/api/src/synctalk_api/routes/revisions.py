"""List what an edited message said before."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, TypeAdapter
from synctalk_contracts.ids import MAX_INT64, Id
from synctalk_contracts.models import Revision
from synctalk_runtime import cursors
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.routes.dependencies import READING, ServicesDep
from synctalk_api.routes.named import ConversationId
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals

router = APIRouter(prefix="/v1/conversations/{conversation_id}/messages/{message_id}/revisions", tags=["messages"])

_CURSOR = TypeAdapter(tuple[str, tuple[()], tuple[Annotated[int, Field(ge=0, le=MAX_INT64)]]])


@router.get("", dependencies=[READING], responses=refusals(400, 403, 404))
async def list_revisions(
    conversation_id: ConversationId,
    message_id: Id,
    principal: CurrentPrincipal,
    services: ServicesDep,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Revision]:
    """List the earlier texts of a message, the oldest first. Requires its sender or a moderator."""
    name, after = f"revisions:{message_id}", 0
    if cursor is not None:
        _, (after,) = cursors.decode(cursor, name, (), _CURSOR)
    items, rest = await services.revisions.page(principal.user_id, conversation_id, message_id, after, limit)
    return Page(items=items, next_cursor=None if rest is None else cursors.encode(name, (), [rest]))

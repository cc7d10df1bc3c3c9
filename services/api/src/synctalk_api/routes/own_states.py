"""What a conversation is to the caller alone."""

from typing import Literal

from fastapi import APIRouter
from synctalk_contracts.base import Request
from synctalk_contracts.models import Conversation
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.routes.dependencies import WRITING, ServicesDep
from synctalk_api.routes.named import ConversationId
from synctalk_api.routes.shapes import refusals

router = APIRouter(prefix="/v1/conversations/{conversation_id}/me", tags=["conversations"])


class OwnStateChange(Request):
    """What is left out stays as it is."""

    unread: Literal[True] | None = None
    """Ends with the next read."""
    pinned: bool = False
    hidden: bool = False
    """Until the next message."""


@router.patch("", dependencies=[WRITING], responses=refusals(400, 404))
async def change_own_state(
    conversation_id: ConversationId, change: OwnStateChange, principal: CurrentPrincipal, services: ServicesDep
) -> Conversation:
    """Pin, hide or mark a conversation unread for oneself."""
    given = change.model_dump(exclude_unset=True)
    return await services.own_states.change(
        principal.user_id,
        conversation_id,
        unread=bool(change.unread),
        pinned=given.get("pinned"),
        hidden=given.get("hidden"),
    )

"""Reactions: add and remove."""

from fastapi import APIRouter, Response
from synctalk_contracts.commands import AddReaction, RemoveReaction
from synctalk_contracts.ids import Id
from synctalk_contracts.text import Emoji
from synctalk_runtime.telemetry import traceparent
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.actions.commands import Command
from synctalk_api.routes.dependencies import WRITING, ServicesDep
from synctalk_api.routes.named import ConversationId
from synctalk_api.routes.shapes import refusals

router = APIRouter(prefix="/v1/conversations/{conversation_id}/messages/{message_id}/reactions", tags=["reactions"])


@router.put("/{emoji}", status_code=204, dependencies=[WRITING], responses=refusals(404, 409))
async def add_reaction(
    conversation_id: ConversationId, message_id: Id, emoji: Emoji, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Add the caller's reaction to a message."""
    payload = AddReaction(
        conversation_id=conversation_id, user_id=principal.user_id, message_id=message_id, emoji=emoji
    )
    await services.writers.write(Command(payload, traceparent=traceparent()))
    return Response(status_code=204)


@router.delete("/{emoji}", status_code=204, dependencies=[WRITING], responses=refusals(404))
async def remove_reaction(
    conversation_id: ConversationId, message_id: Id, emoji: Emoji, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Remove the caller's reaction from a message."""
    payload = RemoveReaction(
        conversation_id=conversation_id, user_id=principal.user_id, message_id=message_id, emoji=emoji
    )
    await services.writers.write(Command(payload, traceparent=traceparent()))
    return Response(status_code=204)

"""Reactions: put one, take it back."""

from fastapi import APIRouter, Response
from synctalk_contracts.commands import AddReaction, RemoveReaction
from synctalk_contracts.ids import Emoji, Id
from synctalk_runtime.telemetry import traceparent
from synctalk_runtime.tokens import CurrentPerson

from synctalk_api.actions.orders import Order
from synctalk_api.parts import TheParts
from synctalk_api.routes.shapes import WRITING, refusals

router = APIRouter(prefix="/v1/conversations/{conversation_id}/messages/{message_id}/reactions", tags=["reactions"])


@router.put("/{emoji}", status_code=204, dependencies=[WRITING], responses=refusals(404, 409))
async def add_reaction(
    conversation_id: Id, message_id: Id, emoji: Emoji, person: CurrentPerson, parts: TheParts
) -> Response:
    """React with an emoji."""
    command = AddReaction(conversation_id=conversation_id, user_id=person.user_id, message_id=message_id, emoji=emoji)
    (await parts.writer.write(Order(command, traceparent=traceparent()))).done()
    return Response(status_code=204)


@router.delete("/{emoji}", status_code=204, dependencies=[WRITING], responses=refusals(404))
async def remove_reaction(
    conversation_id: Id, message_id: Id, emoji: Emoji, person: CurrentPerson, parts: TheParts
) -> Response:
    """Take one's reaction back."""
    command = RemoveReaction(
        conversation_id=conversation_id, user_id=person.user_id, message_id=message_id, emoji=emoji
    )
    (await parts.writer.write(Order(command, traceparent=traceparent()))).done()
    return Response(status_code=204)

"""Streamed messages: start, append, end."""

from fastapi import APIRouter, Response
from pydantic import BaseModel
from synctalk_contracts.commands import AppendToStream, EndStream, StartStream
from synctalk_contracts.ids import Id
from synctalk_contracts.models import Message
from synctalk_contracts.sockets import NewStream, StreamEnd, StreamText
from synctalk_runtime.telemetry import traceparent
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.actions.commands import Command
from synctalk_api.routes.dependencies import SENDING, STREAMING, WRITING, ServicesDep
from synctalk_api.routes.shapes import refusals

router = APIRouter(prefix="/v1/conversations/{conversation_id}/messages", tags=["messages"])


class StreamReach(BaseModel):
    at: int
    """How far the text reaches, in code points."""


@router.post(
    "/stream",
    status_code=201,
    dependencies=[SENDING],
    response_model=Message,
    responses={200: {"model": Message, "description": "The stream had already begun."}, **refusals(400, 403, 404, 409)},
)
async def start_stream(
    conversation_id: Id, new: NewStream, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Begin a message whose text follows. Sending the same `client_message_id` again returns the same message."""
    payload = StartStream(
        conversation_id=conversation_id,
        user_id=principal.user_id,
        client_message_id=new.client_message_id,
        body=new.body,
        thread_id=new.thread_id,
    )
    result = await services.writers.write(Command(payload, traceparent=traceparent()))
    return Response(result.message, status_code=201 if result.changed else 200, media_type="application/json")


@router.patch("/{message_id}/stream", dependencies=[STREAMING], responses=refusals(400, 403, 404, 409))
async def append_to_stream(
    conversation_id: Id, message_id: Id, more: StreamText, principal: CurrentPrincipal, services: ServicesDep
) -> StreamReach:
    """Append to a streamed message. Requires its sender. A gap is refused with where the text ends, `details.at`."""
    payload = AppendToStream(
        conversation_id=conversation_id, user_id=principal.user_id, message_id=message_id, at=more.at, text=more.text
    )
    result = await services.writers.write(Command(payload, traceparent=traceparent()))
    return StreamReach(at=result.at or 0)


@router.post(
    "/{message_id}/stream/end",
    dependencies=[WRITING],
    response_model=Message,
    responses=refusals(400, 403, 404, 409),
)
async def end_stream(
    conversation_id: Id, message_id: Id, end: StreamEnd, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """End a streamed message. Requires its sender. Without a visible character it is deleted."""
    payload = EndStream(
        conversation_id=conversation_id, user_id=principal.user_id, message_id=message_id, body=end.body
    )
    result = await services.writers.write(Command(payload, traceparent=traceparent()))
    return Response(result.message, media_type="application/json")

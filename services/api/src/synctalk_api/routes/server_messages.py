"""`/v1/server/conversations/{id}/messages`: messages that a host app sends, as a member or as the conversation."""

from typing import Annotated, Any, TypeVar

import orjson
from fastapi import APIRouter, Response
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    JsonValue,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from synctalk_contracts.base import Contract, Request
from synctalk_contracts.ids import ClientMessageId
from synctalk_contracts.metadata import Metadata
from synctalk_contracts.models import Message
from synctalk_contracts.sockets import MessageEphemeralToClient
from synctalk_contracts.text import Body
from synctalk_runtime.errors import AppError, InvalidError, field_errors

from synctalk_api.actions.server_messages import HostMessage
from synctalk_api.routes.callers import MessagesKey
from synctalk_api.routes.dependencies import ServicesDep
from synctalk_api.routes.server_conversations import UserName
from synctalk_api.routes.shapes import refusals

router = APIRouter(prefix="/v1/server/conversations", tags=["server"])

BATCH_MAX = 100


def _custom(system: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if system.get("type") != "custom":
        raise ValueError("must have the type custom")
    return system


class ServerMessage(Request):
    client_message_id: ClientMessageId
    body: Body
    system: Annotated[Metadata, AfterValidator(_custom)] | None = None
    """`{type: "custom", …}`: the conversation itself says it, and no member has sent it."""
    sender: UserName | None = Field(default=None, validate_default=True)
    """A member: an id, or `external:ID`. With `system` there is none."""
    silent: bool = False
    """Nobody gets a push for it."""
    metadata: Metadata = Field(default={})

    @field_validator("sender")
    @classmethod
    def _needed(cls, sender: str | None, given: ValidationInfo) -> str | None:
        if sender is None and "system" in given.data and given.data["system"] is None:
            raise ValueError("Field required")
        return sender

    def to_host_message(self) -> HostMessage:
        return HostMessage(
            client_message_id=self.client_message_id,
            body=self.body,
            sender=self.sender,
            system=self.system,
            silent=self.silent,
            metadata=self.metadata,
        )


class SingleMessage(ServerMessage):
    ephemeral: bool = False
    """Only for whoever is there now: stored nowhere."""


class MessageBatch(Request):
    messages: Annotated[list[dict[str, JsonValue]], Field(min_length=1, max_length=BATCH_MAX)]
    """Each is read by itself, so that one that is wrong stops no other."""


_ONE, _EACH = (model.model_json_schema() for model in (SingleMessage, ServerMessage))
_MANY = {
    "type": "object",
    "title": "MessageBatch",
    "additionalProperties": False,
    "required": ["messages"],
    "properties": {"messages": {"type": "array", "minItems": 1, "maxItems": BATCH_MAX, "items": _EACH}},
}
Sending = Annotated[dict[str, JsonValue], WithJsonSchema({"anyOf": [_ONE, _MANY]})]


class MessageSent(Contract):
    message: Message


class MessageNotSent(Contract):
    error: dict[str, Any]
    """As in an error body."""


class MessageOutcomes(Contract):
    """What became of each message of a batch, in its sequence."""

    items: list[MessageSent | MessageNotSent]


M = TypeVar("M", bound=BaseModel)


@router.post(
    "/{conversation_id:path}/messages",
    status_code=201,
    response_model=Message,
    responses={
        200: {
            "model": Message | MessageOutcomes | MessageEphemeralToClient,
            "description": "It had already been sent; or what became of each of a batch; or it was for now only.",
        },
        **refusals(400, 403, 404, 409),
    },
)
async def send_message_by_name(
    conversation_id: UserName, body: Sending, key: MessagesKey, services: ServicesDep
) -> Response:
    """Send a message as a member, or up to 100, to a conversation by id or `external:ID`."""
    if "messages" in body:
        return await _send_all(conversation_id, _read(MessageBatch, body), key.id, services)
    wanted = _read(SingleMessage, body)
    if wanted.ephemeral:
        if wanted.system is not None:
            raise InvalidError.of("ephemeral", "must not be combined with system")
        place = await services.names.referred(conversation_id)
        event = await services.server_messages.send_ephemeral(place, wanted.to_host_message())
        return Response(event.to_bytes(), media_type="application/json")
    place = await services.names.referred(conversation_id)
    result = await services.server_messages.send(place, wanted.to_host_message())
    return Response(result.message, status_code=201 if result.changed else 200, media_type="application/json")


async def _send_all(conversation_id: str, batch: MessageBatch, key_id: str, services: ServicesDep) -> Response:
    for n, given in enumerate(batch.messages):
        if "ephemeral" in given:
            raise InvalidError.of(f"messages.{n}.ephemeral", "must be left out in a batch")
    if len(batch.messages) > 1:  # the call itself counts as one
        await services.limiter.take(services.limits.by_key, key_id, len(batch.messages) - 1)
    place = await services.names.referred(conversation_id)
    outcomes = await services.server_messages.send_all(place, [_read_one(given) for given in batch.messages])
    items = [
        orjson.Fragment(orjson.dumps(outcome.body()))
        if isinstance(outcome, AppError)
        else {"message": orjson.Fragment(outcome.message or b"null")}
        for outcome in outcomes
    ]
    return Response(orjson.dumps({"items": items}), media_type="application/json")


def _read_one(given: dict[str, JsonValue]) -> HostMessage | AppError:
    try:
        return _read(ServerMessage, given).to_host_message()
    except InvalidError as error:
        return error


def _read(model: type[M], body: dict[str, JsonValue]) -> M:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise InvalidError(details=field_errors(error.errors(), skip=0)) from error

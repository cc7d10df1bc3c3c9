"""The doors of the sockets: each event's payload is parsed by its contract, one action is called, and its ack answered.

A handler returns the ack, or None when the ack comes later (commands, once api has answered) or was sent already.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from synctalk_contracts import sockets as contract
from synctalk_runtime.errors import InvalidError, UnknownEventError
from synctalk_runtime.telemetry import span

from synctalk_gateway.errors import MalformedPacketError
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.parts import Parts
from synctalk_gateway.sockets import messages, presence, receipts, session, typing

Ack = dict[str, Any] | None
Handler = Callable[[Parts, Connection, Any, int | None], Awaitable[Ack]]


@dataclass(frozen=True, slots=True)
class Door:
    payload: type[contract.ToServer]
    handle: Handler


DOORS: dict[str, Door] = {
    payload.EVENT: Door(payload, handle)
    for payload, handle in (
        (contract.MessageSend, messages.send),
        (contract.MessageEdit, messages.edit),
        (contract.MessageDelete, messages.delete),
        (contract.ReactionAdd, messages.react),
        (contract.ReactionRemove, messages.unreact),
        (contract.ReceiptDelivered, receipts.delivered),
        (contract.ReceiptRead, receipts.read),
        (contract.TypingStart, typing.start),
        (contract.TypingStop, typing.stop),
        (contract.PresenceSubscribe, presence.subscribe),
        (contract.PresenceUnsubscribe, presence.unsubscribe),
        (contract.PresenceSet, presence.set_own),
        (contract.Sync, session.sync),
        (contract.AuthRefresh, session.refresh),
    )
}


async def on_event(parts: Parts, connection: Connection, name: str, payload: Any, ack_id: int | None) -> Ack:
    """Raises AppError for every refusal."""
    door = DOORS.get(name)
    if door is None:
        raise UnknownEventError
    if not isinstance(payload, dict):
        raise MalformedPacketError
    try:
        parsed = door.payload.model_validate(payload)
    except ValidationError as error:
        raise InvalidError.from_validation(error) from error
    with span(name):
        return await door.handle(parts, connection, parsed, ack_id)

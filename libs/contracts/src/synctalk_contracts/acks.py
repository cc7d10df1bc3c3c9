"""What the gateway answers to an event of a client, in its Socket.IO ack: `ok: true` with more, or the error."""

from typing import Literal

from pydantic import Field

from synctalk_contracts.base import Contract
from synctalk_contracts.errors import ErrorDetail
from synctalk_contracts.ids import Id, Timestamp
from synctalk_contracts.models import Message, Presence, SyncAnswer


class Ack(Contract):
    """It is done."""

    ok: Literal[True]


class MessageAck(Ack):
    """It is stored: the message as it is now."""

    message: Message


class AppendAck(Ack):
    at: int = Field(ge=0)
    """How far the text reaches, in code points."""


class ReceiptsAck(Ack):
    failed: dict[Id, ErrorDetail]
    """What was refused, by conversation."""


class PresenceAck(Ack):
    items: list[Presence]
    """As it is now, of each user asked for."""


class SyncAck(Ack, SyncAnswer):
    pass


class RefreshAck(Ack):
    expires_at: Timestamp
    """When the new token ends."""


class RefusedAck(Contract):
    """Nothing was done, and why."""

    ok: Literal[False]
    error: ErrorDetail


ACKS: dict[str, type[Ack]] = {
    "message:send": MessageAck,
    "message:edit": MessageAck,
    "message:delete": MessageAck,
    "message:stream:start": MessageAck,
    "message:stream:append": AppendAck,
    "message:stream:end": MessageAck,
    "reaction:add": MessageAck,
    "reaction:remove": MessageAck,
    "receipt:delivered": Ack,
    "receipt:read": Ack,
    "thread:read": Ack,
    "receipts": ReceiptsAck,
    "typing:start": Ack,
    "typing:stop": Ack,
    "presence:subscribe": PresenceAck,
    "presence:unsubscribe": Ack,
    "presence:set": Ack,
    "activity": Ack,
    "sync": SyncAck,
    "auth:refresh": RefreshAck,
}
"""By the client's event."""

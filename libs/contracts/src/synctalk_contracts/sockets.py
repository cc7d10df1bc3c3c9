"""The Socket.IO vocabulary, parted by direction. Names and payloads are those of the public interface."""

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from synctalk_contracts.base import Contract, Request
from synctalk_contracts.ids import Body, ClientMessageId, Emoji, Id, Seq, Text, Timestamp
from synctalk_contracts.models import (
    Conversation,
    EndReason,
    Message,
    Presence,
    Role,
)


class ToServer(Request):
    """What a client may emit. Every one is acked with `{ok: true, …}` or `{ok: false, error}`."""

    EVENT: ClassVar[str]


class MessageSend(ToServer):
    EVENT: ClassVar[str] = "message:send"
    conversation_id: Id
    client_message_id: ClientMessageId
    body: Body
    reply_to: Id | None = None


class MessageEdit(ToServer):
    EVENT: ClassVar[str] = "message:edit"
    conversation_id: Id
    message_id: Id
    body: Body


class MessageDelete(ToServer):
    EVENT: ClassVar[str] = "message:delete"
    conversation_id: Id
    message_id: Id


class ReactionAdd(ToServer):
    EVENT: ClassVar[str] = "reaction:add"
    conversation_id: Id
    message_id: Id
    emoji: Emoji


class ReactionRemove(ToServer):
    EVENT: ClassVar[str] = "reaction:remove"
    conversation_id: Id
    message_id: Id
    emoji: Emoji


class ReceiptDelivered(ToServer):
    EVENT: ClassVar[str] = "receipt:delivered"
    conversation_id: Id
    seq: Seq


class ReceiptRead(ToServer):
    EVENT: ClassVar[str] = "receipt:read"
    conversation_id: Id
    seq: Seq


class TypingStart(ToServer):
    EVENT: ClassVar[str] = "typing:start"
    conversation_id: Id


class TypingStop(ToServer):
    EVENT: ClassVar[str] = "typing:stop"
    conversation_id: Id


class PresenceSubscribe(ToServer):
    EVENT: ClassVar[str] = "presence:subscribe"
    user_ids: list[Id] = Field(max_length=200)


class PresenceUnsubscribe(ToServer):
    EVENT: ClassVar[str] = "presence:unsubscribe"
    user_ids: list[Id] = Field(max_length=200)


class PresenceSet(ToServer):
    """Fields that are left out stay as they are; `custom_status: null` clears it."""

    EVENT: ClassVar[str] = "presence:set"
    status: Literal["online", "away", "dnd", "invisible"] | None = None
    custom_status: Text | None = Field(default=None, max_length=128)
    last_seen_visible: bool | None = None

    @field_validator("status", "last_seen_visible")
    @classmethod
    def _left_out_or_given(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null; leave it out to keep it")
        return value


class Sync(ToServer):
    EVENT: ClassVar[str] = "sync"
    cursors: dict[Id, Seq] = Field(max_length=100)


class AuthRefresh(ToServer):
    EVENT: ClassVar[str] = "auth:refresh"
    token: str = Field(min_length=1, max_length=8192)


class ToClient(Contract):
    """What a server emits."""

    EVENT: ClassVar[str]


class ReadyConversation(Contract):
    id: Id
    last_seq: Seq
    change_seq: Seq


class Ready(ToClient):
    EVENT: ClassVar[str] = "ready"
    user_id: Id
    session_id: Id
    connection_id: str
    server_time: Timestamp
    conversations: list[ReadyConversation]
    more: bool


class MessageNew(ToClient, Message):
    EVENT: ClassVar[str] = "message:new"


class MessageUpdated(ToClient, Message):
    EVENT: ClassVar[str] = "message:updated"


class MessageDeleted(ToClient, Message):
    EVENT: ClassVar[str] = "message:deleted"


class ReceiptUpdated(ToClient):
    EVENT: ClassVar[str] = "receipt:updated"
    conversation_id: Id
    user_id: Id
    delivered_seq: Seq
    read_seq: Seq


class Typing(ToClient):
    EVENT: ClassVar[str] = "typing"
    conversation_id: Id
    user_id: Id
    active: bool


class PresenceChanged(ToClient, Presence):
    EVENT: ClassVar[str] = "presence:changed"


class ConversationNew(ToClient, Conversation):
    EVENT: ClassVar[str] = "conversation:new"


class ConversationUpdated(ToClient, Conversation):
    EVENT: ClassVar[str] = "conversation:updated"


class ConversationRemoved(ToClient):
    EVENT: ClassVar[str] = "conversation:removed"
    id: Id


class MemberChanged(ToClient):
    EVENT: ClassVar[str] = "member:changed"
    conversation_id: Id
    user_id: Id
    role: Role | None
    change_seq: Seq


class SyncRequired(ToClient):
    EVENT: ClassVar[str] = "sync:required"
    conversation_ids: list[Id] | None


class SessionExpiring(ToClient):
    EVENT: ClassVar[str] = "session:expiring"
    expires_at: Timestamp


class SessionEnded(ToClient):
    EVENT: ClassVar[str] = "session:ended"
    reason: EndReason


class ServerDraining(ToClient):
    EVENT: ClassVar[str] = "server:draining"
    reconnect_in_ms: int


def _by_event(base: type[Any]) -> dict[str, type[Any]]:
    return {cls.EVENT: cls for cls in base.__subclasses__()}


TO_SERVER: dict[str, type[ToServer]] = _by_event(ToServer)
TO_CLIENT: dict[str, type[ToClient]] = _by_event(ToClient)

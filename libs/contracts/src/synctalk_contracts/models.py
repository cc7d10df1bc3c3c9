"""The things of the product as every client sees them."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from synctalk_contracts.base import Contract
from synctalk_contracts.ids import Id, Seq, Timestamp


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class PresenceStatus(StrEnum):
    ONLINE = "online"
    AWAY = "away"
    DND = "dnd"
    OFFLINE = "offline"


class EndReason(StrEnum):
    """The reason why a session ended, as sent in `session:ended`."""

    LOGGED_OUT = "logged_out"
    REVOKED = "revoked"
    PASSWORD_CHANGED = "password_changed"
    REFRESH_REUSED = "refresh_reused"
    EXPIRED = "expired"


class User(Contract):
    id: Id
    username: str
    display_name: str
    avatar_url: str | None


class Tokens(Contract):
    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    """Seconds until the access token ends."""
    session_id: Id
    user: User


class Session(Contract):
    session_id: Id
    device_name: str | None
    created_at: Timestamp
    last_used_at: Timestamp
    current: bool


class Message(Contract):
    id: Id
    conversation_id: Id
    seq: Seq
    change_seq: Seq
    sender_id: Id
    client_message_id: str
    body: str
    reply_to: Id | None
    reactions: dict[str, list[Id]]
    """The first who reacted, by emoji; of a message with very many reactions not all."""
    reaction_counts: dict[str, int] = Field(default={})
    """All who reacted, by emoji."""
    mentions: list[Id]
    created_at: Timestamp
    edited_at: Timestamp | None
    deleted_at: Timestamp | None


class Member(Contract):
    user: User
    role: Role
    joined_at: Timestamp
    delivered_seq: Seq
    read_seq: Seq


class MemberChange(Contract):
    """A member in `sync`: the current state, or a removed member (`role` null)."""

    user: User
    role: Role | None
    joined_at: Timestamp
    delivered_seq: Seq
    read_seq: Seq
    change_seq: Seq


class Conversation(Contract):
    """A conversation as the caller sees it."""

    id: Id
    type: Literal["direct", "group"]
    title: str | None
    peer: User | None
    last_seq: Seq
    change_seq: Seq
    read_seq: Seq
    unread_count: int
    role: Role
    last_message: Message | None
    members_count: int
    created_at: Timestamp
    updated_at: Timestamp


class Receipt(Contract):
    """The state of one message for one member: received, read."""

    user_id: Id
    delivered: bool
    read: bool


class Presence(Contract):
    user_id: Id
    status: PresenceStatus
    custom_status: str | None
    last_seen_at: Timestamp | None


class SearchHit(Contract):
    message: Message
    highlight: str


class SyncState(Contract):
    """The changes of one conversation after the given cursor, in exactly one of three forms."""

    messages: list[Message] | None = None
    members: list[MemberChange] | None = None
    conversation: Conversation | None = None
    change_seq: Seq | None = None
    more: bool | None = None
    reset: Literal[True] | None = None
    removed: Literal[True] | None = None


class SyncAnswer(Contract):
    conversations: dict[Id, SyncState]


class Device(Contract):
    device_id: str
    platform: Literal["android", "ios", "web"]
    created_at: Timestamp


class NotificationSettings(Contract):
    level: Literal["all", "mentions", "none"] = "all"
    muted_until: Timestamp | None = None


class PushData(Contract):
    """The `data` of a push; strings, as FCM wants them."""

    type: Literal["message", "retract"]
    conversation_id: Id
    message_id: Id
    seq: str
    badge: str

"""Messages of api, presence and the gateways to the gateways on Redis pub/sub, to be delivered to sockets.

A message on a conversation's channel holds the events of one commit, in order. An event with a `change_seq` takes part
in the conversation's one order: a gateway delivers it right after the one before it, and asks api for what is missing.
"""

from typing import Any, Literal

from synctalk_contracts.base import Contract
from synctalk_contracts.ids import Id, Seq
from synctalk_contracts.models import Conversation, Presence, Role, User


class RoomEvent(Contract):
    """One event for the sockets in a conversation's room."""

    event: Literal[
        "message:new",
        "message:updated",
        "message:deleted",
        "receipt:updated",
        "typing",
        "conversation:updated",
        "member:changed",
    ]
    change_seq: Seq | None = None
    """None: outside the order (receipts, typing)."""
    origin: str | None = None
    """The connection that caused it and does not get it."""
    user_id: Id
    """Who caused it; with `member:changed` whom it is about."""
    payload: dict[str, Any]
    """The Socket.IO payload; with `conversation:updated` the part that all members share."""
    views: dict[Id, "MemberView"] | None = None
    """With `conversation:updated`: what differs from member to member."""


class MemberView(Contract):
    read_seq: Seq
    unread_count: int
    role: Role


class RoomBatch(Contract):
    conversation_id: Id
    events: list[RoomEvent]


class UserEvent(Contract):
    """On a user's own channel: a conversation that they are in from now on."""

    event: Literal["conversation:new"] = "conversation:new"
    conversation: Conversation


class ProfileEvent(Contract):
    """A changed name or picture, on the user's own channel and on those of their most active conversations."""

    event: Literal["user:updated"] = "user:updated"
    user: User


class PresenceEvent(Contract):
    """On a user's presence channel: what others see, and what they see of themselves."""

    shown: Presence
    own: Presence
    shown_changed: bool = True
    """False: only the user's own view changed (an invisible user came or went)."""


class Heartbeat(Contract):
    """A gateway's own beat on its own channel: when it stops coming back, delivery is broken."""

    n: int


RoomEvent.model_rebuild()

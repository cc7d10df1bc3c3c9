"""Messages of api, presence and the gateways to the gateways on Redis pub/sub, to be delivered to sockets.

A message on a conversation's channel holds the events of one commit, in order. An event with a `change_seq` takes part
in the conversation's one order: a gateway delivers it right after the one before it, and asks api for what is missing.
"""

from typing import Any, Literal

from synctalk_contracts.base import Contract
from synctalk_contracts.ids import Id, Seq, Timestamp
from synctalk_contracts.models import Conversation, LastSeenVisible, OwnState, Presence, Role, User

RIGHTS_CHANGED: Literal["rights:changed"] = "rights:changed"
"""A room event for the gateways alone: who may write in the conversation has changed."""


class RoomEvent(Contract):
    """One event for the sockets in a conversation's room."""

    event: Literal[
        "message:new",
        "message:updated",
        "message:deleted",
        "message:ephemeral",
        "thread:changed",
        "thread:updated",
        "message:delta",
        "receipt:updated",
        "typing",
        "conversation:updated",
        "conversation:removed",
        "member:changed",
        "member:replaced",
        "rights:changed",
    ]
    change_seq: Seq | None = None
    """None: outside the order (receipts, threads, typing, deltas, ephemeral messages)."""
    after: Seq = 0
    """Outside the order, but not before this `change_seq`, up to which the payload shows the state."""
    origin: str | None = None
    """The connection that caused it and does not get it."""
    user_id: Id
    """Who caused it; with `member:changed` and `thread:updated` whom it is about."""
    payload: dict[str, Any]
    """The Socket.IO payload; with `conversation:updated` the part that all members share."""
    views: dict[Id, "MemberView"] | None = None
    """With `conversation:updated`: what differs from member to member. None: they are so many that the payload is
    empty too, and each gateway reads the conversation for those who are connected there."""
    hidden_from: list[Id] | None = None
    """The members for whom the message does not exist; they get `change:hidden` where it has a `change_seq`."""


class MemberReplaced(Contract):
    """The payload of `member:replaced`: a user is in the place of a guest, on members and on messages."""

    replaced_id: Id
    user_id: Id
    role: Role | None
    """None: the user is no member, as the guest was none any more, or is banned."""
    muted_until: Timestamp | None


class MemberView(Contract):
    read_seq: Seq
    unread_count: int
    role: Role
    peer: User | None = None
    """The other user of a direct conversation."""
    me: OwnState | None = None
    last_message: None = None
    """Where it is there, the last message does not exist for the member."""
    pins_count: int = 0
    """Where it is there, it is the member's own."""


class RoomBatch(Contract):
    conversation_id: Id
    events: list[RoomEvent]


class UserEvent(Contract):
    """On a user's own channel: a conversation that they are in from now on."""

    event: Literal["conversation:new"] = "conversation:new"
    conversation: Conversation


class ContactsEvent(Contract):
    """On a user's own channel: somebody may be seen by them no longer, or again."""

    event: Literal["contacts:changed"] = "contacts:changed"


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
    last_seen_visible: LastSeenVisible = "everyone"
    """Who sees the time below; in `shown` it is for nobody but everyone."""
    last_seen_at: Timestamp | None = None


class Heartbeat(Contract):
    """A gateway's own beat on its own channel: when it stops coming back, delivery is broken."""

    n: int


RoomEvent.model_rebuild()

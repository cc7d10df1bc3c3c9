"""Names of exchanges, queues and channels on RabbitMQ and Redis, as pure functions of ids."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from zlib import crc32

from synctalk_contracts.envelope import Event
from synctalk_contracts.events.conversations import (
    ConversationCreated,
    ConversationDeleted,
    ConversationUpdated,
    MemberChanged,
)
from synctalk_contracts.events.messages import MessageCompleted, MessageCreated, MessageDeleted, MessageUpdated
from synctalk_contracts.events.receipts import ReceiptRead, ThreadRead
from synctalk_contracts.events.reports import ReportCreated
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.events.users import (
    ErasureCompleted,
    ErasureRequested,
    GuestClaimed,
    ProfileProvided,
    UserDeactivated,
    UserReactivated,
    UserRegistered,
    UserUpdated,
)

EVENTS_EXCHANGE = "synctalk.events"
"""Topic exchange; the routing key is the event's type name, or the name of a queue that gets a message once more."""

COMMANDS_EXCHANGE = "synctalk.commands"
"""Direct exchange; the routing key is the queue's name."""

DEAD_EXCHANGE = "synctalk.dead"
"""Direct exchange of dead letters; the routing key is the queue that gave up."""


PARTITIONS = 256
"""Of all conversations, for ever. Each is owned by one api process at a time; `PartitionMap` says by which."""


def partition_of(conversation_id: str) -> int:
    """The partition of a conversation: the same for every process, for ever."""
    return crc32(conversation_id.encode()) % PARTITIONS


def command_queue(owner: str) -> str:
    """The queue of an api process, for commands of the partitions that it owns."""
    return f"api.commands.{owner}"


@dataclass(frozen=True)
class DurableQueue:
    """Events that a service must not miss. Who publishes them declares the queue too, so it stands before they do."""

    name: str
    events: tuple[str, ...]
    """The types bound to it."""
    is_single_active: bool = False
    """One process at a time consumes it, in order; the others stand by."""

    @property
    def routing_keys(self) -> tuple[str, ...]:
        """Return the keys by which it is bound: its events, and its own name, by which it gets a message back."""
        return (*self.events, self.name)

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the arguments of its declaration: the same everywhere, else the broker refuses."""
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": 20,
            "x-dead-letter-exchange": DEAD_EXCHANGE,
            "x-dead-letter-routing-key": self.name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
            "x-max-length": 1_000_000,
            **({"x-single-active-consumer": True} if self.is_single_active else {}),
        }


AUTH_USERS = DurableQueue("auth.users", tuple(e.type_name() for e in (UserUpdated, ErasureCompleted)))
API_USERS = DurableQueue(
    "api.users",
    tuple(
        e.type_name()
        for e in (UserRegistered, ProfileProvided, GuestClaimed, UserDeactivated, UserReactivated, ErasureRequested)
    ),
)
NOTIFIER_EVENTS = DurableQueue(
    "notifier.events",
    tuple(
        e.type_name()
        for e in (
            ConversationCreated,
            MemberChanged,
            MessageCreated,
            MessageCompleted,
            MessageDeleted,
            ReceiptRead,
            ThreadRead,
        )
    ),
)
NOTIFIER_SESSIONS = DurableQueue("notifier.sessions", (SessionRevoked.type_name(),))


def _feed(name: str, *events: type[Event]) -> DurableQueue:
    return DurableQueue(name, tuple(event.type_name() for event in events), is_single_active=True)


NOTIFIER_FEED = (
    _feed(
        "notifier.feed.conversations",
        MessageCreated,
        MessageUpdated,
        MessageCompleted,
        MessageDeleted,
        ConversationCreated,
        ConversationUpdated,
        ConversationDeleted,
        MemberChanged,
        ReceiptRead,
        ReportCreated,
    ),
    _feed("notifier.feed.users", UserRegistered, UserUpdated, UserDeactivated, UserReactivated, ErasureRequested),
    _feed("notifier.feed.sessions", SessionRevoked),
)
"""What host apps can read of, in order within each: several queues, so that one that takes nothing delays only its
own subject."""

DURABLE_QUEUES = (AUTH_USERS, API_USERS, NOTIFIER_EVENTS, NOTIFIER_SESSIONS, *NOTIFIER_FEED)


def fed_by(event_type: str) -> tuple[DurableQueue, ...]:
    """The queues that every event of this type must reach."""
    return tuple(queue for queue in DURABLE_QUEUES if event_type in queue.events)


def dead_queue(queue: str) -> str:
    return f"{queue}.dead-letters"


DEAD_ARGUMENTS: dict[str, Any] = {
    "x-queue-type": "quorum",
    "x-message-ttl": 14 * 86_400_000,
    "x-max-length": 10_000,
    "x-delivery-limit": 1_000_000,
}
"""Dead letters are whole events, texts of users included: kept for two weeks, the newest 10,000. To look at one is a
delivery, and after twenty a broker would drop it."""


class ChannelKind(StrEnum):
    """The subject of a Redis channel; its name is `<kind>:<id>`."""

    CONVERSATION = "conversation"
    USER = "user"
    PRESENCE = "presence"
    REPLIES = "replies"
    HEARTBEAT = "heartbeat"
    PARTITIONS = "partitions"


_KINDS = {kind.value: kind for kind in ChannelKind}
_CONVERSATION, _USER, _PRESENCE, _REPLIES, _HEARTBEAT, _PARTITIONS = (f"{kind.value}:" for kind in ChannelKind)


def parse_channel(name: str) -> tuple[ChannelKind, str]:
    """Return the kind and the id of a channel. Raises ValueError for a name that none of the functions below made."""
    prefix, colon, subject = name.partition(":")
    kind = _KINDS.get(prefix)
    if kind is None or not colon:
        raise ValueError("not a channel's name")
    return kind, subject


def conversation_channel(conversation_id: str) -> str:
    """RoomBatch: what happens in a conversation. ProfileEvent: a member's new name or picture."""
    return _CONVERSATION + conversation_id


def user_channel(user_id: str) -> str:
    """UserEvent: conversations that the user was added to. ProfileEvent: their own new name or picture.
    ContactsEvent: whose presence they may see has changed."""
    return _USER + user_id


PRESENCE_SHARDS = 16
"""Of all users, by which presence keeps what it knows of them."""


def presence_shard(user_id: str) -> int:
    return crc32(user_id.encode()) % PRESENCE_SHARDS


def presence_channel(user_id: str, *, in_cluster: bool = False) -> str:
    """PresenceEvent: changes of the user's presence. On a cluster it lies in the slot of presence's keys."""
    return f"{_PRESENCE}{{{presence_shard(user_id)}}}:{user_id}" if in_cluster else _PRESENCE + user_id


def replies_channel(gateway: str) -> str:
    """ReplyBatch: replies to this gateway process's commands."""
    return _REPLIES + gateway


def heartbeat_channel(gateway: str, number: int | None = None) -> str:
    """Heartbeat: a gateway's own, to see whether its subscription works; on a cluster it has one for each primary."""
    return _HEARTBEAT + gateway if number is None else f"{_HEARTBEAT}{gateway}:{number}"


PARTITIONS_CHANNEL = f"{_PARTITIONS}owners"
"""PartitionMap: each new one, as soon as it is valid."""


def delivered_key(session_id: str) -> str:
    """Sorted set, conversation → the `seq` up to which a socket of this session got it lately."""
    return f"delivered:{session_id}"

"""Names on RabbitMQ and Redis, as pure functions of ids. The only place where they are spelled."""

from zlib import crc32

EVENTS_EXCHANGE = "synctalk.events"
"""Topic exchange; the routing key is the event's type name."""

COMMANDS_EXCHANGE = "synctalk.commands"
"""Direct exchange; the routing key is the partition's queue name."""

DEAD_EXCHANGE = "synctalk.dead"
"""Direct exchange of dead letters; the routing key is the queue that gave up."""


def partition_of(conversation_id: str, partitions: int) -> int:
    """Which partition serves a conversation: the same for every process, for ever."""
    return crc32(conversation_id.encode()) % partitions


def command_queue(partition: int) -> str:
    return f"api.commands.{partition}"


def dead_queue(queue: str) -> str:
    return f"{queue}.dead"


def conversation_channel(conversation_id: str) -> str:
    """RoomBatch: what happens in a conversation."""
    return f"conversation:{conversation_id}"


def user_channel(user_id: str) -> str:
    """UserEvent: conversations that this person came into."""
    return f"user:{user_id}"


def presence_channel(user_id: str) -> str:
    """PresenceEvent: changes of this person's presence."""
    return f"presence:{user_id}"


def replies_channel(gateway: str) -> str:
    """ReplyBatch: answers to this gateway process's commands."""
    return f"replies:{gateway}"


def heartbeat_channel(gateway: str) -> str:
    return f"heartbeat:{gateway}"

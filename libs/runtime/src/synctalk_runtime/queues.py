"""How the exchanges and the three kinds of queues are declared."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractQueue
from synctalk_contracts import topology

COMMANDS = "commands"
"""The queue of commands in logs and metrics: on the broker it has another name each time."""
COMMANDS_BATCH = 64
COMMANDS_ACKED_TOGETHER = 16
OWN_EVENTS_BATCH = 100


@dataclass(frozen=True, slots=True)
class ConsumedQueue:
    """A queue as its consumer needs it."""

    name: str
    """In logs and metrics; on the broker too, unless the broker names it."""
    declare: Callable[[AbstractChannel], Awaitable[AbstractQueue]]
    max_batch: int
    is_exclusive: bool = False
    counts_deliveries: bool = False
    """The broker makes a message a dead letter after twenty deliveries."""
    acked_together: int = 1
    """How many processed messages may share an ack: more only where nothing is delivered again, and the ack does no
    more than let the broker send on."""


async def declare_exchanges(channel: AbstractChannel) -> None:
    await channel.declare_exchange(topology.EVENTS_EXCHANGE, ExchangeType.TOPIC, durable=True)
    await channel.declare_exchange(topology.COMMANDS_EXCHANGE, ExchangeType.DIRECT, durable=True)
    await channel.declare_exchange(topology.DEAD_EXCHANGE, ExchangeType.DIRECT, durable=True)


def shared_events(queue: topology.DurableQueue, max_batch: int) -> ConsumedQueue:
    """Return a durable queue whose events the processes of a service share."""
    return ConsumedQueue(queue.name, lambda channel: declare_durable(channel, queue), max_batch, counts_deliveries=True)


async def declare_durable(channel: AbstractChannel, queue: topology.DurableQueue) -> AbstractQueue:
    """Declare the queue with its bindings, and that of its dead letters."""
    declared = await channel.declare_queue(queue.name, durable=True, arguments=queue.arguments)
    dead = await channel.declare_queue(topology.dead_queue(queue.name), durable=True, arguments=topology.DEAD_ARGUMENTS)
    await dead.bind(topology.DEAD_EXCHANGE, routing_key=queue.name)
    for routing_key in queue.routing_keys:
        await declared.bind(topology.EVENTS_EXCHANGE, routing_key=routing_key)
    return declared


def own_events(type_name: str) -> ConsumedQueue:
    """Return this process's own queue of one event type, gone with the connection."""

    async def declare(channel: AbstractChannel) -> AbstractQueue:
        declared = await channel.declare_queue(exclusive=True, auto_delete=True)
        await declared.bind(topology.EVENTS_EXCHANGE, routing_key=type_name)
        return declared

    return ConsumedQueue(f"own:{type_name}", declare, OWN_EVENTS_BATCH, is_exclusive=True)


class CommandQueue:
    """This process's own queue of transient commands, gone with the connection; a full one refuses."""

    def __init__(self, new_owner: Callable[[], str], ttl_ms: int, max_length: int) -> None:
        self._new_owner = new_owner
        self._arguments: dict[str, Any] = {
            "x-message-ttl": ttl_ms,
            "x-max-length": max_length,
            "x-overflow": "reject-publish",
        }
        self.owner: str | None = None
        """In whose name it was declared last."""

    def consumed(self) -> ConsumedQueue:
        return ConsumedQueue(
            COMMANDS, self._declare, COMMANDS_BATCH, is_exclusive=True, acked_together=COMMANDS_ACKED_TOGETHER
        )

    async def _declare(self, channel: AbstractChannel) -> AbstractQueue:
        self.owner = self._new_owner()
        name = topology.command_queue(self.owner)
        declared = await channel.declare_queue(name, exclusive=True, arguments=self._arguments)
        await declared.bind(topology.COMMANDS_EXCHANGE, routing_key=name)
        return declared

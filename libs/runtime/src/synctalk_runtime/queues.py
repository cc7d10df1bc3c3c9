"""How the exchanges and the three kinds of queues are declared."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractQueue
from synctalk_contracts import topology

COMMANDS_BATCH = 64
COMMANDS_EXPIRE_MS = 60_000
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
    for type_name in queue.events:
        await declared.bind(topology.EVENTS_EXCHANGE, routing_key=type_name)
    return declared


def own_events(type_name: str) -> ConsumedQueue:
    """Return this process's own queue of one event type, gone with the connection."""

    async def declare(channel: AbstractChannel) -> AbstractQueue:
        declared = await channel.declare_queue(exclusive=True, auto_delete=True)
        await declared.bind(topology.EVENTS_EXCHANGE, routing_key=type_name)
        return declared

    return ConsumedQueue(f"own:{type_name}", declare, OWN_EVENTS_BATCH, is_exclusive=True)


def commands(queue: str, ttl_ms: int, max_length: int) -> ConsumedQueue:
    """Return this process's own queue of transient commands; a full one refuses.

    It outlives a lost connection, and goes once it has had no consumer for a while.
    """

    async def declare(channel: AbstractChannel) -> AbstractQueue:
        declared = await channel.declare_queue(
            queue,
            durable=True,
            arguments={
                "x-single-active-consumer": True,
                "x-message-ttl": ttl_ms,
                "x-expires": COMMANDS_EXPIRE_MS,
                "x-max-length": max_length,
                "x-overflow": "reject-publish",
            },
        )
        await declared.bind(topology.COMMANDS_EXCHANGE, routing_key=queue)
        return declared

    return ConsumedQueue("commands", declare, COMMANDS_BATCH)

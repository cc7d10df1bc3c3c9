"""RabbitMQ: one supervised connection of a process for publishing, with confirms, and a `Consumer` for each queue.

The connections are not "robust" in aio-pika's sense: when anything of one breaks, all of it is opened anew, topology
included, with backoff and jitter. So there is one way in which things come up, tested at every start.
While the connection is away, publishing raises UnavailableError at once and readiness says so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypeVar

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from prometheus_client import Counter, Gauge
from pydantic import SecretStr
from synctalk_contracts import topology
from synctalk_contracts.envelope import Event

from synctalk_runtime import amqp, queues, tls
from synctalk_runtime.background import Loop
from synctalk_runtime.consumer import STOP_S, AfterOpen, CommandConsumer, Consumer
from synctalk_runtime.consuming import CommandProcessor, EventProcessor, Published, events_in, published_in
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.nodes import FIRST_PAUSE_S, Nodes, reconnecting
from synctalk_runtime.receiving import Receiver

log = structlog.get_logger()

OPEN_TIMEOUT_S = 10.0
PUBLISH_TIMEOUT_S = 5.0

PUBLISHED = Counter("bus_published_total", "Messages handed to RabbitMQ.", ["exchange"])
CONNECTED = Gauge("bus_connected", "1 while the connection for publishing stands.")

E = TypeVar("E", bound=Event)
C = TypeVar("C", bound=Consumer)


class Bus:
    """Register consumers first, then `start()`; `stop()` lets the running batches finish."""

    def __init__(self, url: SecretStr, name: str, ca_file: Path | None = None) -> None:
        self._nodes = Nodes(url, name, ca_file)
        self._connector = self._nodes.connector()
        self._consumers: list[Consumer] = []
        self._loop = Loop("bus", self._session, FIRST_PAUSE_S, backoff=reconnecting(), stop_s=STOP_S)
        self._confirmed: amqp.Publisher | None = None
        self._plain: amqp.Publisher | None = None
        self._connection: AbstractConnection | None = None
        self._declaring: AbstractChannel | None = None
        self._lost_listeners: list[Callable[[], None]] = []

    async def start(self) -> None:
        await self._loop.start()
        for consumer in self._consumers:
            await consumer.start()

    async def stop(self) -> None:
        """Consume no more, then publish no more: a batch that ends may publish."""
        await asyncio.gather(*(consumer.stop() for consumer in self._consumers))
        await self._loop.stop()

    def add_lost_listener(self, on_lost: Callable[[], None]) -> None:
        """Call this whenever the connection is gone: what was sent unconfirmed may be gone with it."""
        self._lost_listeners.append(on_lost)

    def subscribe(
        self,
        queue: topology.DurableQueue,
        handler: Callable[[list[Event]], Awaitable[None]],
        *,
        max_batch: int = 200,
    ) -> Consumer:
        """A durable quorum queue of this service; its processes share the work. At least once, in batches."""
        receiver = Receiver(queues.shared_events(queue, max_batch), EventProcessor(queue.name, handler, events_in))
        return self._add(Consumer(receiver, self._nodes))

    def subscribe_in_order(
        self,
        queue: topology.DurableQueue,
        handler: Callable[[list[Published]], Awaitable[None]],
        *,
        max_batch: int = 200,
    ) -> Consumer:
        """A durable queue that one process of this service at a time consumes, in the order of publication."""
        assert queue.is_single_active
        processor = EventProcessor(queue.name, handler, published_in, in_order=True)
        return self._add(Consumer(Receiver(queues.shared_events(queue, max_batch), processor), self._nodes))

    def listen(
        self, event: type[E], handler: Callable[[list[E]], Awaitable[None]], *, after_open: AfterOpen | None = None
    ) -> Consumer:
        """This process's own queue, gone with its connection; `after_open` reads what was missed meanwhile."""
        queue = queues.own_events(event.type_name())
        return self._add(
            Consumer(Receiver(queue, EventProcessor(queue.name, handler, events_in)), self._nodes, after_open)
        )

    def serve(
        self,
        new_owner: Callable[[], str],
        handler: Callable[[list[bytes]], Awaitable[None]],
        *,
        ttl_ms: int,
        max_length: int,
    ) -> CommandConsumer:
        """This process's own queue of commands. Transient: older than `ttl_ms` is dropped, full refuses."""
        queue = queues.CommandQueue(new_owner, ttl_ms, max_length)
        receiver = Receiver(queue.consumed(), CommandProcessor(queues.COMMANDS, handler))
        return self._add(CommandConsumer(queue, receiver, self._nodes))

    def _add(self, consumer: C) -> C:
        self._consumers.append(consumer)
        return consumer

    @property
    def connected(self) -> bool:
        """The connection for publishing stands."""
        return self._confirmed is not None

    async def check(self) -> None:
        """Raise ConnectionError while it cannot publish, or one of the consumers does not receive, for readiness.

        While the broker blocks publishers (memory, disk) it waits, until the probe's deadline.
        """
        if self._confirmed is None:
            raise ConnectionError("not connected to RabbitMQ")
        if waiting := [consumer.queue for consumer in self._consumers if not consumer.receiving]:
            raise ConnectionError(f"not receiving from {', '.join(waiting)}")
        await self._confirmed.check()

    async def declare_fed_by(self, event_types: Iterable[str]) -> None:
        """Declare every durable queue that these events must reach, whether or not its service has ever run.

        Raises:
            UnavailableError: not connected, or a queue cannot be declared.
        """
        fed = {queue.name: queue for event_type in event_types for queue in topology.fed_by(event_type)}
        for queue in fed.values():
            await self._declare(queue)

    async def _declare(self, queue: topology.DurableQueue) -> None:
        """Declare a queue; in one round trip where somebody consumes, since its bindings stand too then."""
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                channel = await self._declaring_channel()
                declared = await channel.declare_queue(queue.name, durable=True, arguments=queue.arguments)
                if not declared.declaration_result.consumer_count:
                    await queues.declare_durable(channel, queue)
        except amqp.LOST as error:
            log.warning("bus.not_declared", queue=queue.name, error=type(error).__name__)
            self._declaring = None
            raise UnavailableError from error

    async def _declaring_channel(self) -> AbstractChannel:
        """A channel of its own: what the broker refuses to declare closes it, and nothing else."""
        if self._connection is None:
            raise UnavailableError
        channel = self._declaring
        if channel is None or channel.is_closed:
            channel = await amqp.open_channel(self._connection, confirms=False)
            self._declaring = channel
        return channel

    async def publish(self, exchange: str, routing_key: str, body: bytes) -> None:
        """Persistent, and confirmed by the broker when this returns. May arrive twice after an error.

        Raises:
            UnavailableError: not connected, not confirmed in time, or no queue takes an event that one must get.
        """
        if self._confirmed is None:
            raise UnavailableError
        must_arrive = exchange == topology.EVENTS_EXCHANGE and bool(topology.fed_by(routing_key))
        await self._confirmed.publish_persistent(
            exchange, routing_key, body, mandatory=must_arrive, timeout_s=PUBLISH_TIMEOUT_S
        )
        PUBLISHED.labels(exchange).inc()

    def send_command(self, queue: str, body: bytes, *, ttl_ms: int) -> None:
        """Transient and unconfirmed: the answer is the confirmation. Raises UnavailableError when not connected."""
        if self._plain is None:
            raise UnavailableError
        exchange = topology.COMMANDS_EXCHANGE
        self._plain.publish_transient(exchange, queue, body, ttl_ms=ttl_ms)
        PUBLISHED.labels(exchange).inc()

    async def _session(self) -> None:
        """Connect, and stay until the first thing that breaks, or the stop."""
        try:
            async with self._connector.connection() as (connection, broken):
                try:
                    await self._open(connection, broken)
                    await self._until(broken, self._loop.stopping)
                finally:
                    # Closing may take a while, and nobody shall wait for it.
                    self._confirmed = self._plain = self._connection = self._declaring = None
                    CONNECTED.set(0)
                    for on_lost in self._lost_listeners:
                        on_lost()
            if not self._loop.stopping.is_set():
                log.warning("bus.lost")
        except amqp.LOST as error:
            log.warning("bus.lost", error=type(error).__name__, certificate=tls.refusal(error))
            raise UnavailableError from error

    async def _open(self, connection: amqp.Connection, broken: asyncio.Event) -> None:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            plain = await amqp.open_channel(connection, confirms=False, on_broken=broken.set)
            self._plain = await amqp.Publisher.of(connection, plain)
            confirmed = await amqp.open_channel(connection, confirms=True, on_broken=broken.set)
            await queues.declare_exchanges(confirmed)
        self._connection = connection
        self._confirmed = await amqp.Publisher.of(connection, confirmed)
        CONNECTED.set(1)
        log.info("bus.connected")

    @staticmethod
    async def _until(*events: asyncio.Event) -> None:
        """Wait for the first of them."""
        waits = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

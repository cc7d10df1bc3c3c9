"""RabbitMQ: one supervised connection a process, publishing with confirms, and a `Receiver` for each consumed queue.

The connection is not "robust" in aio-pika's sense: when anything of it breaks, all of it is opened anew, topology and
consumers included, with backoff and jitter. So there is one way in which things come up, tested at every start.
While it is away, publishing raises UnavailableError at once and readiness says so.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from itertools import cycle
from pathlib import Path
from typing import TypeVar

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError
from prometheus_client import Counter, Gauge
from pydantic import SecretStr
from synctalk_contracts import topology
from synctalk_contracts.envelope import Event
from yarl import URL

from synctalk_runtime import amqp, queues, tls
from synctalk_runtime.background import Backoff, Loop
from synctalk_runtime.consuming import MAX_PAUSE_S, CommandProcessor, EventProcessor
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.receiving import Receiver
from synctalk_runtime.settings import addresses

log = structlog.get_logger()

HEARTBEAT_S = 5
OPEN_TIMEOUT_S = 20.0
"""For all channels, queues and consumers."""
PUBLISH_TIMEOUT_S = 5.0
FIRST_PAUSE_S = 0.1
MAX_BACKOFF_S = 2.0
STOP_S = 15.0
WATCH_S = 10.0

PUBLISHED = Counter("bus_published_total", "Messages handed to RabbitMQ.", ["exchange"])
CONNECTED = Gauge("bus_connected", "1 while the connection stands.")

E = TypeVar("E", bound=Event)

AfterConnect = Callable[[], Awaitable[None]]


class Bus:
    """Register consumers first, then `start()`; `stop()` lets the running batches finish."""

    def __init__(self, url: SecretStr, name: str, ca_file: Path | None = None) -> None:
        nodes = [
            (URL(address).update_query(heartbeat=str(HEARTBEAT_S), name=name), tls.rabbitmq_context(address, ca_file))
            for address in addresses(url)
        ]
        random.shuffle(nodes)  # the processes spread over the nodes
        self._nodes = cycle(nodes)
        self._consumers: list[Receiver] = []
        self._after_connect: list[AfterConnect] = []
        self._loop = Loop(
            "bus", self._session, FIRST_PAUSE_S, backoff=Backoff(FIRST_PAUSE_S, MAX_BACKOFF_S), stop_s=STOP_S
        )
        self.start = self._loop.start
        self.stop = self._loop.stop
        self._confirmed: amqp.Publisher | None = None
        self._plain: amqp.Publisher | None = None
        self._connection: AbstractConnection | None = None
        self._declaring: AbstractChannel | None = None
        self._lost_listeners: list[Callable[[], None]] = []

    def add_lost_listener(self, on_lost: Callable[[], None]) -> None:
        """Call this whenever the connection is gone: what was sent unconfirmed may be gone with it."""
        self._lost_listeners.append(on_lost)

    def subscribe(
        self,
        queue: topology.DurableQueue,
        handler: Callable[[list[Event]], Awaitable[None]],
        *,
        max_batch: int = 200,
    ) -> None:
        """A durable quorum queue of this service; its processes share the work. At least once, in batches."""
        self._consumers.append(Receiver(queues.shared_events(queue, max_batch), EventProcessor(queue.name, handler)))

    def listen(
        self,
        event: type[E],
        handler: Callable[[list[E]], Awaitable[None]],
        *,
        after_connect: AfterConnect | None = None,
    ) -> None:
        """This process's own queue, gone with the connection; `after_connect` reads what was missed meanwhile."""
        queue = queues.own_events(event.type_name())
        self._consumers.append(Receiver(queue, EventProcessor(queue.name, handler)))
        if after_connect is not None:
            self._after_connect.append(after_connect)

    def serve(
        self, queue: str, handler: Callable[[list[bytes]], Awaitable[None]], *, ttl_ms: int, max_length: int
    ) -> None:
        """This process's own queue of commands. Transient: older than `ttl_ms` is dropped, full refuses."""
        consumed = queues.commands(queue, ttl_ms, max_length)
        self._consumers.append(Receiver(consumed, CommandProcessor(consumed.name, handler)))

    @property
    def connected(self) -> bool:
        """The connection stands, and every consumer of it receives."""
        return self._confirmed is not None

    async def check(self) -> None:
        """Raise ConnectionError while not connected, for readiness.

        While the broker blocks publishers (memory, disk) it waits, until the probe's deadline.
        """
        if self._confirmed is None:
            raise ConnectionError("not connected to RabbitMQ")
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

    async def send_command(self, queue: str, body: bytes, *, ttl_ms: int) -> None:
        """Transient and unconfirmed: the answer is the confirmation. Raises UnavailableError when not connected."""
        if self._plain is None:
            raise UnavailableError
        exchange = topology.COMMANDS_EXCHANGE
        await self._plain.publish_transient(exchange, queue, body, ttl_ms=ttl_ms, timeout_s=PUBLISH_TIMEOUT_S)
        PUBLISHED.labels(exchange).inc()

    async def _session(self) -> None:
        """Connect, and stay until the first thing that breaks, or the stop."""
        try:
            await self._stay_connected()
            if not self._loop.stopping.is_set():
                log.warning("bus.lost")
        except (AMQPError, OSError) as error:
            log.warning("bus.lost", error=type(error).__name__)
            raise UnavailableError from error
        finally:
            CONNECTED.set(0)
            for on_lost in self._lost_listeners:
                on_lost()

    async def _stay_connected(self) -> None:
        connection = amqp.connection(*next(self._nodes))
        broken = asyncio.Event()
        connection.close_callbacks.add(lambda *_: broken.set())
        try:
            await amqp.connect(connection)
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                plain = await amqp.open_channel(connection, confirms=False, on_broken=broken.set)
                self._plain = await amqp.Publisher.of(plain)
                confirmed = await amqp.open_channel(connection, confirms=True, on_broken=broken.set)
                await queues.declare_exchanges(confirmed)
                for consumer in self._consumers:
                    await consumer.open(await amqp.open_channel(connection, confirms=True, on_broken=broken.set))
            self._connection = connection
            self._confirmed = await amqp.Publisher.of(confirmed)
            CONNECTED.set(1)
            log.info("bus.connected")
            await self._until_broken(connection, broken)
        finally:
            # Closing may take a while, and nobody shall wait for it.
            self._confirmed = self._plain = self._connection = self._declaring = None
            for consumer in self._consumers:
                await consumer.close()
            await amqp.close(connection)

    async def _until_broken(self, connection: AbstractConnection, broken: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch(connection, broken))
            workers = [group.create_task(consumer.work(broken)) for consumer in self._consumers]
            catch_ups = [group.create_task(_catch_up(after_connect)) for after_connect in self._after_connect]
            stop = group.create_task(self._loop.stopping.wait())
            lost = group.create_task(broken.wait())
            await asyncio.wait((stop, lost), return_when=asyncio.FIRST_COMPLETED)
            if stop.done():
                await asyncio.gather(*(consumer.finish() for consumer in self._consumers))
            for task in (watch, stop, lost, *workers, *catch_ups):
                task.cancel()

    async def _watch(self, connection: AbstractConnection, broken: asyncio.Event) -> None:
        """Open everything anew once the broker no longer knows one of the consumers."""
        while True:
            await asyncio.sleep(WATCH_S)
            for consumer in self._consumers:
                if not await consumer.has_consumer(connection):
                    log.error("bus.consumer_lost", queue=consumer.queue)
                    broken.set()
                    return


async def _catch_up(after_connect: AfterConnect) -> None:
    backoff = Backoff(0.2, MAX_PAUSE_S)
    while True:
        try:
            await after_connect()
            return
        except UnavailableError:
            await asyncio.sleep(backoff.next())

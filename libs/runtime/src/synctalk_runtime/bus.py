"""RabbitMQ: one supervised connection a process, publishing with confirms, and the consumers of `consuming.py`.

The connection is not "robust" in aio-pika's sense: when anything of it breaks, all of it is opened anew, topology and
consumers included, with backoff and jitter. So there is one way in which things come up, tested at every start.
While it is away, publishing raises UnavailableError at once and readiness says so.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.channel import Channel as RawChannel
from aiormq.exceptions import AMQPError
from pamqp.commands import Basic
from prometheus_client import Counter, Gauge
from pydantic import SecretStr
from synctalk_contracts import topology
from synctalk_contracts.envelope import Event
from yarl import URL

from synctalk_runtime.consuming import AfterConnect, CommandConsumer, Consumer, EventConsumer, Listener
from synctalk_runtime.errors import UnavailableError

log = structlog.get_logger()

HEARTBEAT_S = 5
CONNECT_TIMEOUT_S = 5.0
PUBLISH_TIMEOUT_S = 5.0
MAX_BACKOFF_S = 2.0
WATCH_S = 10.0

PUBLISHED = Counter("bus_published_total", "Messages handed to RabbitMQ.", ["exchange"])
CONNECTED = Gauge("bus_connected", "1 while the connection stands.")

E = TypeVar("E", bound=Event)


class Bus:
    """Register consumers first, then `start()`; `stop()` lets the running batches finish."""

    def __init__(self, url: SecretStr, name: str) -> None:
        self._url = URL(url.get_secret_value()).update_query(heartbeat=str(HEARTBEAT_S), name=name)
        self._consumers: list[Consumer] = []
        self._task: asyncio.Task[None] | None = None
        self._confirmed: RawChannel | None = None
        self._plain: RawChannel | None = None
        self._stopping = asyncio.Event()
        self.on_lost: Callable[[], None] = _nothing
        """Told whenever the connection is gone: what was sent unconfirmed may be gone with it."""

    def subscribe(
        self,
        queue: str,
        events: Sequence[type[Event]],
        handler: Callable[[list[Event]], Awaitable[None]],
        *,
        max_batch: int = 200,
    ) -> None:
        """A durable quorum queue of this service; its processes share the work. At least once, in batches."""
        self._consumers.append(EventConsumer(queue, [e.type_name() for e in events], handler, max_batch))

    def listen(
        self,
        event: type[E],
        handler: Callable[[list[E]], Awaitable[None]],
        *,
        after_connect: AfterConnect | None = None,
    ) -> None:
        """This process's own queue, gone with the connection; `after_connect` reads what was missed meanwhile."""
        self._consumers.append(Listener(event.type_name(), handler, after_connect))

    def serve(
        self, queue: str, handler: Callable[[list[bytes]], Awaitable[None]], *, ttl_ms: int, max_length: int
    ) -> None:
        """A command queue with a single active consumer. Transient: older than `ttl_ms` is dropped, full refuses."""
        self._consumers.append(CommandConsumer(queue, handler, ttl_ms, max_length))

    async def start(self) -> None:
        self._task = asyncio.create_task(self._supervise(), name="bus")

    async def stop(self) -> None:
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def check(self) -> None:
        """For readiness. While the broker blocks publishers (memory, disk) it waits, until the probe's deadline."""
        if self._confirmed is None:
            raise ConnectionError("not connected to RabbitMQ")
        await self._confirmed.connection.ready()

    async def publish(self, exchange: str, routing_key: str, body: bytes) -> None:
        """Persistent, and confirmed by the broker when this returns. May arrive twice after an error.

        Raises:
            UnavailableError: not connected, or not confirmed in time.
        """
        properties = Basic.Properties(delivery_mode=2, content_type="application/json")
        await self._publish(self._confirmed, exchange, routing_key, body, properties)

    async def send_command(self, queue: str, body: bytes, *, ttl_ms: int) -> None:
        """Transient and unconfirmed: the answer is the confirmation. Raises UnavailableError when not connected."""
        properties = Basic.Properties(delivery_mode=1, expiration=str(ttl_ms))
        await self._publish(self._plain, topology.COMMANDS_EXCHANGE, queue, body, properties)

    @staticmethod
    async def _publish(
        channel: RawChannel | None, exchange: str, routing_key: str, body: bytes, properties: Basic.Properties
    ) -> None:
        if channel is None:
            raise UnavailableError
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                answer = await channel.basic_publish(
                    body, exchange=exchange, routing_key=routing_key, properties=properties, wait=False
                )
        except (AMQPError, TimeoutError, OSError, RuntimeError) as error:
            raise UnavailableError from error
        except (Exception, asyncio.CancelledError) as error:
            if not _says_that_the_channel_closes(error):
                raise
            raise UnavailableError from error
        if isinstance(answer, Basic.Nack):
            raise UnavailableError
        PUBLISHED.labels(exchange).inc()

    async def _supervise(self) -> None:
        delay = 0.1
        while not self._stopping.is_set():
            try:
                await self._session()
                delay = 0.1
                if not self._stopping.is_set():
                    log.warning("bus.lost", retry_in_s=delay)
            except (AMQPError, OSError, TimeoutError) as error:
                log.warning("bus.lost", error=type(error).__name__, retry_in_s=round(delay, 2))
            except Exception as error:  # the supervisor's door: whatever broke, all is opened anew
                log.exception("bus.failed", error=type(error).__name__, retry_in_s=round(delay, 2))
            finally:
                CONNECTED.set(0)
                self.on_lost()
            await _sleep_unless(self._stopping, delay * random.uniform(0.5, 1.5))  # noqa: S311
            delay = min(delay * 2, MAX_BACKOFF_S)

    async def _session(self) -> None:
        """From connect to the first thing that breaks, or the stop."""
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            connection = await aio_pika.connect(self._url, timeout=CONNECT_TIMEOUT_S)
        broken = asyncio.Event()
        connection.close_callbacks.add(lambda *_: broken.set())
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S * 4):
                self._plain = await _raw(await self._channel(connection, broken, confirms=False))
                confirmed = await self._channel(connection, broken, confirms=True)
                await _declare_exchanges(confirmed)
                for consumer in self._consumers:
                    channel = await self._channel(connection, broken, confirms=False)
                    await consumer.open(channel)
            self._confirmed = await _raw(confirmed)
            CONNECTED.set(1)
            log.info("bus.connected")
            await self._until_broken(connection, broken)
        finally:
            self._confirmed = self._plain = None  # closing may take a while, and nobody shall wait for it
            for consumer in self._consumers:
                await consumer.close()
            await _close(connection)

    @staticmethod
    async def _channel(connection: AbstractConnection, broken: asyncio.Event, *, confirms: bool) -> AbstractChannel:
        channel = connection.channel(publisher_confirms=confirms)
        await channel.initialize()
        channel.close_callbacks.add(lambda *_: broken.set())
        # The broker ends a consumer when its queue is deleted or its node goes.
        (await _raw(channel)).on_consumer_cancel_callbacks.add(lambda *_: broken.set())
        return channel

    async def _until_broken(self, connection: AbstractConnection, broken: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch(connection, broken))
            workers = [group.create_task(consumer.work(broken)) for consumer in self._consumers]
            stop = group.create_task(self._stopping.wait())
            lost = group.create_task(broken.wait())
            await asyncio.wait((stop, lost), return_when=asyncio.FIRST_COMPLETED)
            if stop.done():
                await asyncio.gather(*(consumer.finish() for consumer in self._consumers))
            for task in (watch, stop, lost, *workers):
                task.cancel()

    async def _watch(self, connection: AbstractConnection, broken: asyncio.Event) -> None:
        """A consumer that the broker no longer knows is deaf: then everything is opened anew."""
        while True:
            await asyncio.sleep(WATCH_S)
            for consumer in self._consumers:
                if not await consumer.is_heard(connection):
                    log.error("bus.deaf", queue=consumer.queue)
                    broken.set()
                    return


def _nothing() -> None:
    return


def _says_that_the_channel_closes(error: BaseException) -> bool:
    """aiormq ends whoever waits for a confirmation by the bare class, or by a cancellation that nobody asked for."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and not task.cancelling()
    return type(error) is Exception


async def _raw(channel: AbstractChannel) -> RawChannel:
    underlay = await channel.get_underlay_channel()
    assert isinstance(underlay, RawChannel)
    return underlay


async def _declare_exchanges(channel: AbstractChannel) -> None:
    await channel.declare_exchange(topology.EVENTS_EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
    await channel.declare_exchange(topology.COMMANDS_EXCHANGE, aio_pika.ExchangeType.DIRECT, durable=True)
    await channel.declare_exchange(topology.DEAD_EXCHANGE, aio_pika.ExchangeType.DIRECT, durable=True)


async def _close(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(2):
            await connection.close()
    except (AMQPError, OSError, TimeoutError, RuntimeError):
        pass  # it is going away either way


async def _sleep_unless(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass

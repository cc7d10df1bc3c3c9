"""What aio-pika and aiormq do that nobody would expect, and the calls below their public interface.

No other module imports aiormq or pamqp, or asks for the channel below a channel.
"""

import asyncio
from collections.abc import Callable
from ssl import SSLContext
from typing import Any
from uuid import uuid4

import aio_pika
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPConnectionError, AMQPError
from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel as RawChannel
from aiormq.connection import TransportFactory
from pamqp.commands import Basic
from pamqp.frame import marshal
from synctalk_contracts import topology
from yarl import URL

from synctalk_runtime.amqp_frames import DeliveryReader, TransientFrames
from synctalk_runtime.errors import UnavailableError

CONNECT_TIMEOUT_S = 5.0
LOOK_TIMEOUT_S = 4.0
MOVE_TIMEOUT_S = 5.0

READ_BYTES = 64 * 1024
MAX_FRAMED = 1_000
MAX_UNWRITTEN_BYTES = 16 * 1024 * 1024

LOST = (AMQPError, OSError, RuntimeError)
"""What calls raise when their channel or connection is gone, or nothing answers in time: aio-pika says so by
RuntimeError too."""


class _Streams(TransportFactory):
    """Opens the streams of a connection, and keeps them."""

    reader: DeliveryReader
    writer: asyncio.StreamWriter

    async def create(self, url: URL, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        context = await options["ssl_context_provider"].get_context() if url.scheme == "amqps" else None
        self.reader = DeliveryReader(READ_BYTES, loop)
        protocol = asyncio.StreamReaderProtocol(self.reader, loop=loop)
        assert url.host is not None
        assert url.port is not None
        try:
            transport, _ = await loop.create_connection(lambda: protocol, url.host, url.port, ssl=context)
        except OSError as error:
            raise AMQPConnectionError(*error.args) from error
        self.writer = asyncio.StreamWriter(transport, protocol, self.reader, loop)
        return self.reader, self.writer


class Connection(aio_pika.Connection):
    """A connection that only the bus closes."""

    def __init__(self, url: URL, tls: SSLContext | None) -> None:
        super().__init__(url, ssl_context=tls)
        self.streams = self.kwargs["transport_factory"] = _Streams()

    def __del__(self) -> None:
        """Do nothing: aio-pika would close it once more if closing had failed, in a task that nobody awaits."""


async def connect(connection: AbstractConnection) -> None:
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        await connection.connect(CONNECT_TIMEOUT_S)


async def close(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):  # one that is not closed goes on consuming
            await connection.close()
    except LOST:
        pass  # it is going away either way


async def open_channel(
    connection: AbstractConnection, *, confirms: bool, on_broken: Callable[[], None] | None = None
) -> AbstractChannel:
    """Open a channel; `on_broken` is called when it closes, or when one of its consumers ends."""
    channel = connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
    await channel.initialize()
    if on_broken is not None:
        channel.close_callbacks.add(lambda *_: on_broken())
        # The broker ends a consumer when its queue is deleted or its node goes.
        (await _raw(channel)).on_consumer_cancel_callbacks.add(lambda *_: on_broken())
    return channel


async def counts(connection: AbstractConnection, queue: str) -> tuple[int, int] | None:
    """Return how many messages wait in a queue and how many consumers it has. None: no such queue, or no answer."""
    channel = connection.channel(publisher_confirms=False)
    try:
        async with asyncio.timeout(LOOK_TIMEOUT_S):
            await channel.initialize()
            answer = await (await _raw(channel)).queue_declare(queue, passive=True)
            await channel.close()
    except LOST:
        return None
    return answer.message_count or 0, answer.consumer_count or 0


class Delivery:
    """A message that a queue's consumer received, without aio-pika's message object."""

    __slots__ = ("_channel", "_tag", "body", "processed")

    def __init__(self, body: bytes, channel: RawChannel, tag: int) -> None:
        self.body = body
        self.processed = False
        """Acked by itself, or rejected."""
        self._channel = channel
        self._tag = tag

    async def ack(self, *, multiple: bool = False) -> None:
        """Ack it; `multiple`: with everything that came before it."""
        self.processed = True
        await self._channel.basic_ack(self._tag, multiple=multiple)

    async def reject(self, *, requeue: bool) -> None:
        self.processed = True
        await self._channel.basic_reject(self._tag, requeue=requeue)


async def consume(
    connection: Connection,
    channel: AbstractChannel,
    queue: str,
    on_message: Callable[[Delivery], None],
    *,
    exclusive: bool,
) -> str:
    """Receive from a queue; return the consumer's tag."""
    raw = await _raw(channel)
    tag = uuid4().hex
    connection.streams.reader.add_consumer(
        raw.number, tag, lambda delivery_tag, body: on_message(Delivery(body, raw, delivery_tag))
    )
    await raw.basic_consume(queue, _never_called, exclusive=exclusive, consumer_tag=tag)
    return tag


async def _never_called(message: DeliveredMessage) -> None:
    raise AssertionError(f"delivery {message.delivery_tag} of {message.routing_key} was not taken by its reader")


async def publish_copy(body: bytes, channel: AbstractChannel, queue: str) -> None:
    """Publish a copy of a message to the end of a durable queue. The broker counts no deliveries of it.

    Not by the default exchange: who may publish there reaches every queue.
    """
    exchange = await channel.get_exchange(topology.EVENTS_EXCHANGE, ensure=False)
    copy = Message(body, delivery_mode=DeliveryMode.PERSISTENT, content_type="application/json")
    await exchange.publish(copy, routing_key=queue, timeout=MOVE_TIMEOUT_S)


class Publisher:
    """Publishes on a channel, without aio-pika's exchange and message objects."""

    def __init__(self, connection: Connection, channel: RawChannel) -> None:
        self._streams = connection.streams
        self._channel = channel
        self._framed: dict[tuple[str, str, int], TransientFrames] = {}

    @classmethod
    async def of(cls, connection: Connection, channel: AbstractChannel) -> "Publisher":
        return cls(connection, await _raw(channel))

    async def check(self) -> None:
        """Return unless the broker blocks publishers (memory, disk): then wait."""
        await self._channel.connection.ready()

    async def publish_persistent(
        self, exchange: str, routing_key: str, body: bytes, *, mandatory: bool, timeout_s: float
    ) -> None:
        """Raises UnavailableError: not confirmed in time, or `mandatory` and in no queue."""
        properties = Basic.Properties(delivery_mode=2, content_type="application/json")
        await self._publish(exchange, routing_key, body, properties, mandatory=mandatory, timeout_s=timeout_s)

    def publish_transient(self, exchange: str, routing_key: str, body: bytes, *, ttl_ms: int) -> None:
        """Write it at once. Raises UnavailableError: the connection is going, or the broker does not read.

        aiormq encodes method and properties anew for each message, draws an id for it, and takes two timers, a lock and
        a turn of its writer's task.
        """
        writer = self._streams.writer
        if self._channel.is_closed or writer.is_closing():
            raise UnavailableError
        if writer.transport.get_write_buffer_size() > MAX_UNWRITTEN_BYTES:
            raise UnavailableError
        frames = self._framed.get((exchange, routing_key, ttl_ms))
        if frames is None:
            if len(self._framed) >= MAX_FRAMED:
                self._framed.clear()
            frames = self._framed[exchange, routing_key, ttl_ms] = self._frames(exchange, routing_key, ttl_ms)
        # Frames of another channel may come in between, but never into these, which are one write.
        try:
            writer.write(frames.around(body))
        except LOST as error:  # uvloop's, after the end of the stream was written
            raise UnavailableError from error

    def _frames(self, exchange: str, routing_key: str, ttl_ms: int) -> TransientFrames:
        method = Basic.Publish(exchange=exchange, routing_key=routing_key)
        properties = Basic.Properties(delivery_mode=1, expiration=str(ttl_ms))
        number, frame_max = self._channel.number, self._channel.connection.connection_tune.frame_max
        return TransientFrames(number, marshal(method, number), properties.marshal(), frame_max)

    async def _publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        properties: Basic.Properties,
        *,
        mandatory: bool,
        timeout_s: float,
    ) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._channel.basic_publish(
                    body,
                    exchange=exchange,
                    routing_key=routing_key,
                    properties=properties,
                    mandatory=mandatory,
                    wait=False,
                )
        except LOST as error:
            raise UnavailableError from error
        except (Exception, asyncio.CancelledError) as error:
            if not _says_that_the_channel_closes(error):
                raise
            raise UnavailableError from error
        if isinstance(answer, Basic.Nack):
            raise UnavailableError


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

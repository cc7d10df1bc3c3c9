"""What aio-pika and aiormq do that nobody would expect, and the calls below their public interface.

No other module imports aiormq or pamqp, or asks for the channel below a channel.
"""

import asyncio
from collections.abc import Callable
from ssl import SSLContext

import aio_pika
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError
from aiormq.channel import Channel as RawChannel
from pamqp.commands import Basic
from synctalk_contracts import topology
from yarl import URL

from synctalk_runtime.errors import UnavailableError

CONNECT_TIMEOUT_S = 5.0
LOOK_TIMEOUT_S = 4.0
MOVE_TIMEOUT_S = 5.0

LOST = (AMQPError, OSError, RuntimeError)
"""What calls raise when their channel or connection is gone, or nothing answers in time: aio-pika says so by
RuntimeError too."""


class _Connection(aio_pika.Connection):
    """A connection that only the bus closes."""

    def __del__(self) -> None:
        """Do nothing: aio-pika would close it once more if closing had failed, in a task that nobody awaits."""


def connection(url: URL, tls: SSLContext | None) -> AbstractConnection:
    """Return a connection that is not open yet, and never opens itself anew."""
    return _Connection(url, ssl_context=tls)


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


async def move(message: AbstractIncomingMessage, channel: AbstractChannel, queue: str) -> None:
    """Publish a copy of the message to the end of a durable queue, then ack it. The broker counts no deliveries of it.

    Not by the default exchange: who may publish there reaches every queue.
    """
    exchange = await channel.get_exchange(topology.EVENTS_EXCHANGE, ensure=False)
    copy = Message(message.body, delivery_mode=DeliveryMode.PERSISTENT, content_type=message.content_type)
    await exchange.publish(copy, routing_key=queue, timeout=MOVE_TIMEOUT_S)
    await message.ack()


class Publisher:
    """Publishes on a channel, without aio-pika's exchange and message objects."""

    def __init__(self, channel: RawChannel) -> None:
        self._channel = channel

    @classmethod
    async def of(cls, channel: AbstractChannel) -> "Publisher":
        return cls(await _raw(channel))

    async def check(self) -> None:
        """Return unless the broker blocks publishers (memory, disk): then wait."""
        await self._channel.connection.ready()

    async def publish_persistent(
        self, exchange: str, routing_key: str, body: bytes, *, mandatory: bool, timeout_s: float
    ) -> None:
        """Raises UnavailableError: not confirmed in time, or `mandatory` and in no queue."""
        properties = Basic.Properties(delivery_mode=2, content_type="application/json")
        await self._publish(exchange, routing_key, body, properties, mandatory=mandatory, timeout_s=timeout_s)

    async def publish_transient(
        self, exchange: str, routing_key: str, body: bytes, *, ttl_ms: int, timeout_s: float
    ) -> None:
        """Raises UnavailableError when it cannot be sent."""
        properties = Basic.Properties(delivery_mode=1, expiration=str(ttl_ms))
        await self._publish(exchange, routing_key, body, properties, mandatory=False, timeout_s=timeout_s)

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

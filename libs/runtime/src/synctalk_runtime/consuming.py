"""How a queue is worked off: one worker per queue, natural batches, and three ends: done, again, dead.

- done: the handler returned; the whole batch is acked with one frame.
- again: a part that is needed does not answer (UnavailableError); the same batch is tried after a growing pause, in
  order, nothing overtakes. After five minutes it goes back to the queue, whose delivery limit bounds the rest.
- dead: a message that cannot be read, or that fails three times by itself, goes to `<queue>.dead`.

A stop leaves what it cannot finish unanswered: the broker gives it to the next process.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aiormq.exceptions import AMQPError
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Gauge
from pydantic import ValidationError
from synctalk_contracts import topology
from synctalk_contracts.envelope import Event, read_envelopes
from synctalk_contracts.registry import UnknownEventError, parse

from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.telemetry import span

log = structlog.get_logger()

AfterConnect = Callable[[], Awaitable[None]]

CONSUMED = Counter("bus_consumed_total", "Messages worked off, by their end.", ["queue", "end"])
DEPTH = Gauge("bus_queue_messages", "Messages waiting.", ["queue"])

DELIVERY_LIMIT = 20
SINGLE_TRIES = 3
AGAIN_TRIES = 60
MAX_PAUSE_S = 5.0
FINISH_S = 8.0
LOOK_S = 4.0


class Consumer(Protocol):
    """One queue of one process."""

    queue: str

    async def open(self, channel: AbstractChannel) -> None:
        """Declare and begin to receive."""

    async def work(self, broken: asyncio.Event) -> None:
        """Until cancelled."""

    async def finish(self) -> None:
        """Receive no more, and return when the batch that runs has ended, or has had its time."""

    async def close(self) -> None:
        """The connection is gone: drop what was received and not worked off; the broker gives it out again."""

    async def is_heard(self, connection: AbstractConnection) -> bool:
        """Does the broker still deliver to us?"""


class _BatchWorker:
    """What all kinds share: receiving into a bounded queue, and working it off in natural batches."""

    def __init__(self, queue: str, max_batch: int) -> None:
        self.queue = queue
        self._max_batch = max_batch
        self._received: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()
        self._finishing = asyncio.Event()
        self._declared: AbstractQueue | None = None
        self._tag: str | None = None

    async def _receive(self, channel: AbstractChannel, declared: AbstractQueue, *, exclusive: bool = False) -> None:
        await channel.set_qos(prefetch_count=self._max_batch)
        self._declared = declared
        self._tag = await declared.consume(self._on_message, exclusive=exclusive)

    async def _on_message(self, message: AbstractIncomingMessage) -> None:
        self._received.put_nowait(message)  # bounded by the prefetch count

    async def work(self, broken: asyncio.Event) -> None:
        while not self._finishing.is_set():
            batch = [await self._received.get()]
            self._idle.clear()
            try:
                while len(batch) < self._max_batch and not self._received.empty():
                    batch.append(self._received.get_nowait())
                await self._work_off(batch)
            except (AMQPError, RuntimeError, OSError) as error:  # of acks: the channel went meanwhile
                log.warning("bus.not_acked", queue=self.queue, error=type(error).__name__)
                broken.set()
                return
            finally:
                self._idle.set()

    async def finish(self) -> None:
        self._finishing.set()
        if self._declared is not None and self._tag is not None:
            try:
                await self._declared.cancel(self._tag, timeout=2)
            except (AMQPError, TimeoutError, OSError, RuntimeError):
                return
        try:
            async with asyncio.timeout(FINISH_S):
                await self._idle.wait()
        except TimeoutError:
            log.warning("bus.not_finished", queue=self.queue)

    async def close(self) -> None:
        self._declared = self._tag = None
        self._received = asyncio.Queue()
        self._idle.set()

    async def is_heard(self, connection: AbstractConnection) -> bool:
        if self._declared is None:
            return False
        channel = connection.channel(publisher_confirms=False)
        try:
            async with asyncio.timeout(LOOK_S):
                await channel.initialize()
                raw = await channel.get_underlay_channel()
                answer = await raw.queue_declare(self._declared.name, passive=True)
                await channel.close()
        except (AMQPError, RuntimeError, OSError, TimeoutError):  # no such queue, or nothing answers
            return False
        DEPTH.labels(self.queue).set(answer.message_count or 0)
        return bool(answer.consumer_count)

    async def _work_off(self, batch: list[AbstractIncomingMessage]) -> None:
        raise NotImplementedError


class _EventWorker(_BatchWorker):
    """Events: envelopes are parsed, repeats and failures are handled, the handler gets typed events."""

    def __init__(self, queue: str, handler: Callable[[list[Any]], Awaitable[None]], max_batch: int) -> None:
        super().__init__(queue, max_batch)
        self._handler = handler

    async def _work_off(self, batch: list[AbstractIncomingMessage]) -> None:
        parsed: list[Event] = []
        readable: list[AbstractIncomingMessage] = []
        for message in batch:
            try:
                parsed += _events_of(message.body)
                readable.append(message)
            except ValidationError as error:
                await self._bury(message, error)
        if not readable:
            return
        with span("bus.consume", parent=_trace_of(readable[0].body), kind=SpanKind.CONSUMER, queue=self.queue):
            end = await self._handle(parsed, single=len(readable) == 1)
        if end == "one by one":
            await self._work_off_singly(readable)
        elif end == "done" and len(readable) == len(batch):
            await batch[-1].ack(multiple=True)
            CONSUMED.labels(self.queue, "done").inc(len(batch))
        else:
            for message in readable:
                await self._end(message, end)

    async def _work_off_singly(self, messages: list[AbstractIncomingMessage]) -> None:
        for message in messages:
            end = await self._handle(_events_of(message.body), single=True)
            await self._end(message, end)
            if end == "left":
                return

    async def _handle(self, events: list[Event], *, single: bool) -> str:
        tries, pause = 0, 0.1
        while True:
            tries += 1
            try:
                if events:
                    await self._handler(events)
                return "done"
            except UnavailableError:
                if tries >= AGAIN_TRIES:
                    return "again"
            except Exception as error:  # a consumer's door: told, counted, and buried if it stays
                log.exception("bus.handler_failed", queue=self.queue, error=type(error).__name__, tries=tries)
                if not single:
                    return "one by one"
                if tries >= SINGLE_TRIES:
                    return "dead"
            if await self._is_finished_within(pause * random.uniform(0.5, 1.5)):  # noqa: S311
                return "left"
            pause = min(pause * 2, MAX_PAUSE_S)

    async def _is_finished_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._finishing.wait()
        except TimeoutError:
            return False
        return True

    async def _end(self, message: AbstractIncomingMessage, end: str) -> None:
        CONSUMED.labels(self.queue, end).inc()
        if end == "done":
            await message.ack()
        elif end != "left":
            await message.reject(requeue=end == "again")

    async def _bury(self, message: AbstractIncomingMessage, error: ValidationError) -> None:
        log.error("bus.unreadable", queue=self.queue, problems=error.error_count())
        await self._end(message, "dead")


def _trace_of(body: bytes) -> str | None:
    """What the batch's first event was caused by: one span a batch goes on with that trace."""
    return next((envelope.traceparent for envelope in read_envelopes(body)), None)


def _events_of(body: bytes) -> list[Event]:
    """The events that this version knows; of others a newer writer spoke to newer readers."""
    events = []
    for envelope in read_envelopes(body):
        try:
            events.append(parse(envelope))
        except UnknownEventError:
            log.warning("bus.unknown_event", type=envelope.type)
    return events


class EventConsumer(_EventWorker):
    """A durable queue shared by the processes of a service."""

    def __init__(
        self, queue: str, types: list[str], handler: Callable[[list[Event]], Awaitable[None]], max_batch: int
    ) -> None:
        super().__init__(queue, handler, max_batch)
        self._types = types

    async def open(self, channel: AbstractChannel) -> None:
        declared = await channel.declare_queue(
            self.queue,
            durable=True,
            arguments={
                "x-queue-type": "quorum",
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-dead-letter-exchange": topology.DEAD_EXCHANGE,
                "x-dead-letter-routing-key": self.queue,
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
                "x-max-length": 1_000_000,
            },
        )
        dead = await channel.declare_queue(
            topology.dead_queue(self.queue), durable=True, arguments={"x-queue-type": "quorum"}
        )
        await dead.bind(topology.DEAD_EXCHANGE, routing_key=self.queue)
        for type_name in self._types:
            await declared.bind(topology.EVENTS_EXCHANGE, routing_key=type_name)
        await self._receive(channel, declared)


class Listener(_EventWorker):
    """This process's own queue of one event type."""

    def __init__(
        self, type_name: str, handler: Callable[[list[Any]], Awaitable[None]], after_connect: AfterConnect | None
    ) -> None:
        super().__init__(f"own:{type_name}", handler, 100)
        self._type_name = type_name
        self._after_connect = after_connect

    async def open(self, channel: AbstractChannel) -> None:
        declared = await channel.declare_queue(exclusive=True, auto_delete=True)
        await declared.bind(topology.EVENTS_EXCHANGE, routing_key=self._type_name)
        await self._receive(channel, declared, exclusive=True)

    async def work(self, broken: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._catch_up())
            group.create_task(super().work(broken))

    async def _catch_up(self) -> None:
        pause = 0.2
        while self._after_connect is not None:
            try:
                await self._after_connect()
                return
            except UnavailableError:
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
                pause = min(pause * 2, MAX_PAUSE_S)


class CommandConsumer(_BatchWorker):
    """A command queue: one active consumer, transient messages, each answered by its handler and then acked."""

    def __init__(
        self, queue: str, handler: Callable[[list[bytes]], Awaitable[None]], ttl_ms: int, max_length: int
    ) -> None:
        super().__init__(queue, max_batch=64)
        self._handler = handler
        self._ttl_ms = ttl_ms
        self._max_length = max_length

    async def open(self, channel: AbstractChannel) -> None:
        exchange = await channel.declare_exchange(topology.COMMANDS_EXCHANGE, ExchangeType.DIRECT, durable=True)
        declared = await channel.declare_queue(
            self.queue,
            durable=True,
            arguments={
                "x-single-active-consumer": True,
                "x-message-ttl": self._ttl_ms,
                "x-max-length": self._max_length,
                "x-overflow": "reject-publish",
            },
        )
        await declared.bind(exchange, routing_key=self.queue)
        await self._receive(channel, declared)

    async def _work_off(self, batch: list[AbstractIncomingMessage]) -> None:
        try:
            await self._handler([message.body for message in batch])
            end = "done"
        except Exception as error:  # a consumer's door: the clients get no answer and try again
            log.exception("bus.commands_failed", queue=self.queue, error=type(error).__name__)
            end = "dropped"
        await batch[-1].ack(multiple=True)
        CONSUMED.labels(self.queue, end).inc(len(batch))

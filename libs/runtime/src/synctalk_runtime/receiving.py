"""Receives a queue's messages: one worker for each queue, in batches of whatever has arrived, each settled as its
processor says."""

import asyncio

import structlog
from aio_pika.abc import AbstractChannel, AbstractQueue
from prometheus_client import Counter, Gauge

from synctalk_runtime import amqp
from synctalk_runtime.amqp import Connection, Delivery
from synctalk_runtime.consuming import Messages, Outcome, Processor
from synctalk_runtime.queues import ConsumedQueue

log = structlog.get_logger()

CONSUMED = Counter("bus_consumed_total", "Messages consumed, by outcome.", ["queue", "end"])
DEPTH = Gauge("bus_queue_messages", "Messages waiting.", ["queue"])

CANCEL_TIMEOUT_S = 2
FINISH_S = 8.0


class Receiver:
    """One queue of one process, and the processor of its messages."""

    def __init__(self, queue: ConsumedQueue, processor: Processor) -> None:
        self.queue = queue.name
        self._queue = queue
        self._processor = processor
        self._received: asyncio.Queue[Delivery] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._idle.set()
        self._finishing = asyncio.Event()
        self._channel: AbstractChannel | None = None
        self._declared: AbstractQueue | None = None
        self._tag: str | None = None
        self._unacked = 0
        """How many messages were processed and not acked yet, up to the last of them."""
        self._last: Delivery | None = None

    async def open(self, connection: Connection, channel: AbstractChannel) -> None:
        """Declare the queue and begin to receive."""
        self._channel = channel
        declared = await self._queue.declare(channel)
        await channel.set_qos(prefetch_count=self._queue.max_batch)
        self._declared = declared
        self._tag = await amqp.consume(
            connection, channel, declared.name, self._on_message, exclusive=self._queue.is_exclusive
        )

    def _on_message(self, message: Delivery) -> None:
        self._received.put_nowait(message)  # bounded by the prefetch count

    async def work(self, broken: asyncio.Event) -> None:
        """Process what arrives, until `finish` or cancelled; set `broken` when the channel is gone."""
        while not self._finishing.is_set():
            batch = [await self._received.get()]
            self._idle.clear()
            try:
                while len(batch) < self._queue.max_batch and not self._received.empty():
                    batch.append(self._received.get_nowait())
                async for messages, outcome in self._processor.process(batch, self._finishing):
                    await self._settle(messages, outcome, is_whole_batch=len(messages) == len(batch))
            except amqp.LOST as error:  # of acks: the channel went meanwhile
                log.warning("bus.not_acked", queue=self.queue, error=type(error).__name__)
                broken.set()
                return
            finally:
                self._idle.set()

    async def finish(self) -> None:
        """Receive no more, and return when the batch that runs has ended, or has had its time."""
        self._finishing.set()
        if self._declared is not None and self._tag is not None:
            try:
                await self._declared.cancel(self._tag, timeout=CANCEL_TIMEOUT_S)
            except amqp.LOST:
                return
        try:
            async with asyncio.timeout(FINISH_S):
                await self._idle.wait()
        except TimeoutError:
            log.warning("bus.not_finished", queue=self.queue)

    async def close(self) -> None:
        """The connection is gone: drop what was received and not worked off; the broker gives it out again."""
        self._channel = self._declared = self._tag = None
        self._received = asyncio.Queue()
        self._unacked, self._last = 0, None
        self._idle.set()

    async def has_consumer(self, connection: Connection) -> bool:
        """Return whether the broker still delivers to a consumer of the queue. Acks what has waited for company."""
        if self._idle.is_set():
            try:
                await self._ack_together()
            except amqp.LOST:
                return False
        counts = await amqp.counts(connection, self._declared.name) if self._declared is not None else None
        if counts is None:
            return False
        messages, consumers = counts
        DEPTH.labels(self.queue).set(messages)
        return bool(consumers)

    async def _settle(self, messages: Messages, outcome: Outcome, *, is_whole_batch: bool) -> None:
        if is_whole_batch and outcome in (Outcome.DONE, Outcome.DROPPED):
            CONSUMED.labels(self.queue, outcome.value).inc(len(messages))
            self._unacked, self._last = self._unacked + len(messages), messages[-1]
            if self._unacked >= self._queue.acked_together:
                await self._ack_together()
            return
        for message in messages:
            CONSUMED.labels(self.queue, outcome.value).inc()
            if outcome is Outcome.DONE:
                await message.ack()
            elif outcome is Outcome.DEAD:
                await message.reject(requeue=False)
            elif outcome is Outcome.REQUEUED:
                await self._requeue(message)

    async def _ack_together(self) -> None:
        last, self._last, self._unacked = self._last, None, 0
        if last is not None:
            await last.ack(multiple=True)

    async def _requeue(self, message: Delivery) -> None:
        """Put it at the queue's end; as a copy where deliveries count, since a copy has had none."""
        if not self._queue.counts_deliveries:
            await message.reject(requeue=True)
            return
        assert self._channel is not None
        await amqp.publish_copy(message.body, self._channel, self.queue)
        await message.ack()

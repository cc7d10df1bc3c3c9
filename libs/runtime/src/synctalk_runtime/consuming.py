"""Processes batches of bus messages: every message ends in an `Outcome`, which the receiver carries out.

While something that the handler needs does not respond (UnavailableError), the same batch is tried again after a
growing pause, in order; nothing overtakes it. A batch that fails for another reason is handled message by message, so
that one bad message does not take the others with it. What cannot be read, or fails three times, is a dead letter.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

import structlog
from opentelemetry.trace import SpanKind
from pydantic import ValidationError
from synctalk_contracts.envelope import Event, read_envelopes
from synctalk_contracts.registry import UnknownEventError, parse

from synctalk_runtime.amqp import Delivery
from synctalk_runtime.background import Backoff, wait
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.telemetry import span

log = structlog.get_logger()

SINGLE_TRIES = 3
UNAVAILABLE_TRIES = 60
"""About five minutes. Then the messages go to the queue's end as new ones, however long the outage lasts: the broker's
delivery limit is for messages that take their consumer down."""
MAX_PAUSE_S = 5.0
REMEMBERED = 64
"""Bus messages that are not parsed again when another queue of this process has them too, or a batch is split."""


class Outcome(Enum):
    """What became of a batch or a message; the value is the metric's label."""

    DONE = "done"
    """Handled, and acked; a whole batch with one frame."""
    REQUEUED = "again"
    """Put at the queue's end, since what it needs has been unavailable for minutes."""
    DEAD = "dead"
    """Rejected to `<queue>.dead-letters`."""
    UNSETTLED = "left"
    """Neither acked nor rejected, since the process stops: the broker gives it to the next one."""
    SPLIT = "one by one"
    """The batch failed as a whole: each message is handled by itself."""
    DROPPED = "dropped"
    """A command whose handler failed: acked without a reply, and its sender tries again."""


Messages = Sequence[Delivery]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Published:
    """An event with what its envelope says of it."""

    id: str
    """The same on every repeat."""
    time: datetime
    event: Event


class Processor(Protocol):
    """What a queue's messages are for."""

    def process(self, batch: Messages, stopping: asyncio.Event) -> AsyncIterator[tuple[Messages, Outcome]]:
        """Yield messages with their outcome as soon as it is known; no more tries once `stopping` is set."""


class EventProcessor(Generic[T]):
    """Events: envelopes are parsed, repeats and failures are handled, the handler gets what `read` makes of them.

    `in_order`: whatever is unavailable is waited for, however long, and no message goes to the queue's end.
    """

    def __init__(
        self,
        queue: str,
        handler: Callable[[list[T]], Awaitable[None]],
        read: Callable[["Contents"], list[T]],
        *,
        in_order: bool = False,
    ) -> None:
        self._queue = queue
        self._handler = handler
        self._read = read
        self._in_order = in_order

    async def process(self, batch: Messages, stopping: asyncio.Event) -> AsyncIterator[tuple[Messages, Outcome]]:
        parsed: list[T] = []
        readable: list[Delivery] = []
        trace: str | None = None
        for message in batch:
            try:
                contents = contents_of(message.body)
                parsed += self._read(contents)
                if not readable:  # one span a batch goes on with the trace of its first event
                    trace = contents.traceparent
                readable.append(message)
            except ValidationError as error:
                log.error("bus.unreadable", queue=self._queue, problems=error.error_count())
                yield [message], Outcome.DEAD
        if not readable:
            return
        with span("bus.consume", parent=trace, kind=SpanKind.CONSUMER, queue=self._queue):
            outcome = await self._handle(parsed, stopping, single=len(readable) == 1)
        if outcome is not Outcome.SPLIT:
            yield readable, outcome
            return
        for message in readable:
            outcome = await self._handle(self._read(contents_of(message.body)), stopping, single=True)
            yield [message], outcome
            if outcome is Outcome.UNSETTLED:
                return

    async def _handle(self, events: list[T], stopping: asyncio.Event, *, single: bool) -> Outcome:
        tries, backoff = 0, Backoff(max_s=MAX_PAUSE_S)
        while True:
            tries += 1
            try:
                if events:
                    await self._handler(events)
                return Outcome.DONE
            except UnavailableError:
                if tries >= UNAVAILABLE_TRIES and not self._in_order:
                    return Outcome.REQUEUED
            except Exception as error:  # logged, counted, and a dead letter if it stays
                log.exception("bus.handler_failed", queue=self._queue, error=type(error).__name__, tries=tries)
                if not single:
                    return Outcome.SPLIT
                if tries >= SINGLE_TRIES:
                    return Outcome.DEAD
            if await wait(stopping, backoff.next()):
                return Outcome.UNSETTLED


class CommandProcessor:
    """Commands: the handler gets the bodies as they are, and each is acked once the handler has taken them."""

    def __init__(self, queue: str, handler: Callable[[list[bytes]], Awaitable[None]]) -> None:
        self._queue = queue
        self._handler = handler

    async def process(self, batch: Messages, stopping: asyncio.Event) -> AsyncIterator[tuple[Messages, Outcome]]:
        try:
            await self._handler([message.body for message in batch])
            outcome = Outcome.DONE
        except Exception as error:  # the senders get no reply and try again
            log.exception("bus.commands_failed", queue=self._queue, error=type(error).__name__)
            outcome = Outcome.DROPPED
        yield batch, outcome


@dataclass(frozen=True, slots=True)
class Contents:
    """What a bus message of events has in it. Whoever reads it shares it with other queues."""

    published: tuple[Published, ...]
    """The events that this version knows; of others a newer writer spoke to newer readers."""
    traceparent: str | None
    """Of the first envelope."""


@lru_cache(maxsize=REMEMBERED)
def contents_of(body: bytes) -> Contents:
    """Read a bus message. Raises pydantic.ValidationError when it is not an array of events of their shapes."""
    envelopes = read_envelopes(body)
    published = []
    for envelope in envelopes:
        try:
            published.append(Published(envelope.id, envelope.time, parse(envelope)))
        except UnknownEventError:
            log.warning("bus.unknown_event", type=envelope.type)
    return Contents(tuple(published), envelopes[0].traceparent if envelopes else None)


def published_in(contents: Contents) -> list[Published]:
    return list(contents.published)


def events_in(contents: Contents) -> list[Any]:
    """Return the events without their envelopes."""
    return [published.event for published in contents.published]

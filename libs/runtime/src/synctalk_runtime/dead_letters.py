"""The dead letters of a service's queues: look at them, give them another try, or drop them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity
from pydantic import SecretStr, ValidationError
from synctalk_contracts import topology
from synctalk_contracts.envelope import read_envelopes
from yarl import URL

from synctalk_runtime import amqp, tls
from synctalk_runtime.settings import addresses

Queues = tuple[topology.DurableQueue, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, as it may be shown: without its text."""

    queue: str
    """The queue that rejected it."""
    size: int
    events: list[str]
    """Type and id of each event; none when it cannot be read."""
    died_at: str | None


class DeadLetters:
    """Opened by `dead_letters`."""

    def __init__(self, channel: AbstractChannel, queues: Queues) -> None:
        self._channel = channel
        self._queues = queues

    async def look(self) -> list[Letter]:
        """Return all dead letters. They go back into their queues when the connection closes."""
        return [_described(queue, letter) async for queue, letter in self._letters()]

    async def replay(self) -> int:
        """Move each back to the queue that gave it up; how many. Acked only after its copy is confirmed."""
        moved = 0
        async for queue, letter in self._letters():
            await amqp.publish_copy(letter.body, self._channel, queue)
            await letter.ack()
            moved += 1
        return moved

    async def drop(self) -> int:
        """Delete them; how many."""
        dropped = 0
        async for _, letter in self._letters():
            await letter.ack()
            dropped += 1
        return dropped

    async def _letters(self) -> AsyncIterator[tuple[str, AbstractIncomingMessage]]:
        """Yield each once, as many as there are now; what dies meanwhile is for the next time."""
        for queue in self._queues:
            dead = await self._channel.get_queue(topology.dead_queue(queue.name))
            for _ in range(dead.declaration_result.message_count or 0):
                letter = await dead.get(fail=False)
                if letter is None:
                    break
                yield queue.name, letter


@asynccontextmanager
async def dead_letters(url: SecretStr, queues: Queues, ca_file: Path | None = None) -> AsyncIterator[DeadLetters]:
    """Open the dead letters of those queues that exist."""
    async with AsyncExitStack() as stack:
        connection = await _connected(stack, url, ca_file)
        existing = []
        for queue in queues:
            probe = await connection.channel()
            try:
                await probe.get_queue(topology.dead_queue(queue.name))
            except ChannelNotFoundEntity:
                continue
            existing.append(queue)
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        yield DeadLetters(channel, tuple(existing))


async def _connected(stack: AsyncExitStack, url: SecretStr, ca_file: Path | None) -> amqp.Connection:
    """Return a connection to the first node that takes one. Raises the error of the last one."""
    *others, last = addresses(url)
    for address in others:
        with suppress(*amqp.LOST):
            return await _connect(stack, address, ca_file)
    return await _connect(stack, last, ca_file)


async def _connect(stack: AsyncExitStack, address: str, ca_file: Path | None) -> amqp.Connection:
    connection = amqp.Connection(URL(address), tls.rabbitmq_context(address, ca_file))
    stack.push_async_callback(amqp.close, connection)
    await amqp.connect(connection)
    return connection


def _described(queue: str, letter: AbstractIncomingMessage) -> Letter:
    try:
        events = [f"{envelope.type} {envelope.id}" for envelope in read_envelopes(letter.body)]
    except ValidationError:
        events = []
    deaths = letter.headers.get("x-death")
    died_at = deaths[0].get("time") if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else None
    return Letter(queue, len(letter.body), events, str(died_at) if died_at is not None else None)

"""The command queues: gateways' commands, batch by batch, replied to by the writer after its commit."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Any

import orjson
import structlog
from prometheus_client import Counter
from pydantic import TypeAdapter, ValidationError
from synctalk_contracts.commands import CommandBatch, CommandRequest
from synctalk_contracts.ids import Timestamp

from synctalk_api.actions.commands import Command
from synctalk_api.actions.reviewing import CommandWriters

log = structlog.get_logger()

_DEADLINE: TypeAdapter[datetime | None] = TypeAdapter(Timestamp | None)

UNREADABLE = Counter("api_commands_unreadable_total", "Commands that could not be read; their clients try again.")


def command_handler(writers: CommandWriters) -> Callable[[list[bytes]], Awaitable[None]]:
    """Return the handler that passes commands to the writers.

    It is done when the writers have accepted them: a lost command costs a retry, so the queue waits for no commit.
    """

    async def handle(bodies: list[bytes]) -> None:
        for body in bodies:
            commands = list(commands_of(body))
            for start in range(0, len(commands), writers.max_batch):
                await writers.accept(commands[start : start + writers.max_batch])

    return handle


def commands_of(body: bytes) -> Iterator[Command]:
    try:
        batch = CommandBatch.from_bytes(body)
    except ValidationError:
        yield from _readable_commands(body)
        return
    for request in batch.requests:
        yield _command(request, batch.reply_to, batch.deadline)


def _command(request: CommandRequest, reply_to: str, deadline: datetime | None) -> Command:
    return Command(request.command, request.connection_id, request.traceparent, reply_to, request.id, deadline)


def _readable_commands(body: bytes) -> Iterator[Command]:
    """Yield the commands of a batch that can be read; the others are counted and logged."""
    try:
        batch: dict[str, Any] = orjson.loads(body)
        requests, reply_to = list(batch["requests"]), str(batch["reply_to"])
        deadline = _DEADLINE.validate_python(batch.get("deadline"))
    except (ValueError, KeyError, TypeError):
        UNREADABLE.inc()
        log.error("commands.unreadable", bytes=len(body))
        return
    for request in requests:
        try:
            yield _command(CommandRequest.model_validate(request, extra="ignore"), reply_to, deadline)
        except ValidationError as error:
            UNREADABLE.inc()
            log.error("commands.unreadable_command", problems=error.error_count())

"""Commands to api: what has queued up for a partition goes as one bus message, one of them unanswered at a time.

No timer waits for a batch to fill: with nothing under way a command leaves at once, and the more there is to do, the
larger the batches grow by themselves. The answers come on this gateway's Redis channel and become acks. A command that
is not answered in time is `unavailable`: the client tries again with the same ids.
"""

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import orjson
import structlog
from prometheus_client import Counter, Gauge, Histogram
from synctalk_contracts import topology
from synctalk_contracts.commands import AnyCommand, CommandBatch, CommandRequest
from synctalk_runtime.bus import Bus
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.telemetry import traceparent

from synctalk_gateway.errors import TooManyCommandsError
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.protocol import wire
from synctalk_gateway.settings import Settings

log = structlog.get_logger()

WAITING = Gauge("gateway_commands_waiting", "Commands without an answer yet.")
TIMED_OUT = Counter("gateway_commands_timed_out_total", "Commands that were not answered in time.")
BATCHES = Histogram("gateway_command_batch", "Commands in one bus message.", buckets=(1, 2, 4, 8, 16, 32, 64))

MAX_BATCH = 64


@dataclass(slots=True)
class _Partition:
    queue: str
    requests: list[CommandRequest] = field(default_factory=list)
    in_flight: bool = False
    """A bus message has an answer outstanding."""


@dataclass(slots=True, eq=False)
class _Batch:
    partition: _Partition
    unanswered: set[int]
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Waiting:
    connection: Connection
    ack_id: int | None
    batch: _Batch | None = None


class Commands:
    """Takes commands from the sockets' doors, and acks them when api has answered."""

    def __init__(self, settings: Settings, bus: Bus, gateway: str) -> None:
        self._settings = settings
        self._bus = bus
        self._gateway = gateway
        self._ids = count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._partitions = [_Partition(topology.command_queue(n)) for n in range(settings.command_partitions)]
        self._unanswered: set[_Batch] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        bus.on_lost = self._bus_lost

    def give(self, connection: Connection, ack_id: int | None, command: AnyCommand) -> None:
        """Queue a command; its ack is sent when it is answered. Raises TooManyCommandsError at the bound."""
        if len(self._waiting) >= self._settings.max_commands_waiting:
            raise TooManyCommandsError
        number = next(self._ids)
        self._waiting[number] = _Waiting(connection, ack_id)
        WAITING.set(len(self._waiting))
        partition = self._partitions[topology.partition_of(command.conversation_id, len(self._partitions))]
        partition.requests.append(
            CommandRequest.model_construct(
                id=number, connection_id=connection.id, traceparent=traceparent(), command=command
            )
        )
        self._pump(partition)

    def _pump(self, partition: _Partition) -> None:
        if partition.requests and not partition.in_flight:
            partition.in_flight = True
            task = asyncio.create_task(self._send(partition))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, partition: _Partition) -> None:
        """One bus message; a task of its own, so that what this turn of the loop still brings is in it."""
        requests, partition.requests = partition.requests[:MAX_BATCH], partition.requests[MAX_BATCH:]
        batch = _Batch(partition, {request.id for request in requests})
        self._unanswered.add(batch)
        for request in requests:
            self._waiting[request.id].batch = batch
        BATCHES.observe(len(requests))
        body = CommandBatch.model_construct(reply_to=self._gateway, requests=requests).to_bytes()
        timeout_s = self._settings.command_timeout_s
        batch.timer = asyncio.get_running_loop().call_later(timeout_s, self._time_out, batch)
        try:
            await self._bus.send_command(partition.queue, body, ttl_ms=round(timeout_s * 1000))
        except UnavailableError as error:
            self._fail(batch, error)

    def on_replies(self, data: bytes) -> None:
        """A `ReplyBatch`, as it came from the channel."""
        for reply in orjson.loads(data)["replies"]:
            waiting = self._waiting.pop(reply["id"], None)
            if waiting is None:
                continue  # timed out before
            error = reply.get("error")
            answer = {"ok": True, **(reply.get("result") or {})} if error is None else {"ok": False, "error": error}
            self._answer(waiting, answer)
            assert waiting.batch is not None
            waiting.batch.unanswered.discard(reply["id"])
            if not waiting.batch.unanswered:
                self._finish(waiting.batch)
        WAITING.set(len(self._waiting))

    def _finish(self, batch: _Batch) -> None:
        if batch not in self._unanswered:
            return
        self._unanswered.discard(batch)
        if batch.timer is not None:
            batch.timer.cancel()
        batch.partition.in_flight = False
        self._pump(batch.partition)

    def _bus_lost(self) -> None:
        """Commands are transient: those under way may be gone with the connection, so their clients try again now."""
        for batch in list(self._unanswered):
            self._fail(batch, UnavailableError())

    def _time_out(self, batch: _Batch) -> None:
        TIMED_OUT.inc(len(batch.unanswered))
        log.warning("commands.timed_out", queue=batch.partition.queue, commands=len(batch.unanswered))
        self._fail(batch, UnavailableError())

    def _fail(self, batch: _Batch, error: UnavailableError) -> None:
        for number in batch.unanswered:
            waiting = self._waiting.pop(number, None)
            if waiting is not None:
                self._answer(waiting, {"ok": False, **error.body()})
        batch.unanswered.clear()
        WAITING.set(len(self._waiting))
        self._finish(batch)

    @staticmethod
    def _answer(waiting: _Waiting, answer: dict[str, Any]) -> None:
        if waiting.ack_id is not None:
            waiting.connection.socket.write(wire.ack(waiting.ack_id, answer))

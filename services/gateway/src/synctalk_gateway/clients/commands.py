"""Commands to api: what has queued up for a partition goes as one bus message, one of them without a reply at a time.

No timer waits for a batch to fill: with nothing under way a command leaves at once, and the more there is to do, the
larger the batches grow by themselves. The replies come on this gateway's Redis channel. A command without a reply in
time is `unavailable`: the client tries again with the same ids, and api writes nothing of it after the deadline.
Beyond what api can do, commands are refused at once (`admission.py`).
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import structlog
from prometheus_client import Counter, Gauge, Histogram
from synctalk_contracts import topology
from synctalk_contracts.commands import AnyCommand, CommandBatch, CommandRequest
from synctalk_contracts.encoding import fanout
from synctalk_runtime.background import Tasks
from synctalk_runtime.bus import Bus
from synctalk_runtime.errors import AppError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.telemetry import traceparent

from synctalk_gateway import acks
from synctalk_gateway.acks import Ack
from synctalk_gateway.clients.admission import Admission
from synctalk_gateway.errors import TooManyCommandsError
from synctalk_gateway.settings import Settings

log = structlog.get_logger()

WAITING = Gauge("gateway_commands_waiting", "Commands without a reply yet.")
TIMED_OUT = Counter("gateway_commands_timed_out_total", "Commands without a reply in time.")
REFUSED = Counter("gateway_commands_refused_total", "Commands refused because api has more to do than it can.")
BATCHES = Histogram("gateway_command_batch", "Commands in one bus message.", buckets=(1, 2, 4, 8, 16, 32, 64))

MAX_BATCH = 64


@dataclass(slots=True)
class _Partition:
    queue: str
    admission: Admission
    requests: list[CommandRequest] = field(default_factory=list)
    in_flight: bool = False
    """A bus message waits for replies."""


@dataclass(slots=True, eq=False)
class _Batch:
    partition: _Partition
    open: set[int]
    """Requests without a reply."""
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Waiting:
    ack: asyncio.Future[Ack]
    queued_at: float
    batch: _Batch | None = None


class Commands:
    """Queues commands by partition, and acks each with its result."""

    def __init__(self, settings: Settings, bus: Bus, gateway: str) -> None:
        self._settings = settings
        self._bus = bus
        self._gateway = gateway
        self._ids = count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._partitions = [
            _Partition(topology.command_queue(n), Admission(settings.command_queue_delay_s, MAX_BATCH))
            for n in range(settings.command_partitions)
        ]
        self._open_batches: set[_Batch] = set()
        self._tasks = Tasks()
        bus.add_lost_listener(self.fail_all)

    def must_admit(self, conversation_id: str) -> None:
        """Check that a command of this conversation would be done soon. Raises TooManyCommandsError."""
        partition = self._partition(conversation_id)
        now = asyncio.get_running_loop().time()
        queued = len(partition.requests)
        if len(self._waiting) < self._settings.max_commands_waiting and partition.admission.admits(queued, now):
            return
        REFUSED.inc()
        raise TooManyCommandsError(retry_after=round(max(1.0, partition.admission.delay_s(queued, now)), 3))

    def submit(self, connection_id: str, command: AnyCommand) -> asyncio.Future[Ack]:
        """Queue a command; return its ack to come. Raises TooManyCommandsError when it would not be done soon."""
        self.must_admit(command.conversation_id)
        number, loop = next(self._ids), asyncio.get_running_loop()
        ack: asyncio.Future[Ack] = loop.create_future()
        self._waiting[number] = _Waiting(ack, loop.time())
        WAITING.set(len(self._waiting))
        partition = self._partition(command.conversation_id)
        partition.requests.append(
            CommandRequest.model_construct(
                id=number, connection_id=connection_id, traceparent=traceparent(), command=command
            )
        )
        self._pump(partition)
        return ack

    async def stop(self) -> None:
        await self._tasks.stop()

    def _partition(self, conversation_id: str) -> _Partition:
        return self._partitions[topology.partition_of(conversation_id, len(self._partitions))]

    def _pump(self, partition: _Partition) -> None:
        if partition.requests and not partition.in_flight:
            partition.in_flight = True
            self._tasks.spawn("commands", self._send(partition))

    async def _send(self, partition: _Partition) -> None:
        """Send one bus message, in a task of its own, so that what this turn of the loop still brings is in it."""
        self._drop_overdue(partition)
        requests, partition.requests = partition.requests[:MAX_BATCH], partition.requests[MAX_BATCH:]
        if not requests:
            partition.in_flight = False
            return
        loop = asyncio.get_running_loop()
        partition.admission.sent(len(partition.requests), loop.time())
        batch = _Batch(partition, {request.id for request in requests})
        self._open_batches.add(batch)
        for request in requests:
            self._waiting[request.id].batch = batch
        BATCHES.observe(len(requests))
        timeout_s = self._settings.command_timeout_s
        deadline = utc_now() + timedelta(seconds=timeout_s)
        body = CommandBatch.model_construct(reply_to=self._gateway, requests=requests, deadline=deadline).to_bytes()
        batch.timer = loop.call_later(timeout_s, self._time_out, batch)
        try:
            await self._bus.send_command(partition.queue, body, ttl_ms=round(timeout_s * 1000))
        except UnavailableError as error:
            self._fail(batch, error)
        except Exception:
            self._fail(batch, UnavailableError())
            raise

    def _drop_overdue(self, partition: _Partition) -> None:
        """Refuse, instead of sending it, what has waited in the queue for as long as a reply may take."""
        overdue = asyncio.get_running_loop().time() - self._settings.command_timeout_s
        dropped = 0
        for request in partition.requests:
            if self._waiting[request.id].queued_at > overdue:
                break
            dropped += 1
            TIMED_OUT.inc()
            self._ack(request.id, acks.refused(UnavailableError()))
        del partition.requests[:dropped]

    def on_replies(self, data: bytes) -> None:
        """Take a `ReplyBatch`, as it came from the channel."""
        for reply in fanout.read_replies(data):
            waiting = self._waiting.get(reply["id"])
            if waiting is None or waiting.batch is None:
                continue  # timed out before
            error = reply.get("error")
            ack = acks.done(**(reply.get("result") or {})) if error is None else {"ok": False, "error": error}
            self._ack(reply["id"], ack)
            waiting.batch.open.discard(reply["id"])
            if not waiting.batch.open:
                self._finish(waiting.batch)
        WAITING.set(len(self._waiting))

    def _finish(self, batch: _Batch) -> None:
        if batch not in self._open_batches:
            return
        self._open_batches.discard(batch)
        if batch.timer is not None:
            batch.timer.cancel()
        batch.partition.admission.finished(asyncio.get_running_loop().time())
        batch.partition.in_flight = False
        self._pump(batch.partition)

    def fail_all(self) -> None:
        """Refuse everything as unavailable: commands may be gone with RabbitMQ, or replies with Redis."""
        for partition in self._partitions:
            self._fail_queued(partition)
        for batch in list(self._open_batches):
            self._fail(batch, UnavailableError())

    def _fail_queued(self, partition: _Partition) -> None:
        requests, partition.requests = partition.requests, []
        for request in requests:
            self._ack(request.id, acks.refused(UnavailableError()))

    def _time_out(self, batch: _Batch) -> None:
        TIMED_OUT.inc(len(batch.open))
        log.warning("commands.timed_out", queue=batch.partition.queue, commands=len(batch.open))
        self._fail_queued(batch.partition)  # api stands still: the queued ones would only wait as long again
        self._fail(batch, UnavailableError())

    def _fail(self, batch: _Batch, error: AppError) -> None:
        for number in batch.open:
            self._ack(number, acks.refused(error))
        batch.open.clear()
        WAITING.set(len(self._waiting))
        self._finish(batch)

    def _ack(self, number: int, ack: Ack) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None and not waiting.ack.done():
            waiting.ack.set_result(ack)

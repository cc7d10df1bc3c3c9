"""Commands to api: what has queued up for one of its processes goes as one bus message, and two at most are under way.

With nothing under way a command leaves at once. A second bus message leaves `COMPANY_S` after the first, and a third
when one of them has its replies: the more there is to do, the larger they grow by themselves. Of a conversation one at
a time is under way. The replies come on this gateway's Redis channel. A command without a reply in
time is `unavailable`: the client tries again with the same ids, and api writes nothing of it after the deadline.
Beyond what api can do, commands are refused at once (`admission.py`).
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import structlog
from prometheus_client import Counter, Gauge, Histogram
from synctalk_contracts import topology
from synctalk_contracts.encoding import commands, fanout
from synctalk_contracts.internal import PartitionMap
from synctalk_runtime.bus import Bus
from synctalk_runtime.errors import AppError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.telemetry import traceparent

from synctalk_gateway import acks
from synctalk_gateway.acks import Ack, PendingAck
from synctalk_gateway.clients.admission import Admission
from synctalk_gateway.clients.lanes import Batch, Lane, Lanes, Queued
from synctalk_gateway.errors import TooManyCommandsError
from synctalk_gateway.settings import Settings

log = structlog.get_logger()

WAITING = Gauge("gateway_commands_waiting", "Commands without a reply yet.")
TIMED_OUT = Counter("gateway_commands_timed_out_total", "Commands without a reply in time.")
REFUSED = Counter("gateway_commands_refused_total", "Commands refused because api has more to do than it can.")
BATCHES = Histogram("gateway_command_batch", "Commands in one bus message.", buckets=(1, 2, 4, 8, 16, 32, 64))

MAX_BATCH = 64
UNDER_WAY = 2
COMPANY_S = 0.005
"""How long a command waits for others while one bus message is under way: gateway, broker and api pay for each bus
message, whatever it holds."""
TIMER_SLACK_S = 0.05


@dataclass(slots=True)
class _Waiting:
    ack: PendingAck
    queued_at: float
    batch: Batch | None = None


class Commands:
    """Queues commands for the api process that owns their partition, and acks each with its result."""

    def __init__(self, settings: Settings, bus: Bus, gateway: str) -> None:
        self._settings = settings
        self._bus = bus
        self._gateway = gateway
        self._ids = count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._lanes = Lanes(lambda: Admission(settings.command_queue_delay_s, MAX_BATCH))
        self._open_batches: dict[Batch, asyncio.TimerHandle] = {}
        bus.add_lost_listener(self.fail_all)

    def assign(self, partitions: PartitionMap) -> None:
        """Follow a new map. What is under way to a process that is gone is refused: its client tries again."""
        for gone in self._lanes.assign(partitions):
            log.warning("commands.owner_gone", queue=gone.queue)
            for batch in list(gone.batches):
                self._fail(batch, UnavailableError())
        for lane in self._lanes:
            self._pump(lane)

    def on_partitions(self, data: bytes) -> None:
        """Take a `PartitionMap`, as it came from the channel."""
        self.assign(PartitionMap.from_bytes(data))

    def must_admit(self, conversation_id: str) -> None:
        """Check that a command of this conversation would be done soon. Raises TooManyCommandsError."""
        self._must_admit(self._lanes.of(topology.partition_of(conversation_id)))

    def _must_admit(self, lane: Lane) -> None:
        now = asyncio.get_running_loop().time()
        queued = len(lane.queued)
        if len(self._waiting) < self._settings.max_commands_waiting and lane.admission.admits(queued, now):
            return
        REFUSED.inc()
        raise TooManyCommandsError(retry_after=round(max(1.0, lane.admission.delay_s(queued, now)), 3))

    def submit(self, connection_id: str, command: commands.Encoded) -> PendingAck:
        """Queue a command; return its ack to come. Raises TooManyCommandsError when it would not be done soon."""
        partition = topology.partition_of(command.conversation_id)
        lane = self._lanes.of(partition)
        self._must_admit(lane)
        number, loop = next(self._ids), asyncio.get_running_loop()
        ack = PendingAck()
        self._waiting[number] = _Waiting(ack, loop.time())
        WAITING.set(len(self._waiting))
        request = commands.request(number, connection_id, traceparent(), command)
        lane.queued.append(Queued(partition, number, request))
        if lane.queue is None:
            loop.call_later(self._settings.command_timeout_s + TIMER_SLACK_S, self._drop_overdue, lane)
        self._pump(lane)
        return ack

    async def stop(self) -> None:
        for lane in self._lanes:
            if lane.departure is not None:
                lane.departure.cancel()

    def _pump(self, lane: Lane) -> None:
        """Let the next bus message leave when its time has come.

        That is in the next turn of the loop at the earliest, so that what this one still brings is in it.
        """
        if not lane.queued or lane.queue is None or len(lane.batches) >= UNDER_WAY:
            return
        loop = asyncio.get_running_loop()
        at = lane.batches[-1].sent_at + COMPANY_S if lane.batches else 0.0
        if lane.departure is not None:
            if lane.departs_at <= at:
                return
            lane.departure.cancel()
        lane.departs_at = at
        soon = at <= loop.time()
        lane.departure = loop.call_soon(self._depart, lane) if soon else loop.call_at(at, self._depart, lane)

    def _depart(self, lane: Lane) -> None:
        lane.departure = None
        if lane.queue is None or len(lane.batches) >= UNDER_WAY or not self._lanes.has_free(lane):
            return
        self._drop_overdue(lane)
        now = asyncio.get_running_loop().time()
        batch = self._lanes.take(lane, MAX_BATCH, now)
        if batch is not None:
            lane.admission.sent(self._left_behind(lane), now)
            self._send(lane.queue, batch)
            self._pump(lane)

    def _left_behind(self, lane: Lane) -> int:
        """Return how many commands wait for more than what was under way when they came."""
        oldest = lane.batches[0].sent_at
        return len(lane.queued) if lane.queued and self._waiting[lane.queued[0].number].queued_at <= oldest else 0

    def _send(self, queue: str, batch: Batch) -> None:
        for number in batch.open:
            self._waiting[number].batch = batch
        BATCHES.observe(len(batch.requests))
        timeout_s = self._settings.command_timeout_s
        deadline = utc_now() + timedelta(seconds=timeout_s)
        body = commands.batch(self._gateway, batch.requests, deadline)
        self._open_batches[batch] = asyncio.get_running_loop().call_later(timeout_s, self._time_out, batch)
        try:
            self._bus.send_command(queue, body, ttl_ms=round(timeout_s * 1000))
        except UnavailableError as error:
            self._fail(batch, error)
        except Exception:
            self._fail(batch, UnavailableError())
            raise

    def _drop_overdue(self, lane: Lane) -> None:
        """Refuse, instead of sending it, what has waited in the queue for as long as a reply may take."""
        overdue = asyncio.get_running_loop().time() - self._settings.command_timeout_s
        dropped = 0
        for one in lane.queued:
            if self._waiting[one.number].queued_at > overdue:
                break
            dropped += 1
            TIMED_OUT.inc()
            self._ack(one.number, acks.refused(UnavailableError()))
        del lane.queued[:dropped]

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

    def _finish(self, batch: Batch) -> None:
        timer = self._open_batches.pop(batch, None)
        if timer is None:
            return
        timer.cancel()
        batch.lane.admission.finished(asyncio.get_running_loop().time())
        for lane in self._lanes.end(batch):
            self._pump(lane)

    def fail_all(self) -> None:
        """Refuse everything as unavailable: commands may be gone with RabbitMQ, or replies with Redis."""
        for lane in self._lanes:
            self._fail_queued(lane)
        for batch in list(self._open_batches):
            self._fail(batch, UnavailableError())

    def _fail_queued(self, lane: Lane) -> None:
        queued, lane.queued = lane.queued, []
        for one in queued:
            self._ack(one.number, acks.refused(UnavailableError()))

    def _time_out(self, batch: Batch) -> None:
        TIMED_OUT.inc(len(batch.open))
        log.warning("commands.timed_out", queue=batch.lane.queue, commands=len(batch.open))
        self._fail_queued(batch.lane)  # api stands still: the queued ones would only wait as long again
        self._fail(batch, UnavailableError())

    def _fail(self, batch: Batch, error: AppError) -> None:
        for number in batch.open:
            self._ack(number, acks.refused(error))
        batch.open.clear()
        WAITING.set(len(self._waiting))
        self._finish(batch)

    def _ack(self, number: int, ack: Ack) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            waiting.ack.set(ack)

"""The transactional outbox: an event is written in the transaction that makes it true, and relayed to RabbitMQ after.

At least once; events whose transactions followed each other, as those of one conversation do, are published in that
order. A row stays until every queue that must get its event has it, also one whose service was never there yet. A queue
that takes nothing delays its own events only. The relay runs in every process of the service, one at a time: rows are
taken, published with confirms, and deleted. A crash anywhere in between repeats, never loses.
Each service's migrations create the table (`create table outbox (id bigint generated always as identity primary key,
type text not null, envelope text not null)`).
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import groupby

import structlog
from prometheus_client import Counter
from synctalk_contracts import topology
from synctalk_contracts.envelope import Envelope, Event

from synctalk_runtime.background import Backoff, Loop
from synctalk_runtime.bus import Bus
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.postgres import Connection, Postgres
from synctalk_runtime.telemetry import traceparent

log = structlog.get_logger()

RELAYED = Counter("outbox_relayed_total", "Events relayed from the outbox.", ["type"])

ADD = """\
-- name: outbox.add
insert into outbox (type, envelope) select * from unnest($1::text[], $2::text[])"""

LOCK = """\
-- name: outbox.lock
select pg_advisory_xact_lock(hashtextextended(current_schema || '.outbox', 0))"""

TAKE = """\
-- name: outbox.take
delete from outbox
where id = any(array(select id from outbox where type <> all($2::text[]) order by id limit $1 for update skip locked))
returning id, type, envelope"""

PUT_BACK = """\
-- name: outbox.put_back
insert into outbox (id, type, envelope) overriding system value
select * from unnest($1::bigint[], $2::text[], $3::text[])"""

BATCH = 500
IDLE_S = 5.0
"""Whoever writes an event wakes its own relay; this finds what a process that died has left."""
MAX_PAUSE_S = 5.0
SET_ASIDE_S = 5.0
"""How long events wait whose queue took none while others took theirs."""


def rows(events: Sequence[Event]) -> tuple[list[str], list[str]]:
    """The two columns of `outbox` for these events, for statements that write more than the outbox."""
    now, trace = utc_now(), traceparent()
    envelopes = [
        Envelope(id=new_id(), type=e.type_name(), time=now, traceparent=trace, payload=e.model_dump(mode="json"))
        for e in events
    ]
    return [e.type for e in envelopes], [e.model_dump_json() for e in envelopes]


async def add(conn: Connection, events: Sequence[Event]) -> None:
    """Write events in the caller's transaction; call `OutboxRelay.wake` after its commit."""
    if events:
        await conn.execute(ADD, *rows(events))


class OutboxRelay:
    """Moves committed events to the bus until stopped.

    A pause of `interval_s` after a round makes batches of a burst; the first event of a quiet time goes at once.
    """

    def __init__(self, postgres: Postgres, bus: Bus, interval_s: float) -> None:
        self._postgres = postgres
        self._bus = bus
        self._set_aside: dict[str, float] = {}
        """When the events of a type are tried again, by the loop's time."""
        self._loop = Loop("outbox", self._relay, IDLE_S, min_pause_s=interval_s, backoff=Backoff(max_s=MAX_PAUSE_S))
        self.wake = self._loop.wake
        self.start = self._loop.start
        self.stop = self._loop.stop

    async def _relay(self) -> bool:
        """Send a batch of the oldest events. Return whether there may be more."""
        async with self._postgres.transaction() as conn:
            await conn.execute(LOCK)
            taken = await conn.fetch(TAKE, BATCH, self._waiting_types())
            taken.sort(key=lambda row: row["id"])
            runs = [
                (type_name, [row["envelope"] for row in run])
                for type_name, run in groupby(taken, key=lambda row: row["type"])
            ]
            failed = await self._declare({type_name for type_name, _ in runs})
            delayed = _sharing_a_queue(failed)
            leaving = [run for run in runs if run[0] not in delayed]
            # They leave in this order; only their confirms are waited for together.
            outcomes = await asyncio.gather(*(self._publish(*run) for run in leaving), return_exceptions=True)
            failed |= {run[0]: error for run, error in zip(leaving, outcomes, strict=True) if error is not None}
            delayed = _sharing_a_queue(failed)
            left = [row for row in taken if row["type"] in delayed]
            is_full = len(taken) == BATCH
            if left and (is_full or len(left) < len(taken)):
                # There are, or may be, others behind them.
                again_at = asyncio.get_running_loop().time() + SET_ASIDE_S
                self._set_aside |= dict.fromkeys(delayed, again_at)
                log.warning("outbox.set_aside", types=sorted(delayed), error=type(next(iter(failed.values()))).__name__)
            if failed and len(left) == len(taken):
                raise next(iter(failed.values()))
            if left:
                await conn.execute(PUT_BACK, *([row[column] for row in left] for column in ("id", "type", "envelope")))
        return is_full

    def _waiting_types(self) -> list[str]:
        now = asyncio.get_running_loop().time()
        self._set_aside = {type_name: at for type_name, at in self._set_aside.items() if at > now}
        return list(self._set_aside)

    async def _declare(self, types: set[str]) -> dict[str, BaseException]:
        """Declare the queues of all types before any is published: a declaration would let others overtake."""
        listed = sorted(types)
        outcomes = await asyncio.gather(
            *(self._bus.declare_fed_by({type_name}) for type_name in listed), return_exceptions=True
        )
        return {name: error for name, error in zip(listed, outcomes, strict=True) if error is not None}

    async def _publish(self, type_name: str, envelopes: list[str]) -> None:
        await self._bus.publish(topology.EVENTS_EXCHANGE, type_name, f"[{','.join(envelopes)}]".encode())
        RELAYED.labels(type_name).inc(len(envelopes))


def _sharing_a_queue(failed: Iterable[str]) -> set[str]:
    """Return the types that must not overtake the failed ones: those, and what goes to the same queues."""
    return {each for type_name in failed for queue in topology.fed_by(type_name) for each in queue.events} | set(failed)

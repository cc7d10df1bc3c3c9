"""The transactional outbox: an event is written in the transaction that makes it true, and relayed to RabbitMQ after.

At least once, in the order of commit for one writer; a row stays until every queue that must get its event has it, also
one whose service was never there yet. The relay runs in every process of the service: rows are taken
with `for update skip locked`, published with confirms, and deleted. A crash anywhere in between repeats, never loses.
Each service's migrations create the table (`create table outbox (id bigint generated always as identity primary key,
type text not null, envelope text not null)`).
"""

import asyncio
from collections.abc import Sequence
from itertools import groupby

from prometheus_client import Counter
from synctalk_contracts import topology
from synctalk_contracts.envelope import Envelope, Event

from synctalk_runtime.background import Backoff, Loop
from synctalk_runtime.bus import Bus
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.postgres import Connection, Postgres
from synctalk_runtime.telemetry import traceparent

RELAYED = Counter("outbox_relayed_total", "Events relayed from the outbox.", ["type"])

ADD = """\
-- name: outbox.add
insert into outbox (type, envelope) select * from unnest($1::text[], $2::text[])"""

TAKE = """\
-- name: outbox.take
delete from outbox where id = any(array(select id from outbox order by id limit $1 for update skip locked))
returning id, type, envelope"""

BATCH = 500
IDLE_S = 5.0
"""Whoever writes an event wakes its own relay; this finds what a process that died has left."""
MAX_PAUSE_S = 5.0


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
        self._loop = Loop("outbox", self._relay, IDLE_S, min_pause_s=interval_s, backoff=Backoff(max_s=MAX_PAUSE_S))
        self.wake = self._loop.wake
        self.start = self._loop.start
        self.stop = self._loop.stop

    async def _relay(self) -> bool:
        """Send a batch of the oldest events. Return whether there may be more."""
        async with self._postgres.transaction() as conn:
            taken = await conn.fetch(TAKE, BATCH)
            taken.sort(key=lambda row: row["id"])
            runs = [
                (type_name, [row["envelope"] for row in run])
                for type_name, run in groupby(taken, key=lambda row: row["type"])
            ]
            await self._bus.declare_fed_by({type_name for type_name, _ in runs})
            # They leave in this order; only their confirms are waited for together.
            await asyncio.gather(*(self._publish(type_name, envelopes) for type_name, envelopes in runs))
        return len(taken) == BATCH

    async def _publish(self, type_name: str, envelopes: list[str]) -> None:
        await self._bus.publish(topology.EVENTS_EXCHANGE, type_name, f"[{','.join(envelopes)}]".encode())
        RELAYED.labels(type_name).inc(len(envelopes))

"""Table `webhook_deliveries`: which event went, or is to go, to which endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from synctalk_runtime.postgres import Connection

from synctalk_notifier.store.feed import event_json

Status = Literal["pending", "delivered", "dead"]

COUNT_PENDING = """\
-- name: webhook_deliveries.count_pending
select count(*) from webhook_deliveries where webhook_id = $1 and status = 'pending'"""

# A replayed event is delivered once more.
ADD = """\
-- name: webhook_deliveries.add
with next as (
  select of_type.* from unnest($3::text[]) as wanted (type)
  cross join lateral (
    select f.n, f.id, f.type, coalesce(f.conversation_id, f.subject_id) as lane from feed f
    where f.type = wanted.type and f.n > $2 and f.n <= $4 order by f.n limit $5) of_type
  order by of_type.n limit $5),
added as (
  insert into webhook_deliveries (webhook_id, n, event_id, type, lane, status, attempts, next_try_at, created_at)
  select $1, n, id, type, lane, 'pending', 0, $6, $6 from next
  on conflict (webhook_id, n) do update
  set status = 'pending', attempts = 0, next_try_at = excluded.next_try_at, created_at = excluded.created_at,
      last_status = null, last_error = null
  returning 1)
select count(*) as added, (select max(n) from next) as last from added"""

# A plan that was made while the table was empty, as it often is, would read all of a thousand for each of a thousand.
PLAN_ANEW = """\
-- name: webhook_deliveries.plan_anew
set local plan_cache_mode = force_custom_plan"""

# Within a lane the oldest goes first, until it has failed often enough for later ones to pass it. With one that has not
# been tried come those that follow it, as far as they have not been tried either.
CLAIM = """\
-- name: webhook_deliveries.claim
with first as (
  select d.webhook_id, d.n, d.lane, d.attempts
  from webhook_deliveries d
  where d.webhook_id = $1 and d.status = 'pending' and d.next_try_at <= $2
    and (d.claimed_until is null or d.claimed_until <= $2)
    and coalesce((
      select before.n from webhook_deliveries before
      where before.webhook_id = d.webhook_id and before.lane = d.lane and before.status = 'pending'
        and before.attempts < $5
      order by before.n limit 1), d.n) >= d.n
  order by d.n limit $4
  for update skip locked),
due as (
  select f.webhook_id, f.n, f.n as first from first f
  union all
  select f.webhook_id, later.n, f.n
  from first f
  cross join lateral (
    select each.n, sum(each.attempts) over (order by each.n) as tries
    from (
      select d.n, d.attempts from webhook_deliveries d
      where d.webhook_id = f.webhook_id and d.lane = f.lane and d.status = 'pending' and d.n > f.n
      order by d.n limit $6) each) later
  where f.attempts = 0 and later.tries = 0)
update webhook_deliveries d set claimed_until = $3
from due join feed f on f.n = due.n
where d.webhook_id = due.webhook_id and d.n = due.n
returning due.first, d.n, d.attempts, f.id, f.type, f.created_at as happened_at, f.data"""

RELEASE = """\
-- name: webhook_deliveries.release
update webhook_deliveries d set claimed_until = null
from unnest($1::uuid[], $2::bigint[]) as claimed (webhook_id, n)
where d.webhook_id = claimed.webhook_id and d.n = claimed.n and d.status = 'pending'"""

FINISH = """\
-- name: webhook_deliveries.finish
update webhook_deliveries d
set status = done.status, attempts = done.attempts, last_status = done.last_status, last_error = done.last_error,
    next_try_at = done.next_try_at, claimed_until = null
from unnest($1::uuid[], $2::bigint[], $3::text[], $4::int[], $5::int[], $6::text[], $7::timestamptz[])
  as done (webhook_id, n, status, attempts, last_status, last_error, next_try_at)
where d.webhook_id = done.webhook_id and d.n = done.n"""

LIST = """\
-- name: webhook_deliveries.list
select n, event_id, type, status, attempts, last_status, last_error, next_try_at from webhook_deliveries
where webhook_id = $1 and n < $2 order by n desc limit $3"""

FORGET = """\
-- name: webhook_deliveries.forget
delete from webhook_deliveries where created_at < $1"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process makes."""

    webhook_id: str
    n: int
    attempts: int
    """Before this one."""
    event_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Finished:
    webhook_id: str
    n: int
    status: Status
    attempts: int
    last_status: int | None
    last_error: str | None
    next_try_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    n: int
    event_id: str
    type: str
    status: Status
    attempts: int
    last_status: int | None
    last_error: str | None
    next_try_at: datetime | None


async def plan_anew(conn: Connection) -> None:
    """Have the statements of this transaction planned by how much there is now."""
    await conn.execute(PLAN_ANEW)


async def count_pending(conn: Connection, webhook_id: str) -> int:
    return int(await conn.fetchval(COUNT_PENDING, webhook_id))


async def add(
    conn: Connection, webhook_id: str, after: int, last: int, types: Sequence[str], limit: int, now: datetime
) -> int:
    """Make deliveries of the next events of these types, at most `limit`. Return the number up to which that is."""
    row = await conn.fetchrow(ADD, webhook_id, after, types, last, limit, now)
    assert row is not None
    return int(row["last"]) if row["added"] == limit else last


async def claim(
    conn: Connection, webhook_id: str, now: datetime, until: datetime, limit: int, passed_after: int, following: int
) -> list[list[Claimed]]:
    """Claim what is due at an endpoint: at most `limit` sequences, each to be sent one after the other, of an event and
    at most `following` more of its lane. An event that has failed `passed_after` times holds back nothing.
    """
    sequences: dict[int, list[Claimed]] = {}
    rows = await conn.fetch(CLAIM, webhook_id, now, until, limit, passed_after, following)
    for row in sorted(rows, key=lambda row: row["n"]):
        body = event_json(row["id"], row["type"], row["happened_at"], row["data"])
        claimed = Claimed(webhook_id, row["n"], row["attempts"], row["id"], body)
        sequences.setdefault(row["first"], []).append(claimed)
    return list(sequences.values())


async def release(conn: Connection, claimed: Sequence[Claimed]) -> None:
    """Let go of deliveries that were not tried."""
    await conn.execute(RELEASE, [one.webhook_id for one in claimed], [one.n for one in claimed])


async def finish(conn: Connection, finished: Sequence[Finished]) -> None:
    await conn.execute(
        FINISH,
        [one.webhook_id for one in finished],
        [one.n for one in finished],
        [one.status for one in finished],
        [one.attempts for one in finished],
        [one.last_status for one in finished],
        [one.last_error for one in finished],
        [one.next_try_at for one in finished],
    )


async def listed(conn: Connection, webhook_id: str, before: int, limit: int) -> list[Listed]:
    """Return the deliveries of an endpoint, the latest event first."""
    return [Listed(**row) for row in await conn.fetch(LIST, webhook_id, before, limit)]


async def forget(conn: Connection, before: datetime) -> None:
    await conn.execute(FORGET, before)

"""Table `pushes`: pushes that wait, are being sent, or were sent and may be retracted.

A push is claimed for a while (`sending` until `due_at`) instead of being locked while FCM is asked. Of one conversation
only the first to a device is claimed: they arrive in the order of `seq`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection

from synctalk_notifier.kinds import Content, PushKind, Subscription

# A device that was deleted since is left out, and no other is deleted before its pushes are written.
ADD = """\
-- name: pushes.add
insert into pushes
  (user_id, device_id, conversation_id, seq, message_id, kind, state, due_at, created_at, traceparent, text, thread_id,
   also_in_conversation)
select new.user_id, new.device_id, conversation_id, seq, message_id, 'message', 'waiting', $8, $8, traceparent, text,
  thread_id, also_in_conversation
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::uuid[], $6::text[], $7::text[], $9::uuid[],
            $10::boolean[])
  as new (user_id, device_id, conversation_id, seq, message_id, traceparent, text, thread_id, also_in_conversation)
join devices d on d.user_id = new.user_id and d.device_id = new.device_id
for key share of d
on conflict do nothing"""

CLAIM = """\
-- name: pushes.claim
with due as (
  select user_id, device_id, conversation_id, seq, state
  from pushes p
  where state <> 'sent' and due_at <= $1 and not exists (
    select from pushes earlier
    where earlier.user_id = p.user_id and earlier.device_id = p.device_id
      and earlier.conversation_id = p.conversation_id and earlier.seq < p.seq and earlier.state <> 'sent')
  order by due_at limit $2
  for update skip locked)
update pushes p set state = 'sending', due_at = $3, attempts = p.attempts + 1
from due join devices d on d.user_id = due.user_id and d.device_id = due.device_id
left join user_settings u on u.user_id = due.user_id
where p.user_id = due.user_id and p.device_id = due.device_id
  and p.conversation_id = due.conversation_id and p.seq = due.seq
returning p.user_id, p.device_id, p.conversation_id, p.seq, p.message_id, p.kind, p.attempts, p.created_at,
  p.traceparent, d.token, d.session_id, due.state = 'sending' as maybe_sent, coalesce(p.text, '') as text, d.locale,
  coalesce(u.content, 'full') as content, d.p256dh, d.auth, p.thread_id"""

DROP = """\
-- name: pushes.drop
delete from pushes p
using unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[]) as k (user_id, device_id, conversation_id, seq)
where p.user_id = k.user_id and p.device_id = k.device_id and p.conversation_id = k.conversation_id and p.seq = k.seq"""

SENT = """\
-- name: pushes.sent
with k as (
  select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[]) as k (user_id, device_id, conversation_id, seq)
), retracted as (
  delete from pushes p using k
  where p.user_id = k.user_id and p.device_id = k.device_id
    and p.conversation_id = k.conversation_id and p.seq = k.seq and p.kind = 'retract')
update pushes p set
  kind = case when withdrawn then 'retract' else 'message' end,
  state = case when withdrawn then 'waiting' else 'sent' end,
  withdrawn = false, attempts = 0, due_at = $5, text = null,
  created_at = case when withdrawn then $5 else p.created_at end
from k
where p.user_id = k.user_id and p.device_id = k.device_id
  and p.conversation_id = k.conversation_id and p.seq = k.seq and p.kind = 'message'"""

# What waits behind it on the same device waits as long, so that looking for what is due does not pass over it.
POSTPONE = """\
-- name: pushes.postpone
update pushes p set
  due_at = case when p.seq = k.seq then k.due_at else greatest(p.due_at, k.due_at) end,
  attempts = case when p.seq = k.seq then p.attempts - k.forgiven else p.attempts end,
  state = case when p.seq = k.seq and k.maybe_sent then 'sending' else 'waiting' end
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::timestamptz[], $6::boolean[], $7::integer[])
  as k (user_id, device_id, conversation_id, seq, due_at, maybe_sent, forgiven)
where p.user_id = k.user_id and p.device_id = k.device_id and p.conversation_id = k.conversation_id
  and (p.seq = k.seq or (p.seq > k.seq and p.state = 'waiting'))"""

RETRACT = """\
-- name: pushes.retract
update pushes p set
  kind = 'retract', state = 'waiting', withdrawn = false, attempts = 0, due_at = $5, created_at = $5, text = null
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[]) as k (user_id, device_id, conversation_id, seq)
where p.user_id = k.user_id and p.device_id = k.device_id and p.conversation_id = k.conversation_id and p.seq = k.seq"""

# What waits is dropped, what is on its way is marked, and of what a device shows the last is retracted for all: of the
# conversation, and of each thread.
# The rows are locked first: one that is just being recorded as sent must be seen as sent.
WITHDRAW_READ = """\
-- name: pushes.withdraw_read
with locked as (
  select p.user_id, p.device_id, p.conversation_id, p.seq, p.state, p.thread_id
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $5::uuid[]) as r (conversation_id, user_id, read_seq, thread_id)
  join pushes p on p.conversation_id = r.conversation_id and p.user_id = r.user_id and p.seq <= r.read_seq
    and case when r.thread_id is null then p.thread_id is null or p.also_in_conversation
        else p.thread_id = r.thread_id end
  where p.kind = 'message'
  for update of p
), concerned as (
  select *, state = 'sent' and seq = max(seq) filter (where state = 'sent')
    over (partition by user_id, device_id, conversation_id, thread_id) as shown
  from locked
), dropped as (
  delete from pushes p using concerned c
  where p.user_id = c.user_id and p.device_id = c.device_id and p.conversation_id = c.conversation_id
    and p.seq = c.seq and c.state <> 'sending' and not c.shown)
update pushes p set
  withdrawn = not c.shown,
  kind = case when c.shown then 'retract' else p.kind end,
  state = case when c.shown then 'waiting' else p.state end,
  due_at = case when c.shown then $4 else p.due_at end,
  created_at = case when c.shown then $4 else p.created_at end
from concerned c
where p.user_id = c.user_id and p.device_id = c.device_id and p.conversation_id = c.conversation_id
  and p.seq = c.seq and (c.state = 'sending' or c.shown)"""

WITHDRAW_DELETED = """\
-- name: pushes.withdraw_deleted
with dropped as (
  delete from pushes p using unnest($1::uuid[], $2::bigint[]) as k (conversation_id, seq)
  where p.conversation_id = k.conversation_id and p.seq = k.seq and p.kind = 'message' and p.state = 'waiting')
update pushes p set
  withdrawn = p.state = 'sending',
  kind = case when p.state = 'sent' then 'retract' else p.kind end,
  due_at = case when p.state = 'sent' then $3 else p.due_at end,
  created_at = case when p.state = 'sent' then $3 else p.created_at end,
  state = case when p.state = 'sent' then 'waiting' else p.state end
from unnest($1::uuid[], $2::bigint[]) as k (conversation_id, seq)
where p.conversation_id = k.conversation_id and p.seq = k.seq and p.kind = 'message' and p.state <> 'waiting'"""

FORGET_SENT = """\
-- name: pushes.forget_sent
delete from pushes where state = 'sent' and created_at < $1"""

GIVE_UP = """\
-- name: pushes.give_up
with old as (delete from pushes where state <> 'sent' and due_at <= $2 and created_at < $1 returning 1)
select count(*) from old"""

COUNT_WAITING = """\
-- name: pushes.count_waiting
select count(*) from pushes where state <> 'sent'"""


@dataclass(frozen=True, slots=True)
class NewPush:
    user_id: str
    device_id: str
    conversation_id: str
    seq: int
    message_id: str
    traceparent: str | None
    text: str
    thread_id: str | None
    also_in_conversation: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """A user who has read a conversation or one of its threads."""

    conversation_id: str
    thread_id: str | None
    user_id: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A push that this process may send, for a while."""

    user_id: str
    device_id: str
    conversation_id: str
    seq: int
    message_id: str
    kind: PushKind
    attempts: int
    created_at: datetime
    traceparent: str | None
    token: str
    session_id: str
    """The session that registered the device."""
    maybe_sent: bool
    """An earlier attempt ended without a response: the device may show it."""
    text: str
    locale: str | None
    content: Content
    p256dh: str | None
    auth: str | None
    thread_id: str | None

    @property
    def subscription(self) -> Subscription | None:
        """Of Web Push; None: the token is FCM's."""
        if self.p256dh is None or self.auth is None:
            return None
        return Subscription(self.token, self.p256dh, self.auth)


@dataclass(frozen=True, slots=True)
class Postponed:
    claim: Claim
    due_at: datetime
    maybe_sent: bool
    counts: bool
    """False: FCM was not asked, and the attempt does not count."""


async def add(conn: Connection, new: Sequence[NewPush], now: datetime) -> None:
    """Add pushes that do not exist yet, to devices that still do."""
    await conn.execute(
        ADD,
        [p.user_id for p in new],
        [p.device_id for p in new],
        [p.conversation_id for p in new],
        [p.seq for p in new],
        [p.message_id for p in new],
        [p.traceparent for p in new],
        [p.text for p in new],
        now,
        [p.thread_id for p in new],
        [p.also_in_conversation for p in new],
    )


async def claim(conn: Connection, now: datetime, limit: int, lease_until: datetime) -> list[Claim]:
    return [Claim(*row) for row in await conn.fetch(CLAIM, now, limit, lease_until)]


async def drop(conn: Connection, claims: Sequence[Claim]) -> None:
    await conn.execute(DROP, *_keys(claims))


async def sent(conn: Connection, claims: Sequence[Claim], now: datetime) -> None:
    """Mark messages as sent and remove retractions; what was withdrawn meanwhile is retracted next."""
    await conn.execute(SENT, *_keys(claims), now)


async def postpone(conn: Connection, postponed: Sequence[Postponed]) -> None:
    await conn.execute(
        POSTPONE,
        *_keys([p.claim for p in postponed]),
        [p.due_at for p in postponed],
        [p.maybe_sent for p in postponed],
        [0 if p.counts else 1 for p in postponed],
    )


async def retract(conn: Connection, claims: Sequence[Claim], now: datetime) -> None:
    """Turn these into retractions."""
    await conn.execute(RETRACT, *_keys(claims), now)


async def withdraw_read(conn: Connection, reads: dict[Reader, int], now: datetime) -> None:
    """Withdraw pushes up to the `seq` that each has read. The conversation's do not reach what is in a thread alone."""
    readers = sorted(reads, key=lambda reader: (reader.conversation_id, reader.user_id, reader.thread_id or ""))
    await conn.execute(
        WITHDRAW_READ,
        [reader.conversation_id for reader in readers],
        [reader.user_id for reader in readers],
        [reads[reader] for reader in readers],
        now,
        [reader.thread_id for reader in readers],
    )


async def withdraw_deleted(conn: Connection, deleted: Sequence[tuple[str, int]], now: datetime) -> None:
    """Withdraw the pushes of deleted messages, given as (conversation, seq)."""
    await conn.execute(WITHDRAW_DELETED, [c for c, _ in deleted], [s for _, s in deleted], now)


async def forget_sent(conn: Connection, before: datetime) -> None:
    await conn.execute(FORGET_SENT, before)


async def give_up(conn: Connection, before: datetime, now: datetime) -> int:
    """Delete pushes that are older and still not sent. Return how many."""
    return int(await conn.fetchval(GIVE_UP, before, now))


async def count_waiting(conn: Connection) -> int:
    return int(await conn.fetchval(COUNT_WAITING))


def _keys(claims: Sequence[Claim]) -> tuple[list[str], list[str], list[str], list[int]]:
    return (
        [c.user_id for c in claims],
        [c.device_id for c in claims],
        [c.conversation_id for c in claims],
        [c.seq for c in claims],
    )

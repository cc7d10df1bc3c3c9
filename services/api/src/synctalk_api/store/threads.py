"""Threads: what root messages say of their replies, and the table `thread_follows`, what a thread is to each user."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from synctalk_contracts.events.receipts import ThreadRead
from synctalk_contracts.ids import format_time
from synctalk_runtime.postgres import Connection

from synctalk_api.store.conversation_lists import ListPosition, bounds

Place = tuple[str, str]
"""conversation, root message"""


@dataclass(frozen=True, slots=True)
class Root:
    """A message as the root of a thread, which it may not be."""

    seq: int
    sender_id: str
    mentions: list[str]
    thread: dict[str, Any] | None
    """A `ThreadSummary` as JSON."""
    is_reply: bool
    is_system: bool
    hides: bool
    """There may be members for whom it does not exist."""

    @property
    def last_seq(self) -> int:
        """Return the `seq` up to which the thread can be read."""
        return self.seq if self.thread is None else int(self.thread["last_seq"])


ROOTS = """\
-- name: threads.roots
select m.conversation_id, m.id, m.seq, m.sender_id, m.mentions, m.thread, m.thread_id is not null as is_reply,
       m.system is not null as is_system, c.history <> 'all' as hides
from unnest($1::uuid[], $2::uuid[]) as asked(conversation_id, id)
join messages m on m.conversation_id = asked.conversation_id and m.id = asked.id
join conversations c on c.id = m.conversation_id"""


async def roots(conn: Connection, places: Sequence[Place]) -> dict[Place, Root]:
    """Return the messages that are, or were to be, roots of threads; unknown ones are left out."""
    rows = await conn.fetch(ROOTS, [c for c, _ in places], [t for _, t in places])
    return {
        (row["conversation_id"], row["id"]): Root(
            row["seq"],
            row["sender_id"],
            row["mentions"],
            row["thread"],
            row["is_reply"],
            row["is_system"],
            row["hides"],
        )
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class Changed:
    """A root message with its new thread."""

    conversation_id: str
    thread_id: str
    change_seq: int
    thread: dict[str, Any] | None


SET_THREADS = """\
-- name: threads.set
update messages m
set change_seq = x.change_seq, thread = x.thread
from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::jsonb[]) as x(conversation_id, id, change_seq, thread)
where m.conversation_id = x.conversation_id and m.id = x.id"""


async def set_threads(conn: Connection, changed: Sequence[Changed]) -> None:
    """Let roots say this of their threads. Their conversations are locked."""
    await conn.execute(
        SET_THREADS,
        [each.conversation_id for each in changed],
        [each.thread_id for each in changed],
        [each.change_seq for each in changed],
        [each.thread for each in changed],
    )


# Who replied is looked up one after the other, the others skipped: a thread may have any number of replies by few.
RECOUNT = """\
-- name: threads.recount
with recursive asked as (
  select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::int[]) as a(conversation_id, id, change_seq, fewer)
), participants as (
  select asked.conversation_id, asked.id, first.sender_id, first.seq
  from asked
  cross join lateral (
    select r.sender_id, r.seq from messages r
    where r.conversation_id = asked.conversation_id and r.thread_id = asked.id and r.deleted_at is null
    order by r.sender_id, r.seq
    limit 1
  ) first
  union all
  select p.conversation_id, p.id, next.sender_id, next.seq
  from participants p
  cross join lateral (
    select r.sender_id, r.seq from messages r
    where r.conversation_id = p.conversation_id and r.thread_id = p.id and r.deleted_at is null
          and r.sender_id > p.sender_id
    order by r.sender_id, r.seq
    limit 1
  ) next
)
update messages m
set change_seq = greatest(m.change_seq, a.change_seq),
    thread = case when last.seq is not null then jsonb_build_object(
      'reply_count', (m.thread ->> 'reply_count')::int - a.fewer,
      'last_reply_at', to_char(last.created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'last_seq', last.seq,
      'participant_ids', (select jsonb_agg(first.sender_id order by first.seq)
                          from (select p.sender_id, p.seq from participants p
                                where p.conversation_id = a.conversation_id and p.id = a.id
                                order by p.seq limit $5) first)) end
from asked a
left join lateral (
  select r.seq, r.created_at from messages r
  where r.conversation_id = a.conversation_id and r.thread_id = a.id and r.deleted_at is null
  order by r.seq desc
  limit 1
) last on true
where m.conversation_id = a.conversation_id and m.id = a.id
returning m.conversation_id, m.id, m.change_seq, m.thread"""


async def recount(conn: Connection, fewer: dict[Place, tuple[int, int]], participants_max: int) -> list[Changed]:
    """Let roots say again what is in their threads, of which replies were deleted or got another sender.

    `fewer` has by thread the number of the change, and how many replies there are less. The conversations are locked.
    """
    numbers, counts = [number for number, _ in fewer.values()], [count for _, count in fewer.values()]
    rows = await conn.fetch(RECOUNT, [c for c, _ in fewer], [t for _, t in fewer], numbers, counts, participants_max)
    return [Changed(row["conversation_id"], row["id"], row["change_seq"], row["thread"]) for row in rows]


OF_SENDER = """\
-- name: threads.of_sender
select distinct thread_id
from messages
where conversation_id = $1 and sender_id = $2 and thread_id is not null and deleted_at is null"""


async def of_sender(conn: Connection, conversation_id: str, sender_id: str) -> list[str]:
    """Return the threads of the conversation in which the user has replied."""
    return [row["thread_id"] for row in await conn.fetch(OF_SENDER, conversation_id, sender_id)]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a user follows a thread from now on."""

    user_id: str
    begin_seq: int
    """Where their watermark begins, unless they follow it already."""
    read_seq: int = 0
    """Up to where they have read in any case."""
    again: bool = True
    """Also one who has unfollowed it."""


BEGIN = """\
-- name: threads.begin
with causes as (
  select x.conversation_id, x.thread_id, x.user_id, x.again or coalesce(f.following, true) as following,
         greatest(f.read_seq, x.read_seq, case when f.following is not true then x.begin_seq end) as read_seq
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bool[])
       as x(conversation_id, thread_id, user_id, begin_seq, read_seq, again)
  join members m on m.conversation_id = x.conversation_id and m.user_id = x.user_id and m.left_at is null
  left join thread_follows f
    on f.conversation_id = x.conversation_id and f.thread_id = x.thread_id and f.user_id = x.user_id
)
insert into thread_follows as f (conversation_id, thread_id, user_id, following, read_seq)
select * from causes
order by conversation_id, thread_id, user_id
on conflict (conversation_id, thread_id, user_id) do update
set following = excluded.following, read_seq = greatest(f.read_seq, excluded.read_seq)
where f.following is distinct from excluded.following or f.read_seq < excluded.read_seq
returning conversation_id, thread_id, user_id"""


async def begin(conn: Connection, causes: Sequence[tuple[Place, Cause]]) -> list[tuple[str, str, str]]:
    """Let members follow threads, one cause for each; return (conversation, thread, user) where something changed."""
    rows = await conn.fetch(
        BEGIN,
        [conversation_id for (conversation_id, _), _ in causes],
        [thread_id for (_, thread_id), _ in causes],
        [cause.user_id for _, cause in causes],
        [cause.begin_seq for _, cause in causes],
        [cause.read_seq for _, cause in causes],
        [cause.again for _, cause in causes],
    )
    return [(row["conversation_id"], row["thread_id"], row["user_id"]) for row in rows]


SET_FOLLOWING = """\
-- name: threads.set_following
insert into thread_follows as f (conversation_id, thread_id, user_id, following, read_seq)
values ($1, $2, $3, $4, $5)
on conflict (conversation_id, thread_id, user_id) do update
set following = excluded.following,
    read_seq = case when excluded.following then greatest(f.read_seq, excluded.read_seq) else f.read_seq end
where f.following is distinct from excluded.following
returning true"""


async def set_following(conn: Connection, place: Place, user_id: str, *, following: bool, read_seq: int) -> bool:
    """Follow a thread or not, from this watermark on; return whether that is new."""
    return bool(await conn.fetchval(SET_FOLLOWING, *place, user_id, following, read_seq))


UNFOLLOW_ALL = """\
-- name: threads.unfollow_all
update thread_follows set following = false where user_id = $2 and conversation_id = $1 and following"""


async def unfollow_all(conn: Connection, conversation_id: str, user_id: str) -> None:
    """End what the user follows in the conversation."""
    await conn.execute(UNFOLLOW_ALL, conversation_id, user_id)


GIVE = """\
-- name: threads.give
with given as (
  delete from thread_follows where conversation_id = $1 and user_id = $2 returning thread_id, following, read_seq
)
insert into thread_follows as f (conversation_id, thread_id, user_id, following, read_seq)
select $1, thread_id, $3, following, read_seq from given
on conflict (conversation_id, thread_id, user_id) do update
set following = greatest(f.following, excluded.following), read_seq = greatest(f.read_seq, excluded.read_seq)"""


async def give(conn: Connection, conversation_id: str, guest_id: str, user_id: str) -> None:
    """Give a user what a guest follows and has read."""
    await conn.execute(GIVE, conversation_id, guest_id, user_id)


READ = """\
-- name: threads.read
with asked as (
  select a.n, a.conversation_id, a.thread_id, a.user_id, a.seq,
         begins_after(c.history, m.joined_seq, c.id, m.joined_at) as begins_after
  from unnest($1::int[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[])
       as a(n, conversation_id, thread_id, user_id, seq)
  join members m on m.conversation_id = a.conversation_id and m.user_id = a.user_id and m.left_at is null
  join conversations c on c.id = a.conversation_id
  order by a.conversation_id, a.user_id, a.n
  for no key update of m
), placed as (
  select a.*, r.id is not null as found, r.thread_id is not null or r.system is not null as unfit,
         coalesce((r.thread ->> 'last_seq')::bigint, r.seq) as last_seq, r.seq as root_seq
  from asked a
  left join messages r on r.conversation_id = a.conversation_id and r.id = a.thread_id and r.seq > a.begins_after
), raised as (
  insert into thread_follows as f (conversation_id, thread_id, user_id, read_seq)
  select p.conversation_id, p.thread_id, p.user_id, greatest(p.root_seq, max(least(p.seq, p.last_seq)))
  from placed p
  where p.found and not p.unfit
  group by p.conversation_id, p.thread_id, p.user_id, p.root_seq
  order by p.conversation_id, p.thread_id, p.user_id
  on conflict (conversation_id, thread_id, user_id) do update
  set read_seq = excluded.read_seq
  where f.read_seq < excluded.read_seq
  returning conversation_id, thread_id, user_id, read_seq
), published as (
  insert into outbox (type, envelope)
  select $6, json_build_object('id', gen_random_uuid(), 'type', $6::text, 'time', $7::text, 'payload',
                               json_build_object('conversation_id', conversation_id, 'thread_id', thread_id,
                                                 'user_id', user_id, 'read_seq', read_seq))
  from raised
)
select p.n, p.found, p.unfit, raised.read_seq is not null as rose
from placed p
left join raised on raised.conversation_id = p.conversation_id and raised.thread_id = p.thread_id
                    and raised.user_id = p.user_id"""


async def read(conn: Connection, marks: Sequence[tuple[Place, str, int]], now: datetime) -> dict[int, asyncpg.Record]:
    """Raise the watermarks of (thread, user, seq) that rise, with their events, in one statement.

    Returns by position, for who is a member, whether the root exists, is none, and whether the watermark rose.
    """
    rows = await conn.fetch(
        READ,
        list(range(len(marks))),
        [conversation_id for (conversation_id, _), _, _ in marks],
        [thread_id for (_, thread_id), _, _ in marks],
        [user_id for _, user_id, _ in marks],
        [seq for _, _, seq in marks],
        ThreadRead.type_name(),
        format_time(now),
    )
    return {row["n"]: row for row in rows}


STATES = """\
-- name: threads.states
select f.conversation_id, f.thread_id, f.user_id, coalesce(f.following, false) as following, f.read_seq,
       case when f.following
            then (select count(*) from messages r
                  where r.conversation_id = f.conversation_id and r.thread_id = f.thread_id and r.seq > f.read_seq
                        and r.deleted_at is null)
            else 0 end as unread_count,
       case when f.following
            then (select count(distinct n.seq) from mentions n
                  where n.conversation_id = f.conversation_id and n.thread_id = f.thread_id and n.seq > f.read_seq
                        and n.user_id in (f.user_id, '00000000-0000-0000-0000-000000000000'))
            else 0 end as mention_count
from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as asked(conversation_id, thread_id, user_id)
join thread_follows f on f.conversation_id = asked.conversation_id and f.thread_id = asked.thread_id
                         and f.user_id = asked.user_id"""


async def states(conn: Connection, wanted: Sequence[tuple[str, str, str]]) -> list[asyncpg.Record]:
    """Return what the threads are to these users: (conversation, thread, user).

    A reply raises its sender's own watermark, so all above it are by others.
    """
    return await conn.fetch(STATES, [c for c, _, _ in wanted], [t for _, t, _ in wanted], [u for _, _, u in wanted])


# What was replied later than the time that is asked for does not count: no thread moves while the list is walked.
PAGE = """\
-- name: threads.page
select f.conversation_id, f.thread_id, activity.at
from thread_follows f
join members me on me.conversation_id = f.conversation_id and me.user_id = f.user_id and me.left_at is null
join conversations c on c.id = f.conversation_id
join messages root on root.conversation_id = f.conversation_id and root.id = f.thread_id and root.thread is not null
                      and root.seq > begins_after(c.history, me.joined_seq, c.id, me.joined_at)
cross join lateral (
  select case
    when (root.thread ->> 'last_reply_at')::timestamptz <= $2::timestamptz
    then (root.thread ->> 'last_reply_at')::timestamptz
    else (select r.created_at
          from messages r
          where r.conversation_id = f.conversation_id and r.thread_id = f.thread_id and r.created_at <= $2
                and r.deleted_at is null
          order by r.seq desc
          limit 1)
  end as at
) activity
where f.user_id = $1 and f.following and activity.at <= $2
      and not (f.thread_id = any($3::uuid[]))
      and ($4::timestamptz is null or (activity.at, f.thread_id) < ($4, $5::uuid))
      and (not $7 or (root.thread ->> 'last_seq')::bigint > f.read_seq)
order by activity.at desc, f.thread_id desc
limit $6"""


@dataclass(frozen=True, slots=True)
class Listed:
    conversation_id: str
    thread_id: str
    at: datetime
    """Of its last reply."""


async def page(
    conn: Connection, user_id: str, position: ListPosition | None, limit: int, *, unread: bool
) -> list[Listed]:
    """Return threads with replies that the user follows, last reply first, after `position`; with `unread` of those
    alone that have unread ones.
    """
    rows = await conn.fetch(PAGE, user_id, *bounds(position), limit, unread)
    return [Listed(row["conversation_id"], row["thread_id"], row["at"]) for row in rows]


FOLLOWERS = """\
-- name: threads.followers
select asked.n, array(select f.user_id from thread_follows f
                      where f.conversation_id = asked.conversation_id and f.thread_id = asked.thread_id
                            and f.following) as user_ids
from unnest($1::int[], $2::uuid[], $3::uuid[]) as asked(n, conversation_id, thread_id)
order by asked.n"""


async def followers(conn: Connection, places: Sequence[Place]) -> list[list[str]]:
    """Return who follows each of these threads."""
    rows = await conn.fetch(FOLLOWERS, list(range(len(places))), [c for c, _ in places], [t for _, t in places])
    return [row["user_ids"] for row in rows]


CONVERSATION_OF = """\
-- name: threads.conversation_of
select m.conversation_id
from members me
join messages m on m.conversation_id = me.conversation_id and m.id = $2
where me.user_id = $1 and me.left_at is null and ($3::uuid is null or me.conversation_id = $3)
limit 1"""


async def conversation_of(conn: Connection, user_id: str, message_id: str, within: str | None) -> str | None:
    """Return in which of the user's conversations, or whether in that one, the message is; None: in none."""
    found: str | None = await conn.fetchval(CONVERSATION_OF, user_id, message_id, within)
    return found


WITH_ALL = """\
-- name: threads.with_all
select distinct f.thread_id
from thread_follows f
join mentions n on n.conversation_id = f.conversation_id and n.thread_id = f.thread_id
                   and n.user_id = '00000000-0000-0000-0000-000000000000' and n.thread_only
where f.user_id = $1 and f.following
order by f.thread_id desc
limit $2"""


async def with_all(conn: Connection, user_id: str, limit: int) -> list[str]:
    """Return the newest threads that the user follows and in which everybody is mentioned."""
    return [row["thread_id"] for row in await conn.fetch(WITH_ALL, user_id, limit)]


FIRST_UNREAD = """\
-- name: threads.first_unread
select r.seq
from thread_follows f
join messages r on r.conversation_id = f.conversation_id and r.thread_id = f.thread_id and r.seq > f.read_seq
                   and r.deleted_at is null
where f.conversation_id = $1 and f.thread_id = $2 and f.user_id = $3 and f.following
order by r.seq
limit 1"""


async def first_unread(conn: Connection, place: Place, user_id: str) -> int | None:
    """Return the first reply that the user, who follows the thread, has not read; None: all are read."""
    seq: int | None = await conn.fetchval(FIRST_UNREAD, *place, user_id)
    return seq

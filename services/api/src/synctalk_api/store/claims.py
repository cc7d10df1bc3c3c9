"""The table `claims` of the main store, and a user in a guest's place: members, messages, reactions, mentions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from synctalk_contracts.models import Role
from synctalk_runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class Claim:
    guest_id: str
    user_id: str
    claimed_at: datetime


ADD = """\
-- name: claims.add
insert into claims (guest_id, user_id) values ($1, $2) on conflict do nothing"""


async def add(conn: Connection, guest_id: str, user_id: str) -> None:
    await conn.execute(ADD, guest_id, user_id)


TAKE = """\
-- name: claims.take
select guest_id, user_id, claimed_at from claims where due_at <= now() order by due_at limit 1 for update skip locked"""


async def take(conn: Connection) -> Claim | None:
    """Lock one that is due until the transaction ends; None: there is none that no process works on."""
    row = await conn.fetchrow(TAKE)
    return None if row is None else Claim(*row)


POSTPONE = """\
-- name: claims.postpone
update claims set due_at = now() + make_interval(secs => $2) where guest_id = $1"""


async def postpone(conn: Connection, guest_id: str, seconds: float) -> None:
    await conn.execute(POSTPONE, guest_id, seconds)


FINISH = """\
-- name: claims.finish
delete from claims where guest_id = $1"""


async def finish(conn: Connection, guest_id: str) -> None:
    await conn.execute(FINISH, guest_id)


CONVERSATIONS = """\
-- name: claims.conversations
select conversation_id
from (
  (select conversation_id from members
   where user_id = $1 and left_at is null and claimed_by is null order by conversation_id limit $2)
  union all
  (select conversation_id from members
   where user_id = $1 and left_at is not null and claimed_by is null order by conversation_id limit $2)
) all_of_them
limit $2"""


async def conversations(conn: Connection, guest_id: str, limit: int) -> list[str]:
    """Return conversations that the guest is or was in and that have not been dealt with."""
    return [row["conversation_id"] for row in await conn.fetch(CONVERSATIONS, guest_id, limit)]


LOCK = """\
-- name: claims.lock
select c.type, c.title, c.metadata, c.created_at, c.last_seq, c.change_seq, c.external_id
from conversations c where c.id = $1 for no key update"""

PLACES = """\
-- name: claims.places
select user_id, role, left_at, claimed_by, muted_until
from members
where conversation_id = $1 and user_id = any($2::uuid[])
order by user_id
for no key update"""


@dataclass(frozen=True, slots=True)
class Place:
    role: Role
    is_present: bool
    is_claimed: bool
    muted_until: datetime | None


async def lock(conn: Connection, conversation_id: str) -> asyncpg.Record | None:
    """Lock the conversation: nobody else numbers anything in it until the transaction ends."""
    return await conn.fetchrow(LOCK, conversation_id)


async def places(conn: Connection, conversation_id: str, user_ids: Sequence[str]) -> dict[str, Place]:
    """Lock these members, present and former, and return their places by user."""
    rows = await conn.fetch(PLACES, conversation_id, user_ids)
    return {
        row["user_id"]: Place(
            Role(row["role"]), row["left_at"] is None, row["claimed_by"] is not None, row["muted_until"]
        )
        for row in rows
    }


MARK = """\
-- name: claims.mark
update members set claimed_by = $3 where conversation_id = $1 and user_id = $2"""


async def mark(conn: Connection, conversation_id: str, guest_id: str, user_id: str) -> None:
    """Note that the guest's membership has been dealt with."""
    await conn.execute(MARK, conversation_id, guest_id, user_id)


PEER = """\
-- name: claims.peer
select other.user_id
from members other
join conversations c on c.id = other.conversation_id and c.type = 'direct'
where other.conversation_id = $1 and other.user_id <> $2 and other.claimed_by is null
limit 1"""


async def peer(conn: Connection, conversation_id: str, user_id: str) -> str | None:
    """Return the other side of a direct conversation; None: it is a group."""
    found: str | None = await conn.fetchval(PEER, conversation_id, user_id)
    return found


DIRECT = """\
-- name: claims.direct
select me.conversation_id
from members me
join members other on other.conversation_id = me.conversation_id and other.user_id = $2
join conversations c on c.id = me.conversation_id and c.type = 'direct'
where me.user_id = $1 and me.left_at is null
limit 1"""


async def direct(conn: Connection, user_id: str, peer_id: str) -> str | None:
    """Return the direct conversation of the two, whatever guest began it; None: they have none here."""
    found: str | None = await conn.fetchval(DIRECT, user_id, peer_id)
    return found


GIVE_MESSAGES = """\
-- name: claims.give_messages
with touched as (
  select seq from messages where conversation_id = $1 and sender_id = $2
  union
  select seq from mentions where conversation_id = $1 and user_id = $2
  union
  select seq from messages where conversation_id = $1 and pinned_at is not null and pinned_by = $2
  union
  select m.seq
  from reactions r
  join messages m on m.conversation_id = r.conversation_id and m.id = r.message_id
  where r.conversation_id = $1 and r.user_id = $2
  union
  select seq from messages
  where conversation_id = $1 and (deleted_at is not null or system is not null)
        and system::text like '%' || $2::uuid::text || '%'
  union
  select seq from messages
  where conversation_id = $1 and forwarded_from is not null and forwarded_from ->> 'sender_id' = $2::uuid::text
)
update messages m
set change_seq = $4,
    client_message_id = case when m.sender_id = $2
                                  and exists (select from messages own
                                              where own.conversation_id = $1 and own.sender_id = $3
                                                    and own.client_message_id = m.client_message_id)
                             then gen_random_uuid()::text else m.client_message_id end,
    sender_id = case m.sender_id when $2 then $3 else m.sender_id end,
    pinned_by = case m.pinned_by when $2 then $3 else m.pinned_by end,
    mentions = case when $3 = any(m.mentions) then array_remove(m.mentions, $2)
                    else array_replace(m.mentions, $2, $3) end,
    system = replace(m.system::text, $2::uuid::text, $3::uuid::text)::jsonb,
    forwarded_from = case when m.forwarded_from ->> 'sender_id' = $2::uuid::text
                          then jsonb_set(m.forwarded_from, '{sender_id}', to_jsonb($3::uuid::text))
                          else m.forwarded_from end
from touched
where m.conversation_id = $1 and m.seq = touched.seq
returning m.seq, case when m.sender_id = $3 then m.files else '[]' end as files, m.client_message_id"""

GIVE_TERMS = """\
-- name: claims.give_terms
update message_terms t
set terms = ts_delete(t.terms, array[place.before || '@from' || $3, place.before || '@to' || $3])
            || array_to_tsvector(array_remove(array[
                 case when t.terms @@ (place.before || '@from' || $3)::tsquery then place.before || '@from' || $4 end,
                 case when t.terms @@ (place.before || '@to' || $3)::tsquery then place.before || '@to' || $4 end
               ], null))
from (select seq, place_of($1, seq >> 10) as before from unnest($2::bigint[]) as given(seq)) place
where t.conversation_id = $1 and t.seq = place.seq"""

GIVE_REACTIONS = """\
-- name: claims.give_reactions
with twice as (
  delete from reactions r
  using reactions own
  where r.conversation_id = $1 and r.user_id = $2 and own.conversation_id = $1 and own.message_id = r.message_id
        and own.emoji = r.emoji and own.user_id = $3
  returning r.message_id, r.emoji
), counted as (
  update reaction_kinds k set count = k.count - 1
  from twice
  where k.conversation_id = $1 and k.message_id = twice.message_id and k.emoji = twice.emoji
)
update reactions r set user_id = $3
where r.conversation_id = $1 and r.user_id = $2
      and not exists (select from reactions own
                      where own.conversation_id = $1 and own.message_id = r.message_id and own.emoji = r.emoji
                            and own.user_id = $3)"""

GIVE_MENTIONS = """\
-- name: claims.give_mentions
with given as (
  delete from mentions where conversation_id = $1 and user_id = $2 returning seq, thread_id, thread_only
)
insert into mentions (conversation_id, seq, user_id, thread_id, thread_only)
select $1, seq, $3, thread_id, thread_only from given
on conflict do nothing"""


async def give_messages(
    conn: Connection, conversation_id: str, guest_id: str, user_id: str, change_seq: int
) -> dict[str, str]:
    """Put the user in the guest's place on messages, reactions and mentions; what it touches gets the number.

    Returns the files of the user's messages, by id the `client_message_id` of each.
    """
    given = await conn.fetch(GIVE_MESSAGES, conversation_id, guest_id, user_id, change_seq)
    seqs = [row["seq"] for row in given]
    await conn.execute(GIVE_TERMS, conversation_id, seqs, guest_id.replace("-", ""), user_id.replace("-", ""))
    await conn.execute(GIVE_REACTIONS, conversation_id, guest_id, user_id)
    await conn.execute(GIVE_MENTIONS, conversation_id, guest_id, user_id)
    return {file["id"]: row["client_message_id"] for row in given for file in row["files"]}


GIVE_FILES = """\
-- name: claims.give_files
with given as (
  update files f set owner_id = $2, client_message_id = x.client_message_id
  from (select f.id, f.owner_id, asked.client_message_id
        from unnest($3::uuid[], $4::text[]) as asked(id, client_message_id)
        join files f on f.id = asked.id and f.owner_id in ($1, $2)
        order by f.id
        for update of f) x
  where f.id = x.id
  returning x.owner_id as before, case when f.copied then 0 else f.size end as size
), moved as (
  select coalesce(sum(size) filter (where before = $1), 0)::bigint as bytes from given
), freed as (
  update file_usage u set bytes = u.bytes - moved.bytes from moved where u.owner_id = $1
)
insert into file_usage as u (owner_id, bytes) select $2, bytes from moved where bytes > 0
on conflict (owner_id) do update set bytes = u.bytes + excluded.bytes"""


async def give_files(conn: Connection, guest_id: str, user_id: str, given: Mapping[str, str]) -> None:
    """Give the user these files of messages, which have their space from now on. Again it changes nothing."""
    if given:
        await conn.execute(GIVE_FILES, guest_id, user_id, list(given), list(given.values()))


RAISE = """\
-- name: claims.raise
update members m
set role = $4, change_seq = $5, delivered_seq = greatest(m.delivered_seq, guest.delivered_seq),
    read_seq = greatest(m.read_seq, guest.read_seq), muted_until = greatest(m.muted_until, guest.muted_until),
    joined_seq = least(m.joined_seq, guest.joined_seq)
from members guest
where m.conversation_id = $1 and m.user_id = $3 and guest.conversation_id = $1 and guest.user_id = $2"""

END = """\
-- name: claims.end
update members set left_at = coalesce(left_at, $5), change_seq = $4, claimed_by = $3
where conversation_id = $1 and user_id = $2"""


async def give_to_member(
    conn: Connection, conversation_id: str, guest_id: str, user_id: str, role: Role, change_seq: int
) -> None:
    """Give a present member this role and the higher of the watermarks."""
    await conn.execute(RAISE, conversation_id, guest_id, user_id, role.value, change_seq)


async def end(
    conn: Connection, conversation_id: str, guest_id: str, user_id: str, change_seq: int, now: datetime
) -> None:
    """End the guest's membership, if it is not over, and note that it has been dealt with."""
    await conn.execute(END, conversation_id, guest_id, user_id, change_seq, now)


REPLACE_FORMER = """\
-- name: claims.replace_former
with former as (
  delete from members where conversation_id = $1 and user_id = $3
  returning delivered_seq, read_seq, muted_until
)
update members
set delivered_seq = greatest(delivered_seq, (select delivered_seq from former)),
    read_seq = greatest(read_seq, (select read_seq from former)),
    muted_until = greatest(muted_until, (select muted_until from former))
where conversation_id = $1 and user_id = $2"""

TAKE_PLACE = """\
-- name: claims.take_place
update members set user_id = $3, change_seq = $4 where conversation_id = $1 and user_id = $2"""

LEAVE_TRACE = """\
-- name: claims.leave_trace
insert into members (conversation_id, user_id, role, joined_at, left_at, change_seq, claimed_by)
values ($1, $2, 'member', $5, $5, $4, $3)"""


async def take_place(
    conn: Connection, conversation_id: str, guest_id: str, user_id: str, change_seq: int, now: datetime
) -> None:
    """Make the guest's membership, with all that belongs to it, the user's, who is no member now."""
    await conn.execute(REPLACE_FORMER, conversation_id, guest_id, user_id)
    await conn.execute(TAKE_PLACE, conversation_id, guest_id, user_id, change_seq)
    await conn.execute(LEAVE_TRACE, conversation_id, guest_id, user_id, change_seq, now)


RESET = """\
-- name: claims.reset
update conversations
set reset_seq = $2, created_by = case created_by when $3 then $4 else created_by end,
    direct_key = coalesce($5, direct_key)
where id = $1"""


async def reset(
    conn: Connection, conversation_id: str, change_seq: int, guest_id: str, user_id: str, direct_key: str | None
) -> None:
    """Let clients with an earlier cursor load anew; a direct conversation is found by its new key."""
    await conn.execute(RESET, conversation_id, change_seq, guest_id, user_id, direct_key)

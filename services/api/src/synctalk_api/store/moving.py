"""Moving a partition's conversations from one store to another: rows as they are, in PostgreSQL's binary form.

`conversations` and `members` come last and in one transaction, since by them a user finds a conversation. The table
`moving_conversations`, in the store that gets a partition, says how far each conversation is copied;
`moved_conversations`, in the one that had it, which ones still leave rows behind.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from synctalk_contracts.topology import partition_of
from synctalk_runtime.postgres import Connection

CONTENTS = ("messages", "reactions", "reaction_kinds", "message_terms", "revisions", "mentions")
"""The tables, beside those of `HANDED_OVER`, that have rows of a conversation."""
CHANGED = {
    "messages": "{table} x where x.conversation_id = any($1::uuid[]) and x.id = any($2::uuid[])",
    "reactions": "{table} x where x.conversation_id = any($1::uuid[]) and x.message_id = any($2::uuid[])",
    "reaction_kinds": "{table} x where x.conversation_id = any($1::uuid[]) and x.message_id = any($2::uuid[])",
    "revisions": "{table} x where x.conversation_id = any($1::uuid[]) and x.message_id = any($2::uuid[])",
    "mentions": "{table} x where (x.conversation_id, x.seq) in (select m.conversation_id, m.seq from messages m "
    "where m.conversation_id = any($1::uuid[]) and m.id = any($2::uuid[]))",
    "message_terms": "{table} x where x.conversation_id = any($1::uuid[]) and x.id = any($2::uuid[])",
}
HANDED_OVER = (
    "conversations",
    "members",
    "bans",
    "invites",
    "invite_uses",
    "reports",
    "deleted_conversations",
    "thread_follows",
)
"""The tables that are copied last: few rows, and by them a user finds the conversation or is kept out of it. What users
have read of threads changes without a `change_seq`."""
CHUNKS_AHEAD = 8

WITHOUT_TIMEOUTS = """\
-- name: moving.without_timeouts
set local statement_timeout = 0;
set local idle_in_transaction_session_timeout = 0"""

UNNUMBERED = """\
-- name: moving.unnumbered
select id from conversations where partition is null limit $1"""

NUMBER = """\
-- name: moving.number
update conversations c set partition = x.partition
from unnest($1::uuid[], $2::int[]) as x(id, partition)
where c.id = x.id"""


async def number(conn: Connection, limit: int) -> int:
    """Note the partition of conversations that earlier versions began, and return of how many."""
    ids = [row["id"] for row in await conn.fetch(UNNUMBERED, limit)]
    await conn.execute(NUMBER, ids, [partition_of(conversation_id) for conversation_id in ids])
    return len(ids)


OF_PARTITION = """\
-- name: moving.of_partition
select id from conversations where partition = $1 order by id"""


async def of_partition(conn: Connection, partition: int) -> list[str]:
    return [row["id"] for row in await conn.fetch(OF_PARTITION, partition)]


REACHED = """\
-- name: moving.reached
select id, change_seq from conversations where partition = $1"""


async def reached(conn: Connection, partition: int) -> dict[str, int]:
    """Return the latest `change_seq` of each of the partition's conversations."""
    return {row["id"]: row["change_seq"] for row in await conn.fetch(REACHED, partition)}


CLOSE = """\
-- name: moving.close
select from partitions where partition = $1 for update"""

LOCK_CONVERSATIONS = """\
-- name: moving.lock_conversations
select id, change_seq from conversations where partition = $1 order by id for update"""

LOCK_MEMBERS = """\
-- name: moving.lock_members
select from members where conversation_id = any($1::uuid[]) order by conversation_id, user_id for update"""


async def lock(conn: Connection, partition: int) -> dict[str, int]:
    """Keep everybody from writing to the partition, and return its conversations with their `change_seq`."""
    await conn.execute(CLOSE, partition)
    locked = {row["id"]: row["change_seq"] for row in await conn.fetch(LOCK_CONVERSATIONS, partition)}
    await conn.execute(LOCK_MEMBERS, list(locked))
    return locked


LAST_EVENT = """\
-- name: moving.last_event
select coalesce(max(id), 0) from outbox"""

UNSENT = """\
-- name: moving.unsent
select exists (select from outbox where id <= $1)"""


async def last_event(conn: Connection) -> int:
    last: int = await conn.fetchval(LAST_EVENT)
    return last


async def is_unsent(conn: Connection, event: int) -> bool:
    """Return whether an event up to this one waits in the outbox."""
    unsent: bool = await conn.fetchval(UNSENT, event)
    return unsent


CHANGE_SEQS = """\
-- name: moving.change_seqs
select id, change_seq from conversations where id = any($1::uuid[])"""


async def change_seqs(conn: Connection, conversation_ids: Sequence[str]) -> dict[str, int]:
    return {row["id"]: row["change_seq"] for row in await conn.fetch(CHANGE_SEQS, conversation_ids)}


NOTE_COPIED = """\
-- name: moving.note_copied
insert into moving_conversations (conversation_id, partition, change_seq)
select x.id, $3, x.change_seq from unnest($1::uuid[], $2::bigint[]) as x(id, change_seq)"""


async def note_copied(conn: Connection, partition: int, copied: dict[str, int]) -> None:
    """Note that these have been copied as of their `change_seq`."""
    await conn.execute(NOTE_COPIED, list(copied), list(copied.values()), partition)


COPIED = """\
-- name: moving.copied
select conversation_id, change_seq from moving_conversations where partition = $1"""


async def copied(conn: Connection, partition: int) -> dict[str, int]:
    """Return as of which `change_seq` conversations have been copied here."""
    return {row["conversation_id"]: row["change_seq"] for row in await conn.fetch(COPIED, partition)}


CHANGED_MESSAGES = """\
-- name: moving.changed_messages
select m.conversation_id, m.id
from unnest($1::uuid[], $2::bigint[]) as since(conversation_id, change_seq)
join messages m on m.conversation_id = since.conversation_id and m.change_seq > since.change_seq"""


async def changed_messages(conn: Connection, since: dict[str, int]) -> tuple[list[str], list[str]]:
    """Return the conversations and ids of the messages that have changed after these `change_seq`s."""
    rows = await conn.fetch(CHANGED_MESSAGES, list(since), list(since.values()))
    return sorted({row["conversation_id"] for row in rows}), [row["id"] for row in rows]


async def copy(source: Connection, target: Connection, table: str, conversation_ids: Sequence[str]) -> None:
    """Copy all rows of these conversations; the target has none of them."""
    key = "id" if table == "conversations" else "conversation_id"
    await _copy(source, target, table, f"{table} x where x.{key} = any($1::uuid[])", conversation_ids)


async def copy_messages(source: Connection, target: Connection, conversation_ids: list[str], ids: list[str]) -> None:
    """Copy these messages with all that belongs to them, in place of what the target has of them."""
    for table in CONTENTS:
        rows = CHANGED[table].format(table=table)
        await target.execute(f"-- name: moving.replace\ndelete from {rows}", conversation_ids, ids)
        await _copy(source, target, table, rows, conversation_ids, ids)


COLUMNS = """\
-- name: moving.columns
select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum"""


async def _copy(source: Connection, target: Connection, table: str, rows: str, *args: Sequence[str]) -> None:
    columns = [row["attname"] for row in await source.fetch(COLUMNS, table)]
    chunks: asyncio.Queue[bytes | None] = asyncio.Queue(CHUNKS_AHEAD)
    query = f"select {', '.join('x.' + column for column in columns)} from {rows}"  # noqa: S608

    async def read() -> None:
        await source.copy_from_query(query, *args, output=chunks.put, format="binary")
        await chunks.put(None)

    async def taken() -> AsyncIterator[bytes]:
        while (chunk := await chunks.get()) is not None:
            yield chunk

    async with asyncio.TaskGroup() as both:
        both.create_task(read())
        both.create_task(target.copy_to_table(table, source=taken(), columns=columns, format="binary"))


ARRIVED = """\
-- name: moving.arrived
with copied as (
  delete from moving_conversations where partition = $1
)
update partitions set moved_to = null where partition = $1"""


async def arrived(conn: Connection, partition: int) -> None:
    """Note that the partition lies here from now on."""
    await conn.execute(ARRIVED, partition)


LEAVE = """\
-- name: moving.leave
with gone as (
  delete from members where conversation_id = any($2::uuid[])
), gone_bans as (
  delete from bans where conversation_id = any($2::uuid[])
), gone_invites as (
  delete from invites where conversation_id = any($2::uuid[])
), gone_uses as (
  delete from invite_uses where conversation_id = any($2::uuid[])
), gone_reports as (
  delete from reports where conversation_id = any($2::uuid[])
), gone_deleted as (
  delete from deleted_conversations where conversation_id = any($2::uuid[])
), gone_follows as (
  delete from thread_follows where conversation_id = any($2::uuid[])
), left_behind as (
  insert into moved_conversations (conversation_id) select unnest($2::uuid[])
), closed as (
  update partitions set moved_to = $3 where partition = $1
)
delete from conversations where id = any($2::uuid[])"""


async def leave(conn: Connection, partition: int, conversation_ids: Sequence[str], store: str) -> None:
    """Remove the partition's conversations, which lie in another store now."""
    await conn.execute(LEAVE, partition, conversation_ids, store)


MOVED_TO = """\
-- name: moving.moved_to
select moved_to from partitions where partition = $1"""


async def moved_to(conn: Connection, partition: int) -> str | None:
    """Return the store that has got the partition from here; None: it lies here, or never did."""
    name: str | None = await conn.fetchval(MOVED_TO, partition)
    return name


FORGET_COPIED = """\
-- name: moving.forget_copied
with unfinished as (
  delete from moving_conversations where partition = $1 returning conversation_id
), arrived_unfinished as (
  delete from conversations where partition = $1 returning id
), all_of_them as (
  select conversation_id from unfinished union select id from arrived_unfinished
), members_of_them as (
  delete from members m using all_of_them x where m.conversation_id = x.conversation_id
), bans_of_them as (
  delete from bans b using all_of_them x where b.conversation_id = x.conversation_id
), invites_of_them as (
  delete from invites i using all_of_them x where i.conversation_id = x.conversation_id
), uses_of_them as (
  delete from invite_uses u using all_of_them x where u.conversation_id = x.conversation_id
), reports_of_them as (
  delete from reports r using all_of_them x where r.conversation_id = x.conversation_id
), deleted_of_them as (
  delete from deleted_conversations d using all_of_them x where d.conversation_id = x.conversation_id
), follows_of_them as (
  delete from thread_follows f using all_of_them x where f.conversation_id = x.conversation_id
)
insert into moved_conversations (conversation_id) select conversation_id from all_of_them
on conflict do nothing"""


async def forget_copied(conn: Connection, partition: int) -> None:
    """Give up what an earlier move of the partition, which did not finish, has copied here."""
    await conn.execute(FORGET_COPIED, partition)


LEFT_BEHIND = """\
-- name: moving.left_behind
select conversation_id from moved_conversations order by conversation_id limit $1"""

CLEAN_MESSAGES = """\
-- name: moving.clean_messages
with picked as (
  select conversation_id, seq, id from messages
  where conversation_id = any($1::uuid[]) and ($3::bigint[] is null or seq = any($3))
  limit $2
), reactions_of as (
  delete from reactions r using picked x where r.conversation_id = x.conversation_id and r.message_id = x.id
), kinds_of as (
  delete from reaction_kinds k using picked x where k.conversation_id = x.conversation_id and k.message_id = x.id
), revisions_of as (
  delete from revisions r using picked x where r.conversation_id = x.conversation_id and r.message_id = x.id
), mentions_of as (
  delete from mentions n using picked x where n.conversation_id = x.conversation_id and n.seq = x.seq
), terms_of as (
  delete from message_terms t using picked x where t.conversation_id = x.conversation_id and t.seq = x.seq
)
delete from messages m using picked x where m.conversation_id = x.conversation_id and m.seq = x.seq
returning m.seq"""

CLEANED = """\
-- name: moving.cleaned
delete from moved_conversations where conversation_id = any($1::uuid[])"""


async def clean(conn: Connection, conversations: int, limit: int) -> bool:
    """Delete some of what moved conversations have left behind; return whether there is more."""
    ids = [row["conversation_id"] for row in await conn.fetch(LEFT_BEHIND, conversations)]
    if ids and len(await conn.fetch(CLEAN_MESSAGES, ids, limit, None)) < limit:
        await conn.execute(CLEANED, ids)
    return bool(ids)


MEMBERS_OF = """\
-- name: moving.members_of
select user_id from members where conversation_id = any($1::uuid[])
union
select user_id from bans where conversation_id = any($1::uuid[])"""


async def members_of(conn: Connection, conversation_ids: Sequence[str]) -> list[str]:
    """Return everybody who is or was a member of one of these, or is banned."""
    return [row["user_id"] for row in await conn.fetch(MEMBERS_OF, conversation_ids)]

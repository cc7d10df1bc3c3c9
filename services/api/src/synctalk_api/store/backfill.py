"""The tables `unindexed_conversations` and `unindexed_users`: what an update left to be indexed."""

from collections.abc import Sequence

import asyncpg
from synctalk_runtime.postgres import Connection

from synctalk_api import rules, tags, terms

TAKE_CONVERSATION = """\
-- name: backfill.take_conversation
select conversation_id, due_at, below_seq from unindexed_conversations
where due_at <= now()
order by due_at, conversation_id
limit 1
for update skip locked"""


async def take_conversation(conn: Connection) -> asyncpg.Record | None:
    """Lock one that is due and that no other process works on, until the transaction ends."""
    return await conn.fetchrow(TAKE_CONVERSATION)


MESSAGES = """\
-- name: backfill.messages
select m.conversation_id, m.seq, m.created_at, m.id, m.body, m.sender_id, m.mentions, m.mention_all, m.pinned_at,
       m.thread_id, m.also_in_conversation,
       exists (select from reaction_kinds k
               where k.conversation_id = m.conversation_id and k.message_id = m.id) as reacted,
       m.deleted_at is null and m.system is null
       and (t.seq is null
            or not t.terms @@ (place_of(m.conversation_id, m.seq >> 10) || '@from'
                               || replace(m.sender_id::text, '-', ''))::tsquery) as missing
from messages m
left join message_terms t on t.conversation_id = m.conversation_id and t.seq = m.seq
where m.conversation_id = $1 and m.seq < $2
order by m.seq desc
limit $3"""

ADD_TERMS = """\
-- name: backfill.add_terms
insert into message_terms (conversation_id, seq, created_at, id, terms)
select x.conversation_id, x.seq, x.created_at, x.id, placed_terms(x.terms, x.conversation_id, x.seq)
from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::text[])
     as x(conversation_id, seq, created_at, id, terms)
on conflict (conversation_id, seq) do update set terms = excluded.terms"""

RESTORE_MENTIONS = """\
-- name: backfill.restore_mentions
with wanted as (
  select m.conversation_id, m.seq, mentioned.user_id, m.thread_id,
         m.thread_id is not null and not m.also_in_conversation as thread_only
  from messages m
  cross join lateral (select unnest(m.mentions)
                      union all select '00000000-0000-0000-0000-000000000000' where m.mention_all) mentioned(user_id)
  where m.conversation_id = $1 and m.seq between $2 and $3
), forgotten as (
  delete from mentions n
  where n.conversation_id = $1 and n.seq between $2 and $3
        and not exists (select from wanted where wanted.seq = n.seq and wanted.user_id = n.user_id)
)
insert into mentions (conversation_id, seq, user_id, thread_id, thread_only) select * from wanted
on conflict do nothing"""

CONTINUE = """\
-- name: backfill.continue
update unindexed_conversations set below_seq = $3 where conversation_id = $1 and due_at = $2"""

FINISH = """\
-- name: backfill.finish
delete from unindexed_conversations where conversation_id = $1 and due_at = $2"""


async def index_conversation(conn: Connection, taken: asyncpg.Record, limit: int) -> int:
    """Index the next messages of the conversation and their mentions, newest first, and return how many were read.

    Messages that were edited meanwhile are indexed already and stay.
    """
    rows = await conn.fetch(MESSAGES, taken["conversation_id"], taken["below_seq"], limit)
    if rows:
        await conn.execute(RESTORE_MENTIONS, taken["conversation_id"], rows[-1]["seq"], rows[0]["seq"])
    missing = [row for row in rows if row["missing"]]
    columns = [[row[name] for row in missing] for name in ("conversation_id", "seq", "created_at", "id")]
    await conn.execute(ADD_TERMS, *columns, [terms.vector(row["body"], _tags(row)) for row in missing])
    if len(rows) < limit:
        await conn.execute(FINISH, taken["conversation_id"], taken["due_at"])
    else:
        await conn.execute(CONTINUE, taken["conversation_id"], taken["due_at"], rows[-1]["seq"])
    return len(rows)


def _tags(row: asyncpg.Record) -> list[str]:
    return tags.of_message(
        row["sender_id"],
        row["body"],
        row["mentions"],
        mention_all=row["mention_all"],
        pinned_at=row["pinned_at"],
        reacted=row["reacted"],
        thread_id=row["thread_id"],
        thread_only=not row["also_in_conversation"],
    )


TAKE_USERS = """\
-- name: backfill.take_users
with taken as (
  select x.id from unindexed_users x join users u on u.id = x.id limit $1 for update skip locked
), done as (
  delete from unindexed_users x using taken where x.id = taken.id
)
select u.id, u.username, u.display_name from users u join taken on taken.id = u.id"""

REPHRASE = """\
-- name: backfill.rephrase
with forgotten as (
  delete from user_phrases p
  where p.user_id = any($1::uuid[])
        and not exists (select from unnest($2::uuid[], $3::text[]) as x(user_id, phrase)
                        where x.user_id = p.user_id and x.phrase = p.phrase)
)
insert into user_phrases (user_id, phrase) select * from unnest($2::uuid[], $3::text[])
on conflict do nothing"""


async def index_users(conn: Connection, limit: int) -> int:
    """Index some users by the current folding of names, and return how many."""
    rows: Sequence[asyncpg.Record] = await conn.fetch(TAKE_USERS, limit)
    phrases = [(row["id"], phrase) for row in rows for phrase in rules.phrases(row["username"], row["display_name"])]
    ids = [row["id"] for row in rows]
    await conn.execute(REPHRASE, ids, [user_id for user_id, _ in phrases], [phrase for _, phrase in phrases])
    return len(rows)


LEFT = """\
-- name: backfill.left
select exists (select from unindexed_conversations) or exists (select from unindexed_users)"""


async def is_left(conn: Connection) -> bool:
    left: bool = await conn.fetchval(LEFT)
    return left

"""Deleting a group: its row stays without content, so that its numbers go on; messages are deleted bit by bit later."""

from datetime import datetime

from synctalk_runtime.postgres import Connection

from synctalk_api.store.moving import CLEAN_MESSAGES

EMPTY = """\
-- name: deletion.empty
with no_bans as (
  delete from bans where conversation_id = $1
), no_invites as (
  delete from invites where conversation_id = $1
), no_uses as (
  delete from invite_uses where conversation_id = $1
), no_follows as (
  delete from thread_follows where conversation_id = $1
), noted as (
  insert into deleted_conversations (conversation_id) values ($1)
)
update conversations
set title = null, title_terms = null, description = '', avatar_url = null, metadata = '{}', visibility = 'private',
    members_count = 0, members_changed_at = $3, updated_at = $3, change_seq = $2, deleted_at = $3, external_id = null
where id = $1"""


async def empty(conn: Connection, conversation_id: str, change_seq: int, now: datetime) -> None:
    """Remove everything but the messages, and note that they are to be deleted."""
    await conn.execute(EMPTY, conversation_id, change_seq, now)


TAKE = """\
-- name: deletion.take
select conversation_id from deleted_conversations order by conversation_id limit 1 for update skip locked"""

NEXT = """\
-- name: deletion.next
select seq from messages where conversation_id = $1 order by seq limit $2"""

FREE_FILES = """\
-- name: deletion.free_files
insert into unused_files (file_id)
select (file ->> 'id')::uuid
from messages m
cross join lateral jsonb_array_elements(m.files) as file
where m.conversation_id = $1 and m.seq = any($2::bigint[])
on conflict do nothing"""

FINISH = """\
-- name: deletion.finish
delete from deleted_conversations where conversation_id = $1"""


async def step(conn: Connection, limit: int) -> bool:
    """Delete some messages of a deleted group that no other process works on, and let go of their files.

    Return whether there may be more.
    """
    conversation_id = await conn.fetchval(TAKE)
    if conversation_id is None:
        return False
    seqs = [row["seq"] for row in await conn.fetch(NEXT, conversation_id, limit)]
    await conn.execute(FREE_FILES, conversation_id, seqs)
    await conn.execute(CLEAN_MESSAGES, [conversation_id], limit, seqs)
    if len(seqs) < limit:
        await conn.execute(FINISH, conversation_id)
    return True

"""The table `members`: who shares a conversation with whom."""

from collections.abc import Sequence

from synctalk_runtime.postgres import Connection

CONTACTS = """\
-- name: sharing.contacts
select other.user_id, bool_or(c.type = 'direct') as direct
from members me
join members other on other.conversation_id = me.conversation_id
join conversations c on c.id = me.conversation_id
where me.user_id = $1 and me.left_at is null and other.user_id = any($2::uuid[]) and other.left_at is null
group by other.user_id"""


async def contacts(conn: Connection, user_id: str, user_ids: Sequence[str]) -> dict[str, bool]:
    """Return those of `user_ids` who share a conversation with the user, and whether a direct one."""
    return {row["user_id"]: row["direct"] for row in await conn.fetch(CONTACTS, user_id, user_ids)}


UNRELATED = """\
-- name: sharing.unrelated
select asked.user_id
from unnest($2::uuid[]) as asked(user_id)
left join lateral (
  select true as shared
  from members other
  join members me on me.conversation_id = other.conversation_id and me.user_id = $1 and me.left_at is null
  where other.user_id = asked.user_id and other.left_at is null
  limit 1
) common on true
where common.shared is null"""


async def unrelated(conn: Connection, user_id: str, user_ids: Sequence[str]) -> set[str]:
    """Return those of `user_ids` who share no conversation with the user: many at once, each looked up by itself."""
    return {row["user_id"] for row in await conn.fetch(UNRELATED, user_id, user_ids)}

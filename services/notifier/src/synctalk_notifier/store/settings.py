"""Table `settings`: a user's notification settings for a conversation."""

from collections import defaultdict
from datetime import datetime

from synctalk_contracts.models import NotificationSettings
from synctalk_runtime.postgres import Connection

PUT = """\
-- name: settings.put
insert into settings (conversation_id, user_id, level, muted_until) values ($1, $2, $3, $4)
on conflict (conversation_id, user_id) do update set level = excluded.level, muted_until = excluded.muted_until"""

GET = """\
-- name: settings.get
select level, muted_until from settings where conversation_id = $1 and user_id = $2"""

QUIET = """\
-- name: settings.quiet
select asked.user_id, quiet.conversation_id
from unnest($1::uuid[]) as asked (user_id)
cross join lateral (
  select s.conversation_id from settings s
  where s.user_id = asked.user_id and (s.level = 'none' or s.muted_until > $2) limit $3) quiet"""

MAX_QUIET = 1_000
"""Quiet conversations of one user that the badge leaves out; who has more sees the others counted."""


async def put(conn: Connection, conversation_id: str, user_id: str, level: str, muted_until: datetime | None) -> None:
    await conn.execute(PUT, conversation_id, user_id, level, muted_until)


async def get(conn: Connection, conversation_id: str, user_id: str) -> NotificationSettings:
    """Return the settings, or the defaults."""
    row = await conn.fetchrow(GET, conversation_id, user_id)
    return NotificationSettings(**row) if row is not None else NotificationSettings()


async def quiet(conn: Connection, user_ids: list[str], now: datetime) -> dict[str, list[str]]:
    """Return the conversations that are muted or at level `none`, by user; who has none is left out."""
    found: dict[str, list[str]] = defaultdict(list)
    for user_id, conversation_id in await conn.fetch(QUIET, user_ids, now, MAX_QUIET):
        found[user_id].append(conversation_id)
    return found

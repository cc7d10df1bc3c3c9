"""Table `settings`: a user's notification settings for a conversation."""

from dataclasses import dataclass
from datetime import datetime

from synctalk_contracts.models import NotificationSettings
from synctalk_runtime.postgres import Connection

REMOVE_LEVEL = """\
-- name: settings.remove_level
insert into settings (conversation_id, user_id, level, muted_until) values ($1, $2, null, $3)
on conflict (conversation_id, user_id) do update set
  level = null, muted_until = case when $4 then $3 else settings.muted_until end"""

PUT = """\
-- name: settings.put
insert into settings (conversation_id, user_id, level, muted_until) values ($1, $2, $3, $4)
on conflict (conversation_id, user_id) do update set level = excluded.level, muted_until = excluded.muted_until"""

GET = """\
-- name: settings.get
select coalesce(s.level, u.level, 'all') as level, s.muted_until
from (select $1::uuid as conversation_id, $2::uuid as user_id) asked
left join settings s using (conversation_id, user_id)
left join user_settings u using (user_id)"""

# A conversation that the user left is not theirs any more; one whose membership event is still on its way is.
OF_USER = """\
-- name: settings.of_user
select s.conversation_id, coalesce(s.level, u.level, 'all') as level, s.muted_until
from settings s
left join user_settings u on u.user_id = s.user_id
where s.user_id = $1 and (s.level is not null or s.muted_until > $2) and not exists (
  select from members m where m.conversation_id = s.conversation_id and m.user_id = s.user_id and not m.present)
order by s.conversation_id desc limit $3"""

# Muted or at level `none`; of a user at level `none` for all conversations, the others that have a level.
BADGE_EXCEPTIONS = """\
-- name: settings.badge_exceptions
select asked.user_id, coalesce(u.level = 'none', false) as counts_few,
       array(select s.conversation_id from settings s
             where s.user_id = asked.user_id and case when u.level = 'none'
               then s.level <> 'none' and (s.muted_until is null or s.muted_until <= $2)
               else s.level = 'none' or s.muted_until > $2 end
             order by s.conversation_id desc limit $3) as conversation_ids
from unnest($1::uuid[]) as asked (user_id)
left join user_settings u on u.user_id = asked.user_id"""

MAX_LISTED = 10_000
"""Conversations in one list of settings, the newest."""

MAX_EXCEPTIONS = 1_000
"""Of one user, the newest; of the others the badge counts what it counts without settings of their own."""


@dataclass(frozen=True, slots=True)
class BadgeExceptions:
    """What a user's badge leaves out, or, when `counts_few`, all that it counts."""

    counts_few: bool
    conversation_ids: list[str]


async def put(conn: Connection, conversation_id: str, user_id: str, level: str, muted_until: datetime | None) -> None:
    await conn.execute(PUT, conversation_id, user_id, level, muted_until)


async def get(conn: Connection, conversation_id: str, user_id: str) -> NotificationSettings:
    """Return the settings in force, or the defaults."""
    row = await conn.fetchrow(GET, conversation_id, user_id)
    assert row is not None
    return NotificationSettings(**row)


async def remove_level(
    conn: Connection, conversation_id: str, user_id: str, muted_until: datetime | None, *, sets_mute: bool
) -> None:
    """Let the user's level for all conversations hold here; keep the mute unless it is set."""
    await conn.execute(REMOVE_LEVEL, conversation_id, user_id, muted_until, sets_mute)


async def of_user(conn: Connection, user_id: str, now: datetime) -> dict[str, NotificationSettings]:
    """Return the settings in force of conversations with a level of their own or a mute."""
    rows = await conn.fetch(OF_USER, user_id, now, MAX_LISTED)
    return {row[0]: NotificationSettings(level=row[1], muted_until=row[2]) for row in rows}


async def badge_exceptions(conn: Connection, user_ids: list[str], now: datetime) -> dict[str, BadgeExceptions]:
    """Return those of each of the users."""
    rows = await conn.fetch(BADGE_EXCEPTIONS, user_ids, now, MAX_EXCEPTIONS)
    return {user_id: BadgeExceptions(counts_few, ids) for user_id, counts_few, ids in rows}

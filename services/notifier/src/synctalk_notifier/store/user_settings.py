"""Table `user_settings`: what holds for all conversations of a user. Who has no row has the defaults."""

from dataclasses import dataclass

from asyncpg import Record
from synctalk_runtime.postgres import Connection

from synctalk_notifier.kinds import Content, Level, QuietHours, SettingsChanges

GET = """\
-- name: user_settings.get
select level, content, quiet_from, quiet_to, time_zone from user_settings where user_id = $1"""

PUT = """\
-- name: user_settings.put
insert into user_settings (user_id, level, content, quiet_from, quiet_to, time_zone)
values ($1, coalesce($2, 'all'), coalesce($3, 'full'), $5, $6, $7)
on conflict (user_id) do update set
  level = coalesce($2, user_settings.level),
  content = coalesce($3, user_settings.content),
  quiet_from = case when $4 then $5 else user_settings.quiet_from end,
  quiet_to = case when $4 then $6 else user_settings.quiet_to end,
  time_zone = case when $4 then $7 else user_settings.time_zone end"""


@dataclass(frozen=True, slots=True)
class UserSettings:
    level: Level = "all"
    content: Content = "full"
    quiet_from: str | None = None
    """`HH:MM`; null with the two others: no quiet hours."""
    quiet_to: str | None = None
    time_zone: str | None = None


async def get(conn: Connection, user_id: str) -> UserSettings:
    """Return the settings, or the defaults."""
    row = await conn.fetchrow(GET, user_id)
    return UserSettings(**row) if row is not None else UserSettings()


async def put(conn: Connection, user_id: str, changes: SettingsChanges) -> None:
    await conn.execute(
        PUT,
        user_id,
        changes.level,
        changes.content,
        changes.sets_quiet_hours,
        changes.quiet_from,
        changes.quiet_to,
        changes.time_zone,
    )


def quiet_hours(row: Record) -> QuietHours | None:
    """Return the quiet hours of a row with the columns of them."""
    if row["quiet_from"] is None:
        return None
    return QuietHours(_minute(row["quiet_from"]), _minute(row["quiet_to"]), row["time_zone"])


def _minute(clock: str) -> int:
    """Return the minute of the day of `HH:MM`."""
    return int(clock[:2]) * 60 + int(clock[3:])

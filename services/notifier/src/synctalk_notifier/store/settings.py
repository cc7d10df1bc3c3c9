"""Table `settings`: what a person wants to be told of a conversation."""

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


async def put(conn: Connection, conversation_id: str, user_id: str, level: str, muted_until: datetime | None) -> None:
    await conn.execute(PUT, conversation_id, user_id, level, muted_until)


async def get(conn: Connection, conversation_id: str, user_id: str) -> NotificationSettings:
    """The defaults where none were put."""
    row = await conn.fetchrow(GET, conversation_id, user_id)
    return NotificationSettings(**row) if row is not None else NotificationSettings()

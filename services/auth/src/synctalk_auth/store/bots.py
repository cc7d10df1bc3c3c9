"""Bots in the table `users`, and the table `bot_tokens`: the hash of each bot's token, and the session that it is."""

from dataclasses import dataclass
from datetime import datetime

from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_contracts.models import User
from synctalk_runtime.postgres import Connection

from synctalk_auth.store import users


@dataclass(frozen=True, slots=True)
class BotSession:
    user_id: str
    session_id: str


INSERT_SESSION = """\
-- name: bots.insert_session
insert into sessions (id, user_id, device_name, created_at, last_used_at, expires_at, lasting)
values ($1, $2, null, $3, $3, $4, true)"""

INSERT_TOKEN = """\
-- name: bots.insert_token
insert into bot_tokens (hash, session_id) values ($1, $2)"""

SESSION_OF = """\
-- name: bots.session_of
select s.user_id, s.id as session_id
from bot_tokens t join sessions s on s.id = t.session_id join users u on u.id = s.user_id
where t.hash = $1 and s.revoked_at is null and u.deactivated_at is null"""

LOCK = """\
-- name: bots.lock
select deactivated_at is null from users where id = $1 and is_bot and id <> $2 for update"""

DEACTIVATE = """\
-- name: bots.deactivate
update users set deactivated_at = $2 where id = $1"""

PAGE = """\
-- name: bots.page
select id, username, display_name, avatar_url, is_bot, is_guest, metadata from users
where is_bot and deactivated_at is null and ($1::uuid is null or id < $1) order by id desc limit $2"""


async def insert_token(
    conn: Connection, token_hash: bytes, session_id: str, user_id: str, now: datetime, expires_at: datetime
) -> None:
    """Store the bot's token and the session that it is."""
    await conn.execute(INSERT_SESSION, session_id, user_id, now, expires_at)
    await conn.execute(INSERT_TOKEN, token_hash, session_id)


async def session_of(conn: Connection, token_hash: bytes) -> BotSession | None:
    row = await conn.fetchrow(SESSION_OF, token_hash)
    return BotSession(**row) if row is not None else None


async def lock(conn: Connection, user_id: str) -> bool | None:
    """Lock a bot until the transaction ends, and return whether it is active; None: there is no such bot."""
    is_active: bool | None = await conn.fetchval(LOCK, user_id, SYSTEM_USER_ID)
    return is_active


async def deactivate(conn: Connection, user_id: str, now: datetime) -> None:
    await conn.execute(DEACTIVATE, user_id, now)


async def page(conn: Connection, before_id: str | None, limit: int) -> list[User]:
    """Return active bots, the newest first."""
    return [users.user_of(row) for row in await conn.fetch(PAGE, before_id, limit)]

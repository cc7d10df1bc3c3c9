"""What has ended goes: sessions too old or too long unused are ended and told of, ended ones and tokens that expired
are deleted. In bounded statements, so that it never holds anybody up; any process does its part."""

from datetime import timedelta

from synctalk_runtime.ids import utc_now

from synctalk_auth.actions import ending
from synctalk_auth.parts import Parts
from synctalk_auth.store import refresh_tokens, sessions


async def clean(parts: Parts) -> None:
    while await _expire_sessions(parts) >= parts.settings.clean_batch:
        pass
    while await _forget_sessions(parts) >= parts.settings.clean_batch:
        pass
    while await _delete_tokens(parts) >= parts.settings.clean_batch:
        pass


async def _expire_sessions(parts: Parts) -> int:
    now = utc_now()
    idle_since = now - timedelta(seconds=parts.settings.refresh_idle_s)
    async with parts.postgres.transaction() as conn:
        ended = await sessions.expire(conn, now, idle_since, parts.settings.clean_batch)
        await ending.tell(parts, conn, ended)
    if ended:
        parts.outbox.wake()
    return len(ended)


async def _forget_sessions(parts: Parts) -> int:
    before = utc_now() - timedelta(seconds=parts.settings.ended_session_keep_s)
    async with parts.postgres.connection() as conn:
        return await sessions.forget(conn, before, parts.settings.clean_batch)


async def _delete_tokens(parts: Parts) -> int:
    async with parts.postgres.connection() as conn:
        return await refresh_tokens.delete_expired(conn, utc_now(), parts.settings.clean_batch)

"""Bots: users that a host app makes, each with one token that lasts until it is revoked.

The token is a session, so it ends as sessions do: by logout, by a new token, or with the bot.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from pydantic import TypeAdapter
from synctalk_contracts.events.users import UserDeactivated, UserRegistered
from synctalk_contracts.ids import Id
from synctalk_contracts.models import EndReason, User
from synctalk_runtime import cursors, outbox
from synctalk_runtime.credentials import BOT_PREFIX
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Connection, Postgres
from synctalk_runtime.tokens import NEVER

from synctalk_auth import rules
from synctalk_auth.actions import ending
from synctalk_auth.clients.api import ApiClient
from synctalk_auth.errors import UsernameTakenError
from synctalk_auth.settings import Settings
from synctalk_auth.store import bots, sessions, users

log = structlog.get_logger()

TOKEN_BYTES = 32
_LIST = "bots"
_CURSOR = TypeAdapter(tuple[str, tuple[()], Id])


@dataclass(frozen=True, slots=True)
class Bots:
    """Makes bots, their tokens, and ends them."""

    postgres: Postgres
    settings: Settings
    api: ApiClient
    outbox: OutboxRelay

    async def create(self, username: str, display_name: str) -> tuple[User, str]:
        """Return a new bot and its token, which is shown only here. Raises UsernameTakenError."""
        if rules.is_reserved(username):
            raise UsernameTakenError
        now = utc_now()
        wanted = User(id=new_id(), username=username, display_name=display_name, avatar_url=None, is_bot=True)
        async with self.postgres.transaction() as conn:
            user = await users.insert_named(conn, wanted, [username], now)
            if user is None:
                raise UsernameTakenError
            token = await self._add_token(conn, user.id, now)
            await outbox.add(conn, [UserRegistered(user=user)])
        self.outbox.wake()
        log.info("auth.bot_made", user_id=user.id)
        await self.api.introduce(user)
        return user, token

    async def page(self, limit: int, cursor: str | None) -> tuple[list[User], str | None]:
        """Return active bots, the newest first, and the next cursor. Raises BadCursorError."""
        before_id = cursors.decode(cursor, _LIST, (), _CURSOR)[1] if cursor is not None else None
        async with self.postgres.connection() as conn:
            found = await bots.page(conn, before_id, limit + 1)
        items = found[:limit]
        return items, cursors.encode(_LIST, (), items[-1].id) if len(found) > limit else None

    async def renew(self, user_id: str) -> str:
        """Return a new token; the old one ends. Raises NotFoundError: no such bot, or it has ended."""
        now = utc_now()
        async with self.postgres.transaction() as conn:
            if not await bots.lock(conn, user_id):
                raise NotFoundError
            await self._end_sessions(conn, user_id)
            token = await self._add_token(conn, user_id, now)
        self.outbox.wake()
        return token

    async def remove(self, user_id: str) -> None:
        """End a bot. Does nothing when it has ended already. Raises NotFoundError: no such bot."""
        async with self.postgres.transaction() as conn:
            is_active = await bots.lock(conn, user_id)
            if is_active is None:
                raise NotFoundError
            if is_active:
                await bots.deactivate(conn, user_id, utc_now())
                await self._end_sessions(conn, user_id)
                await outbox.add(conn, [UserDeactivated(user_id=user_id)])
        self.outbox.wake()
        log.info("auth.bot_ended", user_id=user_id)

    async def _add_token(self, conn: Connection, user_id: str, now: datetime) -> str:
        token = BOT_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        token_hash = hashlib.sha256(token.encode()).digest()
        await bots.insert_token(conn, token_hash, new_id(), user_id, now, datetime.fromtimestamp(NEVER, UTC))
        return token

    async def _end_sessions(self, conn: Connection, user_id: str) -> None:
        ended = await sessions.revoke_all(conn, user_id, EndReason.REVOKED)
        await ending.publish(conn, ended, self.settings.access_token_ttl_s)

"""A user's notification settings for a conversation."""

from datetime import datetime

from synctalk_contracts.models import NotificationSettings
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.tokens import Principal

from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.kinds import Level
from synctalk_notifier.store import members, settings


class ConversationSettings:
    def __init__(self, postgres: Postgres, upstreams: Upstreams) -> None:
        self._postgres = postgres
        self._upstreams = upstreams

    async def put(self, principal: Principal, conversation_id: str, level: Level, muted_until: datetime | None) -> None:
        """Store the settings. Raises NotFoundError when the caller is no member."""
        await self._require_member(principal, conversation_id)
        async with self._postgres.connection() as conn:
            await settings.put(conn, conversation_id, principal.user_id, level, muted_until)

    async def get(self, principal: Principal, conversation_id: str) -> NotificationSettings:
        """Return the settings, or the defaults. Raises NotFoundError when the caller is no member."""
        await self._require_member(principal, conversation_id)
        async with self._postgres.connection() as conn:
            return await settings.get(conn, conversation_id, principal.user_id)

    async def _require_member(self, principal: Principal, conversation_id: str) -> None:
        """Ask api, which knows of a change at once; without api a membership in the projection is enough."""
        try:
            member = await self._upstreams.is_member(conversation_id, principal.user_id)
        except UnavailableError:
            async with self._postgres.connection() as conn:
                member = await members.is_member(conn, conversation_id, principal.user_id)
            if not member:
                raise
        if not member:
            raise NotFoundError

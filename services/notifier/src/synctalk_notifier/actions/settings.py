"""A user's notification settings: for all conversations, and for one."""

from datetime import datetime

from synctalk_contracts.ids import EXTERNAL, external_id
from synctalk_contracts.models import (
    AllNotificationSettings,
    GlobalNotificationSettings,
    NotificationSettings,
    QuietHours,
)
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.tokens import Principal

from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.kinds import Level, SettingsChanges
from synctalk_notifier.store import members, settings, user_settings
from synctalk_notifier.store.user_settings import UserSettings


class GlobalSettings:
    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def put(self, principal: Principal, changes: SettingsChanges) -> None:
        async with self._postgres.connection() as conn:
            await user_settings.put(conn, principal.user_id, changes)

    async def get(self, principal: Principal) -> AllNotificationSettings:
        """Return the settings for all conversations, and those of single ones."""
        async with self._postgres.connection() as conn:
            own = await user_settings.get(conn, principal.user_id)
            conversations = await settings.of_user(conn, principal.user_id, utc_now())
        return AllNotificationSettings(settings=_shown(own), conversations=conversations)


def _shown(own: UserSettings) -> GlobalNotificationSettings:
    hours = None
    if own.quiet_from is not None and own.quiet_to is not None and own.time_zone is not None:
        hours = QuietHours(**{"from": own.quiet_from}, to=own.quiet_to, time_zone=own.time_zone)
    return GlobalNotificationSettings(quiet_hours=hours, content=own.content, level=own.level)


class ConversationSettings:
    def __init__(self, postgres: Postgres, upstreams: Upstreams) -> None:
        self._postgres = postgres
        self._upstreams = upstreams

    async def put(self, principal: Principal, conversation_id: str, level: Level, muted_until: datetime | None) -> None:
        """Store the settings. Raises NotFoundError when the caller is no member."""
        await self._require_member(principal, conversation_id)
        async with self._postgres.connection() as conn:
            await settings.put(conn, conversation_id, principal.user_id, level, muted_until)

    async def remove_level(
        self, principal: Principal, conversation_id: str, muted_until: datetime | None, *, sets_mute: bool
    ) -> None:
        """Let the level for all conversations hold here. Raises NotFoundError when the caller is no member."""
        await self._require_member(principal, conversation_id)
        async with self._postgres.connection() as conn:
            await settings.remove_level(conn, conversation_id, principal.user_id, muted_until, sets_mute=sets_mute)

    async def get(self, principal: Principal, conversation_id: str) -> NotificationSettings:
        """Return the settings in force. Raises NotFoundError when the caller is no member."""
        await self._require_member(principal, conversation_id)
        async with self._postgres.connection() as conn:
            return await settings.get(conn, conversation_id, principal.user_id)

    async def referred(self, reference: str) -> str:
        """Return the conversation of an id or `external:ID`. Raises NotFoundError, UnavailableError."""
        if not reference.startswith(EXTERNAL):
            return reference
        try:
            return await self._upstreams.named(external_id(reference.removeprefix(EXTERNAL)))
        except ValueError:
            raise NotFoundError from None

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

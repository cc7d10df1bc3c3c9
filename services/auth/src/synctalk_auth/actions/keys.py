"""Signing keys come and go: the next one is published well before it signs, so that every verifier knows it by then,
and the last one stays published until its last token has ended. All processes agree through the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_auth import rules, signing
from synctalk_auth.settings import Settings
from synctalk_auth.signing import Keyring
from synctalk_auth.store import signing_keys
from synctalk_auth.store.signing_keys import SigningKey

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """Makes signing keys, publishes them ahead, and deletes those whose last token has ended."""

    postgres: Postgres
    settings: Settings

    async def keep(self, keyring: Keyring) -> None:
        """Make the key that is due, delete those that are over, and hold what there is. Repeated by every process."""
        now = utc_now()
        async with self.postgres.connection() as conn:
            keys = await signing_keys.all_keys(conn)
        if self._due(keys, now) or self._over(keys, now):
            async with self.postgres.transaction() as conn:
                await signing_keys.lock(conn)
                keys = await signing_keys.all_keys(conn)
                if (signs_from := self._due(keys, now)) is not None:
                    await self._make(conn, signs_from, now)
                await self._delete_over(conn, keys, now)
                keys = await signing_keys.all_keys(conn)
        keyring.hold(keys)

    async def rotate(self, now: datetime) -> bool:
        """Publish the next key now, before it is due. False: one waits to sign already."""
        async with self.postgres.transaction() as conn:
            await signing_keys.lock(conn)
            if any(key.signs_from > now for key in await signing_keys.all_keys(conn)):
                return False
            await self._make(conn, now + self._ahead, now)
        return True

    async def replace(self, now: datetime) -> None:
        """After a key leaked: a new one signs at once and all others are gone.

        Access tokens signed with them are refused as soon as the verifiers have read the key set anew; refresh tokens
        stay good, so clients that refresh on 401 go on.
        """
        async with self.postgres.transaction() as conn:
            await signing_keys.lock(conn)
            leaked = await signing_keys.all_keys(conn)
            await signing_keys.delete(conn, [key.kid for key in leaked])
            await self._make(conn, now, now)

    @property
    def _ahead(self) -> timedelta:
        return timedelta(seconds=self.settings.key_publish_ahead_s)

    def _due(self, keys: Sequence[SigningKey], now: datetime) -> datetime | None:
        return rules.new_key_signs_from(keys, now, timedelta(seconds=self.settings.key_rotation_s), self._ahead)

    def _over(self, keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
        return rules.keys_over(keys, now, timedelta(seconds=self.settings.access_token_ttl_s))

    async def _make(self, conn: Connection, signs_from: datetime, now: datetime) -> None:
        made = signing.make_key(signs_from, now, self.settings.signing_key_passphrase)
        await signing_keys.insert(conn, made)
        log.info("auth.key_published", kid=made.kid, signs_from=signs_from.isoformat())

    async def _delete_over(self, conn: Connection, keys: Sequence[SigningKey], now: datetime) -> None:
        over = [key.kid for key in self._over(keys, now)]
        await signing_keys.delete(conn, over)
        if over:
            log.info("auth.keys_retired", kids=over)

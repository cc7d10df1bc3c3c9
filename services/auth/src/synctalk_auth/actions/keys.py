"""Signing keys come and go: the next one is published well before it signs, so that every verifier knows it by then,
and the last one stays published until its last token has ended. All processes agree through the table."""

from collections.abc import Sequence
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


async def keep(postgres: Postgres, settings: Settings, keyring: Keyring) -> None:
    """Make the key that is due, delete those that are over, and hold what there is. Repeated by every process."""
    now = utc_now()
    async with postgres.connection() as conn:
        keys = await signing_keys.all_keys(conn)
    if _is_anything_due(settings, keys, now):
        async with postgres.transaction() as conn:
            await signing_keys.lock(conn)
            keys = await signing_keys.all_keys(conn)
            await _make_due(conn, settings, keys, now)
            await _delete_over(conn, settings, keys, now)
            keys = await signing_keys.all_keys(conn)
    keyring.hold(keys)


async def rotate(postgres: Postgres, settings: Settings, now: datetime) -> bool:
    """Publish the next key now, before it is due. False: one waits to sign already."""
    ahead = timedelta(seconds=settings.key_publish_ahead_s)
    async with postgres.transaction() as conn:
        await signing_keys.lock(conn)
        if any(key.signs_from > now for key in await signing_keys.all_keys(conn)):
            return False
        await _make(conn, settings, now + ahead, now)
    return True


async def replace(postgres: Postgres, settings: Settings, now: datetime) -> None:
    """After a key leaked: a new one signs at once and all others are gone.

    Access tokens signed with them are refused as soon as the verifiers have read the key set anew; refresh tokens
    stay good, so clients that refresh on 401 go on.
    """
    async with postgres.transaction() as conn:
        await signing_keys.lock(conn)
        leaked = await signing_keys.all_keys(conn)
        await signing_keys.delete(conn, [key.kid for key in leaked])
        await _make(conn, settings, now, now)


def _is_anything_due(settings: Settings, keys: Sequence[SigningKey], now: datetime) -> bool:
    return bool(_due(settings, keys, now) or _over(settings, keys, now))


def _due(settings: Settings, keys: Sequence[SigningKey], now: datetime) -> datetime | None:
    rotation = timedelta(seconds=settings.key_rotation_s)
    ahead = timedelta(seconds=settings.key_publish_ahead_s)
    return rules.new_key_signs_from(keys, now, rotation, ahead)


def _over(settings: Settings, keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    return rules.keys_over(keys, now, timedelta(seconds=settings.access_token_ttl_s))


async def _make_due(conn: Connection, settings: Settings, keys: Sequence[SigningKey], now: datetime) -> None:
    if (signs_from := _due(settings, keys, now)) is not None:
        await _make(conn, settings, signs_from, now)


async def _make(conn: Connection, settings: Settings, signs_from: datetime, now: datetime) -> None:
    made = signing.make_key(signs_from, now, settings.signing_key_passphrase)
    await signing_keys.insert(conn, made)
    log.info("auth.key_published", kid=made.kid, signs_from=signs_from.isoformat())


async def _delete_over(conn: Connection, settings: Settings, keys: Sequence[SigningKey], now: datetime) -> None:
    over = [key.kid for key in _over(settings, keys, now)]
    await signing_keys.delete(conn, over)
    if over:
        log.info("auth.keys_retired", kids=over)

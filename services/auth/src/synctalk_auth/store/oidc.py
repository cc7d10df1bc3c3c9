"""The tables `oidc_logins` and `oidc_codes`: each row is taken by one atomic delete, so it serves once."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from synctalk_runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class LoginRow:
    state_hash: bytes
    browser_hash: bytes
    provider: str
    return_to: str
    code_challenge: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CodeRow:
    hash: bytes
    browser_hash: bytes
    code_challenge: str | None
    may_create: bool
    profile: dict[str, Any]
    expires_at: datetime


INSERT_LOGIN = """\
-- name: oidc.insert_login
insert into oidc_logins (state_hash, browser_hash, provider, return_to, code_challenge, expires_at)
values ($1, $2, $3, $4, $5, $6)"""

TAKE_LOGIN = """\
-- name: oidc.take_login
delete from oidc_logins where state_hash = $1 and browser_hash = $2 and provider = $3 and expires_at > $4
returning state_hash, browser_hash, provider, return_to, code_challenge, expires_at"""

INSERT_CODE = """\
-- name: oidc.insert_code
insert into oidc_codes (hash, browser_hash, code_challenge, may_create, profile, expires_at)
values ($1, $2, $3, $4, $5, $6)"""

TAKE_CODE = """\
-- name: oidc.take_code
delete from oidc_codes where hash = $1
returning hash, browser_hash, code_challenge, may_create, profile, expires_at"""

DELETE_EXPIRED_LOGINS = """\
-- name: oidc.delete_expired_logins
delete from oidc_logins
where state_hash in (select state_hash from oidc_logins where expires_at < $1 limit $2 for update skip locked)
returning provider"""

DELETE_EXPIRED_CODES = """\
-- name: oidc.delete_expired_codes
delete from oidc_codes
where hash in (select hash from oidc_codes where expires_at < $1 limit $2 for update skip locked)
returning may_create"""


async def insert_login(conn: Connection, row: LoginRow) -> None:
    await conn.execute(INSERT_LOGIN, *asdict(row).values())


async def take_login(
    conn: Connection, state_hash: bytes, browser_hash: bytes, provider: str, now: datetime
) -> LoginRow | None:
    """Return the sign-in that this browser began with this provider, and delete it."""
    row = await conn.fetchrow(TAKE_LOGIN, state_hash, browser_hash, provider, now)
    return LoginRow(**row) if row is not None else None


async def insert_code(conn: Connection, row: CodeRow) -> None:
    await conn.execute(INSERT_CODE, *asdict(row).values())


async def take_code(conn: Connection, code_hash: bytes) -> CodeRow | None:
    row = await conn.fetchrow(TAKE_CODE, code_hash)
    return CodeRow(**row) if row is not None else None


async def delete_expired(conn: Connection, now: datetime, limit: int) -> int:
    """Delete what came to nothing, at most `limit` of each; how much was more."""
    logins = await conn.fetch(DELETE_EXPIRED_LOGINS, now, limit)
    codes = await conn.fetch(DELETE_EXPIRED_CODES, now, limit)
    return max(len(logins), len(codes))

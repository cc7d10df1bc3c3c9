"""The table `signing_keys`. Who changes it holds an advisory lock, so that several processes make one key together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from synctalk_runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class SigningKey:
    kid: str
    private_pem: str
    public_jwk: dict[str, Any]
    created_at: datetime
    signs_from: datetime

    def __repr__(self) -> str:
        """Without the private half: a row may end up in a log or a failed assertion."""
        return f"SigningKey(kid={self.kid!r}, signs_from={self.signs_from!r})"


LOCK_NUMBER = 0x4B455953

LOCK = """\
-- name: signing_keys.lock
select pg_advisory_xact_lock($1)"""

ALL = """\
-- name: signing_keys.all
select kid, private_pem, public_jwk, created_at, signs_from from signing_keys order by signs_from"""

INSERT = """\
-- name: signing_keys.insert
insert into signing_keys (kid, private_pem, public_jwk, created_at, signs_from) values ($1, $2, $3, $4, $5)"""

DELETE = """\
-- name: signing_keys.delete
delete from signing_keys where kid = any($1::text[])"""


async def lock(conn: Connection) -> None:
    """Lock the keys until the transaction ends."""
    await conn.execute(LOCK, LOCK_NUMBER)


async def all_keys(conn: Connection) -> list[SigningKey]:
    return [SigningKey(**row) for row in await conn.fetch(ALL)]


async def insert(conn: Connection, key: SigningKey) -> None:
    await conn.execute(INSERT, key.kid, key.private_pem, key.public_jwk, key.created_at, key.signs_from)


async def delete(conn: Connection, kids: Sequence[str]) -> None:
    await conn.execute(DELETE, kids)

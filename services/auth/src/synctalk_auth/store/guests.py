"""Guests in the table `users`: who a refresh token belongs to, and who has claimed them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class Guest:
    id: str
    claimed_by: str | None
    is_alive: bool
    """The token by which it was found can still be used."""


LOCK_BY_TOKEN = """\
-- name: guests.lock_by_token
select u.id, u.claimed_by,
       t.spent_at is null and t.expires_at > $2 and s.revoked_at is null and s.expires_at > $2
       and u.deactivated_at is null as is_alive
from refresh_tokens t join sessions s on s.id = t.session_id join users u on u.id = s.user_id
where t.hash = $1 and u.is_guest for update of u"""

GIVE = """\
-- name: guests.give
update users set claimed_by = $2, deactivated_at = $3 where id = $1"""


async def lock_by_token(conn: Connection, token_hash: bytes, now: datetime) -> Guest | None:
    """Return the guest of a refresh token, locked until the transaction ends; None: it is no guest's."""
    row = await conn.fetchrow(LOCK_BY_TOKEN, token_hash, now)
    return Guest(**row) if row is not None else None


UNUSED = """\
-- name: guests.unused
select u.id
from users u
where u.is_guest and u.id > $1 and u.created_at <= $2 and u.claimed_by is null
      and not exists (select from sessions s where s.user_id = u.id and s.last_used_at > $2)
order by u.id
limit $3"""

DELETE = """\
-- name: guests.delete
delete from users u
where u.id = any($1::uuid[]) and u.is_guest and u.claimed_by is null
      and not exists (select from sessions s where s.user_id = u.id and s.last_used_at > $2)"""


async def unused(conn: Connection, after: str, since: datetime, limit: int) -> list[str]:
    """Return guests whom nobody has been since then and nobody has claimed, above this id."""
    return [row["id"] for row in await conn.fetch(UNUSED, after, since, limit)]


async def delete(conn: Connection, guest_ids: Sequence[str], since: datetime) -> None:
    """Delete these guests with their sessions, unless they have been used meanwhile."""
    await conn.execute(DELETE, guest_ids, since)


async def give(conn: Connection, guest_id: str, user_id: str, now: datetime) -> None:
    await conn.execute(GIVE, guest_id, user_id, now)

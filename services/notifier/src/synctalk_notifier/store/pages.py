"""Table `pages`: what pages on the web say of themselves, kept for a while by a hash of their address."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection

# It returns a row for whoever is to look the page up: nobody knows it, and nobody else is at it.
CLAIM = """\
-- name: pages.claim
insert into pages (key, expires_at, claimed_until) values ($1, $2, $3)
on conflict (key) do update set claimed_until = excluded.claimed_until
where pages.expires_at <= $2 and (pages.claimed_until is null or pages.claimed_until <= $2)
returning key"""

KNOWN = """\
-- name: pages.known
select title, description, image_url from pages where key = $1 and expires_at > $2"""

KEEP = """\
-- name: pages.keep
insert into pages (key, title, description, image_url, expires_at) values ($1, $2, $3, $4, $5)
on conflict (key) do update
set title = excluded.title, description = excluded.description, image_url = excluded.image_url,
    expires_at = excluded.expires_at, claimed_until = null"""

FORGET_OLD = """\
-- name: pages.forget_old
delete from pages where key in (select key from pages where expires_at < $1 order by expires_at limit $2)"""


@dataclass(frozen=True, slots=True)
class PageText:
    """What a page says of itself, as plain text."""

    title: str
    description: str
    image_url: str | None


def key_of(url: str) -> bytes:
    return hashlib.sha256(url.encode()).digest()


async def claim(conn: Connection, key: bytes, now: datetime, until: datetime) -> bool:
    """Return whether the caller is to look the page up: until then nobody else does."""
    return await conn.fetchval(CLAIM, key, now, until) is not None


async def known(conn: Connection, key: bytes, now: datetime) -> tuple[bool, PageText | None]:
    """Return whether it is known what the page says, and what (None: nothing)."""
    row = await conn.fetchrow(KNOWN, key, now)
    if row is None:
        return False, None
    return True, None if row["title"] is None else PageText(**row)


async def keep(conn: Connection, key: bytes, text: PageText | None, until: datetime) -> None:
    values = (None, None, None) if text is None else (text.title, text.description, text.image_url)
    await conn.execute(KEEP, key, *values, until)


async def forget_old(conn: Connection, before: datetime, limit: int) -> bool:
    """Delete some that are not known any more; return whether there may be more."""
    return (await conn.execute(FORGET_OLD, before, limit)) == f"DELETE {limit}"

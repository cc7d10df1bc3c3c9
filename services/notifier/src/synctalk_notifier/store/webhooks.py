"""Table `webhooks`: the host app's endpoints that get events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record
from synctalk_runtime.postgres import Connection

COLUMNS = """\
id, url, types, description, active, created_at, secret, old_secret, old_secret_until, failing_since, position"""

LOCK_COUNT = """\
-- name: webhooks.lock_count
select pg_advisory_xact_lock(hashtextextended('webhooks', 0))"""

COUNT = """\
-- name: webhooks.count
select count(*) from webhooks"""

ADD = """\
-- name: webhooks.add
insert into webhooks (id, url, types, description, created_at, secret, position)
select $1, $2, $3, $4, $5, $6, last from feed_end"""

ALL = f"""\
-- name: webhooks.all
select {COLUMNS} from webhooks order by created_at, id"""  # noqa: S608

GET = f"""\
-- name: webhooks.get
select {COLUMNS} from webhooks where id = $1"""  # noqa: S608

LOCK = f"""\
-- name: webhooks.lock
select {COLUMNS} from webhooks where id = $1 for update"""  # noqa: S608

CHANGE = """\
-- name: webhooks.change
update webhooks
set url = $2, types = $3, description = $4, active = $5, secret = $6, old_secret = $7, old_secret_until = $8,
    failing_since = $9, position = $10
where id = $1"""

DELETE = """\
-- name: webhooks.delete
delete from webhooks where id = $1 returning id"""

BEHIND = f"""\
-- name: webhooks.behind
select {COLUMNS} from webhooks
where active and position < (select last from feed_end)
for update skip locked"""  # noqa: S608

MOVE = """\
-- name: webhooks.move
update webhooks set position = $2 where id = $1"""

SUCCEEDED = """\
-- name: webhooks.succeeded
update webhooks set failing_since = null where id = any($1::uuid[]) and failing_since is not null"""

FAILED = """\
-- name: webhooks.failed
update webhooks set failing_since = $2 where id = any($1::uuid[]) and failing_since is null"""

SWITCH_OFF = """\
-- name: webhooks.switch_off
update webhooks set active = false where active and failing_since < $1 returning id"""


@dataclass(frozen=True, slots=True)
class Webhook:
    id: str
    url: str
    types: list[str]
    description: str
    active: bool
    created_at: datetime
    secret: str
    old_secret: str | None
    old_secret_until: datetime | None
    failing_since: datetime | None
    position: int
    """The number in the feed up to which its deliveries are made."""


def _webhook(row: Record | None) -> Webhook | None:
    return Webhook(**row) if row is not None else None


async def lock_count(conn: Connection) -> int:
    """Return how many there are; none is added by others until the transaction ends."""
    await conn.execute(LOCK_COUNT)
    return int(await conn.fetchval(COUNT))


async def add(
    conn: Connection, webhook_id: str, url: str, types: Sequence[str], description: str, secret: str, now: datetime
) -> None:
    """Add one that gets what happens from now on."""
    await conn.execute(ADD, webhook_id, url, types, description, now, secret)


async def all_webhooks(conn: Connection) -> list[Webhook]:
    return [Webhook(**row) for row in await conn.fetch(ALL)]


async def get(conn: Connection, webhook_id: str) -> Webhook | None:
    return _webhook(await conn.fetchrow(GET, webhook_id))


async def lock(conn: Connection, webhook_id: str) -> Webhook | None:
    return _webhook(await conn.fetchrow(LOCK, webhook_id))


async def change(conn: Connection, webhook: Webhook) -> None:
    await conn.execute(
        CHANGE,
        webhook.id,
        webhook.url,
        webhook.types,
        webhook.description,
        webhook.active,
        webhook.secret,
        webhook.old_secret,
        webhook.old_secret_until,
        webhook.failing_since,
        webhook.position,
    )


async def delete(conn: Connection, webhook_id: str) -> bool:
    return await conn.fetchval(DELETE, webhook_id) is not None


async def behind(conn: Connection) -> list[Webhook]:
    """Lock and return those for which there may be events of which no delivery is made yet."""
    return [Webhook(**row) for row in await conn.fetch(BEHIND)]


async def move(conn: Connection, webhook_id: str, position: int) -> None:
    await conn.execute(MOVE, webhook_id, position)


async def note(conn: Connection, succeeded: Sequence[str], failed: Sequence[str], now: datetime) -> None:
    """Note which endpoints have just answered with success, and which others have not."""
    if succeeded:
        await conn.execute(SUCCEEDED, succeeded)
    if failed:
        await conn.execute(FAILED, failed, now)


async def switch_off(conn: Connection, failing_before: datetime) -> list[str]:
    """Switch off those that have failed since before; return their ids."""
    return [row["id"] for row in await conn.fetch(SWITCH_OFF, failing_before)]

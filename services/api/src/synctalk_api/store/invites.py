"""The tables `invites` and `invite_uses`: links by which users come into a group, and who has a use of one already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection

COLUMNS = "i.code, i.conversation_id, i.created_by, i.created_at, i.expires_at, i.max_uses, i.uses"
"""Of `invites i`; they make an `Invite`."""
LIVE = "(i.expires_at is null or i.expires_at > $2) and (i.max_uses is null or i.uses < i.max_uses)"


@dataclass(frozen=True, slots=True)
class Invite:
    code: str
    conversation_id: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    """None: never."""
    max_uses: int | None
    """None: no limit."""
    uses: int = 0

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    @property
    def used_up(self) -> bool:
        return self.max_uses is not None and self.uses >= self.max_uses


ADD = """\
-- name: invites.add
insert into invites (code, conversation_id, created_by, created_at, expires_at, max_uses)
values ($1, $2, $3, $4, $5, $6)"""


async def add(conn: Connection, invite: Invite) -> None:
    await conn.execute(
        ADD,
        invite.code,
        invite.conversation_id,
        invite.created_by,
        invite.created_at,
        invite.expires_at,
        invite.max_uses,
    )


COUNT = """\
-- name: invites.count
select count(*) from invites i
where i.conversation_id = $1 and (i.expires_at is null or i.expires_at > $2)
      and (i.max_uses is null or i.uses < i.max_uses)"""


async def count(conn: Connection, conversation_id: str, now: datetime) -> int:
    """Return how many invites into the conversation are live."""
    live: int = await conn.fetchval(COUNT, conversation_id, now)
    return live


BY_CODE = f"""\
-- name: invites.by_code
select {COLUMNS} from invites i where i.code = $1"""  # noqa: S608


async def by_code(conn: Connection, code: str) -> Invite | None:
    row = await conn.fetchrow(BY_CODE, code)
    return None if row is None else Invite(*row)


PREVIEW = f"""\
-- name: invites.preview
select c.title, c.members_count, c.avatar_url
from invites i
join conversations c on c.id = i.conversation_id
where i.code = $1 and c.archived_at is null and {LIVE}"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Preview:
    title: str
    members_count: int
    avatar_url: str | None


async def preview(conn: Connection, code: str, now: datetime) -> Preview | None:
    """Return what everybody who has the code of a live invite may see of the group."""
    row = await conn.fetchrow(PREVIEW, code, now)
    return None if row is None else Preview(*row)


PAGE = f"""\
-- name: invites.page
select {COLUMNS}
from invites i
where i.conversation_id = $1 and {LIVE} and (i.created_at, i.code) > ($3::timestamptz, $4)
order by i.created_at, i.code
limit $5"""  # noqa: S608


async def page(
    conn: Connection, conversation_id: str, now: datetime, after: tuple[datetime, str], limit: int
) -> Sequence[Invite]:
    """Return live invites after this one, oldest first."""
    return [Invite(*row) for row in await conn.fetch(PAGE, conversation_id, now, *after, limit)]


DELETE = """\
-- name: invites.delete
with uses as (
  delete from invite_uses where code = $2 and conversation_id = $1
)
delete from invites where code = $2 and conversation_id = $1"""


async def delete(conn: Connection, conversation_id: str, code: str) -> None:
    await conn.execute(DELETE, conversation_id, code)


RESERVED = """\
-- name: invites.reserved
select exists (select from invite_uses where code = $1 and user_id = $2)"""

RESERVE = """\
-- name: invites.reserve
insert into invite_uses (code, user_id, conversation_id) values ($1, $2, $3)"""

RELEASE = """\
-- name: invites.release
delete from invite_uses where code = $1 and user_id = $2"""

TAKE = """\
-- name: invites.take
update invites set uses = uses + 1 where code = $1"""


async def is_reserved(conn: Connection, code: str, user_id: str) -> bool:
    """Return whether the user has a use of the invite already."""
    reserved: bool = await conn.fetchval(RESERVED, code, user_id)
    return reserved


async def reserve(conn: Connection, invite: Invite, user_id: str) -> None:
    """Take a use for a user who will come in later."""
    await conn.execute(TAKE, invite.code)
    await conn.execute(RESERVE, invite.code, user_id, invite.conversation_id)


async def spend(conn: Connection, invite: Invite, user_id: str, *, reserved: bool) -> None:
    """Take a use for a user who comes in, or the one that they have."""
    if reserved:
        await conn.execute(RELEASE, invite.code, user_id)
    else:
        await conn.execute(TAKE, invite.code)

"""The tables `files` and `file_usage`: the files of users, and how much they have. Both are in the main store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import asyncpg
from synctalk_contracts.models import File, FileState
from synctalk_contracts.text import AVATAR_PATH
from synctalk_runtime.postgres import Connection

Purpose = Literal["message", "avatar"]

COLUMNS = """id, owner_id, purpose, name, size, stored_size, state, content_type, width, height, duration_s, blurhash,
object_key, created_at, conversation_id, client_message_id, due_at, unused"""


@dataclass(frozen=True, slots=True)
class FileRow:
    id: str
    owner_id: str
    purpose: Purpose
    name: str
    size: int
    stored_size: int | None
    state: FileState
    content_type: str
    width: int | None
    height: int | None
    duration_s: float | None
    blurhash: str | None
    object_key: str | None
    created_at: datetime
    conversation_id: str | None
    client_message_id: str | None
    """With the conversation and the owner it names the message that the file was taken for."""
    due_at: datetime | None
    unused: bool

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> "FileRow":
        return cls(**{**dict(row), "state": FileState(row["state"])})

    @property
    def message_name(self) -> "MessageName | None":
        """Return what names the message that the file was taken for."""
        if self.conversation_id is None or self.client_message_id is None:
            return None
        return MessageName(self.conversation_id, self.owner_id, self.client_message_id)

    @property
    def has_thumbnail(self) -> bool:
        return self.blurhash is not None

    def to_file(self) -> File:
        return File(
            id=self.id,
            name=self.name,
            size=self.size if self.stored_size is None else self.stored_size,
            content_type=self.content_type,
            width=self.width,
            height=self.height,
            duration_s=self.duration_s,
            blurhash=self.blurhash,
            has_thumbnail=self.has_thumbnail,
            state=self.state,
            created_at=self.created_at,
            url=AVATAR_PATH + self.id if self.purpose == "avatar" else None,
        )


CHARGE = """\
-- name: file_usage.charge
insert into file_usage as u (owner_id, bytes) select $1, $2::bigint where $2::bigint <= $3
on conflict (owner_id) do update set bytes = u.bytes + excluded.bytes where u.bytes + excluded.bytes <= $3
returning bytes"""


async def charge(conn: Connection, owner_id: str, size: int, quota: int) -> bool:
    """Count a new file. Return whether the quota allows it."""
    return await conn.fetchval(CHARGE, owner_id, size, quota) is not None


ADD = f"""\
-- name: files.add
insert into files (id, owner_id, purpose, name, size, content_type, due_at)
values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
returning {COLUMNS}"""  # noqa: S608


async def add(
    conn: Connection,
    file_id: str,
    owner_id: str,
    purpose: Purpose,
    name: str,
    size: int,
    content_type: str,
    unused_s: float,
) -> FileRow:
    (row,) = await conn.fetch(ADD, file_id, owner_id, purpose, name, size, content_type, unused_s)
    return FileRow.from_row(row)


BY_ID = f"""\
-- name: files.by_id
select {COLUMNS} from files where id = $1"""  # noqa: S608


async def by_id(conn: Connection, file_id: str) -> FileRow | None:
    row = await conn.fetchrow(BY_ID, file_id)
    return None if row is None else FileRow.from_row(row)


BY_IDS = f"""\
-- name: files.by_ids
select {COLUMNS} from files where id = any($1::uuid[])"""  # noqa: S608


async def by_ids(conn: Connection, file_ids: Sequence[str]) -> dict[str, FileRow]:
    return {row["id"]: FileRow.from_row(row) for row in await conn.fetch(BY_IDS, file_ids)}


@dataclass(frozen=True, slots=True)
class MessageName:
    """What names a message before it is written: a repeat has the same."""

    conversation_id: str
    sender_id: str
    client_message_id: str


TAKE = f"""\
-- name: files.take
with free as (
  select id as free_id from files
  where id = any($1::uuid[]) and owner_id = $2 and purpose = 'message' and state = 'ready' and not unused
        and (conversation_id is null or (conversation_id, client_message_id) = ($3, $4))
  order by id for update
)
update files set conversation_id = $3, client_message_id = $4
from free where id = free.free_id
returning {COLUMNS}"""  # noqa: S608


async def take(conn: Connection, file_ids: Sequence[str], name: MessageName) -> dict[str, FileRow]:
    """Take the sender's files for a message, and return those that are: ready, and not taken for another one."""
    rows = await conn.fetch(TAKE, file_ids, name.sender_id, name.conversation_id, name.client_message_id)
    return {row["id"]: FileRow.from_row(row) for row in rows}


COPY = f"""\
-- name: files.copy
with sources as (
  select f.*, x.copy_id
  from unnest($1::uuid[], $2::uuid[]) as x(source_id, copy_id)
  join files f on f.id = x.source_id and f.state = 'ready' and not f.unused
  order by f.id for share of f
)
insert into files (id, owner_id, purpose, name, size, stored_size, state, content_type, width, height, duration_s,
                   blurhash, object_key, conversation_id, client_message_id, due_at, copied)
select copy_id, $3, 'message', name, size, stored_size, state, content_type, width, height, duration_s, blurhash,
       object_key, $4, $5, now() + make_interval(secs => $6), true
from sources
on conflict (id) do update
set conversation_id = excluded.conversation_id, client_message_id = excluded.client_message_id where not files.unused
returning {COLUMNS}"""  # noqa: S608


async def copy(conn: Connection, copies: Mapping[str, str], name: MessageName, unused_s: float) -> dict[str, FileRow]:
    """Give the sender's message the bytes of other files, under the ids named; return those that there are."""
    values = (name.sender_id, name.conversation_id, name.client_message_id)
    rows = await conn.fetch(COPY, list(copies), list(copies.values()), *values, unused_s)
    return {row["id"]: FileRow.from_row(row) for row in rows}


KEEP = """\
-- name: files.keep
update files set due_at = null
where id = any($1::uuid[]) and not unused
      and (owner_id, conversation_id, client_message_id) = ($2, $3, $4)"""


async def keep(conn: Connection, file_ids: Sequence[str], name: MessageName) -> None:
    """Note that the message that these files were taken for is written."""
    await conn.execute(KEEP, file_ids, name.sender_id, name.conversation_id, name.client_message_id)


GIVE_BACK = """\
-- name: files.give_back
update files set conversation_id = null, client_message_id = null
where id = any($1::uuid[]) and due_at is not null and not unused
      and (owner_id, conversation_id, client_message_id) = ($2, $3, $4)"""


async def give_back(conn: Connection, file_ids: Sequence[str], name: MessageName) -> None:
    """Note that the message was refused: these may be taken for another one."""
    await conn.execute(GIVE_BACK, file_ids, name.sender_id, name.conversation_id, name.client_message_id)


STATE_OF_MESSAGE = """\
-- name: files.state_of_message
select x.deleted_at is not null as deleted,
       exists (select from members m
               join conversations c on c.id = m.conversation_id
               where m.conversation_id = x.conversation_id and m.user_id = $4 and m.left_at is null
                     and x.seq > begins_after(c.history, m.joined_seq, c.id, m.joined_at)) as shown
from messages x
where x.conversation_id = $1 and x.sender_id = $2 and x.client_message_id = $3"""


@dataclass(frozen=True, slots=True)
class MessageState:
    deleted: bool
    shown: bool
    """To the user who asks."""


async def state_of_message(conn: Connection, name: MessageName, user_id: str) -> MessageState | None:
    """Return the state of the message with this name, in the conversation's store; None: it is not written."""
    row = await conn.fetchrow(STATE_OF_MESSAGE, name.conversation_id, name.sender_id, name.client_message_id, user_id)
    return None if row is None else MessageState(*row)


NEWLY_UNUSED = """\
-- name: files.newly_unused
select file_id from unused_files limit $1 for update skip locked"""

FORGET_UNUSED = """\
-- name: files.forget_unused
delete from unused_files where file_id = any($1::uuid[])"""

RELEASE = """\
-- name: files.release
update files set due_at = now(), unused = true where id = any($1::uuid[])"""


async def newly_unused(conn: Connection, limit: int) -> list[str]:
    """Lock files of messages that were deleted in this store."""
    return [row["file_id"] for row in await conn.fetch(NEWLY_UNUSED, limit)]


async def forget_unused(conn: Connection, file_ids: Sequence[str]) -> None:
    await conn.execute(FORGET_UNUSED, file_ids)


async def release(conn: Connection, file_ids: Sequence[str]) -> None:
    """Have these deleted next."""
    await conn.execute(RELEASE, file_ids)


REFUSE = """\
-- name: files.refuse
update files set state = 'refused' where id = $1 and state = 'pending'"""


async def refuse(conn: Connection, file_id: str) -> None:
    await conn.execute(REFUSE, file_id)


MAKE_READY = f"""\
-- name: files.make_ready
update files
set state = 'ready', stored_size = $2, content_type = $3, width = $4, height = $5, duration_s = $6, blurhash = $7,
    object_key = $8
where id = $1 and state = 'pending'
returning {COLUMNS}"""  # noqa: S608


async def make_ready(
    conn: Connection,
    file_id: str,
    stored_size: int,
    content_type: str,
    width: int | None,
    height: int | None,
    duration_s: float | None,
    blurhash: str | None,
    object_key: str,
) -> FileRow | None:
    """Store what the bytes are. Return None when somebody else has settled it meanwhile."""
    values = (stored_size, content_type, width, height, duration_s, blurhash, object_key)
    row = await conn.fetchrow(MAKE_READY, file_id, *values)
    return None if row is None else FileRow.from_row(row)


CLEAN = """\
-- name: files.clean
select pg_try_advisory_xact_lock(hashtext('files.clean'))"""

TAKE_DUE = f"""\
-- name: files.take_due
select {COLUMNS} from files where due_at <= now() order by due_at limit $1 for update skip locked"""  # noqa: S608

OF_OTHERS = """\
-- name: files.of_others
select distinct object_key from files where object_key = any($1::text[]) and id <> all($2::uuid[])"""


async def take_due(conn: Connection, limit: int) -> list[FileRow]:
    """Lock files that may have to go; none while another process is at it: two files may have the same bytes."""
    if not await conn.fetchval(CLEAN):
        return []
    return [FileRow.from_row(row) for row in await conn.fetch(TAKE_DUE, limit)]


async def of_others(conn: Connection, gone: Sequence[FileRow]) -> set[str]:
    """Return the keys of these files under which others have their bytes too."""
    keys = [row.object_key for row in gone if row.object_key is not None]
    return {row["object_key"] for row in await conn.fetch(OF_OTHERS, keys, [row.id for row in gone])}


USED_AVATARS = """\
-- name: files.used_avatars
select u.avatar_url from users u where u.avatar_url = any($1::text[]) and u.avatar_url like '/v1/avatars/%'
union
select c.avatar_url from conversations c where c.avatar_url = any($1::text[]) and c.avatar_url like '/v1/avatars/%'"""


async def used_avatars(conn: Connection, file_ids: Sequence[str]) -> set[str]:
    """Return the ids of those that are a user's or a group's picture in this store."""
    rows = await conn.fetch(USED_AVATARS, [AVATAR_PATH + file_id for file_id in file_ids])
    return {row["avatar_url"].removeprefix(AVATAR_PATH) for row in rows}


KEEP_DUE = """\
-- name: files.keep_due
update files set due_at = null where id = any($1::uuid[])"""


async def keep_due(conn: Connection, file_ids: Sequence[str]) -> None:
    """Note that the messages of these, which are locked, are written."""
    await conn.execute(KEEP_DUE, file_ids)


POSTPONE = """\
-- name: files.postpone
update files f set due_at = now() + make_interval(secs => $3), unused = looked.unused
from unnest($1::uuid[], $2::boolean[]) as looked(id, unused) where f.id = looked.id"""


async def postpone(conn: Connection, unused: dict[str, bool], unused_s: float) -> None:
    """Look at these avatars again later; by id, whether nobody uses it now."""
    await conn.execute(POSTPONE, list(unused), list(unused.values()), unused_s)


DELETE = """\
-- name: files.delete
with gone as (
  delete from files where id = any($1::uuid[]) returning owner_id, case when copied then 0 else size end as size
), freed as (
  select owner_id, sum(size)::bigint as bytes from gone group by owner_id
)
update file_usage u set bytes = u.bytes - freed.bytes from freed where u.owner_id = freed.owner_id"""


async def delete(conn: Connection, file_ids: Sequence[str]) -> None:
    await conn.execute(DELETE, file_ids)

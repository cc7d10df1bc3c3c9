"""Table `linking_messages`: messages whose links are to be looked up, and for a while the pages that they name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection

# A repeated event, or an older one than is noted, changes nothing.
NOTE = """\
-- name: linking_messages.note
insert into linking_messages (message_id, conversation_id, sender_id, change_seq, links, noted_at, due_at)
values ($1, $2, $3, $4, $5, $6, $6)
on conflict (message_id) do update
set change_seq = excluded.change_seq, links = excluded.links, noted_at = excluded.noted_at, due_at = excluded.due_at,
    attempts = 0
where linking_messages.change_seq < excluded.change_seq"""

CLAIM = """\
-- name: linking_messages.claim
with due as (
  select message_id from linking_messages where due_at <= $1 order by due_at limit $3 for update skip locked)
update linking_messages m set due_at = $2, attempts = m.attempts + 1
from due where m.message_id = due.message_id
returning m.message_id, m.conversation_id, m.sender_id, m.change_seq, m.links, m.attempts, m.noted_at"""

POSTPONE = """\
-- name: linking_messages.postpone
update linking_messages set due_at = $3 where message_id = $1 and change_seq = $2"""

# The links go: from now on only the hashes of their addresses are needed.
FINISH = """\
-- name: linking_messages.finish
update linking_messages set due_at = null, links = '{}', pages = $3 where message_id = $1 and change_seq = $2"""

FORGET = """\
-- name: linking_messages.forget
with gone as (
  delete from linking_messages where message_id = any($1::uuid[]) returning pages
)
delete from pages p using gone where p.key = any(gone.pages)"""

FORGET_OLD = """\
-- name: linking_messages.forget_old
delete from linking_messages
where message_id in (select message_id from linking_messages where noted_at < $1 order by noted_at limit $2)"""


@dataclass(frozen=True, slots=True)
class Linking:
    """A message whose links are to be looked up."""

    message_id: str
    conversation_id: str
    sender_id: str
    change_seq: int
    """Of the change that gave it these links."""
    links: list[str]


@dataclass(frozen=True, slots=True)
class Claimed:
    """One that this process works on."""

    message: Linking
    attempts: int
    """This one among them."""
    noted_at: datetime


async def note(conn: Connection, messages: Sequence[Linking], now: datetime) -> None:
    rows = [(m.message_id, m.conversation_id, m.sender_id, m.change_seq, m.links, now) for m in messages]
    await conn.executemany(NOTE, rows)


async def claim(conn: Connection, now: datetime, until: datetime, limit: int) -> list[Claimed]:
    """Claim what is due; it is due again at `until`, if this process is gone by then."""
    return [
        Claimed(
            Linking(row["message_id"], row["conversation_id"], row["sender_id"], row["change_seq"], row["links"]),
            row["attempts"],
            row["noted_at"],
        )
        for row in await conn.fetch(CLAIM, now, until, limit)
    ]


async def postpone(conn: Connection, message: Linking, due_at: datetime) -> None:
    """Make it due then, unless it has got other links meanwhile."""
    await conn.execute(POSTPONE, message.message_id, message.change_seq, due_at)


async def finish(conn: Connection, message: Linking, pages: Sequence[bytes]) -> None:
    """Note the pages that it names, unless it has got other links meanwhile."""
    await conn.execute(FINISH, message.message_id, message.change_seq, list(pages))


async def forget(conn: Connection, message_ids: Sequence[str]) -> None:
    """Forget these messages, and what the pages that they name say: who still needs that looks it up anew."""
    await conn.execute(FORGET, list(message_ids))


async def forget_old(conn: Connection, before: datetime, limit: int) -> bool:
    """Forget some that were noted before then; return whether there may be more."""
    return (await conn.execute(FORGET_OLD, before, limit)) == f"DELETE {limit}"

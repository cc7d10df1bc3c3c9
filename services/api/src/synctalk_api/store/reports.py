"""The table `reports`: messages that members have reported, as they were then, until an operator closes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class Report:
    id: str
    conversation_id: str
    message_id: str
    sender_id: str
    body: str
    reported_by: str
    reason: str
    created_at: datetime


ADD = """\
-- name: reports.add
insert into reports (id, conversation_id, message_id, sender_id, body, reported_by, reason, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict on constraint reports_once do nothing
returning true"""


async def add(conn: Connection, report: Report) -> bool:
    """Add the report; False: the user has reported this message before."""
    added = await conn.fetchval(
        ADD,
        report.id,
        report.conversation_id,
        report.message_id,
        report.sender_id,
        report.body,
        report.reported_by,
        report.reason,
        report.created_at,
    )
    return added is not None


OPEN = """\
-- name: reports.open
select id, conversation_id, message_id, sender_id, body, reported_by, reason, created_at
from reports
where closed_at is null
order by created_at, id
limit $1"""


async def oldest_open(conn: Connection, limit: int) -> Sequence[Report]:
    return [Report(*row) for row in await conn.fetch(OPEN, limit)]


CLOSE = """\
-- name: reports.close
update reports set closed_at = $2 where id = any($1::uuid[]) and closed_at is null returning id"""


async def close(conn: Connection, report_ids: Sequence[str], now: datetime) -> int:
    """Close these, and return how many were open."""
    return len(await conn.fetch(CLOSE, report_ids, now))

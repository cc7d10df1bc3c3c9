"""Table `members`: a projection of memberships from api's events; late and repeated ones change nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection

from synctalk_notifier.kinds import Level, Membership

APPLY = """\
-- name: members.apply
insert into members (conversation_id, user_id, present, joined_seq, change_seq)
select * from unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::bigint[], $5::bigint[])
on conflict (conversation_id, user_id) do update set
  joined_seq = case
    when members.present and excluded.present then least(members.joined_seq, excluded.joined_seq)
    when excluded.change_seq > members.change_seq then excluded.joined_seq
    else members.joined_seq end,
  present = case when excluded.change_seq > members.change_seq then excluded.present else members.present end,
  change_seq = greatest(members.change_seq, excluded.change_seq)"""

IS_MEMBER = """\
-- name: members.is_member
select exists (select from members where conversation_id = $1 and user_id = $2 and present)"""

# The devices stay locked against deletion until the pushes to them are written.
REACHABLE = """\
-- name: members.reachable
select m.conversation_id, m.user_id, d.device_id, m.joined_seq, coalesce(s.level, 'all') as level, s.muted_until
from unnest($1::uuid[]) as asked (conversation_id)
join members m on m.conversation_id = asked.conversation_id and m.present
join devices d on d.user_id = m.user_id
left join settings s on s.conversation_id = m.conversation_id and s.user_id = m.user_id
for key share of d"""


@dataclass(frozen=True, slots=True)
class Reachable:
    """A member's device, with the member's notification settings."""

    conversation_id: str
    user_id: str
    device_id: str
    joined_seq: int
    level: Level
    muted_until: datetime | None


async def apply(conn: Connection, memberships: Sequence[Membership]) -> None:
    """Apply memberships: each user and conversation once, in key order, so that two batches cannot deadlock."""
    await conn.execute(
        APPLY,
        [m.conversation_id for m in memberships],
        [m.user_id for m in memberships],
        [m.present for m in memberships],
        [m.joined_seq for m in memberships],
        [m.change_seq for m in memberships],
    )


async def is_member(conn: Connection, conversation_id: str, user_id: str) -> bool:
    return bool(await conn.fetchval(IS_MEMBER, conversation_id, user_id))


async def reachable(conn: Connection, conversation_ids: list[str]) -> list[Reachable]:
    """Return every device of every member of these conversations."""
    return [Reachable(*row) for row in await conn.fetch(REACHABLE, conversation_ids)]

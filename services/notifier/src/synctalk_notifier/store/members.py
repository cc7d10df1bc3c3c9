"""Table `members`: a projection of memberships from api's events; late and repeated ones change nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection

from synctalk_notifier.kinds import Level, Membership, QuietHours
from synctalk_notifier.store import user_settings

APPLY = """\
-- name: members.apply
insert into members (conversation_id, user_id, present, joined_seq, change_seq, direct)
select * from unnest($1::uuid[], $2::uuid[], $3::boolean[], $4::bigint[], $5::bigint[], $6::boolean[])
on conflict (conversation_id, user_id) do update set
  joined_seq = case
    when members.present and excluded.present then least(members.joined_seq, excluded.joined_seq)
    when excluded.change_seq > members.change_seq then excluded.joined_seq
    else members.joined_seq end,
  present = case when excluded.change_seq > members.change_seq then excluded.present else members.present end,
  change_seq = greatest(members.change_seq, excluded.change_seq),
  direct = members.direct or excluded.direct"""

IS_MEMBER = """\
-- name: members.is_member
select exists (select from members where conversation_id = $1 and user_id = $2 and present)"""

REACHABLE = """\
-- name: members.reachable
select m.conversation_id, m.user_id, d.device_id, m.joined_seq, m.direct,
  coalesce(s.level, u.level, 'all') as level, s.muted_until, u.quiet_from, u.quiet_to, u.time_zone
from unnest($1::uuid[], $2::uuid[]) as asked (conversation_id, after)
cross join lateral (
  select conversation_id, user_id, joined_seq, direct
  from members
  where conversation_id = asked.conversation_id and user_id > asked.after and present
    and exists (select from devices where devices.user_id = members.user_id)
  order by user_id limit $3) m
join devices d on d.user_id = m.user_id
left join settings s on s.conversation_id = m.conversation_id and s.user_id = m.user_id
left join user_settings u on u.user_id = m.user_id"""

BEFORE_ALL = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Reachable:
    """A member's device, with the member's notification settings."""

    conversation_id: str
    user_id: str
    device_id: str
    joined_seq: int
    direct: bool
    level: Level
    muted_until: datetime | None
    quiet_hours: QuietHours | None


async def apply(conn: Connection, memberships: Sequence[Membership]) -> None:
    """Apply memberships: each user and conversation once, in key order, so that two batches cannot deadlock."""
    await conn.execute(
        APPLY,
        [m.conversation_id for m in memberships],
        [m.user_id for m in memberships],
        [m.present for m in memberships],
        [m.joined_seq for m in memberships],
        [m.change_seq for m in memberships],
        [m.direct for m in memberships],
    )


async def is_member(conn: Connection, conversation_id: str, user_id: str) -> bool:
    return bool(await conn.fetchval(IS_MEMBER, conversation_id, user_id))


async def reachable(conn: Connection, after: Mapping[str, str], limit: int) -> list[Reachable]:
    """Return every device of the next members of these conversations, who come after the user id of each.

    `limit` is the number of members with a device, of each conversation.
    """
    rows = await conn.fetch(REACHABLE, list(after), list(after.values()), limit)
    return [
        Reachable(
            row["conversation_id"],
            row["user_id"],
            row["device_id"],
            row["joined_seq"],
            row["direct"],
            row["level"],
            row["muted_until"],
            user_settings.quiet_hours(row),
        )
        for row in rows
    ]

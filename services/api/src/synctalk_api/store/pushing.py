"""What decides about pushes, and what they say."""

from collections.abc import Sequence

import asyncpg
from synctalk_runtime.postgres import Connection

from synctalk_api.store.own_views import READ

PUSHES = """\
-- name: pushing.pushes
select asked.n, m.user_id is not null as member,
       coalesce(f.read_seq >= asked.seq
                or ((x.thread_id is null or x.also_in_conversation) and m.read_seq >= asked.seq), false) as read,
       coalesce(x.deleted_at is not null, false) or b.user_id is not null as is_gone,
       coalesce(sender.display_name, '') as sender_name, c.title
from unnest($1::int[], $2::uuid[], $3::uuid[], $4::bigint[]) as asked(n, user_id, conversation_id, seq)
left join members m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.left_at is null
left join conversations c on c.id = asked.conversation_id
left join messages x on x.conversation_id = asked.conversation_id and x.seq = asked.seq
left join thread_follows f on f.conversation_id = asked.conversation_id and f.thread_id = x.thread_id
                              and f.user_id = asked.user_id
left join users sender on sender.id = x.sender_id
left join blocks b on b.user_id = asked.user_id and b.blocked_id = x.sender_id
order by asked.n"""


async def pushes(
    conn: Connection, user_ids: list[str], conversation_ids: list[str], seqs: list[int]
) -> list[asyncpg.Record]:
    """Return for each (user, conversation, seq), in their sequence, whether a push is due and what it says.

    For who has blocked its sender a message is gone, as if it had been deleted.
    """
    return await conn.fetch(PUSHES, list(range(len(seqs))), user_ids, conversation_ids, seqs)


BADGES = f"""\
-- name: pushing.badges
select me.user_id,
       sum(c.last_seq - {READ} - (select count(*) from messages gone
                                       where gone.conversation_id = c.id and gone.seq > {READ}
                                             and (gone.deleted_at is not null or gone.system is not null
                                                  or (gone.thread_id is not null and not gone.also_in_conversation))
                                     ))::bigint as badge
from members me
join conversations c on c.id = me.conversation_id
where me.user_id = any($1::uuid[]) and me.left_at is null and c.last_seq > {READ}
      and ((me.user_id, me.conversation_id) in (select * from unnest($2::uuid[], $3::uuid[])))
          = (me.user_id = any($4::uuid[]))
group by me.user_id"""  # noqa: S608


async def badges(
    conn: Connection, user_ids: Sequence[str], named: Sequence[tuple[str, str]], only_named: Sequence[str]
) -> dict[str, int]:
    """Count unread messages by user, without the (user, conversation) pairs of `named`; zeros are left out.

    Of the users in `only_named` it counts those pairs alone.
    """
    user_column, conversation_column = [user for user, _ in named], [conversation for _, conversation in named]
    rows = await conn.fetch(BADGES, user_ids, user_column, conversation_column, only_named)
    return {row["user_id"]: row["badge"] for row in rows}

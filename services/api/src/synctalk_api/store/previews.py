"""The previews of links: a column of the table `messages`, written only where they change."""

from collections.abc import Sequence

import orjson
from synctalk_runtime.postgres import Connection

from synctalk_api.store.messages import MessageRow

WRITE = """\
-- name: previews.write
update messages m set previews = x.previews::jsonb
from unnest($1::uuid[], $2::bigint[], $3::text[]) as x(conversation_id, seq, previews)
where m.conversation_id = x.conversation_id and m.seq = x.seq"""


async def write(conn: Connection, rows: Sequence[MessageRow]) -> None:
    if not rows:
        return
    await conn.execute(
        WRITE,
        [row.conversation_id for row in rows],
        [row.seq for row in rows],
        [orjson.dumps(row.previews).decode() for row in rows],
    )

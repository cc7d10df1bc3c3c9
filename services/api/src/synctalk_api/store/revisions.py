"""The table `revisions`: what edited messages said before. It is written with the edit, in `message_changes`."""

from synctalk_contracts.models import Revision
from synctalk_runtime.postgres import Connection

PAGE = """\
-- name: revisions.page
select change_seq, body, edited_at
from revisions
where conversation_id = $1 and message_id = $2 and change_seq > $3
order by change_seq
limit $4"""


async def page(
    conn: Connection, conversation_id: str, message_id: str, after: int, limit: int
) -> list[tuple[int, Revision]]:
    """Return the earlier texts with the change that replaced each, the oldest first, after that change."""
    rows = await conn.fetch(PAGE, conversation_id, message_id, after, limit)
    return [(row["change_seq"], Revision(body=row["body"], edited_at=row["edited_at"])) for row in rows]

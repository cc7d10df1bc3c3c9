"""Which messages are stored already, by what their senders call them."""

from collections.abc import Sequence

from synctalk_runtime.postgres import Connection

KNOWN = """\
-- name: message_keys.known
select asked.sender_id, asked.client_message_id
from unnest($2::uuid[], $3::text[]) as asked (sender_id, client_message_id)
where exists (
  select from messages m
  where m.conversation_id = $1 and m.sender_id = asked.sender_id and m.client_message_id = asked.client_message_id)"""


async def known(conn: Connection, conversation_id: str, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those of these (sender, `client_message_id`) of which the conversation has a message."""
    rows = await conn.fetch(KNOWN, conversation_id, [sender for sender, _ in keys], [name for _, name in keys])
    return {(row["sender_id"], row["client_message_id"]) for row in rows}

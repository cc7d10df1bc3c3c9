"""Reading messages: pages of a conversation by `seq`, and single ones."""

from dataclasses import dataclass
from typing import Literal

from synctalk_contracts.models import Message
from synctalk_runtime.errors import NotFoundError

from synctalk_api.actions.access import require_member
from synctalk_api.parts import Parts
from synctalk_api.store import messages

BEYOND_ALL = 2**63 - 1


@dataclass(frozen=True, slots=True)
class From:
    """Where a page begins, and which way the walk goes."""

    direction: Literal["before", "after"]
    seq: int


NEWEST = From("before", BEYOND_ALL)


async def page(
    parts: Parts, user_id: str, conversation_id: str, start: From, limit: int
) -> tuple[list[Message], From | None]:
    """Ascending `seq`, and where the next page in the same direction begins (None: there is none)."""
    async with parts.postgres.connection() as conn:
        await require_member(conn, conversation_id, user_id)
        read = messages.before if start.direction == "before" else messages.after
        rows = await read(conn, conversation_id, start.seq, limit + 1)
    more = len(rows) > limit
    if start.direction == "before":
        shown = rows[1:] if more else rows
        rest = From("before", shown[0].seq) if more else None
    else:
        shown = rows[:limit]
        rest = From("after", shown[-1].seq) if more else None
    return [row.to_model() for row in shown], rest


async def get(parts: Parts, user_id: str, conversation_id: str, message_id: str) -> Message:
    async with parts.postgres.connection() as conn:
        await require_member(conn, conversation_id, user_id)
        found = await messages.by_ids(conn, [(conversation_id, message_id)])
    if not found:
        raise NotFoundError
    return found[conversation_id, message_id].to_model()

"""Read messages: pages of a conversation by `seq`, and single ones."""

from dataclasses import dataclass
from typing import Literal

from synctalk_contracts.models import Message
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.postgres import Postgres

from synctalk_api.actions import sizes
from synctalk_api.actions.access import require_member
from synctalk_api.store import messages

BEYOND_ALL = 2**63 - 1


@dataclass(frozen=True, slots=True)
class From:
    """The beginning of a page, and the direction in which it goes."""

    direction: Literal["before", "after"]
    seq: int


NEWEST = From("before", BEYOND_ALL)


@dataclass(frozen=True, slots=True)
class History:
    reads: Postgres
    page_bytes_max: int

    async def page(
        self, user_id: str, conversation_id: str, start: From, limit: int
    ) -> tuple[list[Message], From | None]:
        """Return messages by ascending `seq`, and where the next page in this direction begins (None: there is none).

        A page of large messages is shorter than `limit`.
        """
        async with self.reads.connection() as conn:
            await require_member(conn, conversation_id, user_id)
            read = messages.before if start.direction == "before" else messages.after
            rows = await read(conn, conversation_id, start.seq, limit + 1)
        found = [row.to_model() for row in rows]
        if start.direction == "before":
            count = sizes.fitting(reversed(found[-limit:]), self.page_bytes_max)
            shown = found[len(found) - count :]
        else:
            count = sizes.fitting(found[:limit], self.page_bytes_max)
            shown = found[:count]
        if count == len(found):
            return shown, None
        return shown, From(start.direction, shown[0].seq if start.direction == "before" else shown[-1].seq)

    async def get(self, user_id: str, conversation_id: str, message_id: str) -> Message:
        async with self.reads.connection() as conn:
            await require_member(conn, conversation_id, user_id)
            found = await messages.by_ids(conn, [(conversation_id, message_id)])
        if not found:
            raise NotFoundError
        return found[conversation_id, message_id].to_model()

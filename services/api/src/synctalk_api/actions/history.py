"""Read messages: pages of a conversation by `seq` or time, and single ones."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from synctalk_contracts.models import Message
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.postgres import Connection

from synctalk_api import rules
from synctalk_api.actions import sizes
from synctalk_api.actions.access import require_reader
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.actions.threads import require_root
from synctalk_api.store import messages, server_conversations, thread_pages, threads
from synctalk_api.store.stores import Stores

BEYOND_ALL = 2**63 - 1


@dataclass(frozen=True, slots=True)
class From:
    """The beginning of a page, and the direction in which it goes."""

    direction: Literal["before", "after"]
    seq: int


@dataclass(frozen=True, slots=True)
class Around:
    """A page with this message in its middle; None: the caller's first unread one."""

    seq: int | None


@dataclass(frozen=True, slots=True)
class At:
    """A page from the first message at or after this time."""

    time: datetime


Start = From | Around | At
NEWEST = From("before", BEYOND_ALL)


@dataclass(frozen=True, slots=True)
class InThread:
    """The replies in this thread, without its root."""

    thread_id: str


Part = InThread | Literal["all", "top_level"]
"""What of a conversation is listed; `top_level` leaves out what is in threads alone."""
ALL: Literal["all"] = "all"
TOP_LEVEL: Literal["top_level"] = "top_level"


@dataclass(frozen=True, slots=True)
class History:
    stores: Stores
    live: LiveTexts
    page_bytes_max: int

    async def page(
        self, user_id: str | None, conversation_id: str, part: Part, start: Start, limit: int
    ) -> tuple[list[Message], From | None]:
        """Return messages by ascending `seq`, and where the next page in this direction begins (None: there is none).

        `user_id`: None is a server key, which reads everything. A page of large messages is shorter than `limit`.
        """
        # A replica may show less of what is read of a thread, which has no number that says so.
        from_primary = isinstance(part, InThread)
        reading = self.stores.reading if from_primary else partial(self.stores.reading_much, user_id=user_id)
        async with reading(conversation_id) as conn:
            begins_after = await require_reader(conn, conversation_id, user_id)
            if isinstance(part, InThread):
                await require_root(conn, conversation_id, part.thread_id)
            shown, rest = await self._page(conn, user_id, conversation_id, part, start, limit, begins_after)
        return await self.live.in_messages(shown), rest

    async def _page(
        self,
        conn: Connection,
        user_id: str | None,
        conversation_id: str,
        part: Part,
        start: Start,
        limit: int,
        begins_after: int,
    ) -> tuple[list[Message], From | None]:
        if isinstance(start, Around):
            return await self._around(conn, user_id, conversation_id, part, start, limit, begins_after)
        if isinstance(start, At):
            first = await messages.first_at(conn, conversation_id, start.time)
            start = From("after", first - 1)
        return self._from(start, await _read(conn, conversation_id, part, start, limit + 1, begins_after), limit)

    def _from(self, start: From, found: list[Message], limit: int) -> tuple[list[Message], From | None]:
        if start.direction == "before":
            count = sizes.fitting(reversed(found[-limit:]), self.page_bytes_max)
            shown = found[len(found) - count :]
        else:
            count = sizes.fitting(found[:limit], self.page_bytes_max)
            shown = found[:count]
        if count == len(found):
            return shown, None
        return shown, From(start.direction, shown[0].seq if start.direction == "before" else shown[-1].seq)

    async def _around(
        self,
        conn: Connection,
        user_id: str | None,
        conversation_id: str,
        part: Part,
        start: Around,
        limit: int,
        begins_after: int,
    ) -> tuple[list[Message], From | None]:
        """Return a page around a message, and where newer ones go on; the newest where nothing is unread."""
        if user_id is None:
            last_seq, first_unread = await server_conversations.last_seq(conn, conversation_id), None
        else:
            last_seq, first_unread = await messages.bounds(conn, conversation_id, user_id)
            if isinstance(part, InThread):
                first_unread = await threads.first_unread(conn, (conversation_id, part.thread_id), user_id)
        middle = first_unread if start.seq is None else min(max(start.seq, 1), last_seq)
        if middle is None:
            newest = await _read(conn, conversation_id, part, NEWEST, limit + 1, begins_after)
            shown, _ = self._from(NEWEST, newest, limit)
            return shown, None
        lead = rules.lead(limit)
        before = await _read(conn, conversation_id, part, From("before", middle), lead, begins_after)
        rest = await _read(conn, conversation_id, part, From("after", middle - 1), limit - lead + 1, begins_after)
        # Each of the two parts may have half of the bytes.
        earlier = sizes.fitting(reversed(before), self.page_bytes_max // 2)
        later = sizes.fitting(rest[: limit - lead], self.page_bytes_max // 2)
        shown = [*before[len(before) - earlier :], *rest[:later]]
        return shown, From("after", rest[later - 1].seq) if later < len(rest) else None

    async def get(self, user_id: str | None, conversation_id: str, message_id: str) -> Message:
        async with self.stores.reading(conversation_id) as conn:
            begins_after = await require_reader(conn, conversation_id, user_id)
            row = (await messages.by_ids(conn, [(conversation_id, message_id)])).get((conversation_id, message_id))
            if row is None or row.seq <= begins_after:
                raise NotFoundError
        [message] = await self.live.in_messages([row.to_model()])
        return message


async def _read(
    conn: Connection, conversation_id: str, part: Part, start: From, limit: int, begins_after: int
) -> list[Message]:
    is_before, seq = start.direction == "before", max(start.seq, begins_after)
    if isinstance(part, InThread):
        rows = (
            await thread_pages.before(conn, conversation_id, part.thread_id, start.seq, limit, begins_after)
            if is_before
            else await thread_pages.after(conn, conversation_id, part.thread_id, seq, limit)
        )
    elif part == TOP_LEVEL:
        rows = (
            await thread_pages.top_level_before(conn, conversation_id, start.seq, limit, begins_after)
            if is_before
            else await thread_pages.top_level_after(conn, conversation_id, seq, limit)
        )
    elif is_before:
        rows = await messages.before(conn, conversation_id, start.seq, limit, begins_after)
    else:
        rows = await messages.after(conn, conversation_id, seq, limit)
    return [row.to_model() for row in rows]

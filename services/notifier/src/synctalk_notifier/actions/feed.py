"""The feed of events for host apps: taking in what was published, and reading it in order.

An event of the feed is there when its number is, and all lower ones are: one process at a time takes in, and whoever
numbers holds the lock of the feed's end.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import TypeAdapter
from synctalk_runtime import cursors
from synctalk_runtime.background import Backoff, Loop, wait
from synctalk_runtime.consuming import Published
from synctalk_runtime.directory import Directory
from synctalk_runtime.errors import BadCursorError, GoneError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_notifier import feed_items
from synctalk_notifier.actions.link_previews import LinkPreviews
from synctalk_notifier.store import feed
from synctalk_notifier.store.feed import NumberedEvent

LIST = "events"
FROM_OLDEST = "0"

RECEIPTS_PER_S = 1.0
"""At most so many events of one user's read marks in one conversation."""
LOOK_S = 0.5
"""How often a call that waits looks for what another process has taken in."""
FORGET_AT_ONCE = 5_000

_CURSOR: TypeAdapter[tuple[str, tuple[()], int]] = TypeAdapter(tuple[str, tuple[()], int])


@dataclass(frozen=True, slots=True)
class FeedPage:
    items: list[NumberedEvent]
    next: str
    """Opaque; to be given as `after`."""


def position_of(cursor: str) -> int | None:
    """Return the number that a page's `next` stands for; None: from the oldest. Raises BadCursorError."""
    if cursor == FROM_OLDEST:
        return None
    _, n = cursors.decode(cursor, LIST, (), _CURSOR)
    if n < 0:
        raise BadCursorError
    return n


class FeedIntake:
    """Takes in what was published. Calls `on_added` after each commit of new events.

    `links`: notes which messages have links, in the same commit; None: no previews are made of them.
    """

    def __init__(
        self, postgres: Postgres, directory: Directory, on_added: Callable[[], None], links: LinkPreviews | None
    ) -> None:
        self._links = links
        self._postgres = postgres
        self._directory = directory
        self._on_added = on_added
        self._receipts = Loop("feed.receipts", self._add_receipts, 5.0, min_pause_s=0.25, backoff=Backoff())
        self.start = self._receipts.start
        self.stop = self._receipts.stop

    async def take_in(self, published: Sequence[Published]) -> None:
        """Store these events. Repeats change nothing. Raises UnavailableError."""
        needed = feed_items.users_needed(one.event for one in published)
        users = await self._directory.by_ids(sorted(needed)) if needed else {}
        taken = feed_items.taken(published, users)
        now = utc_now()
        async with self._postgres.transaction() as conn:
            if taken.receipts:
                await feed.keep_receipts(conn, taken.receipts, now)
            added = await feed.add(conn, taken.items, now)
            if taken.redacted:
                await feed.redact(conn, taken.redacted)
            for conversation_id, time in taken.emptied.items():
                await feed.empty(conn, conversation_id, time)
            if self._links is not None:
                await self._links.note(conn, published)
        if taken.receipts:
            self._receipts.wake()
        if added:
            self._on_added()
            if self._links is not None:
                self._links.wake()

    async def _add_receipts(self) -> bool:
        """Make events of read marks that are a second old. Return whether some are younger."""
        now = utc_now()
        async with self._postgres.transaction() as conn:
            due = await feed.take_receipts(conn, now - timedelta(seconds=1 / RECEIPTS_PER_S))
            added = await feed.add(conn, [feed_items.receipt_item(one) for one in due], now)
            waiting = await feed.has_receipts(conn)
        if added:
            self._on_added()
        if waiting:
            await wait(self._receipts.stopping, 0.25)
        return waiting


class Feed:
    """Reads the feed, and lets calls wait for what is not there yet."""

    def __init__(self, postgres: Postgres, keep: timedelta) -> None:
        self._postgres = postgres
        self._keep = keep
        self._added = asyncio.Event()

    def on_added(self) -> None:
        """This process has added events: whoever waits looks again."""
        self._added.set()
        self._added = asyncio.Event()

    async def read(self, after: str | None, limit: int, types: Sequence[str], wait_s: float) -> FeedPage:
        """Return the next events; without any, once there are some or `wait_s` is over. `after` None: from now on.

        Raises:
            BadCursorError: `after` is nothing that a page gave as `next`.
            GoneError: what follows `after` is not kept any more.
        """
        deadline = asyncio.get_running_loop().time() + wait_s
        position = None if after is None else position_of(after)
        while True:
            added = self._added
            async with self._postgres.connection() as conn:
                first, last = await feed.end(conn)
                if after is None:
                    return FeedPage([], _cursor(last))
                start = first - 1 if position is None else position
                if start < first - 1:
                    raise GoneError
                items = await feed.page(conn, start, last, limit, types)
            left = deadline - asyncio.get_running_loop().time()
            if items or left <= 0:
                return FeedPage(items, _cursor(items[-1].n if len(items) == limit else max(last, start)))
            await wait(added, min(LOOK_S, left))

    async def forget_old(self) -> bool:
        """Delete the oldest events when they have been kept for long enough. Return whether there may be more."""
        async with self._postgres.transaction() as conn:
            return await feed.forget(conn, utc_now() - self._keep, FORGET_AT_ONCE) == FORGET_AT_ONCE


def _cursor(n: int) -> str:
    return cursors.encode(LIST, (), n)

"""The queue of a session's packets: handled in order, one by one, by a worker task that exists while there are any.

At its bounds in count and bytes the session stops reading from its peer. What was read already is still queued, so that
nothing is lost: the queue grows to its bounds and one read more.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Coroutine
from typing import Any, Protocol

from synctalk_gateway.protocol.wire import Encoded

Item = str | Encoded
"""A packet of the client, or an ack that waits for its turn."""


class PacketHandler(Protocol):
    """Handles the packets of an inbox: an Engine.IO session."""

    async def handle(self, item: Item) -> None:
        """Handle one item."""

    def on_space(self) -> None:
        """Note that the inbox was full and has space again."""

    def on_worker_died(self, error: BaseException | None) -> None:
        """Note what `handle` raised, None when it was cancelled: nothing more will be handled."""


class Inbox:
    """A bounded FIFO with one worker."""

    __slots__ = (
        "_began_at",
        "_bytes",
        "_handler",
        "_items",
        "_max_bytes",
        "_max_items",
        "_paused",
        "_space",
        "_worker",
        "_working",
        "full",
    )

    def __init__(self, handler: PacketHandler, max_items: int, max_bytes: int) -> None:
        self._handler = handler
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._paused = False
        self._working = False
        self._worker: asyncio.Task[None] | None = None
        """Kept as long as it waits, since the loop does not keep its tasks."""
        self._began_at = -1.0
        """The loop's time in whose turn a worker began last."""
        self._space: asyncio.Future[None] | None = None
        self.full = False
        """Set at either bound, cleared at half of both."""

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        self._items.append(item)
        self._bytes += _size(item)
        if len(self._items) >= self._max_items or self._bytes >= self._max_bytes:
            self.full = True
        self._start()

    def pause(self) -> None:
        """Handle nothing more, after the current item, until `resume`."""
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        self._start()

    @property
    def paused(self) -> bool:
        return self._paused

    def clear(self) -> None:
        """Drop all items."""
        self._items.clear()
        self._bytes = 0
        self._make_space()

    async def wait_for_space(self) -> None:
        """Return once there is space; for one caller at a time."""
        if self.full:
            self._space = asyncio.get_running_loop().create_future()
            await self._space

    def _start(self) -> None:
        if self._working or self._paused or not self._items:
            return
        self._working = True
        now = asyncio.get_running_loop().time()
        # The first packet of a turn is handled in it; of a read with many, the others wait until others had theirs.
        worker = _begin(self._work()) if now != self._began_at else asyncio.create_task(self._work())
        self._began_at = now
        if worker.done():
            self._worked(worker)
        else:
            self._worker = worker
            worker.add_done_callback(self._worked)

    async def _work(self) -> None:
        while self._items and not self._paused:
            item = self._items.popleft()
            self._bytes -= _size(item)
            self._make_space()
            await self._handler.handle(item)
            if self._items:
                await asyncio.sleep(0)  # between two packets of one socket the others have their turn

    def _make_space(self) -> None:
        if self.full and len(self._items) <= self._max_items // 2 and self._bytes <= self._max_bytes // 2:
            self.full = False
            if self._space is not None and not self._space.done():
                self._space.set_result(None)
            self._handler.on_space()

    def _worked(self, worker: asyncio.Task[None]) -> None:
        self._working, self._worker = False, None
        if worker.cancelled():
            self._handler.on_worker_died(None)
        elif (error := worker.exception()) is not None:
            self._handler.on_worker_died(error)
        else:
            self._start()  # for what came between its last look and now


def _begin(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Begin at once where Python can: what waits for nothing takes no turn of the loop of its own."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
    return asyncio.create_task(work)


def _size(item: Item) -> int:
    return len(item) if isinstance(item, str) else len(item.packet)

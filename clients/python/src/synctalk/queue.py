"""Events on their way to the app. It is bounded by its producers, who look at `is_full` before they put what can be had
again; an app that is slower than its events therefore gets them later, by sync, and loses none."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from synctalk.events import Event
from synctalk.following import Cursor

MAX_EVENTS = 5_000


@dataclass(frozen=True, slots=True)
class Step:
    """An event, and how far its conversation is known to whoever has dealt with it."""

    event: Event
    conversation_id: str | None = None
    """None: this one says nothing about that."""
    cursor: Cursor | None = None
    """None: the conversation is not followed any more."""


class EventQueue:
    def __init__(self, on_space: Callable[[], None]) -> None:
        self._steps: deque[Step] = deque()
        self._arrived = asyncio.Event()
        self._on_space = on_space

    @property
    def is_full(self) -> bool:
        return len(self._steps) >= MAX_EVENTS

    def put(self, steps: Iterable[Step]) -> None:
        self._steps.extend(steps)
        if self._steps:
            self._arrived.set()

    def take(self) -> Step | None:
        """Return the oldest, None if there is none."""
        if not self._steps:
            self._arrived.clear()
            return None
        step = self._steps.popleft()
        if len(self._steps) == MAX_EVENTS // 2:
            self._on_space()
        return step

    async def wait(self) -> None:
        """Wait until there is one."""
        await self._arrived.wait()

"""Reads of the state at api after delivery was broken: a few at a time, tried again while there is hope."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from synctalk_runtime.background import Backoff
from synctalk_runtime.errors import UnavailableError

CONCURRENT = 16
RETRY_S = 0.25
MAX_RETRY_S = 2.0

T = TypeVar("T")


class StateReads:
    """Gives up on one read, and on all that wait, once api has answered no read for `timeout_s`."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._places = asyncio.Semaphore(CONCURRENT)
        self._answered_at = float("-inf")

    async def read(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the first answer. Raises UnavailableError when there was none, and at once what else `ask` raises."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        async with self._places:
            deadline = max(asked_at, self._answered_at) + self._timeout_s
            backoff = Backoff(RETRY_S, MAX_RETRY_S)
            while loop.time() < deadline:
                try:
                    answer = await ask()
                except UnavailableError:
                    await asyncio.sleep(backoff.next())
                else:
                    self._answered_at = loop.time()
                    return answer
        raise UnavailableError

"""Rate limits of a person's events: whatever is asked in one turn of the loop goes to Redis as one script call."""

import asyncio

from synctalk_runtime.errors import RateLimitedError
from synctalk_runtime.limits import Limit, Limiter


class Buckets:
    """One call under way at a time; what is asked meanwhile is the next call's batch."""

    MAX_BATCH = 500

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._asked: list[tuple[Limit, str, asyncio.Future[int]]] = []
        self._task: asyncio.Task[None] | None = None

    async def take(self, limit: Limit, user_id: str) -> None:
        """Raises RateLimitedError with `retry_after` in seconds."""
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._asked.append((limit, user_id, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._ask())
        wait_ms = await answer
        if wait_ms:
            raise RateLimitedError(retry_after=round(wait_ms / 1000, 3), details={"limit": limit.name})

    async def _ask(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked[: self.MAX_BATCH], self._asked[self.MAX_BATCH :]
                answers = await self._limiter.ask([(limit, user_id) for limit, user_id, _ in asked])
                for (_, _, answer), wait_ms in zip(asked, answers, strict=True):
                    if not answer.done():
                        answer.set_result(wait_ms)
        finally:
            self._task = None

"""Back-off, and calls that are repeated until they succeed."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from synctalk.errors import CallError, NoAnswerError

T = TypeVar("T")

BASE_S = 0.5
CEILING_S = 10.0


def backoff_s(attempt: int) -> float:
    """Return how long to wait before try number `attempt` (0 first): doubling up to 10 s, half of it random."""
    ceiling: float = min(CEILING_S, BASE_S * 2 ** min(attempt, 16))
    return ceiling / 2 + random.random() * ceiling / 2  # noqa: S311 - jitter, no secret


async def retrying(call: Callable[[], Awaitable[T]], give_up_after_s: float) -> T:
    """Repeat a call that is safe to repeat, until it succeeds, is refused for good, or no time is left for another try.

    Raises the last CallError or NoAnswerError.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + give_up_after_s
    attempt = 0
    while True:
        try:
            return await call()
        except (CallError, NoAnswerError) as error:
            if isinstance(error, CallError) and not error.is_retryable:
                raise
            named = error.retry_after_s if isinstance(error, CallError) else None
            wait_s = backoff_s(attempt) if named is None else named * (1 + random.random() / 10)  # noqa: S311
            if loop.time() + wait_s > until:
                raise
        attempt += 1
        await asyncio.sleep(wait_s)

"""Rate limits of a user's events: whatever is asked in one turn of the loop goes to Redis as one script call."""

import asyncio
from collections.abc import Sequence

import structlog
from synctalk_runtime.background import Batcher
from synctalk_runtime.errors import RateLimitedError
from synctalk_runtime.limits import Limit, Limiter

log = structlog.get_logger()


class Buckets:
    """The rate limits in Redis. One call is under way at a time; what is asked meanwhile is the next call's batch.

    Every question is settled: a limit that cannot be asked lets the event through. A bucket without a token is not
    asked for again before it has one: a user who sends far beyond the limit costs Redis nothing.
    """

    MAX_BATCH = 500
    MAX_EMPTY = 10_000

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._batcher = Batcher("buckets", self._ask, self.MAX_BATCH)
        self._empty_until: dict[tuple[str, str], float] = {}
        """Buckets without a token, and until when; monotonic seconds."""

    async def take(self, limit: Limit, user_id: str) -> None:
        """Take a token. Raises RateLimitedError with `retry_after` in seconds."""
        loop = asyncio.get_running_loop()
        bucket = (limit.name, user_id)
        wait_s = self._empty_until.get(bucket, 0.0) - loop.time()
        if wait_s > 0:
            raise _refusal(limit, wait_s)
        wait_ms = await self._batcher.submit((limit, user_id))
        if wait_ms:
            self._remember(bucket, wait_ms / 1000, loop.time())
            raise _refusal(limit, wait_ms / 1000)

    def _remember(self, bucket: tuple[str, str], wait_s: float, now: float) -> None:
        if len(self._empty_until) >= self.MAX_EMPTY:
            self._empty_until = {bucket: until for bucket, until in self._empty_until.items() if until > now}
        if len(self._empty_until) < self.MAX_EMPTY:
            self._empty_until[bucket] = now + wait_s

    async def _ask(self, asked: list[tuple[Limit, str]]) -> Sequence[int]:
        """Return how long each has to wait, in milliseconds."""
        try:
            return await self._limiter.ask(asked)
        except Exception as error:  # whatever it is: a limit that cannot be asked lets through
            log.exception("buckets.not_asked", error=type(error).__name__)
            return [0] * len(asked)


def _refusal(limit: Limit, wait_s: float) -> RateLimitedError:
    return RateLimitedError(retry_after=max(0.001, round(wait_s, 3)), details={"limit": limit.name})

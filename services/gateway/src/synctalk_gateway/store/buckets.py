"""Rate limits of a user's events: whatever is asked in one turn of the loop goes to Redis as one script call."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog
from synctalk_runtime.background import Batcher
from synctalk_runtime.errors import RateLimitedError
from synctalk_runtime.limits import HOLD_S, Limit, Limiter

log = structlog.get_logger()


class Buckets:
    """The rate limits in Redis. One call is under way at a time; what is asked meanwhile is the next call's batch.

    Every question is settled: a limit that cannot be asked lets the event through. A bucket without a token is not
    asked for again before it has one: a user who sends far beyond the limit costs Redis nothing. From one that is well
    filled some tokens are taken ahead and spent here: who sends now and then costs Redis a call for several events.
    """

    MAX_BATCH = 500
    MAX_EMPTY = 10_000
    MAX_KEPT = 10_000

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._batcher = Batcher("buckets", self._ask, self.MAX_BATCH)
        self._empty_until: dict[tuple[str, str], float] = {}
        """Buckets without a token, and until when; monotonic seconds."""
        self._kept: dict[tuple[str, str], _Kept] = {}

    async def take(self, limit: Limit, user_id: str) -> None:
        """Take a token. Raises RateLimitedError with `retry_after` in seconds."""
        loop = asyncio.get_running_loop()
        bucket = (limit.name, user_id)
        if self._spend(bucket, loop.time()):
            return
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

    def _spend(self, bucket: tuple[str, str], now: float) -> bool:
        kept = self._kept.get(bucket)
        if kept is None:
            return False
        kept.tokens -= 1
        if kept.tokens <= 0 or kept.until <= now:
            del self._kept[bucket]
        return kept.until > now

    def _hold(self, bucket: tuple[str, str], tokens: int, until: float, now: float) -> None:
        if len(self._kept) >= self.MAX_KEPT:
            self._kept = {bucket: kept for bucket, kept in self._kept.items() if kept.until > now}
        if len(self._kept) < self.MAX_KEPT:
            self._kept[bucket] = _Kept(tokens, until)

    async def _ask(self, asked: list[tuple[Limit, str]]) -> Sequence[int]:
        """Return how long each has to wait, in milliseconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + HOLD_S
        times = Counter((limit.name, user_id) for limit, user_id in asked)
        wanted = [
            (limit, user_id) if self._may_hold(limit, user_id, times) else (replace(limit, ahead=0), user_id)
            for limit, user_id in asked
        ]
        try:
            answers = await self._limiter.ask(wanted)
        except Exception as error:  # whatever it is: a limit that cannot be asked lets through
            log.exception("buckets.not_asked", error=type(error).__name__)
            return [0] * len(asked)
        for (limit, user_id), answer in zip(asked, answers, strict=True):
            if answer < 0:
                self._hold((limit.name, user_id), -answer, until, loop.time())
        return [max(0, answer) for answer in answers]

    def _may_hold(self, limit: Limit, user_id: str, times: Counter[tuple[str, str]]) -> bool:
        """Whether tokens may be taken ahead: nothing else of the bucket is kept or asked for here."""
        bucket = (limit.name, user_id)
        return limit.ahead == 0 or (times[bucket] == 1 and bucket not in self._kept)


@dataclass(slots=True)
class _Kept:
    """Tokens of a bucket that were taken ahead, and until when they may be spent; monotonic seconds."""

    tokens: int
    until: float


def _refusal(limit: Limit, wait_s: float) -> RateLimitedError:
    return RateLimitedError(retry_after=max(0.001, round(wait_s, 3)), details={"limit": limit.name})

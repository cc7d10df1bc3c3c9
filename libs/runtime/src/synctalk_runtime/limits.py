"""Rate limits: token buckets in Redis, one atomic script for as many buckets as are asked at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from prometheus_client import Counter

from synctalk_runtime.errors import RateLimitedError, UnavailableError
from synctalk_runtime.redis_line import LineScript, RedisLine

REFUSED = Counter("limits_refused_total", "Requests refused by a rate limit.", ["limit"])
SKIPPED = Counter("limits_skipped_total", "Requests let through because Redis did not answer.", ["limit"])


@dataclass(frozen=True, slots=True)
class Limit:
    """`per_second` tokens flow into a bucket of `burst`."""

    name: str
    per_second: float
    burst: float


class Limiter:
    """Takes tokens. When Redis does not answer it lets the request through: a limit must not become an outage."""

    def __init__(self, line: RedisLine) -> None:
        self._script = LineScript(line, files("synctalk_runtime").joinpath("limits.lua"))

    async def take(self, limit: Limit, subject: str, cost: float = 1) -> None:
        """Raises RateLimitedError with `retry_after` in seconds."""
        await self.take_all([(limit, subject)], cost)

    async def take_all(self, wanted: Sequence[tuple[Limit, str]], cost: float = 1) -> None:
        """One token from each bucket; refused when any is empty (the others stay taken: a refused try costs too)."""
        for (limit, _), wait_ms in zip(wanted, await self.ask(wanted, cost), strict=True):
            if wait_ms:
                raise RateLimitedError(retry_after=round(wait_ms / 1000, 3), details={"limit": limit.name})

    async def ask(self, wanted: Sequence[tuple[Limit, str]], cost: float = 1) -> list[int]:
        """For each bucket 0 when a token was taken, else the milliseconds to wait."""
        keys = [f"limit:{limit.name}:{subject}" for limit, subject in wanted]
        args = [number for limit, _ in wanted for number in (limit.per_second, limit.burst, cost)]
        try:
            answers: list[int] = await self._script(keys, args)
        except UnavailableError:
            for limit, _ in wanted:
                SKIPPED.labels(limit.name).inc()
            return [0] * len(wanted)
        for (limit, _), wait_ms in zip(wanted, answers, strict=True):
            if wait_ms:
                REFUSED.labels(limit.name).inc()
        return answers

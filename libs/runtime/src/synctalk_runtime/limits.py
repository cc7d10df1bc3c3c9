"""Rate limits: token buckets in Redis, one atomic script for as many buckets as are asked at once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from prometheus_client import Counter

from synctalk_runtime.errors import RateLimitedError, UnavailableError
from synctalk_runtime.local_buckets import LocalBuckets
from synctalk_runtime.redis_pipeline import PipelineScript, RedisPipeline

REFUSED = Counter("limits_refused_total", "Requests refused by a rate limit.", ["limit"])
SKIPPED = Counter("limits_skipped_total", "Requests that Redis was not there to limit.", ["limit"])

ANSWER_TIMEOUT_S = 0.4
SILENCE_S = 0.25
"""After an answer that did not come in time Redis is left alone for so long: or each request would wait for it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`per_second` tokens flow into a bucket of `burst`."""

    name: str
    per_second: float
    burst: float

    def times(self, factor: float, name: str) -> "Limit":
        """Another bucket that allows so much more, or less, of the same."""
        return Limit(name, self.per_second * factor, self.burst * factor)


Wanted = Sequence[tuple[Limit, str]]
"""Buckets: each a limit, and whom it counts."""


class Limiter:
    """Takes tokens. When Redis does not answer it lets the request through: a limit must not become an outage.

    With a `fallback` this process's own buckets decide then.
    """

    def __init__(self, redis: RedisPipeline, fallback: LocalBuckets | None = None) -> None:
        self._script = PipelineScript(redis, files("synctalk_runtime").joinpath("limits.lua"))
        self._fallback = fallback
        self._silent_until = 0.0

    async def take(self, limit: Limit, subject: str, cost: float = 1) -> None:
        """Take a token. Raises RateLimitedError with `retry_after` in seconds."""
        await self.take_all([(limit, subject)], cost)

    async def take_all(self, wanted: Wanted, cost: float = 1) -> None:
        """Take a token from each bucket in order; the first empty one refuses, and those after it are not touched.

        What was taken before that stays taken: a refused try costs too.
        """
        answers = await self._ask(wanted, cost, stops=True)
        for (limit, _), wait_ms in zip(wanted, answers, strict=False):
            if wait_ms:
                raise RateLimitedError(retry_after=round(wait_ms / 1000, 3), details={"limit": limit.name})

    async def ask(self, wanted: Wanted, cost: float = 1) -> list[int]:
        """Return for each bucket, for itself, 0 when a token was taken, else the milliseconds to wait."""
        return await self._ask(wanted, cost, stops=False)

    async def _ask(self, wanted: Wanted, cost: float, *, stops: bool) -> list[int]:
        try:
            answers = await self._ask_redis(wanted, cost, stops=stops)
        except UnavailableError:
            for limit, _ in wanted:
                SKIPPED.labels(limit.name).inc()
            if self._fallback is None:
                return [0] * len(wanted)
            buckets = [(f"{limit.name}:{subject}", limit.per_second, limit.burst) for limit, subject in wanted]
            answers = self._fallback.ask(buckets, cost, stops=stops)
        for (limit, _), wait_ms in zip(wanted, answers, strict=False):
            if wait_ms:
                REFUSED.labels(limit.name).inc()
        return answers

    async def _ask_redis(self, wanted: Wanted, cost: float, *, stops: bool) -> list[int]:
        loop = asyncio.get_running_loop()
        if loop.time() < self._silent_until:
            raise UnavailableError
        keys = [f"limit:{limit.name}:{subject}" for limit, subject in wanted]
        args = [int(stops), *(number for limit, _ in wanted for number in (limit.per_second, limit.burst, cost))]
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                answers: list[int] = await self._script(keys, args)
        except TimeoutError as error:
            self._silent_until = loop.time() + SILENCE_S
            raise UnavailableError from error
        return answers

"""Rate limits: token buckets in Redis, one atomic script for as many buckets as are asked at once; on a cluster, where
each bucket lies in a slot of its own, one for each bucket."""

import asyncio
import secrets
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from prometheus_client import Counter

from synctalk_runtime.errors import RateLimitedError, UnavailableError
from synctalk_runtime.local_buckets import LocalBuckets
from synctalk_runtime.redis_pipeline import PipelineScript, RedisPipeline

REFUSED = Counter("limits_refused_total", "Requests refused by a rate limit.", ["limit"])
SKIPPED = Counter("limits_skipped_total", "Requests that Redis was not there to limit.", ["limit"])

ANSWER_TIMEOUT_S = 0.4
HOLD_S = 3.0
"""How long tokens that were taken ahead may be spent, from when they were asked for."""

SILENCE_S = 0.25
"""After an answer that did not come in time Redis is left alone for so long: or each request would wait for it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`per_second` tokens flow into a bucket of `burst`."""

    name: str
    per_second: float
    burst: float
    ahead: int = 0
    """How many tokens more `Limiter.ask` takes from a well-filled bucket, for the taker to spend by itself."""

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
        self._redis = redis
        self._script = PipelineScript(redis, files("synctalk_runtime").joinpath("limits.lua"))
        self._fallback = fallback
        self._name = secrets.token_hex(4)
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
            if wait_ms > 0:
                raise RateLimitedError(retry_after=round(wait_ms / 1000, 3), details={"limit": limit.name})

    async def ask(self, wanted: Wanted, cost: float = 1) -> list[int]:
        """Return for each bucket, for itself, 0 when a token was taken, else the milliseconds to wait.

        Negative: a token was taken, and so many more of the limit's `ahead`, to be spent within `HOLD_S`. Until then
        they count as if they were still in the bucket. A bucket may be asked for tokens ahead once in a call, and only
        when none of it is left here.
        """
        return await self._ask(wanted, cost, stops=False)

    async def _ask(self, wanted: Wanted, cost: float, *, stops: bool) -> list[int]:
        if not self._redis.in_cluster:
            answers = await self._ask_or_fall_back(wanted, cost, stops=stops)
        elif stops:
            answers = await self._ask_one_by_one(wanted, cost)
        else:
            answers = await self._ask_each(wanted, cost)
        for (limit, _), wait_ms in zip(wanted, answers, strict=False):
            if wait_ms > 0:
                REFUSED.labels(limit.name).inc()
        return answers

    async def _ask_or_fall_back(self, wanted: Wanted, cost: float, *, stops: bool) -> list[int]:
        keys = [_key(limit, subject) for limit, subject in wanted]
        args = [
            *self._taker(stops=stops),
            *(number for limit, _ in wanted for number in _numbers(limit, cost, stops=stops)),
        ]
        try:
            answers: list[int] = await self._in_time(self._script(keys, args))
        except UnavailableError:
            return self._fall_back(wanted, cost, stops=stops)
        return answers

    async def _ask_one_by_one(self, wanted: Wanted, cost: float) -> list[int]:
        """Ask the buckets of a cluster in order, which lie in slots of their own, up to the first that refuses."""
        answers: list[int] = []
        for bucket in wanted:
            answers += await self._ask_or_fall_back([bucket], cost, stops=True)
            if answers[-1] > 0:
                break
        return answers

    async def _ask_each(self, wanted: Wanted, cost: float) -> list[int]:
        """Ask all buckets of a cluster at once; those of a node that is away fall back for themselves."""
        taker = self._taker(stops=False)
        calls = [([_key(limit, subject)], (*taker, *_numbers(limit, cost, stops=False))) for limit, subject in wanted]
        try:
            outcomes: list[Any] = await self._in_time(self._script.each(calls))
        except UnavailableError:
            return self._fall_back(wanted, cost, stops=False)
        return [
            outcome[0] if isinstance(outcome, list) else self._fall_back([bucket], cost, stops=False)[0]
            for bucket, outcome in zip(wanted, outcomes, strict=True)
        ]

    def _taker(self, *, stops: bool) -> tuple[int | str, ...]:
        return int(stops), self._name, round(HOLD_S * 1000)

    async def _in_time(self, asked: Coroutine[Any, Any, Any]) -> Any:
        loop = asyncio.get_running_loop()
        if loop.time() < self._silent_until:
            asked.close()
            raise UnavailableError
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await asked
        except TimeoutError as error:
            self._silent_until = loop.time() + SILENCE_S
            raise UnavailableError from error

    def _fall_back(self, wanted: Wanted, cost: float, *, stops: bool) -> list[int]:
        for limit, _ in wanted:
            SKIPPED.labels(limit.name).inc()
        if self._fallback is None:
            return [0] * len(wanted)
        buckets = [(f"{limit.name}:{subject}", limit.per_second, limit.burst) for limit, subject in wanted]
        return self._fallback.ask(buckets, cost, stops=stops)


def _numbers(limit: Limit, cost: float, *, stops: bool) -> tuple[float, ...]:
    return limit.per_second, limit.burst, cost, 0 if stops else limit.ahead


def _key(limit: Limit, subject: str) -> str:
    return f"limit:{limit.name}:{subject}"

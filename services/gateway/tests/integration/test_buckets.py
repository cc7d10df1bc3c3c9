"""Limits asked at once go to Redis together, and each is answered for itself."""

import asyncio
from functools import partial

import pytest
from pydantic import SecretStr
from synctalk_gateway.store.buckets import Buckets
from synctalk_runtime.errors import RateLimitedError
from synctalk_runtime.ids import new_id
from synctalk_runtime.limits import Limit, Limiter, Wanted
from synctalk_runtime.redis_pipeline import RedisPipeline
from synctalk_testkit.eventually import eventually
from synctalk_testkit.own_redis import own_redis


async def test_take__many_at_once__refuses_exactly_those_over_the_burst(redis_url: str) -> None:
    redis = RedisPipeline(SecretStr(redis_url))
    buckets, limit = Buckets(Limiter(redis)), Limit("test", 0.001, 20)
    first, second = new_id(), new_id()
    asked = [buckets.take(limit, user) for _ in range(25) for user in (first, second)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, RateLimitedError)]
    assert len(refused) == 10
    assert all(answer.retry_after and answer.retry_after > 0 for answer in refused)
    await redis.close()


async def test_take__refused__is_not_asked_again_before_there_is_a_token(redis_url: str) -> None:
    redis = RedisPipeline(SecretStr(redis_url))
    asked: list[int] = []

    class Counting(Limiter):
        async def ask(self, wanted: Wanted, cost: float = 1) -> list[int]:
            asked.append(len(wanted))
            return await super().ask(wanted, cost)

    buckets, limit, user = Buckets(Counting(redis)), Limit("test", 0.001, 1), new_id()
    await buckets.take(limit, user)
    refused = [await _is_limited(buckets, limit, user) for _ in range(100)]
    await buckets.take(limit, new_id())

    assert refused == [True] * 100
    assert asked == [1, 1, 1]
    await redis.close()


async def test_take__redis_away__lets_through() -> None:
    redis = RedisPipeline(SecretStr("redis://127.0.0.1:1"))
    await Buckets(Limiter(redis)).take(Limit("test", 1, 1), new_id())
    await redis.close()


async def _is_limited(buckets: Buckets, limit: Limit, user: str) -> bool:
    try:
        await buckets.take(limit, user)
    except RateLimitedError:
        return True
    return False


async def test_take__redis_refuses_to_write__is_answered_and_limits_again_at_once() -> None:
    async with own_redis() as server:
        redis = RedisPipeline(SecretStr(server.url))
        buckets, limit = Buckets(Limiter(redis)), Limit("test", 0.001, 1)
        await buckets.take(limit, new_id())
        for refusal in (("min-replicas-to-write", "1", "0"), ("maxmemory", "1", "0")):
            name, refusing, well = refusal
            user = new_id()
            await server.command("CONFIG", "SET", name, refusing)
            async with asyncio.timeout(3):
                await asyncio.gather(*(buckets.take(limit, user) for _ in range(700)))
            await server.command("CONFIG", "SET", name, well)
            await eventually(partial(_is_limited, buckets, limit, user), 3)
        await redis.close()


async def test_take__the_limiter_breaks__lets_through_and_asks_again() -> None:
    class Broken(Limiter):
        async def ask(self, wanted: Wanted, cost: float = 1) -> list[int]:
            raise ValueError

    redis = RedisPipeline(SecretStr("redis://127.0.0.1:1"))
    buckets = Buckets(Broken(redis))
    async with asyncio.timeout(30):
        for _ in range(2):
            await asyncio.gather(*(buckets.take(Limit("test", 1, 1), new_id()) for _ in range(700)))
    await redis.close()


class Counting(Limiter):
    """Notes how many buckets each call asks for."""

    def __init__(self, redis: RedisPipeline) -> None:
        super().__init__(redis)
        self.asked: list[int] = []

    async def ask(self, wanted: Wanted, cost: float = 1) -> list[int]:
        self.asked.append(len(wanted))
        return await super().ask(wanted, cost)


async def test_take__one_after_another__asks_once_for_several_and_refuses_exactly_beyond_the_burst(
    redis_url: str,
) -> None:
    redis = RedisPipeline(SecretStr(redis_url))
    limiter, limit, user = Counting(redis), Limit("test", 0.001, 20, ahead=4), new_id()
    buckets = Buckets(limiter)
    refused = [await _is_limited(buckets, limit, user) for _ in range(25)]
    assert refused == [False] * 20 + [True] * 5
    assert len(limiter.asked) == 2 + 10 + 1  # two fives while half is left, then one by one, then a refusal
    await redis.close()


async def test_take__by_two_gateways__never_gives_more_than_the_burst(redis_url: str) -> None:
    redis = RedisPipeline(SecretStr(redis_url))
    limit, user = Limit("test", 0.001, 20, ahead=4), new_id()
    first, second = Buckets(Limiter(redis)), Buckets(Limiter(redis))
    refused = [await _is_limited(buckets, limit, user) for _ in range(20) for buckets in (first, second)]
    assert refused.count(False) == 20
    await redis.close()


async def test_take__several_at_once__refuses_exactly_those_over_the_burst(redis_url: str) -> None:
    redis = RedisPipeline(SecretStr(redis_url))
    buckets, limit, user = Buckets(Limiter(redis)), Limit("test", 0.001, 20, ahead=4), new_id()
    await buckets.take(limit, user)
    asked = [_is_limited(buckets, limit, user) for _ in range(25)]
    assert (await asyncio.gather(*asked)).count(False) == 19
    await redis.close()


async def test_take__kept_tokens_have_expired__asks_again(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synctalk_gateway.store.buckets.HOLD_S", -1.0)
    redis = RedisPipeline(SecretStr(redis_url))
    limiter, limit, user = Counting(redis), Limit("test", 0.001, 20, ahead=4), new_id()
    buckets = Buckets(limiter)
    for _ in range(3):
        await buckets.take(limit, user)
    assert limiter.asked == [1, 1, 1]
    await redis.close()

"""Limits asked at once go to Redis together, and each is answered for itself."""

import asyncio

from pydantic import SecretStr
from synctalk_gateway.store.buckets import Buckets
from synctalk_runtime.errors import RateLimitedError
from synctalk_runtime.ids import new_id
from synctalk_runtime.limits import Limit, Limiter
from synctalk_runtime.redis_line import RedisLine


async def test_take__many_at_once__refuses_exactly_those_over_the_burst(redis_url: str) -> None:
    line = RedisLine(SecretStr(redis_url))
    buckets, limit = Buckets(Limiter(line)), Limit("test", 0.001, 20)
    first, second = new_id(), new_id()
    asked = [buckets.take(limit, person) for _ in range(25) for person in (first, second)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, RateLimitedError)]
    assert len(refused) == 10
    assert all(answer.retry_after and answer.retry_after > 0 for answer in refused)
    await line.close()


async def test_take__redis_away__lets_through() -> None:
    line = RedisLine(SecretStr("redis://127.0.0.1:1"))
    await Buckets(Limiter(line)).take(Limit("test", 1, 1), new_id())
    await line.close()

"""Limits asked at once go to Redis together, and each is answered for itself."""

import asyncio

from pydantic import SecretStr
from synctalk_gateway.store.buckets import Buckets
from synctalk_runtime import redis
from synctalk_runtime.errors import RateLimitedError
from synctalk_runtime.ids import new_id
from synctalk_runtime.limits import Limit, Limiter


async def test_take__many_at_once__refuses_exactly_those_over_the_burst(redis_url: str) -> None:
    client = redis.connect(SecretStr(redis_url))
    buckets, limit = Buckets(Limiter(client)), Limit("test", 0.001, 20)
    first, second = new_id(), new_id()
    asked = [buckets.take(limit, person) for _ in range(25) for person in (first, second)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, RateLimitedError)]
    assert len(refused) == 10
    assert all(answer.retry_after and answer.retry_after > 0 for answer in refused)
    await client.aclose()


async def test_take__redis_away__lets_through() -> None:
    client = redis.connect(SecretStr("redis://127.0.0.1:1"))
    await Buckets(Limiter(client)).take(Limit("test", 1, 1), new_id())
    await client.aclose()

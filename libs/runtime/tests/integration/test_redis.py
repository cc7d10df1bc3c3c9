"""The client: short deadlines, and every failure is one kind."""

import asyncio
import time
from typing import Any

from pydantic import SecretStr
from synctalk_runtime import redis as runtime_redis
from synctalk_runtime.errors import UnavailableError
from synctalk_testkit.eventually import eventually
from synctalk_testkit.relay import relay_to


async def _answers(client: Any) -> bool:
    try:
        with runtime_redis.answering():
            await client.ping()
    except UnavailableError:
        return False
    return True


async def test_client__redis_is_frozen__ends_at_its_deadline_and_recovers(redis_url: str) -> None:
    async with relay_to(redis_url) as relay:
        client = runtime_redis.connect(SecretStr(relay.url))
        assert await _answers(client)
        relay.freeze()
        started = time.monotonic()
        assert not await _answers(client)
        assert time.monotonic() - started < 4
        relay.mend()
        await eventually(lambda: _answers(client))
        await client.aclose()


async def test_client__connections_were_cut__recovers_with_the_next_call(redis_url: str) -> None:
    async with relay_to(redis_url) as relay:
        client = runtime_redis.connect(SecretStr(relay.url))
        assert await _answers(client)
        relay.cut()
        assert not await _answers(client)
        relay.mend()
        assert await _answers(client)
        await client.aclose()


async def test_client__more_calls_than_connections__wait_their_turn(redis_url: str) -> None:
    client = runtime_redis.connect(SecretStr(redis_url), max_connections=3)

    assert all(await asyncio.gather(*(client.ping() for _ in range(200))))
    await client.aclose()

"""The client: short deadlines, and every failure is one kind."""

import asyncio
import time
from typing import Any

import pytest
from pydantic import SecretStr
from synctalk_runtime import redis as runtime_redis
from synctalk_runtime.errors import UnavailableError
from synctalk_testkit.eventually import eventually
from synctalk_testkit.own_redis import own_redis
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


async def _writes(client: Any) -> bool:
    try:
        with runtime_redis.answering():
            await client.set("key", "x" * 100)
    except UnavailableError:
        return False
    return True


async def test_client__redis_refuses_to_write__is_unavailable_and_well_at_once() -> None:
    async with own_redis() as server:
        client = runtime_redis.connect(SecretStr(server.url))
        assert await _writes(client)
        for name, refusing, well in (("min-replicas-to-write", "1", "0"), ("maxmemory", "1", "0")):
            await server.command("CONFIG", "SET", name, refusing)
            assert not await _writes(client)
            await server.command("CONFIG", "SET", name, well)
            assert await _writes(client)
        await client.aclose()


async def test_client__redis_became_a_replica__is_left_and_not_asked_again() -> None:
    async with own_redis() as server:
        client = runtime_redis.connect(SecretStr(server.url))
        assert await _writes(client)
        await server.command("REPLICAOF", "127.0.0.1", "1")
        assert not await _writes(client)
        assert not await _answers(client)
        await server.command("REPLICAOF", "NO", "ONE")
        assert await _writes(client)
        await client.aclose()


async def test_client__redis_became_a_replica__a_pipeline_is_unavailable() -> None:
    async with own_redis() as server:
        client = runtime_redis.connect(SecretStr(server.url))
        assert await _writes(client)
        await server.command("REPLICAOF", "127.0.0.1", "1")
        pipeline = client.pipeline(transaction=False)
        for number in range(10):
            pipeline.set(f"key:{number}", "x")
        with pytest.raises(UnavailableError), runtime_redis.answering():
            await pipeline.execute()
        await client.aclose()

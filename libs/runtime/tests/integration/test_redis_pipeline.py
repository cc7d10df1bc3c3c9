"""The pipelined connection: answers in order, no silence, one kind of failure; and publishing through it."""

import asyncio
import time
from collections.abc import AsyncIterator
from importlib.resources import files

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from synctalk_runtime import fanout
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id
from synctalk_runtime.redis_connection import RedisRefusedError
from synctalk_runtime.redis_pipeline import PipelineScript, RedisPipeline
from synctalk_testkit.eventually import eventually
from synctalk_testkit.relay import relay_to

NOWHERE = SecretStr("redis://127.0.0.1:1/0")


@pytest.fixture
async def line(redis_url: str) -> AsyncIterator[RedisPipeline]:
    line = RedisPipeline(SecretStr(redis_url))
    yield line
    await line.close()


async def _answers(line: RedisPipeline) -> bool:
    try:
        return bool(await line.call("PING"))
    except UnavailableError:
        return False


async def test_call__redis_is_down__is_unavailable() -> None:
    line = RedisPipeline(NOWHERE)
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await line.call("PING")
    await line.close()


async def test_call__a_wrong_command__says_so_and_hurts_no_other(line: RedisPipeline) -> None:
    asked = [line.call("PING"), line.call("NONSENSE"), line.call("PING")]
    first, wrong, last = await asyncio.gather(*asked, return_exceptions=True)
    assert (first, last) == (b"PONG", b"PONG")
    assert isinstance(wrong, RedisRefusedError)


async def test_call__many_at_once__each_gets_its_own_answer(line: RedisPipeline) -> None:
    answers = await asyncio.gather(*(line.call("ECHO", str(n)) for n in range(500)))
    assert answers == [str(n).encode() for n in range(500)]


async def test_call_all__between_single_ones__each_command_gets_its_own_answer(line: RedisPipeline) -> None:
    await line.call("PING")
    first = asyncio.create_task(line.call("ECHO", "first"))
    await asyncio.sleep(0)
    together = asyncio.create_task(line.call_all([("ECHO", "a"), ("NONSENSE",), ("ECHO", "b")]))
    last = asyncio.create_task(line.call("ECHO", "last"))
    a, wrong, b = await together

    assert (a, b) == (b"a", b"b")
    assert isinstance(wrong, RedisRefusedError)
    assert (await first, await last) == (b"first", b"last")
    assert await line.call_all([]) == []


async def test_call_all__who_asked_goes_away__the_others_are_not_mixed_up(line: RedisPipeline) -> None:
    await line.call("PING")
    gone = asyncio.create_task(line.call_all([("ECHO", "gone"), ("ECHO", "too")]))
    await asyncio.sleep(0)
    gone.cancel()
    assert await line.call_all([("ECHO", "here")]) == [b"here"]


async def test_call_all__the_connection_is_given_up__each_command_is_unavailable(line: RedisPipeline) -> None:
    await line.call("PING")
    asked = asyncio.create_task(line.call_all([("ECHO", "a"), ("ECHO", "b")]))
    await asyncio.sleep(0)
    line.drop()

    assert [type(answer) for answer in await asked] == [UnavailableError, UnavailableError]


async def test_call__who_asked_goes_away__the_others_are_not_mixed_up(line: RedisPipeline) -> None:
    await line.call("PING")
    gone = asyncio.create_task(line.call("ECHO", "gone"))
    await asyncio.sleep(0)
    gone.cancel()
    assert await line.call("ECHO", "here") == b"here"


async def test_call__redis_is_frozen__ends_at_its_deadline_and_recovers(redis_url: str) -> None:
    async with relay_to(redis_url) as relay:
        line = RedisPipeline(SecretStr(relay.url), timeout_s=0.3)
        assert await _answers(line)
        relay.freeze()
        began = time.monotonic()
        assert not await _answers(line)
        assert time.monotonic() - began < 5
        relay.mend()
        await eventually(lambda: _answers(line))
        await line.close()


async def test_call__the_connection_was_cut__opens_a_new_one(redis_url: str) -> None:
    async with relay_to(redis_url) as relay:
        line = RedisPipeline(SecretStr(relay.url))
        assert await _answers(line)
        relay.cut()
        relay.mend()
        await eventually(lambda: _answers(line))
        await line.close()


async def test_script__flushed_from_redis__is_sent_again(line: RedisPipeline, redis_url: str) -> None:
    script = PipelineScript(line, files("synctalk_runtime").joinpath("limits.lua"))
    assert await script([new_id()], [0, "somebody", 1_000, 1, 1, 1, 0]) == [0]
    await line.call("SCRIPT", "FLUSH")
    assert await script([new_id()], [0, "somebody", 1_000, 1, 1, 1, 0]) == [0]


async def test_publish__many__arrive_in_order(line: RedisPipeline, redis_url: str) -> None:
    client = Redis.from_url(redis_url)
    channel = f"conversation:{new_id()}"
    async with client.pubsub() as pubsub:
        await pubsub.subscribe(channel)
        await fanout.publish(line, [(channel, b"%d" % n) for n in range(100)])
        await fanout.publish(line, [(channel, b"last")])
        await fanout.publish(line, [])
        received: list[bytes] = []
        while b"last" not in received:
            message = await pubsub.get_message(timeout=5)
            assert message is not None
            if message["type"] == "message":
                received.append(message["data"])
    await client.aclose()

    assert received == [b"%d" % n for n in range(100)] + [b"last"]


async def test_publish__redis_is_down__is_unavailable() -> None:
    line = RedisPipeline(NOWHERE)
    for messages in ([("a", b"1")], [("a", b"1"), ("b", b"2")]):
        with pytest.raises(UnavailableError):
            await fanout.publish(line, messages)
    await line.close()

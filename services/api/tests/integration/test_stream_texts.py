"""The texts of streams in Redis: on a cluster too, and on one that refuses."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import SecretStr
from synctalk_api.store.streams import Append, Appended, Delta, Stream, StreamTexts
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id
from synctalk_runtime.redis_cluster import ClusterPipeline
from synctalk_runtime.redis_pipeline import RedisPipeline
from synctalk_testkit.own_redis import own_redis
from synctalk_testkit.redis_cluster import redis_cluster

TEXT = "Größe 🙂"


def a_stream(text: str = "") -> Stream:
    return Stream(new_id(), new_id(), new_id(), "a-name", text)


def appending(stream: Stream, at: int, text: str) -> Append:
    return Append(stream.message_id, stream.conversation_id, stream.user_id, at, text)


async def grown(texts: StreamTexts) -> None:
    """Take streams from their start to their end."""
    streams = [a_stream() for _ in range(40)]
    for stream in streams:
        assert await texts.reserve(stream.user_id, stream.message_id, 1)
        await texts.open(stream)
    first = await texts.append([appending(stream, 0, TEXT) for stream in streams])
    second = await texts.append([appending(stream, len(TEXT) - 1, "🙂!") for stream in streams])
    read = await texts.texts([stream.message_id for stream in streams])
    ended = [await texts.end(stream.message_id) for stream in streams]
    for stream in streams:
        await texts.close(stream.message_id, stream.user_id)
    after = await texts.append([appending(stream, 0, "x") for stream in streams])

    assert first == [Appended("done", len(TEXT), delta=Delta(0, TEXT))] * len(streams)
    assert second == [Appended("done", len(TEXT) + 1, is_left=True)] * len(streams)
    assert set(read.values()) == {TEXT + "!"}
    assert ended == [(TEXT + "!", "a-name")] * len(streams)
    assert [each.outcome for each in after if isinstance(each, Appended)] == ["ended"] * len(streams)
    assert await texts.silent(0) == []


async def test_streams__on_a_cluster__are_as_on_one_redis() -> None:
    async with redis_cluster() as cluster:
        redis = ClusterPipeline(SecretStr(cluster.url))
        await grown(StreamTexts(redis))
        await redis.close()


async def test_silent__streams__are_claimed_by_one(redis_url: str) -> None:
    redis = RedisPipeline(SecretStr(redis_url))
    texts = StreamTexts(redis)
    stream = a_stream("so far")
    await texts.open(stream)
    await asyncio.sleep(0.05)
    claimed = [one for found in await asyncio.gather(*(texts.silent(0.02) for _ in range(5))) for one in found]
    await texts.close(stream.message_id, stream.user_id)
    await redis.close()

    assert [one for one in claimed if one.message_id == stream.message_id] == [stream]


async def test_open__of_what_is_there__puts_back_only_what_is_lost(redis_url: str) -> None:
    redis = RedisPipeline(SecretStr(redis_url))
    texts = StreamTexts(redis)
    stream = a_stream("short")
    read = []
    for text in ("short", "a longer text", "short"):
        await texts.open(replace(stream, text=text))
        read.append((await texts.texts([stream.message_id]))[stream.message_id])
    await texts.close(stream.message_id, stream.user_id)
    await texts.open(stream)
    left = await texts.texts([stream.message_id])
    await redis.close()

    assert read == ["short", "a longer text", "a longer text"]
    assert left == {}


async def test_append__to_a_redis_that_became_a_replica__is_unavailable_and_changes_nothing() -> None:
    async with own_redis() as server:
        redis = RedisPipeline(SecretStr(server.url))
        texts = StreamTexts(redis)
        stream = a_stream("kept")
        await texts.open(stream)
        await redis.call("REPLICAOF", "127.0.0.1", "1")
        [refused] = await texts.append([appending(stream, 4, "x")])
        with pytest.raises(UnavailableError):
            await texts.open(a_stream())
        await redis.close()

    assert isinstance(refused, UnavailableError)

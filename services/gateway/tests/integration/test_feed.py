"""The subscription on a real Redis: confirmed before it is relied on, told when it was broken, whole by itself."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest_asyncio
from pydantic import SecretStr
from redis.asyncio import Redis
from synctalk_gateway.hub.feed import Feed
from synctalk_testkit.eventually import eventually

BEAT_S, DEAF_S = 0.05, 0.5


@dataclass
class Ear:
    """A feed with what it heard, and a Redis client to speak with."""

    redis: Redis
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    gaps: int = 0
    beating: bool = True
    feed: Feed = field(init=False)

    def on_message(self, channel: str, data: bytes) -> None:
        self.heard.append((channel, data))

    async def on_gap(self) -> None:
        self.gaps += 1

    async def beat(self) -> None:
        if self.beating:
            await self.redis.publish("heartbeat:test", b"{}")


@pytest_asyncio.fixture(loop_scope="session")
async def ear(redis_url: str) -> AsyncIterator[Ear]:
    made = Ear(Redis.from_url(redis_url))
    made.feed = Feed(SecretStr(redis_url), "heartbeat:test", made.on_message, made.on_gap, made.beat)
    made.feed.start(BEAT_S, DEAF_S)
    await eventually(lambda: made.feed.standing)
    yield made
    await made.feed.stop()
    await made.redis.aclose()


async def test_subscribe__once_confirmed__misses_nothing(ear: Ear) -> None:
    await ear.feed.subscribe("conversation:a")
    for number in range(100):
        await ear.redis.publish("conversation:a", str(number))
    await eventually(lambda: len(ear.heard) == 100)
    assert [int(data) for _, data in ear.heard] == list(range(100))
    assert ear.gaps == 0


async def test_subscribe__twice__is_the_same_subscription(ear: Ear) -> None:
    assert ear.feed.subscribe("conversation:b") is ear.feed.subscribe("conversation:b")


async def test_unsubscribe__hears_no_more(ear: Ear) -> None:
    await ear.feed.subscribe("conversation:c")
    ear.feed.unsubscribe("conversation:c")
    await ear.feed.subscribe("conversation:d")
    await ear.redis.publish("conversation:c", "1")
    await ear.redis.publish("conversation:d", "2")
    await eventually(lambda: bool(ear.heard))
    assert [channel for channel, _ in ear.heard] == ["conversation:d"]


async def test_connection_lost__is_told_and_subscribed_anew(ear: Ear) -> None:
    await ear.feed.subscribe("conversation:e")
    await ear.redis.client_kill_filter(_type="pubsub")
    await eventually(lambda: ear.gaps == 1 and ear.feed.standing)
    await ear.redis.publish("conversation:e", "after")
    await eventually(lambda: ("conversation:e", b"after") in ear.heard)


async def test_connection_silent__is_noticed_by_the_missing_heartbeat(ear: Ear) -> None:
    ear.beating = False
    await eventually(lambda: not ear.feed.standing)
    ear.beating = True
    await eventually(lambda: ear.gaps >= 1 and ear.feed.standing)


async def test_subscribe__while_broken__is_confirmed_once_it_stands_again(ear: Ear) -> None:
    await ear.redis.client_kill_filter(_type="pubsub")
    async with asyncio.timeout(10):
        await ear.feed.subscribe("conversation:f")
    await ear.redis.publish("conversation:f", "x")
    await eventually(lambda: ("conversation:f", b"x") in ear.heard)

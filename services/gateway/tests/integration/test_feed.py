"""The subscription on a real Redis: confirmed before it is relied on, and whole again by itself after a break."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest_asyncio
from prometheus_client import REGISTRY
from pydantic import SecretStr
from redis.asyncio import Redis
from synctalk_gateway.hub.feed import Feed
from synctalk_testkit.eventually import eventually

BEAT_S, TIMEOUT_S = 0.05, 3
"""A busy machine is not taken for a lost connection: tests count how often one is lost."""


@dataclass
class Listener:
    """A feed with what it received, and a Redis client to publish with."""

    redis: Redis
    received: list[tuple[str, bytes]] = field(default_factory=list)
    gaps: int = 0
    downs: int = 0
    beating: bool = True
    feed: Feed = field(init=False)

    def subscribe(self, channel: str) -> "asyncio.Future[None]":
        return self.feed.subscribe(channel, lambda data: self.received.append((channel, data)))

    async def on_gap(self) -> None:
        self.gaps += 1

    def on_down(self) -> None:
        self.downs += 1

    async def beat(self) -> int:
        return await self.redis.publish("heartbeat:test", b"{}") if self.beating else 1


@pytest_asyncio.fixture(loop_scope="session")
async def listener(redis_url: str) -> AsyncIterator[Listener]:
    made = Listener(Redis.from_url(redis_url))
    made.feed = Feed(SecretStr(redis_url), "heartbeat:test", made.beat, made.on_down)
    made.feed.start(made.on_gap, BEAT_S, TIMEOUT_S)
    await eventually(lambda: made.feed.live)
    yield made
    await made.feed.stop()
    await made.redis.aclose()


async def test_subscribe__once_confirmed__misses_nothing(listener: Listener) -> None:
    await listener.subscribe("conversation:a")
    for number in range(100):
        await listener.redis.publish("conversation:a", str(number))
    await eventually(lambda: len(listener.received) == 100)
    assert [int(data) for _, data in listener.received] == list(range(100))
    assert listener.gaps == 0


async def test_subscribe__twice__is_the_same_subscription(listener: Listener) -> None:
    assert listener.subscribe("conversation:b") is listener.subscribe("conversation:b")


async def test_unsubscribe__receives_no_more(listener: Listener) -> None:
    await listener.subscribe("conversation:c")
    listener.feed.unsubscribe("conversation:c")
    await listener.subscribe("conversation:d")
    await listener.redis.publish("conversation:c", "1")
    await listener.redis.publish("conversation:d", "2")
    await eventually(lambda: bool(listener.received))
    assert [channel for channel, _ in listener.received] == ["conversation:d"]


async def test_connection_lost__is_reported_and_subscribed_anew(listener: Listener) -> None:
    await listener.subscribe("conversation:e")
    await listener.redis.client_kill_filter(_type="pubsub")
    await eventually(lambda: listener.gaps == 1 and listener.feed.live)
    assert listener.downs == 1
    await listener.redis.publish("conversation:e", "after")
    await eventually(lambda: ("conversation:e", b"after") in listener.received)


async def test_connection_silent__is_noticed_by_the_missing_heartbeat(listener: Listener) -> None:
    listener.beating = False
    await eventually(lambda: not listener.feed.live)
    listener.beating = True
    await eventually(lambda: listener.gaps >= 1 and listener.feed.live)


async def test_subscribe__while_broken__is_confirmed_once_it_is_live_again(listener: Listener) -> None:
    await listener.redis.client_kill_filter(_type="pubsub")
    async with asyncio.timeout(10):
        await listener.subscribe("conversation:f")
    await listener.redis.publish("conversation:f", "x")
    await eventually(lambda: ("conversation:f", b"x") in listener.received)


async def test_unsubscribe__redis_sends_no_more_of_it(listener: Listener) -> None:
    await listener.subscribe("conversation:g")
    assert await _subscribers(listener.redis, "conversation:g", 1)
    listener.feed.unsubscribe("conversation:g")
    listener.feed.unsubscribe("conversation:never")
    await eventually(lambda: _subscribers(listener.redis, "conversation:g", 0))


async def test_unsubscribe__before_it_was_sent__is_never_subscribed(listener: Listener) -> None:
    await listener.feed.check()
    listener.subscribe("conversation:i")
    listener.feed.unsubscribe("conversation:i")
    await listener.subscribe("conversation:j")
    assert await _subscribers(listener.redis, "conversation:i", 0)


async def test_channels__are_counted_with_the_own_one(listener: Listener) -> None:
    assert REGISTRY.get_sample_value("gateway_channels") == 1
    await listener.subscribe("conversation:h")
    assert REGISTRY.get_sample_value("gateway_channels") == 2
    listener.feed.unsubscribe("conversation:h")
    assert REGISTRY.get_sample_value("gateway_channels") == 1


async def _subscribers(redis: Redis, channel: str, count: int) -> bool:
    return bool((await redis.pubsub_numsub(channel))[0][1] == count)

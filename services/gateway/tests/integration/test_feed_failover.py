"""The subscription while Redis is restarted, demoted or closed: never lost for good, never on the wrong server."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from pydantic import SecretStr
from synctalk_gateway.hub.feed import SUBSCRIBE_CHANNELS, Feed
from synctalk_runtime.redis_pipeline import RedisPipeline
from synctalk_testkit.eventually import eventually
from synctalk_testkit.own_redis import PASSWORD, OwnRedis, own_redis

BEAT_S, TIMEOUT_S = 0.05, 3
"""A busy machine is not taken for a lost connection: tests count how often one is lost."""
OWN = "heartbeat:test"


@dataclass
class Listener:
    """A feed that beats over another connection, as a gateway's does."""

    server: OwnRedis
    redis: RedisPipeline
    received: list[tuple[str, bytes]] = field(default_factory=list)
    gaps: int = 0
    downs: int = 0
    gaps_that_fail: int = 0
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = Feed(SecretStr(self.server.url), OWN, self.beat, self.on_down)

    def subscribe(self, channel: str) -> "asyncio.Future[None]":
        return self.feed.subscribe(channel, lambda data: self.received.append((channel, data)))

    async def on_gap(self) -> None:
        self.gaps += 1
        if self.gaps <= self.gaps_that_fail:
            raise ValueError

    def on_down(self) -> None:
        self.downs += 1

    async def beat(self) -> int:
        return int(await self.redis.call("PUBLISH", OWN, b"{}"))

    async def receives(self, channel: str) -> bool:
        await self.server.command("PUBLISH", channel, "now")
        return (channel, b"now") in self.received

    async def is_live(self) -> bool:
        return self.feed.live


@pytest_asyncio.fixture(loop_scope="session")
async def listener() -> AsyncIterator[Listener]:
    async with own_redis() as server:
        redis = RedisPipeline(SecretStr(server.url))
        made = Listener(server, redis)
        made.feed.start(made.on_gap, BEAT_S, TIMEOUT_S)
        await eventually(made.is_live)
        yield made
        await made.feed.stop()
        await redis.close()


async def test_restart__with_nothing_left__all_is_subscribed_anew_and_the_gap_is_handled(listener: Listener) -> None:
    channels = [f"conversation:{n}" for n in range(2 * SUBSCRIBE_CHANNELS + 1)]
    await asyncio.gather(*(listener.subscribe(channel) for channel in channels))
    listener.server.stop()
    await eventually(lambda: not listener.feed.live)
    listener.server.start()
    await listener.server.wait_until_ready()
    await eventually(lambda: listener.feed.live and listener.gaps == 1, 3)
    answer = await listener.server.command("PUBSUB", "NUMSUB", *channels)
    assert [int(number) for number in answer[1::2]] == [1] * len(channels)


async def test_demoted__is_left_and_taken_again_when_it_is_the_primary(listener: Listener) -> None:
    await listener.subscribe("conversation:a")
    await listener.server.command("REPLICAOF", "127.0.0.1", "1")

    async def is_left() -> bool:
        return not listener.feed.live and not await listener.server.command("PUBSUB", "CHANNELS")

    await eventually(is_left, TIMEOUT_S + 2)
    await listener.server.command("REPLICAOF", "NO", "ONE")
    await eventually(lambda: listener.receives("conversation:a"), 3)
    assert listener.gaps >= 1


async def test_password_changed__is_retried_until_it_fits(listener: Listener) -> None:
    await listener.subscribe("conversation:a")
    await listener.server.command("CONFIG", "SET", "requirepass", "another")
    for kind in ("normal", "pubsub"):
        await listener.server.command("CLIENT", "KILL", "TYPE", kind, password="another")
    await eventually(lambda: not listener.feed.live)
    await listener.server.command("CONFIG", "SET", "requirepass", PASSWORD, password="another")
    await eventually(lambda: listener.receives("conversation:a"), 3)


async def test_beat__reaches_nobody__the_server_is_left(listener: Listener) -> None:
    """What is published goes to another server: as after a failover in which the old one lives on."""
    async with own_redis() as other:
        moved = RedisPipeline(SecretStr(other.url))
        own, listener.redis = listener.redis, moved
        await eventually(lambda: not listener.feed.live)
        listener.redis = own
        await eventually(lambda: listener.feed.live and listener.gaps >= 1)
        await moved.close()


async def test_beat__fails__is_not_live_until_one_comes_back(listener: Listener) -> None:
    nowhere = RedisPipeline(SecretStr("redis://127.0.0.1:1"))
    own, listener.redis = listener.redis, nowhere
    await eventually(lambda: not listener.feed.live)
    listener.redis = own
    await eventually(listener.is_live)


async def test_error_frame__ends_the_connection_and_is_retried(listener: Listener) -> None:
    await listener.server.command("ACL", "SETUSER", "default", "-subscribe")
    asked = listener.subscribe("conversation:a")
    await eventually(lambda: not listener.feed.live)
    await listener.server.command("ACL", "SETUSER", "default", "+subscribe")
    async with asyncio.timeout(3):
        await asked
    await eventually(lambda: listener.receives("conversation:a"))


async def test_message_that_breaks_the_gateway__is_a_gap_and_not_the_end(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_once(*_: object) -> None:
        monkeypatch.undo()
        raise ValueError

    await listener.subscribe("conversation:a")
    monkeypatch.setattr(listener.feed, "receive", break_once)
    await listener.server.command("PUBLISH", "conversation:a", "broken")
    await eventually(lambda: listener.gaps == 1)
    await eventually(lambda: listener.receives("conversation:a"))


async def test_gap__handling_it_fails__is_tried_again(listener: Listener) -> None:
    listener.gaps_that_fail = 1
    await listener.server.command("CLIENT", "KILL", "TYPE", "pubsub")
    await eventually(lambda: listener.gaps == 2)


async def test_subscribe__left_and_taken_again__is_confirmed_by_the_last_one(listener: Listener) -> None:
    listener.subscribe("conversation:a")
    await asyncio.sleep(0)
    listener.feed.unsubscribe("conversation:a")
    await listener.subscribe("conversation:a")
    await listener.server.command("PUBLISH", "conversation:a", "first")
    await eventually(lambda: ("conversation:a", b"first") in listener.received)

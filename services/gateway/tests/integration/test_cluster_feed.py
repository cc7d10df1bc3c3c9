"""The subscriptions on a real cluster while slots move and primaries die: only what was carried there is a gap."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest_asyncio
from pydantic import SecretStr
from synctalk_contracts import topology
from synctalk_gateway.hub.cluster_feed import ClusterFeed
from synctalk_gateway.hub.feed import SUBSCRIBE_CHANNELS
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.redis_cluster import ClusterPipeline
from synctalk_runtime.slot_map import slot_of
from synctalk_testkit.eventually import eventually
from synctalk_testkit.redis_cluster import Node, RedisCluster, redis_cluster

BEAT_S, TIMEOUT_S = 0.2, 3
GATEWAY = "gateway-test"
CHANNELS = [topology.conversation_channel(str(n)) for n in range(200)]


@dataclass
class Listener:
    """A cluster's feed with what it received and missed, and a pipeline to publish with."""

    cluster: RedisCluster
    redis: ClusterPipeline
    received: list[tuple[str, bytes]] = field(default_factory=list)
    gaps: list[Sequence[str]] = field(default_factory=list)
    downs: int = 0
    feed: ClusterFeed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = ClusterFeed(SecretStr(self.cluster.url), GATEWAY, self.beat, self.on_down)
        self.subscribe(topology.replies_channel(GATEWAY))

    def subscribe(self, channel: str) -> "asyncio.Future[None]":
        return self.feed.subscribe(channel, lambda data: self.received.append((channel, data)))

    async def on_gap(self, channels: Sequence[str]) -> None:
        self.gaps.append(channels)

    def on_down(self) -> None:
        self.downs += 1

    async def beat(self, channel: str) -> int:
        return int(await self.redis.call("SPUBLISH", channel, b"{}"))

    async def receives(self, channel: str) -> bool:
        self.received.clear()
        try:
            if not await self.redis.call("SPUBLISH", channel, b"now"):
                return False
            await eventually(lambda: (channel, b"now") in self.received, 2)
        except (UnavailableError, AssertionError):
            return False
        return True

    async def all_receive(self, channels: Sequence[str]) -> bool:
        return all([await self.receives(channel) for channel in channels])

    def missed(self) -> set[str]:
        return {channel for gap in self.gaps for channel in gap}

    async def carried_by(self, node: Node, channels: Sequence[str]) -> set[str]:
        slots = await node.command("CLUSTER", "SLOTS")
        ranges = [(start, end) for start, end, (_, port, *_), *_ in slots if port == node.port]
        return {each for each in channels if any(start <= slot_of(each) <= end for start, end in ranges)}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster() -> AsyncIterator[RedisCluster]:
    async with redis_cluster() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def listener(cluster: RedisCluster) -> AsyncIterator[Listener]:
    await eventually(cluster.is_whole, 30)
    redis = ClusterPipeline(SecretStr(cluster.url))
    made = Listener(cluster, redis)
    made.feed.start(made.on_gap, BEAT_S, TIMEOUT_S)
    await eventually(lambda: made.feed.live)
    yield made
    await made.feed.stop()
    await redis.close()


async def test_subscribe__channels_of_every_primary__miss_nothing(listener: Listener) -> None:
    await asyncio.gather(*(listener.subscribe(channel) for channel in CHANNELS))
    await listener.redis.call_all([("SPUBLISH", channel, channel) for channel in CHANNELS])
    await eventually(lambda: len(listener.received) == len(CHANNELS))
    assert not listener.gaps
    listener.feed.unsubscribe(CHANNELS[0])
    await listener.subscribe(CHANNELS[0])
    assert await listener.receives(CHANNELS[0])


async def test_slot__moved_while_subscribed__is_received_from_its_new_owner_and_is_the_only_gap(
    listener: Listener,
) -> None:
    await asyncio.gather(*(listener.subscribe(channel) for channel in CHANNELS))
    moved = CHANNELS[7]
    old = await listener.cluster.owner_of(moved)
    new = next(node for node in await listener.cluster.primaries() if node is not old)
    await listener.cluster.move_slot(slot_of(moved), new)
    await eventually(lambda: listener.receives(moved))
    await eventually(lambda: listener.missed() == {each for each in CHANNELS if slot_of(each) == slot_of(moved)})
    assert await listener.all_receive(CHANNELS)
    assert listener.downs == 0


async def test_primary__killed__only_what_it_carried_is_a_gap_and_the_rest_goes_on(listener: Listener) -> None:
    channels = [topology.conversation_channel(f"many-{n}") for n in range(3 * SUBSCRIBE_CHANNELS)]
    await asyncio.gather(*(listener.subscribe(channel) for channel in channels))
    replies = topology.replies_channel(GATEWAY)
    home = await listener.cluster.owner_of(replies)
    lost = next(node for node in await listener.cluster.primaries() if node is not home)
    carried = await listener.carried_by(lost, channels)
    others = [channel for channel in channels if channel not in carried][:50]
    lost.kill()
    began = time.monotonic()
    try:
        assert await listener.all_receive(others)
        await eventually(lambda: listener.missed() >= carried, 10)
        # Who publishes has a map of its own, and may read it later than the feed.
        await eventually(lambda: listener.all_receive(sorted(carried)[:50]), 10)
        assert time.monotonic() - began < 8
        assert not listener.missed() & set(others)
        assert listener.feed.live
        assert listener.downs == 0
    finally:
        lost.start()


async def test_primary__of_the_replies_killed__is_down_until_another_has_taken_over(listener: Listener) -> None:
    replies = topology.replies_channel(GATEWAY)
    lost = await listener.cluster.owner_of(replies)
    lost.kill()
    try:
        await eventually(lambda: listener.downs >= 1 and not listener.feed.live)
        await eventually(lambda: listener.feed.live, 10)
        await eventually(lambda: listener.receives(replies))
    finally:
        lost.start()


async def test_connection__killed__its_channels_alone_are_subscribed_anew(listener: Listener) -> None:
    await asyncio.gather(*(listener.subscribe(channel) for channel in CHANNELS))
    node = await listener.cluster.owner_of(CHANNELS[0])
    await node.command("CLIENT", "KILL", "TYPE", "pubsub")
    await eventually(lambda: bool(listener.gaps))
    carried = await listener.carried_by(node, CHANNELS)
    assert listener.missed() - {topology.replies_channel(GATEWAY)} == carried
    assert await listener.all_receive(CHANNELS)

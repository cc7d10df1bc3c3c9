"""The subscriptions on a real cluster while slots move and primaries die: only what was carried there is a gap."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest_asyncio
from pydantic import SecretStr
from synctalk_contracts import topology
from synctalk_contracts.accounts import redis_user, user_name
from synctalk_gateway.hub.cluster_feed import ClusterFeed
from synctalk_gateway.hub.feed import SUBSCRIBE_CHANNELS
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.redis_cluster import ClusterPipeline
from synctalk_runtime.slot_map import slot_of
from synctalk_testkit.authority import Authority
from synctalk_testkit.eventually import eventually
from synctalk_testkit.redis_cluster import PASSWORD, Node, RedisCluster, SlotMove, redis_cluster

BEAT_S, TIMEOUT_S = 0.2, 3
GATEWAY = "gateway-test"
CHANNELS = [topology.conversation_channel(str(n)) for n in range(200)]


@dataclass
class Listener:
    """A cluster's feed with what it received and missed, and a pipeline to publish with."""

    cluster: RedisCluster
    redis: ClusterPipeline
    url: str
    ca_file: Path | None = None
    received: list[tuple[str, bytes]] = field(default_factory=list)
    gaps: list[Sequence[str]] = field(default_factory=list)
    downs: int = 0
    on_missed: Callable[[Sequence[str]], None] = lambda _: None
    feed: ClusterFeed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = ClusterFeed(SecretStr(self.url), GATEWAY, self.beat, self.on_down, self.ca_file)
        self.subscribe(topology.replies_channel(GATEWAY))

    def subscribe(self, channel: str) -> "asyncio.Future[None]":
        return self.feed.subscribe(channel, lambda data: self.received.append((channel, data)))

    async def on_gap(self, channels: Sequence[str]) -> None:
        self.gaps.append(channels)
        self.on_missed(channels)

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

    async def is_subscribed_to(self, channel: str, at: Node, times: int) -> bool:
        _, number = await at.command("PUBSUB", "SHARDNUMSUB", channel)
        return int(number) == times

    async def carried_by(self, node: Node, channels: Sequence[str]) -> set[str]:
        slots = await node.command("CLUSTER", "SLOTS")
        ranges = [(start, end) for start, end, (_, port, *_), *_ in slots if port == node.port]
        return {each for each in channels if any(start <= slot_of(each) <= end for start, end in ranges)}


class Load:
    """Numbers that are published on all of some channels, one after another, and what is known of each."""

    def __init__(self, listener: Listener, channels: Sequence[str]) -> None:
        self._listener = listener
        self._channels = channels
        self._published: list[tuple[str, int]] = []
        """Confirmed by Redis."""
        self._missed_before: dict[str, int] = {}
        """The number from which on nothing more may be lost, by channel."""
        self._next = 0

    def miss(self, channels: Sequence[str]) -> None:
        self._missed_before |= dict.fromkeys(channels, self._next)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        publishing = asyncio.create_task(self._publish())
        yield
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)

    async def goes_on(self) -> None:
        """Wait until twenty more numbers were received on every channel."""
        wanted = self._next + 20
        last = {channel: (channel, str(wanted).encode()) for channel in self._channels}
        await eventually(lambda: set(last.values()) <= set(self._listener.received))

    def prove(self) -> None:
        """Nothing came twice or out of order, and what was lost came before its channel was known to have a gap."""
        received = [(channel, int(data)) for channel, data in self._listener.received if data.isdigit()]
        for channel in self._channels:
            numbers = [number for name, number in received if name == channel]
            assert numbers == sorted(set(numbers)), channel
        lost = set(self._published) - set(received)
        assert all(number < self._missed_before.get(channel, 0) for channel, number in lost), lost

    async def _publish(self) -> None:
        while True:
            number, self._next = self._next, self._next + 1
            commands = [("SPUBLISH", channel, number) for channel in self._channels]
            outcomes = await self._listener.redis.call_all(commands)
            for channel, outcome in zip(self._channels, outcomes, strict=True):
                if not isinstance(outcome, UnavailableError):
                    self._published.append((channel, number))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster() -> AsyncIterator[RedisCluster]:
    async with redis_cluster() as made:
        yield made


@asynccontextmanager
async def listening(cluster: RedisCluster, url: str, ca_file: Path | None = None) -> AsyncIterator[Listener]:
    redis = ClusterPipeline(SecretStr(url), ca_file)
    made = Listener(cluster, redis, url, ca_file)
    made.feed.start(made.on_gap, BEAT_S, TIMEOUT_S)
    await eventually(lambda: made.feed.live)
    yield made
    await made.feed.stop()
    await redis.close()


@pytest_asyncio.fixture(loop_scope="session")
async def listener(cluster: RedisCluster) -> AsyncIterator[Listener]:
    await eventually(cluster.is_whole, 30)
    async with listening(cluster, cluster.url) as made:
        yield made


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


async def test_slots__moved_one_after_another_under_load__whatever_is_lost_is_in_a_later_gap(
    listener: Listener,
) -> None:
    channels = CHANNELS[:60]
    await asyncio.gather(*(listener.subscribe(channel) for channel in channels))
    load = Load(listener, channels)
    listener.on_missed = load.miss
    async with load.going_on():
        await load.goes_on()
        for channel in channels[:8]:
            old = await listener.cluster.owner_of(channel)
            new = next(node for node in await listener.cluster.primaries() if node is not old)
            await listener.cluster.move_slot(slot_of(channel), new)
        await eventually(lambda: listener.missed() >= set(channels[:8]))
        await load.goes_on()
    moved = {slot_of(channel) for channel in channels[:8]}
    assert {channel for channel in channels if slot_of(channel) in moved} >= listener.missed() & set(channels)
    load.prove()
    assert await listener.all_receive(channels)


async def test_slot__its_move_is_known_to_the_old_node_alone_for_a_while__is_received_in_the_end(
    listener: Listener,
) -> None:
    """Whom the feed asks for the map says what was before, and nothing changes when it says so again."""
    moved = [topology.replies_channel(GATEWAY), *CHANNELS[:6]]
    await asyncio.gather(*(listener.subscribe(channel) for channel in moved))
    moves: list[SlotMove] = []
    for channel in moved:
        old = await listener.cluster.owner_of(channel)
        new = next(node for node in await listener.cluster.primaries() if node is not old)
        moves.append(await listener.cluster.begin_move(slot_of(channel), new))
        reads = await map_reads(listener.cluster)
        await moves[-1].complete_at(old)
        await eventually(partial(is_read_again, listener.cluster, reads))
    for move in moves:
        await move.complete_at(move.target)
    for channel in moved:
        await eventually(partial(listener.receives, channel), message=f"{channel} is not received")
    await eventually(lambda: listener.missed() >= set(moved))
    await eventually(lambda: listener.feed.live)


async def map_reads(cluster: RedisCluster) -> int:
    """Return how often the nodes were asked who serves which slot."""
    stats = [await node.command("INFO", "commandstats") for node in cluster.nodes]
    return sum(each.get("cmdstat_cluster|slots", {}).get("calls", 0) for each in stats)


async def is_read_again(cluster: RedisCluster, reads: int) -> bool:
    return await map_reads(cluster) > reads


async def test_slot__is_nobodys_for_a_while__is_a_gap_and_received_again(listener: Listener) -> None:
    await asyncio.gather(*(listener.subscribe(channel) for channel in CHANNELS[:20]))
    lost = CHANNELS[9]
    owner = await listener.cluster.orphan_slot(slot_of(lost))
    await eventually(lambda: listener.is_subscribed_to(lost, at=owner, times=0))
    assert await listener.all_receive([channel for channel in CHANNELS[:20] if channel != lost])

    other = next(node for node in await listener.cluster.primaries() if node is not owner)
    await listener.cluster.adopt_slot(slot_of(lost), other)
    await eventually(lambda: listener.receives(lost))
    await eventually(lambda: listener.missed() == {lost})


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


async def test_managed__by_tls_and_name_and_the_gateways_own_account__follows_a_slot(tmp_path: Path) -> None:
    """As clusters are managed for others; the account may do what the contract says and nothing else."""
    authority = Authority(tmp_path)
    async with redis_cluster(authority=authority, host="localhost") as cluster:
        for node in cluster.nodes:
            await node.command("ACL", "SETUSER", *redis_user("gateway", ["own-secret"]).split()[1:])
        url = cluster.url.replace(f"://:{PASSWORD}", f"://{user_name('gateway')}:own-secret")
        async with listening(cluster, url, authority.ca_file) as listener:
            await asyncio.gather(*(listener.subscribe(channel) for channel in CHANNELS[:4]))
            old = await cluster.owner_of(CHANNELS[0])
            new = next(node for node in await cluster.primaries() if node is not old)
            await cluster.move_slot(slot_of(CHANNELS[0]), new)
            await eventually(lambda: listener.missed() == {CHANNELS[0]})
            for channel in CHANNELS[:4]:
                node = await cluster.owner_of(channel)
                await node.command("SPUBLISH", channel, "now")
            await eventually(lambda: {(channel, b"now") for channel in CHANNELS[:4]} <= set(listener.received))
            assert listener.downs == 0
            logs = [await node.command("ACL", "LOG") for node in cluster.nodes]
            assert logs == [[]] * len(cluster.nodes)

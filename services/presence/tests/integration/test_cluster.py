"""Leases and announcements on a real Redis Cluster: shard by shard, and published where their shard's keys are."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import pytest_asyncio
import redis.asyncio
from pydantic import SecretStr
from synctalk_contracts import topology
from synctalk_contracts.fanout import PresenceEvent
from synctalk_contracts.internal import Lease
from synctalk_contracts.models import Presence
from synctalk_presence.settings import Settings
from synctalk_presence.store.announcements import Announcements
from synctalk_presence.store.leases import Leases
from synctalk_presence.store.shards import due_key, leases_key
from synctalk_presence.user_presence import Appearance, UserPresence
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id
from synctalk_runtime.redis_cluster import ClusterPipeline
from synctalk_runtime.slot_map import slot_of
from synctalk_testkit.eventually import eventually
from synctalk_testkit.redis_cluster import PASSWORD, RedisCluster, redis_cluster

SETTINGS = cast(
    Settings,
    SimpleNamespace(redis_cluster=True, lease_ms=30_000, grace_ms=1_000, claim_ms=1_000, sweep_batch=100),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster() -> AsyncIterator[RedisCluster]:
    async with redis_cluster() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def client(cluster: RedisCluster) -> AsyncIterator[ClusterPipeline]:
    made = ClusterPipeline(SecretStr(cluster.url))
    yield made
    await made.close()


async def test_leases__of_users_of_every_shard__are_renewed_taken_and_settled(client: ClusterPipeline) -> None:
    leases = Leases(client, SETTINGS)
    users = [new_id() for _ in range(100)]
    leased = [Lease(user_id=user, connection_id=f"c-{user}", active=True) for user in users]
    assert set(await leases.report(leased, [])) == set(users)
    assert await leases.active(users) == set(users)
    assert await leases.take() == ([], False)
    statuses = await leases.settle(users)
    assert {status.user_id for status in statuses if status.live} == set(users)
    assert await leases.watch(users) == 0


async def test_leases__while_the_slot_of_their_shard_moves__are_renewed_sooner_or_later_and_none_is_lost(
    cluster: RedisCluster, client: ClusterPipeline
) -> None:
    """Scripts name keys that are still at the old node together with some that are not (TRYAGAIN)."""
    leases = Leases(client, SETTINGS)
    users = [user for user in (new_id() for _ in range(600)) if topology.presence_shard(user) == 3]
    leased = [Lease(user_id=user, connection_id=f"c-{user}", active=True) for user in users]
    await leases.report(leased[::2], [])
    owner = await cluster.owner_of(due_key(3))
    other = next(node for node in await cluster.primaries() if node is not owner)
    move = await cluster.begin_move(slot_of(due_key(3)), other)
    for user in users[::4]:
        await move.take(leases_key(user))

    with pytest.raises(UnavailableError):
        await leases.report(leased, [])
    renewing = asyncio.create_task(_report_until_it_is_taken(leases, leased))
    await move.complete()
    await renewing
    assert await leases.active(users) == set(users)
    statuses = await leases.settle(users)
    assert {status.user_id for status in statuses if status.live} == set(users)


async def _report_until_it_is_taken(leases: Leases, leased: list[Lease]) -> None:
    """As gateways do, which report all of their leases again and again."""

    async def is_taken() -> bool:
        try:
            await leases.report(leased, [])
        except UnavailableError:
            return False
        return True

    await eventually(is_taken)


async def test_announce__is_published_on_the_node_of_the_users_shard(
    cluster: RedisCluster, client: ClusterPipeline
) -> None:
    announcements = Announcements(client, SETTINGS)
    for user_id in (new_id() for _ in range(8)):
        channel = topology.presence_channel(user_id, in_cluster=True)
        shown = Presence(user_id=user_id, status="online", custom_status=None, last_seen_at=None)
        node = await cluster.owner_of(channel)
        async with redis.asyncio.Redis(port=node.port, password=PASSWORD) as at_node, at_node.pubsub() as subscription:
            await cast(Any, subscription).ssubscribe(channel)
            appearance = Appearance(UserPresence(user_id, connected=True, version=1), shown, shown)
            await announcements.announce([appearance], arrived=True)
            async with asyncio.timeout(5):
                message = None
                while message is None or message["type"] != "smessage":
                    message = await cast(Any, subscription).get_message(timeout=None)
            assert PresenceEvent.from_bytes(message["data"]).shown == shown

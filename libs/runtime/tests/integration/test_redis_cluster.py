"""Publishing, limits and redis-py on a real cluster of three primaries and three replicas, while it changes."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from pydantic import SecretStr
from synctalk_contracts.accounts import ACCESS, redis_user, user_name
from synctalk_runtime import fanout
from synctalk_runtime import redis as runtime_redis
from synctalk_runtime import redis_cluster as runtime_cluster
from synctalk_runtime.errors import RateLimitedError, UnavailableError
from synctalk_runtime.limits import Limit, Limiter
from synctalk_runtime.redis_cluster import MAX_REDIRECTS, ClusterPipeline
from synctalk_runtime.redis_connection import RedisRefusedError
from synctalk_runtime.redis_pipeline import PipelineScript
from synctalk_runtime.slot_map import slot_of
from synctalk_testkit.authority import Authority
from synctalk_testkit.eventually import eventually
from synctalk_testkit.redis_cluster import Node, RedisCluster, SlotMove, redis_cluster

KEYS = [f"key:{n}" for n in range(300)]
"""Of many slots, on every primary."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared() -> AsyncIterator[RedisCluster]:
    async with redis_cluster() as cluster:
        yield cluster


@pytest_asyncio.fixture(loop_scope="session")
async def cluster(shared: RedisCluster) -> RedisCluster:
    """The cluster, whole again after what another test did to it."""
    await eventually(shared.is_whole, 30)
    return shared


@pytest_asyncio.fixture(loop_scope="session")
async def pipeline(cluster: RedisCluster) -> AsyncIterator[ClusterPipeline]:
    made = ClusterPipeline(SecretStr(cluster.url))
    yield made
    await made.close()


async def test_call_all__keys_of_every_slot__are_answered_in_order(pipeline: ClusterPipeline) -> None:
    await pipeline.call_all([("SET", key, key) for key in KEYS])
    assert await pipeline.call_all([("GET", key) for key in KEYS]) == [key.encode() for key in KEYS]
    assert len({pipeline.server_of(key) for key in KEYS}) == 3
    assert await pipeline.call("PING") == b"PONG"


async def test_call__without_a_node_that_answers__is_unavailable() -> None:
    nowhere = ClusterPipeline(SecretStr("redis://127.0.0.1:1,redis://127.0.0.1:2"))
    with pytest.raises(UnavailableError):
        await nowhere.call("GET", "a")
    await nowhere.close()


async def test_slot_moved__is_followed_at_once(cluster: RedisCluster, pipeline: ClusterPipeline) -> None:
    key = "moved:1"
    await pipeline.call("SET", key, "before")
    old = await cluster.owner_of(key)
    new = await other_than(old, cluster)
    await cluster.move_slot(slot_of(key), new)
    assert await pipeline.call("GET", key) == b"before"
    await eventually(lambda: pipeline.server_of(key).endswith(str(new.port)))


async def other_than(owner: Node, cluster: RedisCluster) -> Node:
    return next(node for node in await cluster.primaries() if node is not owner)


async def moving(cluster: RedisCluster, key: str) -> SlotMove:
    """Have the slot of the key on its way to another primary."""
    owner = await cluster.owner_of(key)
    return await cluster.begin_move(slot_of(key), await other_than(owner, cluster))


def refused(code: str) -> float:
    """Return how often a node has refused with this."""
    return REGISTRY.get_sample_value("redis_refused_total", {"code": code}) or 0.0


async def test_slot_on_its_way__each_key_is_asked_for_where_it_is(
    cluster: RedisCluster, pipeline: ClusterPipeline
) -> None:
    """One that is not at the old node any more, or not yet anywhere, at the new one (ASK)."""
    here, there, new = (f"{{moving}}:{name}" for name in ("here", "there", "new"))
    await pipeline.call_all([("SET", key, key) for key in (here, there)])
    move = await moving(cluster, here)
    await move.take(there)
    asks = refused("ASK")

    assert await pipeline.call("SET", new, new) == b"OK"
    assert await pipeline.call_all([("GET", key) for key in (here, there, new)]) == [
        key.encode() for key in (here, there, new)
    ]
    assert refused("ASK") == asks + 3
    assert pipeline.server_of(here).endswith(f":{move.source.port}"), "the slot is not the new node's yet"
    assert await move.source.command("GET", here) == here.encode()

    await move.complete()
    assert await pipeline.call_all([("GET", key) for key in (here, there, new)]) == [
        key.encode() for key in (here, there, new)
    ]
    await eventually(lambda: pipeline.server_of(here).endswith(f":{move.target.port}"))


@pytest.fixture
def counting(pipeline: ClusterPipeline, tmp_path: Path) -> PipelineScript:
    """A script that counts all of its keys up, which no node knows yet."""
    (tmp_path / "count.lua").write_text(
        f"-- {tmp_path.name}\nlocal n = {{}} for i, key in ipairs(KEYS) do n[i] = redis.call('incr', key) end return n"
    )
    return PipelineScript(pipeline, tmp_path / "count.lua")


async def test_script__key_is_moved__runs_once_at_the_new_node_which_has_not_seen_it(
    cluster: RedisCluster, counting: PipelineScript
) -> None:
    key = "moving:script"
    assert await counting([key], []) == [1]
    move = await moving(cluster, key)
    await move.take(key)
    asks = refused("ASK")

    assert await counting([key], []) == [2]
    assert refused("ASK") == asks + 2, "for its digest, and for its text"
    await move.complete()
    assert await counting([key], []) == [3]


async def test_script__keys_are_in_both_places__is_tried_again_until_they_are_in_one(
    cluster: RedisCluster, counting: PipelineScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = ["{apart}:1", "{apart}:2"]
    assert await counting(keys, []) == [1, 1]
    move = await moving(cluster, keys[0])
    await move.take(keys[0])
    refusals = refused("TRYAGAIN")

    with pytest.raises(RedisRefusedError):
        await counting(keys, [])
    assert refused("TRYAGAIN") == refusals + 1 + MAX_REDIRECTS, "not for ever"

    monkeypatch.setattr(runtime_cluster, "TRY_AGAIN_S", 1.0)
    refusals = refused("TRYAGAIN")
    asked = asyncio.create_task(counting(keys, []))
    await eventually(lambda: refused("TRYAGAIN") > refusals)
    await move.take(keys[1])
    assert await asked == [2, 2]
    await move.complete()
    assert await counting(keys, []) == [3, 3]


async def test_slot__is_nobodys__is_unavailable_alone_and_served_once_it_is_somebodys(
    cluster: RedisCluster, pipeline: ClusterPipeline
) -> None:
    await pipeline.call_all([("SET", key, "1") for key in KEYS])
    lost = KEYS[0]
    owner = await cluster.orphan_slot(slot_of(lost))
    refusals = refused("CLUSTERDOWN")

    outcomes = dict(zip(KEYS, await pipeline.call_all([("GET", key) for key in KEYS]), strict=True))
    assert {key for key, outcome in outcomes.items() if outcome != b"1"} == {lost}
    assert isinstance(outcomes[lost], UnavailableError)
    assert refused("CLUSTERDOWN") == refusals + 1

    await cluster.adopt_slot(slot_of(lost), await other_than(owner, cluster))
    await eventually(lambda: is_answered(pipeline, [lost]))


async def test_majority_of_primaries__killed__is_unavailable_and_served_once_they_are_back(
    cluster: RedisCluster, pipeline: ClusterPipeline
) -> None:
    """Nobody is there to say that a replica may take over: what is left refuses, too."""
    await pipeline.call_all([("SET", key, "1") for key in KEYS])
    left, *lost = await cluster.primaries()
    of_left = [key for key in KEYS if pipeline.server_of(key).endswith(f":{left.port}")]
    for node in lost:
        node.kill()
    try:
        refusals = refused("CLUSTERDOWN")

        async def all_are_refused() -> bool:
            outcomes = await pipeline.call_all([("GET", key) for key in KEYS])
            return all(isinstance(outcome, UnavailableError) for outcome in outcomes)

        await eventually(all_are_refused, 15)
        assert refused("CLUSTERDOWN") >= refusals + len(of_left)
    finally:
        for node in lost:
            node.start()
    await eventually(lambda: is_answered(pipeline, KEYS), 20)


async def is_answered(pipeline: ClusterPipeline, keys: list[str]) -> bool:
    outcomes = await pipeline.call_all([("EXISTS", key) for key in keys])
    return not any(isinstance(outcome, UnavailableError) for outcome in outcomes)


async def test_limits__each_bucket_in_its_own_slot__are_kept(pipeline: ClusterPipeline) -> None:
    limiter = Limiter(pipeline)
    limit = Limit("test", 0.01, 1)
    subjects = [f"user-{n}" for n in range(50)]
    assert await limiter.ask([(limit, subject) for subject in subjects]) == [0] * 50
    assert all(await limiter.ask([(limit, subject) for subject in subjects]))
    await limiter.take_all([(limit, "new-1"), (limit, "new-2")])
    with pytest.raises(RateLimitedError):
        await limiter.take_all([(limit, "new-3"), (limit, "user-1"), (limit, "new-4")])
    assert await limiter.ask([(limit, "new-3"), (limit, "new-4")]) != [0, 0]
    assert (await limiter.ask([(limit, "new-4")]))[0] > 0, "it was taken by the question before, not by the refused try"


async def test_redis_py__moved_and_killed__finds_the_way(cluster: RedisCluster) -> None:
    client: Any = runtime_redis.connect_cluster(SecretStr(cluster.url))
    try:
        await runtime_redis.check(client)
        await client.set("auth:known:a", "1", ex=60)
        (await cluster.owner_of("auth:known:a")).kill()

        async def answers() -> bool:
            try:
                with runtime_redis.answering():
                    return bool(await client.set("auth:known:a", "1", ex=60))
            except UnavailableError:
                return False

        await eventually(answers, 10)
    finally:
        await client.aclose()
        await _restart(cluster)


async def test_primary_killed__others_go_on_and_its_slots_come_back(
    cluster: RedisCluster, pipeline: ClusterPipeline
) -> None:
    await pipeline.call_all([("SET", key, "1") for key in KEYS])
    lost = await cluster.owner_of(KEYS[0])
    of_lost = {key for key in KEYS if pipeline.server_of(key).endswith(f":{lost.port}")}
    lost.kill()
    began = time.monotonic()
    outcomes = dict(zip(KEYS, await pipeline.call_all([("GET", key) for key in KEYS]), strict=True))
    assert {key for key, outcome in outcomes.items() if isinstance(outcome, UnavailableError)} == of_lost

    async def all_are_published() -> bool:
        try:
            await fanout.publish(pipeline, [(key, b"x") for key in KEYS])
        except fanout.NotPublishedError as error:
            assert {channel for channel, _ in error.messages} <= of_lost
            return False
        return True

    await eventually(all_are_published, 10)
    assert time.monotonic() - began < 8
    await _restart(cluster)


async def test_tls__private_authority_and_host_name__are_verified_on_every_node(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path / "ours"), Authority(tmp_path / "other")
    async with redis_cluster(authority=authority) as cluster:
        for node in cluster.nodes:
            await node.command("ACL", "SETUSER", "app", "on", ">app-secret", "~*", "&*", "+@all")
            await node.command("ACL", "SETUSER", *redis_user("auth", ["app-secret"]).split()[1:])
        url = SecretStr(cluster.url.replace("://:violet-anvil", "://app:app-secret"))
        trusting = ClusterPipeline(url, authority.ca_file)
        await trusting.call_all([("SET", key, "1") for key in KEYS])
        assert await trusting.call_all([("GET", key) for key in KEYS]) == [b"1"] * len(KEYS)
        assert {trusting.server_of(key).partition(":")[0] for key in KEYS} == {"127.0.0.1"}
        of_auth = SecretStr(cluster.url.replace("://:violet-anvil", f"://{user_name('auth')}:app-secret"))
        client: Any = runtime_redis.connect_cluster(of_auth, authority.ca_file)
        await client.set("auth:known:a", "1", ex=60)
        assert await client.get("auth:known:a") == b"1"
        await client.aclose()
        for wrong in (ClusterPipeline(url, other.ca_file), ClusterPipeline(url, None)):
            with pytest.raises(UnavailableError):
                await wrong.call("GET", KEYS[0])
            await wrong.close()
        other_name = url.get_secret_value().replace("127.0.0.1", "localhost")
        wrong_name = ClusterPipeline(SecretStr(other_name), authority.ca_file)
        with pytest.raises(UnavailableError):
            await wrong_name.call("GET", KEYS[0])
        await asyncio.gather(wrong_name.close(), trusting.close())


LIMITS = {
    "auth": "login_address",
    "api": "api_read",
    "gateway": "signal",
    "presence": "presence_set",
    "notifier": "devices",
}


@dataclass(frozen=True)
class Managed:
    """A cluster as it is managed for others: TLS, nodes known by a name, a user for each service with its rights."""

    cluster: RedisCluster
    ca_file: Path

    def url(self, service: str) -> SecretStr:
        return SecretStr(self.cluster.url.replace("://:violet-anvil", f"://{user_name(service)}:app-secret"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def managed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Managed]:
    authority = Authority(tmp_path_factory.mktemp("managed"))
    async with redis_cluster(authority=authority, host="localhost") as cluster:
        for service in ACCESS:
            for node in cluster.nodes:
                await node.command("ACL", "SETUSER", *redis_user(service, ["app-secret"]).split()[1:])
        yield Managed(cluster, authority.ca_file)


@pytest.mark.parametrize("service", ACCESS)
async def test_managed__account_of_each_service__has_its_own_limits_and_channels_on_every_node(
    managed: Managed, service: str
) -> None:
    pipeline = ClusterPipeline(managed.url(service), managed.ca_file)
    channels = [f"{kind.value}:{n}" for kind in ACCESS[service].publishes_on for n in range(30)]
    assert await pipeline.call_all([("SPUBLISH", channel, "x") for channel in channels]) == [0] * len(channels)
    limiter = Limiter(pipeline)
    counted = [name for name in LIMITS.values() if await _counts(limiter, name)]
    await pipeline.close()

    assert counted == [LIMITS[service]]


async def test_managed__slot_moved__is_followed_by_the_nodes_name_which_is_in_its_certificate(
    managed: Managed,
) -> None:
    pipeline = ClusterPipeline(managed.url("auth"), managed.ca_file)
    key = "auth:known:a"
    await pipeline.call("SET", key, "1")
    target = await other_than(await managed.cluster.owner_of(key), managed.cluster)
    await managed.cluster.move_slot(slot_of(key), target)

    assert await pipeline.call("GET", key) == b"1"
    await eventually(lambda: pipeline.server_of(key) == f"localhost:{target.port}")
    await pipeline.close()


async def test_nodes__that_do_not_say_where_they_are__are_where_the_cluster_is(cluster: RedisCluster) -> None:
    """As behind one address with a port for each node."""
    for node in cluster.nodes:
        await node.command("CONFIG", "SET", "cluster-preferred-endpoint-type", "unknown-endpoint")
    pipeline = ClusterPipeline(SecretStr(cluster.url))
    try:
        assert await pipeline.call_all([("SET", key, key) for key in KEYS]) == [b"OK"] * len(KEYS)
        target = await other_than(await cluster.owner_of(KEYS[0]), cluster)
        await cluster.move_slot(slot_of(KEYS[0]), target)
        assert await pipeline.call("GET", KEYS[0]) == KEYS[0].encode()
        await eventually(lambda: pipeline.server_of(KEYS[0]) == f"127.0.0.1:{target.port}")
    finally:
        await pipeline.close()
        for node in cluster.nodes:
            await node.command("CONFIG", "SET", "cluster-preferred-endpoint-type", "ip")


async def _counts(limiter: Limiter, name: str) -> bool:
    """Return whether buckets in many slots refuse a second token: those that cannot be asked let everything through."""
    buckets = [(Limit(name, 0.001, 1), str(n)) for n in range(10)]
    await limiter.ask(buckets)
    return all(wait_s > 0 for wait_s in await limiter.ask(buckets))


async def _restart(cluster: RedisCluster) -> None:
    for node in cluster.nodes:
        if not await node.is_up():
            node.start()

"""The whole system on a Redis Cluster of three primaries and three replicas, and on a pair behind one address.

A primary is killed or frozen while users talk: not among the tests of `make test` (`make test-clusters`).
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from synctalk_contracts import topology
from synctalk_systemtest.stack import RunningStack, running_stack
from synctalk_testkit.clients import users_at
from synctalk_testkit.eventually import eventually
from synctalk_testkit.own_redis import PASSWORD, own_redis
from synctalk_testkit.redis_cluster import Node, RedisCluster, redis_cluster
from synctalk_testkit.relay import relay_to
from synctalk_testkit.talk import Talk, talk_among

TALKS = 12
RECOVERED_WITHIN_S = 8.0


@asynccontextmanager
async def system_on(redis_url: str, *, cluster: bool) -> AsyncIterator[RunningStack]:
    """The system with this Redis, for messages and for limits."""
    settings = {
        "SYNCTALK_REDIS_URL": redis_url,
        "SYNCTALK_LIMITS_REDIS_URL": redis_url,
        "SYNCTALK_REDIS_CLUSTER": str(cluster).lower(),
    }
    stack = running_stack(settings)
    running = await asyncio.to_thread(stack.__enter__)
    try:
        yield running
    finally:
        await asyncio.to_thread(stack.__exit__, None, None, None)


@asynccontextmanager
async def talks(stack: RunningStack) -> AsyncIterator[list[Talk]]:
    async with users_at(stack.url) as users, AsyncExitStack() as ending:
        yield [await ending.enter_async_context(talk_among(users, 2)) for _ in range(TALKS)]


async def go_on(everybody: list[Talk]) -> None:
    await asyncio.gather(*(talk.go_on() for talk in everybody))


def acked_live(talk: Talk) -> set[str]:
    """The acked messages that every other socket of the talk has received as an event."""
    received = [{event["id"] for event in follower.of("message:new")} for follower in talk.followers]
    return {m["id"] for m in talk.acked if sum(m["id"] in ids for ids in received) >= len(received) - 1}


async def delivers(talk: Talk, messages: int = 4, within_s: float = 20) -> float:
    """Return how long it takes until so many messages that are acked from now on have come live."""
    began, before = time.monotonic(), {message["id"] for message in talk.acked}
    await eventually(lambda: len(acked_live(talk) - before) >= messages, within_s)
    return time.monotonic() - began


async def replaced(cluster: RedisCluster, lost: Node) -> float:
    """Return how long the cluster itself takes to have another primary."""
    began, port = time.monotonic(), lost.port
    witness = next(node for node in await cluster.primaries(but=lost))

    async def is_replaced() -> bool:
        return all(owner[1] != port for _, _, owner, *_ in await witness.command("CLUSTER", "SLOTS"))

    await eventually(is_replaced, 20)
    return time.monotonic() - began


async def carried_by(node: Node, cluster: RedisCluster, everybody: list[Talk]) -> list[Talk]:
    return [
        talk
        for talk in everybody
        if await cluster.owner_of(topology.conversation_channel(talk.conversation_id)) is node
    ]


@pytest.mark.timeout(300)
async def test_primary__killed_or_frozen_under_load__is_replaced_and_only_its_rooms_sync() -> None:
    async with redis_cluster() as cluster, system_on(cluster.url, cluster=True) as stack, talks(stack) as everybody:
        await go_on(everybody)
        for what in ("killed", "frozen"):
            shares = [(node, await carried_by(node, cluster, everybody)) for node in await cluster.primaries()]
            lost, carried = max(shares, key=lambda share: len(share[1]))
            others = [talk for talk in everybody if talk not in carried]
            assert carried
            assert others
            synced = {id(follower): len(follower.of("sync:required")) for t in everybody for follower in t.followers}
            if what == "killed":
                lost.kill()
            else:
                lost.freeze()
            by_itself, *took = await asyncio.gather(
                replaced(cluster, lost), *(delivers(talk) for talk in [*carried, *others])
            )
            of_carried, of_others = took[: len(carried)], took[len(carried) :]
            sys.stdout.write(
                f"primary {what}: the cluster replaces it after {by_itself:.1f} s, its {len(carried)} rooms deliver 4 "
                f"messages after {max(of_carried):.1f} s, the {len(others)} others after {max(of_others):.1f} s\n"
            )
            assert max(took) < RECOVERED_WITHIN_S
            if what == "killed":
                lost.start()
            else:
                lost.thaw()
            await eventually(cluster.is_whole, 30)
            await go_on(everybody)
            asked = {talk.conversation_id for talk in everybody if _were_asked(talk, synced)}
            sys.stdout.write(f"asked to sync: {len(asked)} rooms\n")
            assert asked == {talk.conversation_id for talk in carried}
            assert all(follower.disconnects == [] for talk in everybody for follower in talk.followers)
        await asyncio.gather(*(talk.prove() for talk in everybody))


def _were_asked(talk: Talk, before: dict[int, int]) -> bool:
    return any(len(follower.of("sync:required")) > before[id(follower)] for follower in talk.followers)


@pytest.mark.timeout(300)
async def test_address__fails_over_to_a_replica__is_followed_and_the_old_primary_is_left() -> None:
    """As a managed primary with replicas does it: the address leads to another server, the old one is a replica now."""
    async with own_redis() as first, own_redis() as second, relay_to(first.url) as relay:
        await second.command("CONFIG", "SET", "masterauth", PASSWORD)
        await first.command("CONFIG", "SET", "masterauth", PASSWORD)
        await second.command("REPLICAOF", "127.0.0.1", first.port)
        async with system_on(relay.url, cluster=False) as stack, talks(stack) as everybody:
            servers = [first, second]
            for kill in (False, True):
                old, new = servers
                if kill:
                    old.stop()
                await new.command("REPLICAOF", "NO", "ONE")
                if not kill:  # connections stay open for a moment, on what is a replica now
                    await old.command("REPLICAOF", "127.0.0.1", new.port)
                relay.lead_to(new.url)
                took = await asyncio.gather(*(delivers(talk) for talk in everybody))
                what = "killed" if kill else "demoted"
                sys.stdout.write(f"primary behind one address {what}: all rooms deliver after {max(took):.1f} s\n")
                assert max(took) < RECOVERED_WITHIN_S
                servers.reverse()
                await go_on(everybody)
            await asyncio.gather(*(talk.prove() for talk in everybody))

"""The whole system on a RabbitMQ cluster of three nodes, each of which is killed and brought back while users talk.

Not among the tests of `make test` (`make test-clusters`).
"""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from synctalk_contracts import topology
from synctalk_systemtest.stack import running_stack
from synctalk_testkit.clients import users_at
from synctalk_testkit.eventually import eventually
from synctalk_testkit.rabbitmq_cluster import NAMES, RabbitMQCluster, rabbitmq_cluster
from synctalk_testkit.talk import Talk, talk_among

TALKS = 8
SENDS_AGAIN_WITHIN_S = 15.0


async def acks_again(talk: Talk) -> float:
    """Return how long it takes until a message is acked that was not before."""
    began, before = time.monotonic(), len(talk.acked)
    await eventually(lambda: len(talk.acked) > before, 60)
    return time.monotonic() - began


async def consumed(cluster: RabbitMQCluster) -> None:
    """Wait until every event has been taken from the queues that services share."""
    queues = {queue.name for queue in topology.DURABLE_QUEUES}

    async def all_empty() -> bool:
        waiting = await cluster.waiting()
        return queues <= waiting.keys() and not any(waiting[name] for name in queues)

    await eventually(all_empty, 60, message="events are left in a queue")


@pytest.mark.timeout(600)
async def test_node__each_killed_in_turn_under_load__sends_go_on_and_nothing_is_lost(tmp_path: Path) -> None:
    with rabbitmq_cluster(tmp_path) as cluster, running_stack({"SYNCTALK_RABBITMQ_URL": cluster.url}) as stack:
        async with users_at(stack.url) as users, AsyncExitStack() as ending:
            everybody = [await ending.enter_async_context(talk_among(users, 2)) for _ in range(TALKS)]
            await cluster.whole()
            for name in NAMES:
                leaders, clients = (await cluster.leaders())[name], (await cluster.connections())[name]
                await asyncio.to_thread(cluster.kill, name)
                took = await asyncio.gather(*(acks_again(talk) for talk in everybody))
                sys.stdout.write(
                    f"{name} killed, leader of {leaders} queues, {clients} connections: every room sends again after "
                    f"{max(took):.1f} s\n"
                )
                assert max(took) < SENDS_AGAIN_WITHIN_S
                await asyncio.gather(*(talk.go_on() for talk in everybody))
                await asyncio.to_thread(cluster.start, name)
                await cluster.whole()
                await asyncio.gather(*(talk.go_on() for talk in everybody))
            assert all(follower.disconnects == [] for talk in everybody for follower in talk.followers)
            await asyncio.gather(*(talk.prove() for talk in everybody))
            await consumed(cluster)

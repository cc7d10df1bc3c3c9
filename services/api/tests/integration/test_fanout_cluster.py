"""The fan-out on a Redis Cluster: one primary that does not answer delays nothing that goes to the others."""

import asyncio
import time

from pydantic import SecretStr
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_contracts import topology
from synctalk_contracts.sockets import MessageNewToClient
from synctalk_runtime.ids import new_id
from synctalk_runtime.redis_cluster import ClusterPipeline
from synctalk_testkit.eventually import eventually
from synctalk_testkit.redis_cluster import redis_cluster

WAIT_S = 0.9


async def test_fanout__one_primary_frozen__the_others_are_published_at_once_and_its_own_later() -> None:
    async with redis_cluster() as cluster:
        redis = ClusterPipeline(SecretStr(cluster.url))
        fanout = Fanout(redis, 1_000, 10**7, WAIT_S)
        await fanout.start()
        rooms = [new_id() for _ in range(30)]
        await asyncio.gather(*(fanout.publish_and_wait(event_in(room)) for room in rooms))
        lost = await cluster.owner_of(topology.conversation_channel(rooms[0]))
        is_lost = [redis.server_of(topology.conversation_channel(r)).endswith(f":{lost.port}") for r in rooms]

        lost.freeze()
        took = await asyncio.gather(*(_time(fanout, room) for room in rooms))
        assert max(s for s, away in zip(took, is_lost, strict=True) if not away) < WAIT_S / 2
        assert min(s for s, away in zip(took, is_lost, strict=True) if away) >= WAIT_S - 0.05
        await eventually(lambda: _is_at_once(fanout, rooms[0]), 15)

        await fanout.stop()
        await redis.close()


def event_in(room: str) -> Broadcast:
    broadcast = Broadcast()
    broadcast.to_room(room, MessageNewToClient, new_id(), {}, change_seq=1)
    return broadcast


async def _time(fanout: Fanout, room: str) -> float:
    began = time.monotonic()
    await fanout.publish_and_wait(event_in(room))
    return time.monotonic() - began


async def _is_at_once(fanout: Fanout, room: str) -> bool:
    return await _time(fanout, room) < WAIT_S / 2

"""Which node of a Redis Cluster serves which slot: read from any of its nodes, and again whenever it proves wrong."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from redis.crc import key_slot

from synctalk_runtime.background import Tasks
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.redis_connection import RedisAddress, open_connection

log = structlog.get_logger()

SLOTS = 16_384
READ_TIMEOUT_S = 0.5
"""For one node: the next one may know."""
MIN_INTERVAL_S = 0.2
"""Between two reads: a failover takes longer, and every process asks."""


def slot_of(key: str) -> int:
    """Return the slot of a key or channel: of what is in its first braces, if there is something."""
    return key_slot(key.encode())


class SlotMap:
    """The owners of all slots. `on_change` is called after each read that found another map than was known."""

    def __init__(self, seeds: Sequence[RedisAddress], on_change: Callable[[], None] | None = None) -> None:
        self._seeds = seeds
        self._nodes: list[RedisAddress] = []
        self._owners: list[RedisAddress | None] = [None] * SLOTS
        self._on_change = on_change
        self._reading: asyncio.Task[None] | None = None
        self._read_at = float("-inf")
        self._is_noted = False
        """Changed since the last read, by a reply."""
        self._tasks = Tasks()

    @property
    def is_known(self) -> bool:
        return bool(self._nodes)

    @property
    def primaries(self) -> set[RedisAddress]:
        return {owner for owner in self._owners if owner is not None}

    def owner(self, slot: int) -> RedisAddress | None:
        """Return the primary of the slot; None while nobody is known to serve it."""
        return self._owners[slot]

    def note_moved(self, reply: str, asked: RedisAddress) -> RedisAddress | None:
        """Follow a `MOVED` or `ASK` reply: return whom it names. A moved slot is that node's from now on."""
        code, slot, target = reply.split(" ")[:3]
        host, _, port = target.rpartition(":")
        node = asked.at(host or asked.host, int(port))
        if code == "MOVED":
            self._owners[int(slot)] = node
            self._is_noted = True
            self.read_soon()
        return node

    def read_soon(self) -> "asyncio.Task[None]":
        """Read the map anew, not more often than so often; return the read, which never fails."""
        if self._reading is None or self._reading.done():
            self._reading = self._tasks.spawn("slot-map", self._read())
        return self._reading

    async def read(self) -> None:
        """Return once the map was read or could not be."""
        await asyncio.wait([self.read_soon()])

    async def close(self) -> None:
        await self._tasks.stop()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._read_at + MIN_INTERVAL_S - loop.time()))
        self._read_at = loop.time()
        known = random.sample(self._nodes, len(self._nodes))
        for node in dict.fromkeys([*known, *self._seeds]):
            try:
                async with asyncio.timeout(READ_TIMEOUT_S):
                    owners, nodes = await _ask(node)
            except (UnavailableError, TimeoutError):
                continue
            if not nodes:
                continue  # a node that is in no cluster, or has forgotten it
            changed = self._is_noted or owners != self._owners
            self._is_noted = False
            self._owners, self._nodes = owners, nodes
            if changed:
                log.info("redis.slots", primaries=len(self.primaries), unserved=owners.count(None))
                if self._on_change is not None:
                    self._on_change()
            return
        log.warning("redis.slots_not_read")


async def _ask(node: RedisAddress) -> tuple[list[RedisAddress | None], list[RedisAddress]]:
    connection = await open_connection(node, primary=False)
    try:
        return _parse(await connection.ask("CLUSTER", "SLOTS"), node)
    finally:
        connection.drop()


def _parse(reply: Any, asked: RedisAddress) -> tuple[list[RedisAddress | None], list[RedisAddress]]:
    """Return the owner of each slot, and all nodes; one without an endpoint is where it was asked."""
    owners: list[RedisAddress | None] = [None] * SLOTS
    nodes: dict[RedisAddress, None] = {}
    for start, end, *servers in reply:
        addresses = [asked.at(_host(server[0]) or asked.host, server[1]) for server in servers if server[0] != b"?"]
        nodes |= dict.fromkeys(addresses)
        if addresses and servers[0][0] != b"?":
            owners[start : end + 1] = [addresses[0]] * (end + 1 - start)
    return owners, list(nodes)


def _host(endpoint: bytes | None) -> str:
    return (endpoint or b"").decode()

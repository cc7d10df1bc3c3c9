"""Which partitions of the conversations this process owns: the api processes share them, in the database.

Each process says every second that it is there. When one has come, leaves or has not been seen for the lease, whoever
notices it first writes a new map, in which as few partitions as possible change their owner, and publishes it to the
gateways. A gateway that goes by an older map does no harm: the rows of a conversation are locked and numbered in the
database, whoever writes them, and a command is refused after its deadline.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

import structlog
from prometheus_client import Counter, Gauge
from synctalk_contracts import topology
from synctalk_contracts.internal import PartitionMap, PartitionOwner
from synctalk_runtime.background import Backoff, Loop
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.postgres import Connection
from synctalk_runtime.redis_pipeline import RedisPipeline

from synctalk_api.rules import share_partitions
from synctalk_api.store import partitions
from synctalk_api.store.partitions import Ownership
from synctalk_api.store.stores import Stores

log = structlog.get_logger()

OWNED = Gauge("api_partitions_owned", "Partitions whose commands this process takes.")
MOVED = Counter("api_partitions_moved_total", "Partitions that got another owner in a map that this process wrote.")

INTERVAL_S = 1.0
LEASE_S = 3.0
"""Who has not been seen for so long has lost its partitions: with the interval, less than 5 s after its last sign."""
LATE_S = 2.0
"""Who was so late itself takes nothing from others for a lease: the database may have been away from all of them."""
LEAVE_S = 1.0
"""Between the last map and the end: what gateways have sent meanwhile is still taken."""
LEAVE_TIMEOUT_S = 3.0


class TakesCommands(Protocol):
    @property
    def owner(self) -> str | None:
        """In whose name commands are taken now."""

    def add_listener(self, on_receiving: Callable[[], None]) -> None: ...


class Partitions:
    """The part of this process, which owns some while it takes commands.

    It is another owner each time that it has connected to RabbitMQ, and has at once what it had as the one before.
    """

    def __init__(self, instance: str, stores: Stores, redis: RedisPipeline, commands: TakesCommands) -> None:
        self.owner = ""
        """The latest one."""
        self._instance = instance
        self._succeeded = False
        self._stores = stores
        self._postgres = stores.main.postgres
        self._redis = redis
        self._commands = commands
        self._seen_at = self._judges_from = float("-inf")
        self._leaving = False
        self._map: PartitionMap | None = None
        self._version = 0
        """Of the map by which this process goes."""
        self._loop = Loop("partitions", self._step, INTERVAL_S, backoff=Backoff(max_s=INTERVAL_S))
        commands.add_listener(self._loop.wake)
        stores.add_listener(self._loop.wake)

    @property
    def map(self) -> PartitionMap:
        """The latest known map. Raises UnavailableError: none is known yet."""
        if self._map is None:
            raise UnavailableError
        return self._map

    async def start(self) -> None:
        await self._loop.start()

    async def stop(self) -> None:
        """Give the partitions to the others; return when no gateway sends commands here any more."""
        await self._loop.stop()
        self._leaving = True
        try:
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                await self._step()
                if self._map is not None and len(self._map.owners) > 1:
                    await asyncio.sleep(LEAVE_S)
                async with self._postgres.connection() as conn:
                    await partitions.leave(conn, self.owner)
        except (TimeoutError, UnavailableError):
            log.warning("partitions.not_left")

    async def _step(self) -> None:
        owner = self._commands.owner
        if owner is None:
            return
        if owner != self.owner:
            self.owner, self._succeeded = owner, False
        now = asyncio.get_running_loop().time()
        if now - self._seen_at > LATE_S:
            self._judges_from = now + LEASE_S
        self._seen_at, keep_absent = now, now < self._judges_from
        async with self._postgres.connection() as conn:
            if self._succeeded:
                await partitions.see(conn, self.owner, self._instance, self._version, leaving=self._leaving)
            found = await partitions.read(conn, LEASE_S)
        self._stores.take(found.stores, found.moving)
        self._version = found.version
        if not self._succeeded or _new_map(found, keep_absent=keep_absent) is not None:
            found = await self._write(keep_absent=keep_absent)
        self._take(found)

    async def _write(self, *, keep_absent: bool) -> Ownership:
        async with self._postgres.transaction() as conn:
            before = [] if self._succeeded else await self._replace_earlier(conn)
            found = _succeed(await partitions.lock(conn, LEASE_S), before, self.owner)
            new = _new_map(found, keep_absent=keep_absent)
            if new is None:
                self._succeeded = True
                return found  # somebody else was first
            members, owners = new
            version = await partitions.write(conn, members, owners)
        self._succeeded = True
        moved = sum(before != after for before, after in zip(found.owners, owners, strict=False))
        MOVED.inc(moved)
        log.info("partitions.assigned", version=version, members=len(members), moved=moved)
        written = replace(found, version=version, members=members, owners=owners)
        await self._publish(_map_of(written))
        return written

    async def _replace_earlier(self, conn: Connection) -> list[str]:
        """Be seen, and return whom to succeed, who is not seen any more: nobody shares anything with both."""
        await partitions.see(conn, self.owner, self._instance, self._version, leaving=self._leaving)
        return await partitions.succeed(conn, self.owner, self._instance)

    async def _publish(self, new: PartitionMap) -> None:
        with suppress(UnavailableError):  # gateways ask each second as well
            await self._redis.call(self._redis.PUBLISH, topology.PARTITIONS_CHANNEL, new.to_bytes())

    def _take(self, found: Ownership) -> None:
        if found.owners and (self._map is None or found.version != self._map.version):
            self._map = _map_of(found)
        OWNED.set(found.owners.count(self.owner))


def _succeed(found: Ownership, before: Sequence[str], owner: str) -> Ownership:
    """Give what those before had, who ran under the same name and are gone, to this process."""
    return replace(
        found,
        members=[member for member in found.members if member not in before],
        owners=[owner if each in before else each for each in found.owners],
    )


def _new_map(found: Ownership, *, keep_absent: bool) -> tuple[list[str], list[str]] | None:
    """Return the members and owners that the map should have, or None when it is right as it is."""
    absent = set(found.members) - set(found.present) if keep_absent else set()
    members = sorted({*found.present, *absent})
    owners = share_partitions(found.owners, sorted({*found.staying, *absent}))
    return None if (members, owners) == (sorted(found.members), found.owners) else (members, owners)


def _map_of(found: Ownership) -> PartitionMap:
    owned: defaultdict[str, list[int]] = defaultdict(list)
    for partition, owner in enumerate(found.owners):
        owned[owner].append(partition)
    return PartitionMap(
        version=found.version,
        owners=[
            PartitionOwner(queue=topology.command_queue(owner), partitions=owned[owner])
            for owner in sorted({*found.members, *owned})
        ],
    )

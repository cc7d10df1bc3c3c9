"""Which command goes to which api process: a lane for each, which all commands of its partitions take.

A partition that moves to another process keeps its order: what is queued changes lanes, and leaves only when what was
under way in the old one has its replies or was given up.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from synctalk_contracts.commands import CommandRequest
from synctalk_contracts.internal import PartitionMap
from synctalk_contracts.topology import PARTITIONS

from synctalk_gateway.clients.admission import Admission


@dataclass(slots=True, eq=False)
class Batch:
    """A bus message that waits for replies."""

    lane: "Lane"
    partitions: frozenset[int]
    open: set[int]
    """Requests without a reply."""


@dataclass(slots=True, frozen=True)
class Queued:
    partition: int
    request: CommandRequest


@dataclass(slots=True, eq=False)
class Lane:
    """The commands for one api process. One bus message at a time is under way."""

    queue: str | None
    """None: nobody is known to take them yet."""
    admission: Admission
    queued: list[Queued] = field(default_factory=list)
    batch: Batch | None = None


class Lanes:
    """The lane of each partition, as the latest `PartitionMap` says."""

    def __init__(self, admission: Callable[[], Admission]) -> None:
        self._admission = admission
        self._unassigned = Lane(None, admission())
        self._by_queue: dict[str, Lane] = {}
        self._by_partition = [self._unassigned] * PARTITIONS
        self._moving: dict[int, Batch] = {}
        """By partition: what is under way in the lane that it has left."""
        self._version = -1

    def __iter__(self) -> Iterator[Lane]:
        return iter((self._unassigned, *self._by_queue.values()))

    def of(self, partition: int) -> Lane:
        return self._by_partition[partition]

    def assign(self, partitions: PartitionMap) -> list[Lane]:
        """Follow the map, unless it is an old one; return the lanes of processes that are gone."""
        if partitions.version <= self._version:
            return []
        self._version = partitions.version
        before = list(self)
        self._by_queue = {
            owner.queue: self._by_queue.get(owner.queue) or Lane(owner.queue, self._admission())
            for owner in partitions.owners
        }
        for owner in partitions.owners:
            for partition in owner.partitions:
                self._by_partition[partition] = self._by_queue[owner.queue]
        self._requeue(before)
        under_way = [lane.batch for lane in before if lane.batch is not None]
        self._moving = {p: batch for batch in under_way for p in batch.partitions if self.of(p) is not batch.lane}
        return [lane for lane in before if lane.queue is not None and lane.queue not in self._by_queue]

    def _requeue(self, lanes: list[Lane]) -> None:
        """Put everything that is queued into the lane of its partition, in the order in which it came."""
        queued = sorted((one for lane in lanes for one in lane.queued), key=lambda one: one.request.id)
        for lane in lanes:
            lane.queued = []
        for one in queued:
            self.of(one.partition).queued.append(one)

    def take(self, lane: Lane, most: int) -> list[Queued]:
        """Remove and return what may leave now, oldest first."""
        if not self._moving:
            taken, lane.queued = lane.queued[:most], lane.queued[most:]
            return taken
        taken = [one for one in lane.queued if one.partition not in self._moving][:most]
        left = {one.request.id for one in taken}
        lane.queued = [one for one in lane.queued if one.request.id not in left]
        return taken

    def end(self, batch: Batch) -> set[Lane]:
        """Nothing of the batch is under way any more; return the lanes that may go on."""
        if batch.lane.batch is batch:
            batch.lane.batch = None
        waiting = {batch.lane}
        for partition in batch.partitions:
            if self._moving.get(partition) is batch:
                del self._moving[partition]
                waiting.add(self.of(partition))
        return waiting

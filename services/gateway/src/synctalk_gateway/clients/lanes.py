"""Which command goes to which api process: a lane for each, which all commands of its partitions take.

A partition is in one bus message at a time, also when it moves to another process: what is queued of it leaves only
when what was under way has its replies or was given up. So a conversation keeps its order though a lane has two
messages under way, and though one of them may be lost.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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
    sent_at: float
    """Monotonic seconds."""
    requests: list[bytes]
    """Each a `CommandRequest`."""


@dataclass(slots=True, frozen=True)
class Queued:
    partition: int
    number: int
    request: bytes
    """A `CommandRequest` with that number."""


@dataclass(slots=True, eq=False)
class Lane:
    """The commands for one api process."""

    queue: str | None
    """None: nobody is known to take them yet."""
    admission: Admission
    queued: list[Queued] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    """What is under way, oldest first."""
    departure: asyncio.Handle | None = None
    """The next bus message is about to leave."""
    departs_at: float = 0.0
    """When it does, by the loop's time."""


class Lanes:
    """The lane of each partition, as the latest `PartitionMap` says."""

    def __init__(self, admission: Callable[[], Admission]) -> None:
        self._admission = admission
        self._unassigned = Lane(None, admission())
        self._by_queue: dict[str, Lane] = {}
        self._by_partition = [self._unassigned] * PARTITIONS
        self._under_way: dict[int, Batch] = {}
        """By partition, in whichever lane it left."""
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
        return [lane for lane in before if lane.queue is not None and lane.queue not in self._by_queue]

    def _requeue(self, lanes: list[Lane]) -> None:
        """Put everything that is queued into the lane of its partition, in the order in which it came."""
        queued = sorted((one for lane in lanes for one in lane.queued), key=lambda one: one.number)
        for lane in lanes:
            lane.queued = []
        for one in queued:
            self.of(one.partition).queued.append(one)

    def has_free(self, lane: Lane) -> bool:
        """Return whether something that is queued may leave now."""
        return any(one.partition not in self._under_way for one in lane.queued)

    def take(self, lane: Lane, most: int, now: float) -> Batch | None:
        """Put what may leave now under way, oldest first; None: nothing may."""
        taken = [one for one in lane.queued if one.partition not in self._under_way][:most]
        if not taken:
            return None
        if len(taken) == len(lane.queued):
            lane.queued = []
        else:
            left = {one.number for one in taken}
            lane.queued = [one for one in lane.queued if one.number not in left]
        requests = [one.request for one in taken]
        partitions = frozenset(one.partition for one in taken)
        batch = Batch(lane, partitions, {one.number for one in taken}, now, requests)
        lane.batches.append(batch)
        self._under_way.update(dict.fromkeys(partitions, batch))
        return batch

    def end(self, batch: Batch) -> set[Lane]:
        """Nothing of the batch is under way any more; return the lanes that may go on."""
        batch.lane.batches.remove(batch)
        waiting = {batch.lane}
        for partition in batch.partitions:
            del self._under_way[partition]
            waiting.add(self.of(partition))
        return waiting

"""Overload of a partition, simulated: what is accepted is answered soon, the rest is refused at once."""

import heapq
from collections import deque
from itertools import count

import pytest
from synctalk_gateway.clients.admission import Admission

BATCH = 64
BATCH_S = 0.02
CAPACITY = BATCH / BATCH_S
TARGET_S = 0.2


class Partition:
    """One bus message under way at a time; api answers it after `batch_s`, however many commands are in it."""

    def __init__(self, batch_s: float = BATCH_S) -> None:
        self.batch_s = batch_s
        self.admission = Admission(TARGET_S, BATCH)
        self.queue: deque[float] = deque()
        self.under_way: list[float] = []
        self.latencies: list[tuple[float, float]] = []
        self.refused = 0
        self.longest = 0

    def give(self, now: float) -> None:
        if not self.admission.admits(len(self.queue), now):
            self.refused += 1
            return
        self.queue.append(now)
        self.longest = max(self.longest, len(self.queue))

    def send(self, now: float) -> None:
        self.under_way = [self.queue.popleft() for _ in range(min(BATCH, len(self.queue)))]
        self.admission.sent(len(self.queue), now)

    def answer(self, now: float) -> None:
        self.admission.finished(now)
        self.latencies += [(given, now - given) for given in self.under_way]
        self.under_way = []


def run(partition: Partition, offered_per_s: float, seconds: float, begin: float = 0.0) -> float:
    """Commands come evenly; returns when all that was accepted is answered."""
    numbers = count()
    coming = [(begin + n / offered_per_s, next(numbers), "give") for n in range(int(offered_per_s * seconds))]
    heapq.heapify(coming)
    now = begin
    while coming:
        now, _, what = heapq.heappop(coming)
        if what == "give":
            partition.give(now)
        else:
            partition.answer(now)
        if partition.queue and not partition.under_way:
            partition.send(now)
            heapq.heappush(coming, (now + partition.batch_s, next(numbers), "answer"))
    return now


def percentile(partition: Partition, share: float, since: float = 0.0) -> float:
    latencies = sorted(latency for given, latency in partition.latencies if given >= since)
    return latencies[int(share * (len(latencies) - 1))]


def at_capacity() -> Partition:
    partition = Partition()
    run(partition, CAPACITY * 0.98, 20)
    return partition


def test_below_capacity__nothing_is_refused() -> None:
    assert at_capacity().refused == 0


@pytest.mark.parametrize("times", [1.5, 3, 10])
def test_overload__accepted_within_twice_the_latency_at_capacity_and_none_of_the_capacity_lost(times: float) -> None:
    calm, partition = at_capacity(), Partition()
    ended = run(partition, CAPACITY * times, 20)

    assert percentile(partition, 0.5, since=1) <= 2 * percentile(calm, 0.5)
    assert percentile(partition, 0.99, since=1) <= 2 * percentile(calm, 0.99)
    assert max(latency for _, latency in partition.latencies) <= TARGET_S + 3 * BATCH_S
    assert len(partition.latencies) >= 0.97 * CAPACITY * 20
    assert partition.longest <= CAPACITY * TARGET_S
    assert ended < 20.5


def test_overload__is_over__the_next_is_as_fast_as_ever() -> None:
    partition = Partition()
    ended = run(partition, CAPACITY * 3, 5)
    refused = partition.refused
    run(partition, CAPACITY * 0.5, 5, begin=ended)

    assert partition.refused == refused
    assert percentile(partition, 0.99, since=ended) <= 2 * BATCH_S + 0.001


def test_burst__from_idle__is_let_in_as_far_as_it_is_answered_in_time() -> None:
    partition = Partition()
    for _ in range(400):
        partition.give(100.0)
    assert partition.refused == 0
    for _ in range(10_000):
        partition.give(100.0)
    assert partition.longest < CAPACITY * TARGET_S


def test_api_stands_still__holds_no_more_than_a_batch_and_a_half() -> None:
    partition = Partition()
    partition.give(0.0)
    partition.send(0.0)
    for number in range(1, 10_000):
        partition.give(0.3 + number / 10_000)

    assert partition.longest == BATCH * 3 // 2
    assert partition.admission.delay_s(len(partition.queue), 1.3) > 1


def test_api_stood_still__a_burst_is_let_in_soon_after() -> None:
    partition = Partition()
    partition.give(0.0)
    partition.send(0.0)
    partition.answer(5.0)
    ended = run(partition, CAPACITY * 0.5, 1, begin=5.0)
    for _ in range(200):
        partition.give(ended)

    assert partition.refused == 0


def test_finished__without_a_batch_under_way__measures_nothing() -> None:
    admission = Admission(TARGET_S, BATCH)
    guessed = admission.delay_s(0, 0.0)
    admission.finished(1.0)
    assert admission.delay_s(0, 1.0) == guessed

    admission.sent(0, 1.0)
    admission.finished(2.0)
    assert admission.delay_s(0, 2.0) > guessed

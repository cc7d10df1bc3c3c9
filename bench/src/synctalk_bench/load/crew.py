"""The workers together: jobs are dealt out to them, and their results merged."""

import asyncio
import multiprocessing
from array import array
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

from synctalk_bench.load.plan import Answer, Close, Failed, Faults, Job, Open, Opened, Ran, Run, Seat, Settle
from synctalk_bench.load.worker import work

GOODBYE_S = 10.0


class LoadError(Exception):
    """The load could not be put on; the text says why."""


@dataclass(frozen=True)
class Load:
    """What all workers did and saw together. Latencies in microseconds, ascending."""

    acked: dict[str, list[int]]
    deliveries: int
    ack_us: "array[int]"
    delivery_us: "array[int]"
    late_us: "array[int]"
    retries: int
    syncs: int


class Crew:
    def __init__(self, pipes: Sequence[Connection], pids: Sequence[int]) -> None:
        self._pipes = pipes
        self.pids = pids
        self._senders: list[int] = []

    async def open(self, url: str, seats: Sequence[Seat]) -> dict[str, int]:
        """Replace all sockets by these; answers where each conversation stands."""
        hands = [list(seats[number :: len(self._pipes)]) for number in range(len(self._pipes))]
        self._senders = [sum(seat.sends for seat in hand) for hand in hands]
        answers = await self._run_all([Open(url, hand) for hand in hands])
        stands: dict[str, int] = {}
        for answer in answers:
            assert isinstance(answer, Opened)
            stands |= answer.last_seqs
        return stands

    async def run(self, job: Run) -> Load:
        """Each worker sends its share of the rate."""
        total = sum(self._senders)
        answers = await self._run_all(
            [
                replace(job, rate_per_s=job.rate_per_s * senders / total, name=f"{job.name}-{n}", seed=n)
                for n, senders in enumerate(self._senders)
            ]
        )
        return _together([answer for answer in answers if isinstance(answer, Ran)])

    async def settle(self, job: Settle) -> Counter[str]:
        """What went wrong, by kind."""
        faults: Counter[str] = Counter()
        for answer in await self._run_all([job] * len(self._pipes)):
            assert isinstance(answer, Faults)
            faults.update(answer.counts)
        return faults

    async def _run_all(self, jobs: Sequence[Job]) -> list[Answer]:
        for pipe, job in zip(self._pipes, jobs, strict=True):
            pipe.send(job)
        answers: list[Answer] = await asyncio.gather(*(asyncio.to_thread(pipe.recv) for pipe in self._pipes))
        for answer in answers:
            if isinstance(answer, Failed):
                raise LoadError(answer.reason)
        return answers


def _together(parts: Sequence[Ran]) -> Load:
    acked: dict[str, list[int]] = defaultdict(list)
    for part in parts:
        for conversation_id, seqs in part.acked.items():
            acked[conversation_id] += seqs
    return Load(
        acked=dict(acked),
        deliveries=sum(part.deliveries for part in parts),
        ack_us=_sorted([part.ack_us for part in parts]),
        delivery_us=_sorted([part.delivery_us for part in parts]),
        late_us=_sorted([part.late_us for part in parts]),
        retries=sum(part.retries for part in parts),
        syncs=sum(part.syncs for part in parts),
    )


def _sorted(packed: Sequence[bytes]) -> "array[int]":
    values = array("I")
    for part in packed:
        values.frombytes(part)
    return array("I", sorted(values))


@asynccontextmanager
async def hired(workers: int) -> AsyncIterator[Crew]:
    """Worker processes, ended on the way out."""
    spawn = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for number in range(workers):
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=work, args=(theirs,), name=f"load-{number}", daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    try:
        yield Crew(pipes, [process.pid or 0 for process in processes])
        for pipe in pipes:
            pipe.send(Close())
        for process in processes:
            await asyncio.to_thread(process.join, GOODBYE_S)
    finally:
        for process in processes:
            process.kill()

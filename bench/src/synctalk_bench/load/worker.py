"""A process of the load generator: some hundreds of clients, and a schedule of what they send.

The load is open: messages go out when they are due, whether or not the earlier ones were answered. They are due at
random (exponential gaps), users take turns, and the seed makes both servers see the same schedule.
"""

import asyncio
import gc
import itertools
import random
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import uvloop

from synctalk_bench.load.client import Client, RefusedError, connect
from synctalk_bench.load.plan import Answer, Close, Failed, Faults, Job, Open, Opened, Ran, Run, Settle
from synctalk_bench.load.tally import Tally

CONCURRENT_CONNECTS = 24
ACK_TIMEOUT_S = 30.0
LOOK_AGAIN_S = 0.05
MAX_OPEN_FILES = 65_536


def work(pipe: Connection) -> None:
    """The process's main: run jobs until `Close`."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    try:
        uvloop.run(_serve(pipe))
    except (EOFError, KeyboardInterrupt):
        return  # the coordinator is gone


async def _serve(pipe: Connection) -> None:
    worker = Worker()
    while not isinstance(job := await asyncio.to_thread(pipe.recv), Close):
        pipe.send(await worker.run(job))


class Worker:
    def __init__(self) -> None:
        self._clients: list[Client] = []
        self._tally = Tally()

    async def run(self, job: Job) -> Answer:
        match job:
            case Open():
                return await self._open(job)
            case Run():
                return await self._run(job)
            case Settle():
                return await self._settle(job)
            case Close():
                return Faults()

    async def _open(self, job: Open) -> Answer:
        """Let go of the clients there are, and open these."""
        await self._close_all()
        self._tally = Tally()
        gate = asyncio.Semaphore(CONCURRENT_CONNECTS)

        async def one(seat_number: int) -> Client:
            async with gate:
                return await connect(job.url, job.seats[seat_number], self._tally)

        try:
            self._clients = list(await asyncio.gather(*map(one, range(len(job.seats)))))
        except RefusedError as error:
            return Failed(str(error))
        last_seqs = {client.seat.conversation_id: await client.ready() for client in self._clients}
        return Opened(last_seqs)

    async def _close_all(self) -> None:
        for number, client in enumerate(self._clients):
            client.close()
            if number % CONCURRENT_CONNECTS == 0:
                await asyncio.sleep(0)
        self._clients = []

    async def _run(self, job: Run) -> Answer:
        tally = self._tally
        tally.window_from_ns, tally.window_to_ns = job.window_from_ns, job.window_to_ns
        gc.collect()
        gc.freeze()  # a collection over thousands of clients would be seen as the servers' latency
        await self._send_all(job)
        await self._until(lambda: not any(client.waiting for client in self._clients), ACK_TIMEOUT_S)
        unanswered = sum(len(client.waiting) for client in self._clients)
        if unanswered:
            tally.faults["not acked"] += unanswered
        return Ran(
            acked=dict(tally.acked),
            deliveries=tally.deliveries,
            ack_us=tally.ack_us.tobytes(),
            delivery_us=tally.delivery_us.tobytes(),
            late_us=tally.late_us.tobytes(),
            retries=tally.retries,
            syncs=tally.syncs,
        )

    async def _send_all(self, job: Run) -> None:
        senders = [client for client in self._clients if client.seat.sends]
        if not senders or job.rate_per_s <= 0:
            return
        dice = random.Random(job.seed)
        due_ns = float(job.begin_ns)
        for number, client in enumerate(itertools.cycle(senders)):
            due_ns += dice.expovariate(job.rate_per_s) * 1e9
            if due_ns >= job.window_to_ns:
                return
            wait_ns = due_ns - time.monotonic_ns()
            if wait_ns > 0:
                await asyncio.sleep(wait_ns / 1e9)
            now_ns = time.monotonic_ns()
            self._tally.late(int(now_ns - due_ns), now_ns)
            client.send(f"{job.name}-{number}", job.body_chars)

    async def _settle(self, job: Settle) -> Answer:
        """All that was acked must arrive; then every ledger is read."""

        def missing() -> int:
            return sum(
                client.ledger.missing(job.last_seqs[client.seat.conversation_id])
                for client in self._clients
                if client.ledger is not None
            )

        await self._until(lambda: missing() == 0, job.timeout_s)
        faults = self._tally.faults
        faults["lost"] += missing()
        ledgers = [client.ledger for client in self._clients if client.ledger is not None]
        faults["doubled"] += sum(ledger.doubled + ledger.claimed_twice() for ledger in ledgers)
        faults["out of order"] += sum(ledger.disordered for ledger in ledgers)
        return Faults({kind: count for kind, count in faults.items() if count})

    @staticmethod
    async def _until(is_done: Callable[[], bool], timeout_s: float) -> None:
        """Look again and again until it is so, or the time is over: an event for each message would cost too much."""
        end = time.monotonic() + timeout_s
        while not is_done():
            if time.monotonic() > end:
                return
            await asyncio.sleep(LOOK_AGAIN_S)

"""Passwords, hashed with argon2id in a few threads of their own, never on the loop.

The queue before the threads is fair by address, addresses that are known to the account first, and has a bound: over
it the answer is 503 at once, because a wait that clients give up on is work for nobody. OWASP's parameters; about 22 ms
of CPU each.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from prometheus_client import Counter, Gauge

from synctalk_auth.errors import HashingBusyError
from synctalk_auth.fair_queue import FairQueue, Turn

WAITING = Gauge("auth_hashing_waiting", "Passwords that wait for a thread.")
REFUSED = Counter("auth_hashing_refused_total", "Passwords refused because too many were waiting.")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], Any]
    done: "asyncio.Future[Any]"


class Hasher:
    """Makes and checks password hashes; at most `threads` at once, at most `max_waiting` behind them."""

    def __init__(self, threads: int, max_waiting: int) -> None:
        self._argon2 = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._free = threads
        self._queue: FairQueue[_Job] = FairQueue(max_waiting)
        self._nobodys = self._argon2.hash("nobody has this password")

    async def hash(self, password: str, turn: Turn) -> str:
        """Hash a password. Raises HashingBusyError when the queue is full."""
        return await self._run(turn, lambda: self._argon2.hash(_bytes(password)))

    async def verify(self, password_hash: str | None, password: str, turn: Turn) -> bool:
        """Return whether it is this password. With None, for an unknown user, it takes as long and returns False.

        Raises HashingBusyError when the queue is full.
        """
        return await self._run(turn, lambda: self._matches(password_hash, password))

    def is_outdated(self, password_hash: str) -> bool:
        """Was it made with other parameters than today's?"""
        return self._argon2.check_needs_rehash(password_hash)

    def close(self) -> None:
        while self._queue:
            _refuse(self._queue.pop())
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, password_hash: str | None, password: str) -> bool:
        try:
            self._argon2.verify(password_hash or self._nobodys, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    async def _run(self, turn: Turn, work: Callable[[], T]) -> T:
        job = _Job(work, asyncio.get_running_loop().create_future())
        if self._free:
            self._begin(job)
        elif (refused := self._queue.put(turn, job)) is not None:
            REFUSED.inc()
            _refuse(refused)
        WAITING.set(len(self._queue))
        result: T = await job.done
        return result

    def _begin(self, job: _Job) -> None:
        self._free -= 1
        hashing = asyncio.get_running_loop().run_in_executor(self._threads, job.work)
        hashing.add_done_callback(lambda ended: self._end(job, ended))

    def _end(self, job: _Job, ended: "asyncio.Future[Any]") -> None:
        self._free += 1
        _settle(job, ended)
        while self._free and self._queue:
            waiting = self._queue.pop()
            if not waiting.done.done():  # else who waited for it is gone
                self._begin(waiting)
        WAITING.set(len(self._queue))


def _settle(job: _Job, ended: "asyncio.Future[Any]") -> None:
    if ended.cancelled():
        _refuse(job)
    elif job.done.done():
        ended.exception()
    elif (error := ended.exception()) is not None:
        job.done.set_exception(error)
    else:
        job.done.set_result(ended.result())


def _refuse(job: _Job) -> None:
    if not job.done.done():
        job.done.set_exception(HashingBusyError())


def _bytes(password: str) -> bytes:
    """Encode it in one normal form: the same keys on another keyboard or system are the same password (RFC 8265)."""
    return unicodedata.normalize("NFC", password).encode()

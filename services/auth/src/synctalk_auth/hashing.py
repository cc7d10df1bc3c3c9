"""Passwords, hashed with argon2id in a few threads of their own, never on the loop.

The line before the threads has a bound: over it the answer is 503 at once, because a wait that clients give up on is
work for nobody. OWASP's parameters; about 22 ms of CPU each.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from prometheus_client import Counter, Gauge

from synctalk_auth.errors import HashingBusyError

PENDING = Gauge("auth_hashing_pending", "Passwords being hashed or waiting for a thread.")
REFUSED = Counter("auth_hashing_refused_total", "Passwords refused because too many were waiting.")

T = TypeVar("T")


class Hasher:
    """Makes and checks password hashes; at most `threads` at once, at most `max_waiting` behind them."""

    def __init__(self, threads: int, max_waiting: int) -> None:
        self._argon2 = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._most = threads + max_waiting
        self._pending = 0
        self._nobodys = self._argon2.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """Raises HashingBusyError when the line is full."""
        return await self._run(lambda: self._argon2.hash(_bytes(password)))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Is it this one? With None, for a person who does not exist, it takes as long and says no.

        Raises HashingBusyError when the line is full.
        """
        return await self._run(lambda: self._matches(password_hash, password))

    def is_outdated(self, password_hash: str) -> bool:
        """Was it made with other parameters than today's?"""
        return self._argon2.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _matches(self, password_hash: str | None, password: str) -> bool:
        try:
            self._argon2.verify(password_hash or self._nobodys, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._pending >= self._most:
            REFUSED.inc()
            raise HashingBusyError
        self._pending += 1
        PENDING.set(self._pending)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._pending -= 1
            PENDING.set(self._pending)


def _bytes(password: str) -> bytes:
    """In one normal form, so that the same keys on another keyboard or system are the same password (RFC 8265)."""
    return unicodedata.normalize("NFC", password).encode()

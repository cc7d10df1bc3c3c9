"""Limits of tries at a password. A try takes from the account's buckets before the password is looked at, so that
many at once do not slip through, and a right one gives it back.

The address's buckets come first: a try that they refuse leaves nothing named after the account, so that made-up names
fill no memory and one address uses up nothing of others. While Redis is away this process's own buckets limit.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.limits import Limit, Limiter
from synctalk_runtime.redis import Client

from synctalk_auth import rules
from synctalk_auth.fair_queue import Turn
from synctalk_auth.limits import Limits
from synctalk_auth.store import known_addresses

log = structlog.get_logger()

LOOK_UP_TIMEOUT_S = 0.5

Buckets = Sequence[tuple[Limit, str]]


@dataclass(frozen=True, slots=True)
class Try:
    """A password that may be looked at."""

    buckets: Buckets
    """What it took of the account, given back when it was the right one."""
    turn: Turn


@dataclass(frozen=True, slots=True)
class Guessing:
    """Limits how often passwords are tried."""

    limiter: Limiter
    limits: Limits
    redis: Client
    known_address_s: int

    async def begin_login(self, account: str, address: str) -> Try:
        """Take a try from the buckets of the address and the account. Raises RateLimitedError.

        It is the same for a name that nobody has: limits must not reveal who exists. One that nobody can have counts
        for the address alone.
        """
        blocks = rules.address_blocks(address)
        widest = blocks[-1]
        await self.limiter.take_all(self.limits.of_address(self.limits.login, blocks))
        if not rules.may_be_a_username(account):
            return Try([], Turn(widest, is_known=False))
        is_known = await self._is_known(account, address)
        buckets = self._of_known(account, address) if is_known else self.limits.of_unknown(account, blocks)
        await self.limiter.take_all(buckets)
        return Try(buckets, Turn(widest, is_known))

    def _of_known(self, account: str, address: str) -> Buckets:
        return [(self.limits.guess, f"{account}:{address}")]

    async def _is_known(self, account: str, address: str) -> bool:
        try:
            async with asyncio.timeout(LOOK_UP_TIMEOUT_S):
                return await known_addresses.is_known(self.redis, account, address)
        except (UnavailableError, TimeoutError):
            log.warning("guessing.address_not_looked_up")
            return False

    async def logged_in(self, attempt: Try, account: str, address: str) -> None:
        """Give the try back, since the password was right; guesses from elsewhere count here no more."""
        await self.give_back(attempt.buckets)
        await self.remember(account, address)

    async def remember(self, account: str, address: str) -> None:
        """Remember the address as the user's: they signed in from there, or use a session."""
        try:
            async with asyncio.timeout(LOOK_UP_TIMEOUT_S):
                await known_addresses.remember(self.redis, account, address, self.known_address_s)
        except (UnavailableError, TimeoutError):
            log.warning("guessing.address_not_remembered")

    async def begin_password_change(self, user_id: str) -> Buckets:
        """Take a try, as `begin_login`, for a user with an access token."""
        buckets = [(self.limits.password_change, user_id)]
        await self.limiter.take_all(buckets)
        return buckets

    async def give_back(self, buckets: Buckets) -> None:
        await self.limiter.ask(buckets, cost=-1)

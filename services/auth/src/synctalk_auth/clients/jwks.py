"""The key set of another issuer, over HTTP: bounded, cached, one fetch at a time.

The address is the operator's, so internal ones are well; where it redirects to is somebody else's, so redirects are not
followed. While the issuer does not answer, the keys read last stay good.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import structlog
from jwt import PyJWK
from synctalk_runtime.errors import UnavailableError

from synctalk_auth.clients.json_over_http import FAILURES, get_object
from synctalk_auth.public_keys import PublicKeys

log = structlog.get_logger()

TIMEOUT_S = 3.0
FRESH_S = 600.0
"""A key that the issuer has withdrawn is accepted no longer than this."""
REFETCH_S = 10.0
"""Minimum time between two fetches, whatever `kid` a token names: it is the attacker's input."""
FIRST_REFETCH_S = 1.0
"""The same while no key was ever read."""


class JwksClient:
    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._keys: PublicKeys | None = None
        self._read_at = self._asked_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def of(self, kid: str | None, algorithm: str) -> Sequence[PyJWK]:
        """Return the keys that a signature may come from. Raises UnavailableError when none was ever read."""
        if self._wants_fetch(kid):
            await asyncio.shield(self._fetch())
        if self._keys is None:
            raise UnavailableError("The issuer's keys can't be read right now. Try again.")
        return self._keys.of(kid, algorithm)

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _wants_fetch(self, kid: str | None) -> bool:
        now = time.monotonic()
        if self._fetching is not None and not self._fetching.done():
            return self._keys is None or not self._knows(kid)
        if now - self._asked_at < (FIRST_REFETCH_S if self._keys is None else REFETCH_S):
            return False
        return now - self._read_at > FRESH_S or not self._knows(kid)

    def _knows(self, kid: str | None) -> bool:
        return self._keys is not None and (kid is None or self._keys.has(kid))

    def _fetch(self) -> asyncio.Task[None]:
        """Fetch the key set, once for all who wait."""
        if self._fetching is None or self._fetching.done():
            self._asked_at = time.monotonic()
            self._fetching = asyncio.create_task(self._read(), name="issuer-jwks")
        return self._fetching

    async def _read(self) -> None:
        try:
            entries = await self._download()
        except FAILURES as error:
            log.warning("issuer_keys.not_read", error=type(error).__name__)
            return
        self._keys = PublicKeys(entries)
        self._read_at = time.monotonic()

    async def _download(self) -> list[Any]:
        """Return the entries of the document. Raises ValueError when it is none."""
        document = await get_object(self._url, self._timeout_s)
        if not isinstance(document.get("keys"), list):
            raise ValueError("no key set")
        return list(document["keys"])

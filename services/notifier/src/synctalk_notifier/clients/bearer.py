"""Google's access token for each request, without blocking the loop.

Firebase's own flow refreshes synchronously inside the async call, for up to two minutes. Here the refresh runs in a
thread, ahead of the token's end, once at a time, and one that failed is not tried again for a moment.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import structlog
from google.auth.exceptions import GoogleAuthError
from google.auth.transport import requests as google_requests
from google.oauth2.service_account import Credentials

log = structlog.get_logger()

AHEAD_S = 300.0
PAUSE_S = 1.0


class Bearer(httpx.Auth):
    """Sets the header, and tries once more with a new token when Google does not know the one at hand (401)."""

    def __init__(self, credentials: Credentials, timeout_s: float) -> None:
        self._credentials = credentials
        self._request = partial(google_requests.Request(), timeout=timeout_s)
        self._lock = asyncio.Lock()
        self._failed_at = float("-inf")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await self.token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = f"Bearer {await self.token(other_than=token)}"
            yield request

    async def token(self, other_than: str | None = None) -> str:
        """A valid token. Raises httpx.ConnectError, which the caller takes as "try later"."""
        if not self._is_fresh(other_than):
            async with self._lock:
                if not self._is_fresh(other_than):
                    await self._refresh()
        token = self._credentials.token
        assert isinstance(token, str)
        return token

    def _is_fresh(self, other_than: str | None) -> bool:
        token, expiry = self._credentials.token, self._credentials.expiry
        if not token or token == other_than or expiry is None:
            return False
        remaining: timedelta = expiry.replace(tzinfo=UTC) - datetime.now(UTC)  # the library's time is naive UTC
        return remaining.total_seconds() > AHEAD_S

    async def _refresh(self) -> None:
        if time.monotonic() - self._failed_at < PAUSE_S:
            raise httpx.ConnectError("no access token a moment ago")
        try:
            await asyncio.to_thread(self._credentials.refresh, self._request)
        except (GoogleAuthError, OSError, ValueError) as error:
            self._failed_at = time.monotonic()
            log.error("fcm.no_access_token", error=type(error).__name__)
            raise httpx.ConnectError("no access token") from error

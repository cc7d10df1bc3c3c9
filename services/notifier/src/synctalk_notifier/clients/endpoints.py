"""Requests to the endpoints of host apps: to public addresses only, no redirects, a deadline for all of it."""

from dataclasses import dataclass

import aiohttp
import structlog
from synctalk_runtime.outbound import Outbound, is_forbidden

log = structlog.get_logger()

MAX_ANSWER_BYTES = 65_536
"""A longer answer, or one of unknown length, is not read: its connection is closed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request: a status, or why there is none."""

    status: int | None
    error: str | None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Endpoints:
    """Posts events to whatever URL the host app gave."""

    def __init__(self, outbound: Outbound, timeout_s: float) -> None:
        self._outbound = outbound
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._http = aiohttp.ClientSession(
            connector=self._outbound.connector(limit=0),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Post it, once. Whatever the endpoint does, there is an `Answer`, at the deadline at the latest."""
        assert self._http is not None, "open() first"
        try:
            async with self._http.post(url, data=body, headers=headers, allow_redirects=False) as response:
                if response.content_length is not None and response.content_length <= MAX_ANSWER_BYTES:
                    await response.read()
                else:
                    response.close()
                return Answer(response.status, None if 200 <= response.status < 300 else f"status {response.status}")
        except TimeoutError:
            return Answer(None, "timeout")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, _reason(error))


def _reason(error: Exception) -> str:
    if is_forbidden(error):
        return "forbidden_address"
    if isinstance(error, aiohttp.ClientSSLError):
        return "tls_failed"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "not_connected"
    return "broken_answer"

"""One HTTP call: every failure is a `CallError` or a `NoAnswerError`."""

from collections.abc import Mapping
from typing import Any

import aiohttp
from yarl import URL

from synctalk.errors import CallError, NoAnswerError, call_error

TIMEOUT_S = 15.0

Params = Mapping[str, str | int]


class Http:
    """Calls to one origin. `open` and `close` it, or use it as a context manager."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: Any = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the JSON of the answer, None where it is empty. `path` is already percent-encoded."""
        if self._session is None:
            raise RuntimeError("The client is not open: use it by `async with`.")
        own = {} if token is None else {"Authorization": f"Bearer {token}"}
        url = URL(self.base_url + path, encoded=True).update_query(params or {})
        try:
            async with self._session.request(method, url, json=json, headers={**own, **(headers or {})}) as response:
                status = response.status
                body = await _body(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswerError(f"{method} {path}: {type(error).__name__}") from error
        if status < 400:
            return body
        raise call_error(body, status) or CallError(
            "unavailable", f"Status {status} without an error body.", status=status
        )


async def _body(response: aiohttp.ClientResponse) -> Any:
    raw = await response.read()
    if not raw or "json" not in response.content_type:
        return None
    try:
        return await response.json()
    except ValueError as error:
        raise NoAnswerError("The answer is no JSON.") from error

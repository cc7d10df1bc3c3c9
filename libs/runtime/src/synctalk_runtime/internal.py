"""Calls between services: JSON over HTTP inside the cluster, guarded by a shared secret, never routed by the edge."""

import hmac
from typing import Any

import aiohttp
import orjson
from fastapi import Request
from pydantic import SecretStr

from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.telemetry import traceparent

HEADER = "x-synctalk-internal"


class InternalClient:
    """One neighbour. Every call has a deadline; whatever goes wrong is `UnavailableError`."""

    def __init__(self, base_url: str, secret: SecretStr, timeout_s: float = 2.0, connections: int = 32) -> None:
        self._base = base_url.rstrip("/")
        self._secret = secret.get_secret_value()
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._connections = connections
        self._http: aiohttp.ClientSession | None = None

    async def get(self, path: str, **params: str) -> Any:
        return await self._call("GET", path, params=params)

    async def post(self, path: str, body: Any) -> Any:
        return await self._call("POST", path, data=orjson.dumps(body))

    async def put(self, path: str, body: Any) -> Any:
        return await self._call("PUT", path, data=orjson.dumps(body))

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def _call(self, method: str, path: str, **options: Any) -> Any:
        """The decoded answer, None for 204. Raises NotFoundError for 404, UnavailableError for all else."""
        if self._http is None:
            self._http = aiohttp.ClientSession(
                timeout=self._timeout, connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=30)
            )
        headers = {HEADER: self._secret, "content-type": "application/json"}
        if (parent := traceparent()) is not None:
            headers["traceparent"] = parent
        try:
            async with self._http.request(method, self._base + path, headers=headers, **options) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError from error
        if answer.status == 404:
            raise NotFoundError
        if answer.status >= 300:
            raise UnavailableError
        try:
            return orjson.loads(body) if body else None
        except orjson.JSONDecodeError as error:
            raise UnavailableError from error


async def require_internal(request: Request) -> None:
    """Dependency of every /internal route; a caller without the secret learns nothing."""
    given = request.headers.get(HEADER, "")
    secret: str = request.app.state.internal_secret
    if not hmac.compare_digest(given.encode(), secret.encode()):
        raise NotFoundError

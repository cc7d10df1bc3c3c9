"""Calls between services: JSON over HTTP inside the cluster, guarded by a shared secret, never routed by the edge."""

import hmac
from typing import Any

import aiohttp
import orjson
from fastapi import Request
from pydantic import SecretStr, ValidationError
from synctalk_contracts.errors import ErrorBody

from synctalk_runtime.errors import AppError, NotFoundError, RateLimitedError, UnavailableError
from synctalk_runtime.telemetry import traceparent

HEADER = "x-synctalk-internal"


class InternalClient:
    """Another service. Each call has a deadline; any failure but a refused limit is `UnavailableError`."""

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
        """The decoded answer, None for 204.

        Raises:
            NotFoundError: 404.
            RateLimitedError: 429: the service limits the user on whose behalf it was called.
            UnavailableError: all else.
        """
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
        if answer.status == 429:
            raise _rate_limited(body)
        if answer.status >= 300:
            raise UnavailableError
        try:
            return orjson.loads(body) if body else None
        except orjson.JSONDecodeError as error:
            raise UnavailableError from error


def _rate_limited(body: bytes) -> AppError:
    """The error of a 429."""
    try:
        detail = ErrorBody.model_validate_json(body).error
    except ValidationError:
        return UnavailableError()
    return RateLimitedError(retry_after=detail.retry_after, details=detail.details)


async def require_internal(request: Request) -> None:
    """Dependency of every /internal route; a caller without the secret learns nothing."""
    given = request.headers.get(HEADER, "")
    secret: str = request.app.state.internal_secret
    if not hmac.compare_digest(given.encode(), secret.encode()):
        raise NotFoundError

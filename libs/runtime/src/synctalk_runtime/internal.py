"""Calls between services: JSON over HTTP inside the cluster, never routed by the edge.

A caller names itself and shows its secret. A called service knows for each caller the secrets that are valid, two while
one is changed, and the routes that it may use. Whoever may not gets a 404, as for a route that does not exist.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import structlog
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from prometheus_client import Counter
from pydantic import ValidationError
from synctalk_contracts.errors import ErrorBody
from synctalk_contracts.internal_routes import InternalRoute, callers_in

from synctalk_runtime.errors import AppError, NotFoundError, RateLimitedError, UnavailableError
from synctalk_runtime.settings import BaseServiceSettings, secrets_in
from synctalk_runtime.telemetry import traceparent

log = structlog.get_logger()

HEADER = "x-synctalk-internal"
"""The secret."""
CALLER_HEADER = "x-synctalk-caller"
PREFIX = "/internal"

REFUSED = Counter(
    "internal_refused_total", "Calls to /internal that were refused, by who the caller says it is.", ["caller"]
)


@dataclass(frozen=True, slots=True)
class Credential:
    """Who calls, and the secret that proves it."""

    caller: str
    secret: str

    @classmethod
    def of(cls, settings: BaseServiceSettings) -> "Credential":
        return cls(settings.SERVICE, secrets_in(settings.internal_secret)[0])

    @property
    def headers(self) -> dict[str, str]:
        return {HEADER: self.secret, CALLER_HEADER: self.caller}

    def __repr__(self) -> str:
        return f"Credential({self.caller!r})"


class InternalClient:
    """Another service. Each call has a deadline; any failure but a refused limit is `UnavailableError`."""

    def __init__(self, base_url: str, credential: Credential, timeout_s: float = 2.0, connections: int = 32) -> None:
        self._base = base_url.rstrip("/")
        self._credential = credential
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
        headers = {**self._credential.headers, "content-type": "application/json"}
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


class Callers:
    """Who may call a service: by which secrets each of the others is known there, and which routes it may use."""

    def __init__(
        self, routes: Iterable[InternalRoute], secrets: Mapping[str, Sequence[str]], shared: Sequence[str] = ()
    ) -> None:
        """`shared`: the secrets of callers that do not name themselves, as those of the version before."""
        self._callers = {(route.method, route.path): frozenset(route.callers) for route in routes}
        self._secrets = {name: [secret.encode() for secret in valid] for name, valid in secrets.items()}
        self._shared = [secret.encode() for secret in shared]

    @classmethod
    def of(cls, settings: BaseServiceSettings, routes: Iterable[InternalRoute]) -> "Callers":
        """Return the callers of the service with these settings. One that has no secret of its own uses the shared."""
        own = [route for route in routes if route.service == settings.SERVICE]
        shared = secrets_in(settings.internal_secret)
        given = {name: settings.internal_secrets_of(name) for name in callers_in(own)}
        secrets = {name: valid or shared for name, valid in given.items()}
        return cls(own, secrets, () if any(given.values()) else shared)

    def is_known(self, caller: str, secret: bytes) -> bool:
        """Return whether the caller is who it says it is; in the same time whatever of it is wrong."""
        valid = self._secrets.get(caller, []) if caller else self._shared
        return sum(hmac.compare_digest(secret, one) for one in valid) > 0

    def may(self, caller: str, method: str, path: str) -> bool:
        """Return whether a known caller may use the route; `path` is its template."""
        return not caller or caller in self._callers.get((method, path), ())

    def name_of(self, caller: str) -> str:
        """Return the caller's name for logs and metrics: it may say anything."""
        return caller if caller in self._secrets else "unknown"

    def check_routes(self, routers: Sequence[APIRouter]) -> None:
        """Raise ValueError unless the routers' internal routes are those that there is a rule for."""
        found = {
            (method, route.path)
            for router in routers
            for route in router.routes
            if isinstance(route, APIRoute) and route.path.startswith(f"{PREFIX}/")
            for method in route.methods or ()
        }
        if wrong := found ^ self._callers.keys():
            names = ", ".join(sorted(f"{method} {path}" for method, path in wrong))
            raise ValueError(f"internal routes and the rules of who may call them differ: {names}")


async def require_internal(request: Request) -> None:
    """Dependency of every /internal route; whoever may not call it learns nothing."""
    callers: Callers = request.app.state.callers
    caller, secret = request.headers.get(CALLER_HEADER, ""), request.headers.get(HEADER, "").encode()
    path: str = request.scope["route"].path
    if callers.is_known(caller, secret) and callers.may(caller, request.method, path):
        return
    name = callers.name_of(caller)
    REFUSED.labels(name).inc()
    log.warning("internal.refused", caller=name, method=request.method, route=path)
    raise NotFoundError

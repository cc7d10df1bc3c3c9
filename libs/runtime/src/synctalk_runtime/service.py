"""The wiring that all services share, so that a `main.py` names only what is its own.

What a service opens, runs and closes is registered here. It starts in the sequence of registration and stops in the
reverse one: whatever a thing uses is registered before it. The bus comes after its consumers' dependencies.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

from fastapi import APIRouter, FastAPI, Request
from pydantic import SecretStr
from redis.asyncio import Redis

from synctalk_runtime import redis
from synctalk_runtime.app import create_app
from synctalk_runtime.bus import Bus
from synctalk_runtime.credentials import Credentials, RemoteCredentials
from synctalk_runtime.health import Health
from synctalk_runtime.internal import Credential, InternalClient
from synctalk_runtime.redis_cluster import ClusterPipeline
from synctalk_runtime.redis_pipeline import RedisPipeline
from synctalk_runtime.revocations import OnRevoked, Revocations
from synctalk_runtime.settings import BaseServiceSettings
from synctalk_runtime.tokens import KeySet, OnWithdrawn, Principal, TokenVerifier


class Closes(Protocol):
    def close(self) -> Awaitable[None] | None: ...


class Opens(Closes, Protocol):
    async def open(self) -> None: ...


class Runs(Protocol):
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class Verifier(Protocol):
    async def verify(self, token: str) -> Principal: ...


Begin = Callable[[], Awaitable[None]]
End = Callable[[], Awaitable[None] | None]

C = TypeVar("C", bound=Closes)
O = TypeVar("O", bound=Opens)  # noqa: E741
R = TypeVar("R", bound=Runs)


class Service:
    """One process of a service: its bus, its health, and what it opens and closes."""

    def __init__(self, settings: BaseServiceSettings) -> None:
        self._settings = settings
        self._lifetimes: list[tuple[Begin | None, End]] = []
        self._credentials: Credentials | None = None
        self.health = Health()
        self.bus = Bus(settings.rabbitmq_url, settings.instance, settings.tls_ca_file)

    def lifetime(self, begin: Begin | None, end: End) -> None:
        """Begin when the service starts, end when it stops."""
        self._lifetimes.append((begin, end))

    def closing(self, resource: C) -> C:
        """Close it when the service stops."""
        self.lifetime(None, resource.close)
        return resource

    def opening(self, resource: O) -> O:
        """Open it when the service starts, close it when it stops."""
        self.lifetime(resource.open, resource.close)
        return resource

    def running(self, resource: R) -> R:
        """Start and stop it with the service."""
        self.lifetime(resource.start, resource.stop)
        return resource

    def upstream(self, url: str, timeout_s: float | None = None) -> InternalClient:
        """Return a client of another service, closed with this one."""
        deadline_s = self._settings.call_timeout_s if timeout_s is None else timeout_s
        return self.closing(InternalClient(url, Credential.of(self._settings), deadline_s))

    def scripts_redis(self) -> Redis | RedisPipeline:
        """Return what runs scripts on the service's Redis, without which the process is still ready."""
        settings = self._settings
        if settings.redis_cluster:
            pipeline = self.redis_pipeline(settings.redis_url)
            self.health.add("redis", partial(pipeline.call, "PING"), gates=False)
            return pipeline
        client = redis.connect(settings.redis_url, settings.tls_ca_file)
        self.lifetime(None, client.aclose)
        self.health.add("redis", partial(redis.check, client), gates=False)
        return client

    def redis(self) -> redis.Client:
        """Return a client of the service's Redis, without which the process is still ready."""
        settings = self._settings
        connect = redis.connect_cluster if settings.redis_cluster else redis.connect
        client = connect(settings.redis_url, settings.tls_ca_file)
        self.lifetime(None, client.aclose)
        self.health.add("redis", partial(redis.check, client), gates=False)
        return client

    def redis_pipeline(self, url: SecretStr, **options: Any) -> RedisPipeline:
        pipeline = ClusterPipeline if self._settings.redis_cluster else RedisPipeline
        return self.closing(pipeline(url, self._settings.tls_ca_file, **options))

    def verify_tokens(
        self, on_revoked: OnRevoked | None = None, on_withdrawn: OnWithdrawn | None = None
    ) -> TokenVerifier:
        """Follow auth's keys and its revocations. The process is not ready before it has read both."""
        settings = self._settings
        jwks_url = f"{settings.auth_url.rstrip('/')}/.well-known/jwks.json"
        keys = KeySet(jwks_url, settings.call_timeout_s, on_withdrawn)
        revocations = Revocations(on_revoked, settings.revocations_fail_closed_s)
        auth = self.upstream(settings.auth_url)
        revocations.follow(self.bus, auth)
        self._credentials = RemoteCredentials(auth)
        self.lifetime(keys.start, keys.close)
        self.running(revocations)
        self.health.add("keys", keys.check)
        self.health.add("revocations", revocations.ready)
        return TokenVerifier(
            keys,
            revocations,
            settings.token_issuer,
            settings.token_audience,
            settings.token_max_lifetime_s,
            self._credentials,
        )

    def app(
        self,
        routers: Sequence[APIRouter],
        tokens: Verifier,
        services: object = None,
        credentials: Credentials | None = None,
    ) -> FastAPI:
        """Return the application; endpoints get `services` by `Depends(injected)`.

        `credentials`: of a service that knows server keys by itself.
        """
        self.health.add("rabbitmq", self.bus.check, gates=False)
        app = create_app(self._settings, routers, self.health, self._lifespan)
        app.state.services = services
        app.state.tokens = tokens
        app.state.credentials = credentials or self._credentials
        return app

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for begin, end in self._lifetimes:
                if begin is not None:
                    await begin()
                stack.push_async_callback(_finish, end)
            yield
            self.health.draining = True


async def _finish(end: End) -> None:
    ending = end()
    if ending is not None:
        await ending


def injected(request: Request) -> Any:
    """Return the dependencies of this service's endpoints."""
    return request.app.state.services

"""The wiring of presence: pools, the deny-list of sessions, the sweeper, the doors; stopped in the reverse order."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from synctalk_runtime import redis
from synctalk_runtime.app import create_app
from synctalk_runtime.bus import Bus
from synctalk_runtime.health import Health
from synctalk_runtime.internal import InternalClient
from synctalk_runtime.limits import Limiter
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.redis_line import RedisLine
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import KeySet, TokenVerifier

from synctalk_presence.clients.contacts import Contacts
from synctalk_presence.parts import Parts
from synctalk_presence.routes import internal, presence
from synctalk_presence.settings import Settings
from synctalk_presence.store.announcements import Announcements
from synctalk_presence.store.leases import Leases
from synctalk_presence.sweeper import Sweeper


def build(settings: Settings) -> FastAPI:
    postgres = Postgres(settings)
    cache = redis.connect(settings.redis_url)
    line = RedisLine(settings.redis_url)
    bus = Bus(settings.rabbitmq_url, settings.instance)
    auth = InternalClient(settings.auth_url, settings.internal_secret, settings.call_timeout_s)
    api = InternalClient(settings.api_url, settings.internal_secret, settings.call_timeout_s)
    keys = KeySet(f"{settings.auth_url}/.well-known/jwks.json", settings.call_timeout_s)
    revocations = Revocations()
    revocations.follow(bus, auth)
    parts = Parts(
        settings=settings,
        postgres=postgres,
        leases=Leases(cache, settings),
        announcements=Announcements(cache, settings),
        contacts=Contacts(api),
        limiter=Limiter(line),
    )
    sweeper = Sweeper(parts)

    async def redis_check() -> None:
        with redis.answering():
            await cache.ping()

    health = Health()
    health.add("postgres", postgres.check)
    health.add("redis", redis_check)
    health.add("rabbitmq", bus.check)
    health.add("keys", keys.check)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(auth.close)
            stack.push_async_callback(api.close)
            stack.push_async_callback(cache.aclose)
            stack.push_async_callback(line.close)
            await postgres.open()
            stack.push_async_callback(postgres.close)
            await bus.start()
            stack.push_async_callback(bus.stop)
            await sweeper.start()
            stack.push_async_callback(sweeper.stop)
            yield
            health.draining = True

    app = create_app(settings, [presence.router, internal.router], health, lifespan)
    app.state.parts = parts
    app.state.tokens = TokenVerifier(keys, revocations, settings.token_issuer, settings.token_audience)
    app.state.internal_secret = settings.internal_secret.get_secret_value()
    return app

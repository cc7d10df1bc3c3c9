"""The wiring of auth, on one page."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.resources import files

from fastapi import FastAPI
from synctalk_runtime import redis as runtime_redis
from synctalk_runtime.app import create_app
from synctalk_runtime.bus import Bus
from synctalk_runtime.health import Health
from synctalk_runtime.internal import InternalClient
from synctalk_runtime.limits import Limiter
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.redis_line import RedisLine

from synctalk_auth.actions import cleaning, keys
from synctalk_auth.bearer import OwnTokenVerifier
from synctalk_auth.clients.api import ApiClient
from synctalk_auth.consumers import users
from synctalk_auth.hashing import Hasher
from synctalk_auth.limits import Limits
from synctalk_auth.parts import Parts
from synctalk_auth.periodic import Periodic
from synctalk_auth.routes import internal, jwks, password, sessions, tokens
from synctalk_auth.settings import Settings
from synctalk_auth.signing import Keyring

ROUTERS = (tokens.router, sessions.router, password.router, jwks.router, internal.router)


def build(settings: Settings) -> FastAPI:
    postgres = Postgres(settings)
    redis = runtime_redis.connect(settings.redis_url)
    line = RedisLine(settings.redis_url)
    bus = Bus(settings.rabbitmq_url, name=settings.instance)
    outbox = OutboxRelay(postgres, bus, settings.outbox_interval_s)
    parts = Parts(
        settings=settings,
        postgres=postgres,
        redis=redis,
        limiter=Limiter(line),
        limits=Limits.of(settings),
        hasher=Hasher(settings.hash_threads, settings.hash_max_waiting),
        keyring=Keyring(
            settings.token_issuer, settings.token_audience, settings.access_token_ttl_s, settings.signing_key_passphrase
        ),
        api=ApiClient(InternalClient(settings.api_url, settings.internal_secret, settings.profile_timeout_s)),
        outbox=outbox,
        common_passwords=_common_passwords(),
    )
    users.subscribe(bus, parts)
    key_keeping = Periodic("keys", settings.key_reload_s, partial(keys.keep, parts))
    cleaning_up = Periodic("cleaning", settings.clean_interval_s, partial(cleaning.clean, parts))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(parts.hasher.close)
            await postgres.open()
            stack.push_async_callback(postgres.close)
            stack.push_async_callback(redis.aclose)
            stack.push_async_callback(line.close)
            stack.push_async_callback(parts.api.close)
            for running in (bus, outbox, key_keeping, cleaning_up):
                await running.start()
                stack.push_async_callback(running.stop)
            yield

    app = create_app(settings, ROUTERS, _health(parts, bus), lifespan)
    app.state.parts = parts
    app.state.tokens = OwnTokenVerifier(parts)
    app.state.internal_secret = settings.internal_secret.get_secret_value()
    return app


def _health(parts: Parts, bus: Bus) -> Health:
    async def redis_answers() -> None:
        await parts.redis.ping()

    health = Health()
    health.add("postgres", parts.postgres.check)
    health.add("redis", redis_answers)
    health.add("rabbitmq", bus.check)
    health.add("keys", parts.keyring.check)
    return health


def _common_passwords() -> frozenset[str]:
    text = files("synctalk_auth").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line.casefold() for line in text.split())

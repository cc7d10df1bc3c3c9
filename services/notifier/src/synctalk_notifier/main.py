"""The wiring of the notifier, on one page."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from synctalk_runtime.app import create_app
from synctalk_runtime.bus import Bus
from synctalk_runtime.health import Health
from synctalk_runtime.internal import InternalClient
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import KeySet, TokenVerifier

from synctalk_notifier.actions.sender import Sender
from synctalk_notifier.clients.fcm import Fcm
from synctalk_notifier.clients.neighbours import Neighbours
from synctalk_notifier.consumers import events, sessions
from synctalk_notifier.parts import Parts
from synctalk_notifier.routes import devices, settings
from synctalk_notifier.settings import Settings

ROUTERS = (devices.router, settings.router)
JWKS_PATH = "/.well-known/jwks.json"


def build(settings: Settings) -> FastAPI:
    bus = Bus(settings.rabbitmq_url, name=settings.instance)
    auth, api, presence = (
        InternalClient(url, settings.internal_secret, settings.call_timeout_s)
        for url in (settings.auth_url, settings.api_url, settings.presence_url)
    )
    parts = Parts(
        settings=settings,
        postgres=Postgres(settings),
        neighbours=Neighbours(api, presence),
        revocations=Revocations(),
        fcm=_fcm(settings),
    )
    keys = KeySet(settings.auth_url.rstrip("/") + JWKS_PATH, settings.call_timeout_s)
    sender = Sender(parts)
    events.subscribe(bus, parts)
    sessions.subscribe(bus, parts)
    parts.revocations.follow(bus, auth)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await parts.postgres.open()
            stack.push_async_callback(parts.postgres.close)
            for client in (keys, parts.neighbours, auth, *((parts.fcm,) if parts.fcm else ())):
                stack.push_async_callback(client.close)
            for running in (sender, bus):
                await running.start()
                stack.push_async_callback(running.stop)
            yield

    app = create_app(settings, ROUTERS, _health(parts, bus, keys), lifespan)
    app.state.parts = parts
    app.state.tokens = TokenVerifier(keys, parts.revocations, settings.token_issuer, settings.token_audience)
    app.state.internal_secret = settings.internal_secret.get_secret_value()
    return app


def _fcm(settings: Settings) -> Fcm | None:
    if settings.fcm_credentials_file is None:
        return None
    return Fcm(settings.fcm_credentials_file, settings.fcm_url, settings.fcm_timeout_s)


def _health(parts: Parts, bus: Bus, keys: KeySet) -> Health:
    health = Health()
    health.add("postgres", parts.postgres.check)
    health.add("rabbitmq", bus.check)
    health.add("keys", keys.check)
    return health

"""The wiring of api, on one page: what there is, how it hangs together, in which order it opens and stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from synctalk_contracts import topology
from synctalk_runtime.app import create_app
from synctalk_runtime.bus import Bus
from synctalk_runtime.health import Health
from synctalk_runtime.internal import InternalClient
from synctalk_runtime.limits import Limiter
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.redis_line import RedisLine
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import KeySet, TokenVerifier

from synctalk_api.actions.writer import Writer
from synctalk_api.clients.accounts import Accounts
from synctalk_api.clients.fanout import Fanout
from synctalk_api.consumers import commands, users
from synctalk_api.parts import Parts
from synctalk_api.routes import (
    conversations,
    internal,
    members,
    messages,
    reactions,
    receipts,
    search,
    sync,
)
from synctalk_api.routes import users as user_routes
from synctalk_api.settings import Settings

DOORS = (user_routes, conversations, members, messages, reactions, receipts, search, sync, internal)


def build(settings: Settings) -> FastAPI:
    postgres = Postgres(settings)
    line = RedisLine(settings.redis_url)
    bus = Bus(settings.rabbitmq_url, settings.instance)
    auth = InternalClient(settings.auth_url, settings.internal_secret, settings.call_timeout_s)
    relay = OutboxRelay(postgres, bus, settings.outbox_interval_s)
    fanout = Fanout(line, settings.fanout_queue_messages, settings.fanout_wait_s)
    writer = Writer(postgres, settings, fanout, relay.wake)
    parts = Parts(settings, postgres, fanout, relay, writer, Accounts(auth), Limiter(line))

    keys = KeySet(f"{settings.auth_url.rstrip('/')}/.well-known/jwks.json", settings.call_timeout_s)
    revocations = Revocations()
    revocations.follow(bus, auth)
    bus.subscribe(users.QUEUE, users.EVENTS, users.handler(parts))
    for partition in range(settings.command_partitions):
        bus.serve(
            topology.command_queue(partition),
            commands.handler(writer),
            ttl_ms=settings.command_ttl_ms,
            max_length=settings.command_queue_length,
        )

    health = Health()
    health.add("postgres", postgres.check)
    health.add("rabbitmq", bus.check)
    health.add("redis", fanout.check)
    health.add("keys", keys.check)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await postgres.open()
        await fanout.start()
        await writer.start()
        await relay.start()
        await bus.start()
        yield
        health.draining = True
        await bus.stop()
        await writer.stop()
        await relay.stop()
        await fanout.stop()
        await auth.close()
        await line.close()
        await postgres.close()

    app = create_app(settings, [door.router for door in DOORS], health, lifespan)
    app.state.parts = parts
    app.state.tokens = TokenVerifier(keys, revocations, settings.token_issuer, settings.token_audience)
    app.state.internal_secret = settings.internal_secret.get_secret_value()
    return app

"""The wiring of api: its dependencies and consumers, in the sequence in which they start.

They stop in the reverse one: the partitions go to other processes, no more commands arrive, the writer finishes its
batch, broadcasts are published, then the pools close.
"""

from fastapi import FastAPI
from synctalk_contracts import topology
from synctalk_runtime.limits import Limiter
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.service import Service

from synctalk_api.actions.backfill import Backfill
from synctalk_api.actions.partitions import Partitions
from synctalk_api.actions.profiles import ProfilePublisher
from synctalk_api.actions.writer import Writer
from synctalk_api.clients.accounts import Accounts
from synctalk_api.clients.fanout import Fanout
from synctalk_api.consumers.commands import command_handler
from synctalk_api.consumers.users import registration_handler
from synctalk_api.routes import ROUTERS
from synctalk_api.routes.dependencies import Services
from synctalk_api.settings import Settings
from synctalk_api.store.pools import Pools


def build(settings: Settings) -> FastAPI:
    service = Service(settings)
    redis = service.redis_pipeline(settings.redis_url)
    limiter = Limiter(service.redis_pipeline(settings.limits_url))
    accounts = Accounts(service.upstream(settings.auth_url))
    pools = Pools.of(service, settings)
    service.health.add("postgres", pools.postgres.check)
    queue_limits = (settings.fanout_queue_messages, settings.fanout_queue_bytes)
    fanout = service.running(Fanout(redis, *queue_limits, settings.fanout_wait_s))
    service.health.add("redis", fanout.check, gates=False)
    relay = service.running(OutboxRelay(pools.postgres, service.bus, settings.outbox_interval_s))
    profiles = service.running(ProfilePublisher(pools.postgres, settings, fanout))
    writer = service.running(Writer(pools.writes, settings, fanout, relay.wake))
    service.running(Backfill(pools.postgres))
    tokens = service.verify_tokens()
    partitions = Partitions(settings.instance, pools.postgres, redis, service.bus)
    services = Services.of(settings, pools, accounts, limiter, relay, fanout, profiles, writer, partitions)
    service.bus.subscribe(topology.API_USERS, registration_handler(services.users))
    service.bus.serve(
        topology.command_queue(partitions.owner),
        command_handler(writer),
        ttl_ms=settings.command_ttl_ms,
        max_length=settings.command_queue_length,
    )
    service.running(service.bus)
    service.running(partitions)
    return service.app(ROUTERS, tokens, services)
